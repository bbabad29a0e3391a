// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting

extension AdmissionTable {
    private static let needed = AuthorizationDetail(type: "payment", actions: ["initiate"])

    private static func stepUp(
        _ name: String, _ requirement: AccessRequirement, _ claims: JSONObject
    ) -> AdmissionCase {
        AdmissionCase(name) { declaration, _ in
            declaration.requirement = requirement
        } play: {
            try await $0.bearerTwice($0.stage.mint(claims: claims))
        }
    }

    private static func details(
        _ name: String, named isNamed: Bool = false, _ claims: JSONObject = [:]
    ) -> AdmissionCase {
        AdmissionCase(name) { declaration, _ in
            declaration.metadata.authorizationDetailsTypesSupported = ["payment"]
            declaration.tokens.challengesAuthorizationDetails = isNamed
            declaration.requirement = AccessRequirement("notes:read").covering(needed)
        } play: {
            try await $0.bearerTwice($0.stage.mint(claims: claims))
        }
    }

    private static let strong = AccessRequirement("notes:read").authenticated(by: ["phr", "phrh"])
    private static let recent = AccessRequirement("notes:read").authenticated(within: .seconds(60))

    /// RFC 9470 §3, RFC 6750 §3.1, RFC 9396 §9: whether a valid token suffices.
    static let requirements: [AdmissionCase] = [
        stepUp("authentication-too-weak", strong, ["acr": "pwd"]),
        stepUp("authentication-too-weak-without-acr", strong, [:]),
        stepUp("authentication-too-old", recent, ["auth_time": 1_799_999_909]),
        stepUp("authentication-too-old-without-auth-time", recent, [:]),
        stepUp("admitted-with-strong-authentication", strong, ["acr": "phrh"]),
        stepUp("admitted-with-recent-authentication", recent, ["auth_time": 1_799_999_910]),
        stepUp("insufficient-scope", "notes:write", [:]),
        stepUp("insufficient-scope-of-several", ["notes:read", "notes:write"], [:]),
        stepUp(
            "insufficient-scope-none-at-all", .any(of: ["notes:write", "notes:read"]), ["scope": "other"]),
        stepUp("admitted-with-any-of-two-scopes", .any(of: ["notes:write", "notes:read"]), [:]),
        stepUp("admitted-without-a-scope", .anyValidToken, ["scope": ""]),
        AdmissionCase("insufficient-scope-where-dpop-is-accepted") {
            $0.takeDPoP($1.memory)
            $0.requirement = "notes:write"
        } play: {
            let token = $0.stage.mint(boundTo: $0.stage.client)
            try await $0.bearer($0.stage.mint("bearer token"))
            try await $0.dpop(token, $0.stage.proof(for: token))
        },
        AdmissionCase("admitted-by-an-implied-scope") { declaration, _ in
            declaration.tokens.scopeImplications = [
                "notes:admin": ["notes:write"], "notes:write": ["notes:read"],
            ]
        } play: {
            try await $0.bearerTwice($0.stage.mint(scope: "notes:admin"))
        },
        details("insufficient-authorization-details"),
        details("insufficient-authorization-details-that-are-named", named: true),
        details(
            "admitted-with-authorization-details",
            ["authorization_details": [["type": "payment", "actions": ["initiate", "cancel"]]]]),
    ]

    private static func admitted(
        _ name: String, _ declare: @escaping AdmissionCase.Declare = { _, _ in }
    ) -> AdmissionCase {
        AdmissionCase(name, declare) { try await $0.bearerTwice($0.stage.mint()) }
    }

    private static func admittedOpaque(
        _ name: String, _ declare: @escaping AdmissionCase.Declare
    ) -> AdmissionCase {
        AdmissionCase(name, declare) { try await $0.bearerTwice($0.stage.opaque()) }
    }

    private static func admittedDPoP(
        _ name: String, _ declare: @escaping AdmissionCase.Declare
    ) -> AdmissionCase {
        AdmissionCase(name, declare) {
            let token = $0.stage.mint(boundTo: $0.stage.client)
            try await $0.dpop(token, $0.stage.proof(for: token))
            try await $0.dpop(token, $0.stage.proof("second proof", for: token))
        }
    }

