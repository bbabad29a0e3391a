// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting

extension AdmissionTable {
    /// RFC 6750 §2.1, RFC 7515 §5.2, RFC 9068 §4: the form of a token, its header, its key and its signature.
    static let tokens: [AdmissionCase] = [
        AdmissionCase("malformed-token") { try await $0.bearerTwice("to\"ken") },
        AdmissionCase("malformed-token-that-would-be-introspected") { declaration, _ in
            declaration.introspect()
        } play: {
            try await $0.bearerTwice("to ken")
        },
        AdmissionCase("token-too-long") { declaration, _ in
            declaration.tokens.maxTokenByteCount = 64
        } play: {
            try await $0.bearerTwice($0.stage.mint())
        },
        AdmissionCase("malformed-jwt") { try await $0.bearerTwice("a.b.c") },
        AdmissionCase("malformed-jwt-that-is-opaque") { try await $0.bearerTwice($0.stage.opaque()) },
        AdmissionCase("unsupported-token-format-opaque-without-introspection") { declaration, _ in
            declaration.tokens.format = .any
        } play: {
            try await $0.bearerTwice($0.stage.opaque())
        },
        AdmissionCase(
            "unsupported-token-format-jwt-of-an-issuer-without-keys"
        ) { declaration, stage in
            declaration.introspect()
            declaration.issuers.append(stage.stranger.trusted)
            declaration.tokens.format = .jwt
        } play: {
            try await $0.bearerTwice($0.stage.mint())
        },
        AdmissionCase("unsupported-token-type") {
            try await $0.bearerTwice($0.stage.mint(header: ["typ": "JWT"]))
        },
        AdmissionCase("unsupported-algorithm") { declaration, _ in
            declaration.tokens.algorithms = [.rs256]
        } play: {
            try await $0.bearerTwice($0.stage.mint())
        },
        AdmissionCase("unsupported-algorithm-none") {
            try await $0.bearer($0.stage.mint(header: ["alg": "none"]))
        },
        AdmissionCase("unknown-issuer") {
            try await $0.bearerTwice($0.stage.mint(by: $0.stage.stranger))
        },
        AdmissionCase("unknown-key") {
            try await $0.bearerTwice($0.stage.mint(header: ["kid": "other"]))
        },
        AdmissionCase("unknown-key-after-fetching-keys") { declaration, _ in
            declaration.fetchKeys()
        } play: {
            try await $0.bearerTwice($0.stage.mint(header: ["kid": "other"]))
        },
        AdmissionCase("ambiguous-key") { declaration, stage in
            let others = (2...5).map { TestIssuer(AdmissionStage.issuerName, keyID: "test-\($0)") }
            declaration.issuers = [
                .jwt(
                    issuer: AdmissionStage.issuerName,
                    keys: .fixed(JWKSet(others.map(\.key.publicKey) + [stage.issuer.key.publicKey])))
            ]
        } play: {
            try await $0.bearerTwice($0.stage.nameless())
        },
        AdmissionCase("several-keys-of-which-the-second-verifies") { declaration, stage in
            let other = TestIssuer(AdmissionStage.issuerName, keyID: "test-2")
            declaration.issuers = [
                .jwt(
                    issuer: AdmissionStage.issuerName,
                    keys: .fixed(JWKSet([other.key.publicKey, stage.issuer.key.publicKey])))
            ]
        } play: {
            try await $0.bearerTwice($0.stage.nameless())
        },
        AdmissionCase("invalid-signature-after-fetching-keys") { declaration, _ in
            declaration.fetchKeys()
        } play: {
            try await $0.bearer($0.stage.mint())
            $0.stage.clock.advance(by: .seconds(31))
            try await $0.bearerTwice($0.stage.mint(by: $0.stage.impostor))
        },
        AdmissionCase("unknown-issuer-beside-a-pattern") { declaration, _ in
            declaration.issuers.append(.tenants(of: "https://t.example.com/{tenant}", named: ["a"]))
        } play: {
            try await $0.bearerTwice($0.stage.mint(claims: ["iss": "https://t.example.com/b"]))
        },
        AdmissionCase("keys-unavailable-of-a-tenant") { declaration, _ in
            declaration.issuers.append(.tenants(of: "https://t.example.com/{tenant}", named: ["a"]))
        } play: {
            try await $0.bearerTwice($0.stage.mint(claims: ["iss": "https://t.example.com/a"]))
        },
        AdmissionCase("invalid-signature") {
            try await $0.bearerTwice($0.stage.mint(by: $0.stage.impostor))
        },
        AdmissionCase("keys-unavailable") { declaration, _ in
            declaration.fetchKeys()
        } play: {
            $0.stage.network.on(AdmissionStage.keysURL, failing: .unreachable)
            try await $0.bearerTwice($0.stage.mint())
        },
        AdmissionCase("keys-unavailable-at-discovery") { declaration, _ in
            declaration.issuers = [.jwt(issuer: AdmissionStage.issuerName)]
        } play: {
            $0.stage.network.on(
                AdmissionStage.issuerName + "/.well-known/oauth-authorization-server", json: ["issuer": "x"])
            try await $0.bearer($0.stage.mint())
        },
        AdmissionCase("keys-unavailable-as-the-set-is-empty") { declaration, _ in
            declaration.issuers = [.jwt(issuer: AdmissionStage.issuerName, keys: .fixed(JWKSet([])))]
        } play: {
            try await $0.bearerTwice($0.stage.mint())
        },
    ]