    /// RFC 9068 §4, RFC 7662 §2, RFC 9449 §7, RFC 6750 §2: every kind of admission.
    static let admissions: [AdmissionCase] = [
        admitted("admitted-jwt-with-a-key-at-hand"),
        admitted("admitted-jwt-with-a-key-to-fetch") { declaration, _ in declaration.fetchKeys() },
        admitted("admitted-jwt-with-a-key-to-discover") { declaration, _ in
            declaration.issuers = [.jwt(issuer: AdmissionStage.issuerName)]
        },
        admitted("admitted-jwt-of-an-issuer-that-introspects-too") {
            $0.verifyOrIntrospect($1.issuer.keys)
        },
        admitted("admitted-jwt-that-is-introspected") { declaration, _ in declaration.introspect() },
        admitted("admitted-jwt-of-an-issuer-without-keys") {
            $0.introspect()
            $0.issuers.append($1.stranger.trusted)
        },
        admitted("admitted-jwt-freshly-introspected") {
            $0.verifyOrIntrospect($1.issuer.keys)
            $0.requirement = AccessRequirement("notes:read").freshlyIntrospected()
        },
        AdmissionCase("admitted-jwt-with-mapped-claims") { declaration, _ in
            declaration.issuers[0].claims = ClaimMapping(
                clientID: ["/azp"], scopes: ["/realm_access/roles"])
            declaration.issuers[0].requiredClaimValues = [ClaimValues("/typ", ["Bearer"])]
            declaration.issuers[0].audienceSource = ClaimValues("/azp", ["client-2"])
        } play: {
            try await $0.bearerTwice(
                $0.stage.mint(
                    claims: [
                        "typ": "Bearer", "azp": "client-2", "sub": "user-1", "scope": .null,
                        "realm_access": ["roles": ["notes:read"]],
                    ], omitting: ["aud", "client_id"]))
        },
        admittedOpaque("admitted-opaque") { declaration, _ in declaration.introspect() },
        admittedOpaque("admitted-opaque-after-discovery") { declaration, _ in
            declaration.introspect()
            declaration.issuers[0].introspection?.endpoint = nil
        },
        admittedOpaque("admitted-opaque-beside-jwts") { $0.verifyOrIntrospect($1.issuer.keys) },
        admittedOpaque("admitted-opaque-freshly-introspected") { declaration, _ in
            declaration.introspect()
            declaration.requirement = AccessRequirement("notes:read").freshlyIntrospected()
        },
        admittedDPoP("admitted-dpop") { $0.takeDPoP($1.memory) },
        admittedDPoP("admitted-dpop-where-it-is-required") {
            $0.takeDPoP($1.memory)
            $0.metadata.dpopBoundAccessTokensRequired = true
        },
        admittedDPoP("admitted-dpop-with-a-store-that-waits") { $0.takeDPoP($1.store) },
        admittedDPoP("admitted-dpop-with-a-key-to-fetch") {
            $0.takeDPoP($1.memory)
            $0.fetchKeys()
        },
        AdmissionCase("admitted-dpop-introspected") {
            $0.takeDPoP($1.memory)
            $0.introspect()
        } play: {
            let token = $0.stage.opaque()
            $0.stage.introspectActive([
                "token_type": "DPoP", "cnf": ["jkt": .string($0.stage.client.thumbprint)],
            ])
            try await $0.dpop(token, $0.stage.proof(for: token))
            try await $0.dpop(token, $0.stage.proof("second proof", for: token))
        },
        AdmissionCase("admitted-bearer-where-nonces-are-required") {
            $0.takeDPoP($1.memory)
            $0.tokens.dpop.nonce = .required
        } play: {
            try await $0.bearer($0.stage.mint())
        },
        AdmissionCase("admitted-dpop-and-mtls") {
            $0.takeDPoP($1.memory)
        } play: {
            let stage = $0.stage
            let token = stage.mint(boundTo: stage.client, certificate: stage.certificate)
            let fields = [("Authorization", "DPoP \(token)"), ("DPoP", stage.proof(for: token))]
            try await $0.send(fields, certificate: .connection(der: stage.certificate))
        },
        AdmissionCase("admitted-bearer-with-a-bound-token-where-the-route-wants-one") { declaration, _ in
            declaration.requirement = AccessRequirement("notes:read").senderConstrained()
        } play: {
            let token = $0.stage.mint(certificate: $0.stage.certificate)
            try await $0.send(
                [("Authorization", "Bearer \(token)")], certificate: .connection(der: $0.stage.certificate))
        },
        AdmissionCase("admitted-in-a-form") { declaration, _ in
            declaration.metadata.bearerMethodsSupported = [.header, .body]
        } play: {
            let content = "a=b&access_token=\($0.stage.mint())"
            try await $0.send(.post, "/notes", [], content: content)
            try await $0.send(.post, "/notes", [], content: content)
        },
        AdmissionCase("admitted-in-the-query") { declaration, _ in
            declaration.metadata.bearerMethodsSupported = [.header, .query]
        } play: {
            let target = "/notes?access_token=\($0.stage.mint())"
            try await $0.send(.get, target, [])
            try await $0.send(.get, target, [])
        },
        AdmissionCase("admitted-with-the-scheme-in-other-letters") {
            try await $0.send([("Authorization", "bEARER   \($0.stage.mint())")])
        },
    ]
}