    /// RFC 9068 §2.2, §4, RFC 7519 §4.1: the claims of a token.
    static let claims: [AdmissionCase] = [
        AdmissionCase("malformed-claims-audience") {
            try await $0.bearerTwice($0.stage.mint(claims: ["aud": 1]))
        },
        AdmissionCase("malformed-claims-expiry") {
            try await $0.bearer($0.stage.mint(claims: ["exp": "soon"]))
        },
        AdmissionCase("malformed-claims-scope") {
            try await $0.bearer($0.stage.mint(claims: ["scope": 5]))
        },
        AdmissionCase("malformed-actor") {
            try await $0.bearerTwice($0.stage.mint(claims: ["act": "service"]))
        },
        AdmissionCase("admitted-with-an-actor") {
            try await $0.bearerTwice($0.stage.mint(claims: ["act": ["sub": "service"]]))
        },
        AdmissionCase("id-token") {
            try await $0.bearerTwice($0.stage.mint(claims: ["at_hash": "x", "token_use": "id"]))
        },
        AdmissionCase("claim-value-mismatch") { declaration, _ in
            declaration.issuers[0].requiredClaimValues = [ClaimValues("/token_use", ["access"])]
        } play: {
            try await $0.bearerTwice($0.stage.mint(claims: ["token_use": "refresh"]))
        },
        AdmissionCase("audience-mismatch-where-a-claim-takes-its-place") { declaration, _ in
            declaration.issuers[0].requiredClaimValues = [ClaimValues("/token_use", ["access"])]
            declaration.issuers[0].audienceSource = ClaimValues("/client_id", ["client-2"])
        } play: {
            try await $0.bearer($0.stage.mint(claims: ["token_use": "access"], omitting: ["aud"]))
        },
        AdmissionCase("missing-claim") { try await $0.bearerTwice($0.stage.mint(omitting: ["jti", "sub"])) },
        AdmissionCase("missing-claim-expiry") {
            try await $0.bearer($0.stage.mint(omitting: ["exp"]))
        },
        AdmissionCase("audience-mismatch") {
            try await $0.bearerTwice($0.stage.mint(claims: ["aud": "https://api.example.com/photos"]))
        },
        AdmissionCase("audience-mismatch-by-a-slash") {
            try await $0.bearer($0.stage.mint(claims: ["aud": "https://api.example.com/notes/"]))
        },
        AdmissionCase("expired") {
            let token = $0.stage.mint(claims: ["exp": 1_800_000_000])
            $0.stage.clock.advance(by: .seconds(29))
            try await $0.bearer(token)
            $0.stage.clock.advance(by: .seconds(1))
            try await $0.bearer(token)
        },
        AdmissionCase("not-yet-valid") {
            let token = $0.stage.mint(claims: ["nbf": 1_800_000_031])
            try await $0.bearer(token)
            $0.stage.clock.advance(by: .seconds(1))
            try await $0.bearer(token)
        },
        AdmissionCase("issued-in-the-future") {
            try await $0.bearerTwice($0.stage.mint(claims: ["iat": 1_800_000_031]))
        },
        AdmissionCase("unproven-possession-unknown-method") {
            try await $0.bearerTwice($0.stage.mint(claims: ["cnf": ["jwk": ["kty": "EC"]]]))
        },
        AdmissionCase("unproven-possession-malformed") {
            try await $0.bearer($0.stage.mint(claims: ["cnf": ["jkt": "short"]]))
        },
        AdmissionCase("unproven-possession-one-method-of-two") {
            let client = $0.stage.client.thumbprint
            try await $0.bearer($0.stage.mint(claims: ["cnf": ["jkt": .string(client), "other": "x"]]))
        },
    ]
}
