// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting

extension AdmissionTable {
    private static func introspected(
        _ name: String, as answer: JSONObject,
        then play: @escaping AdmissionCase.Play = { _ in }
    ) -> AdmissionCase {
        AdmissionCase(name) { declaration, _ in
            declaration.introspect()
        } play: {
            $0.stage.introspectActive(answer)
            try await $0.bearerTwice($0.stage.opaque())
            try await play($0)
        }
    }

    /// RFC 7662 §2.2, §4: the issuer's answer about a token.
    static let introspection: [AdmissionCase] = [
        introspected("inactive-token", as: ["active": false]) {
            $0.stage.introspect(AdmissionStage.active)
            $0.stage.clock.advance(by: .seconds(5))
            try await $0.bearer($0.stage.opaque())
        },
        introspected("inactive-token-as-active-is-a-text", as: ["active": "true"]),
        introspected("introspected-audience-mismatch", as: ["aud": "https://api.example.com/photos"]) {
            $0.stage.introspect(AdmissionStage.active)
            $0.stage.clock.advance(by: .seconds(5))
            try await $0.bearer($0.stage.opaque())
        },
        introspected("introspected-expired", as: ["exp": 1_799_999_970]),
        introspected("introspected-not-yet-valid", as: ["nbf": 1_800_000_031]),
        introspected("introspected-unknown-issuer", as: ["iss": "https://other.example.com"]),
        introspected(
            "introspected-token-type",
            as: ["token_type": "refresh_token"]),
        introspected("introspected-dpop-without-key", as: ["token_type": "DPoP"]),
        introspected("introspected-malformed-claims", as: ["aud": 1]),
        introspected("introspected-malformed-scope", as: ["scope": 5]),
        AdmissionCase("introspected-claim-value-mismatch") { declaration, _ in
            declaration.introspect()
            declaration.issuers[0].requiredClaimValues = [ClaimValues("/use", ["access"])]
        } play: {
            try await $0.bearerTwice($0.stage.opaque())
        },
        AdmissionCase("inactive-token-by-status-400") { declaration, _ in
            declaration.introspect()
        } play: {
            $0.stage.network.on(AdmissionStage.endpoint) { _ in
                FetchResponse(status: .badRequest, body: Array(#"{"error":"invalid_token"}"#.utf8))
            }
            try await $0.bearerTwice($0.stage.opaque())
        },
        AdmissionCase("introspected-without-audience") { declaration, _ in
            declaration.introspect()
        } play: {
            $0.stage.introspect(["active": true, "scope": "notes:read"])
            try await $0.bearerTwice($0.stage.opaque())
        },
        AdmissionCase("introspected-audience-mismatch-beside-jwts") { declaration, stage in
            declaration.verifyOrIntrospect(stage.issuer.keys)
        } play: {
            $0.stage.introspectActive(["aud": "https://api.example.com/photos"])
            try await $0.bearerTwice($0.stage.opaque())
        },
        AdmissionCase("inactive-token-beside-jwts") { declaration, stage in
            declaration.verifyOrIntrospect(stage.issuer.keys)
        } play: {
            $0.stage.introspect(["active": false])
            try await $0.bearerTwice($0.stage.opaque())
        },
        AdmissionCase("introspection-unavailable-unreachable") { declaration, _ in
            declaration.introspect()
        } play: {
            $0.stage.network.on(AdmissionStage.endpoint, failing: .unreachable)
            try await $0.bearerTwice($0.stage.opaque())
        },
        AdmissionCase("introspection-unavailable-status") { declaration, _ in
            declaration.introspect()
        } play: {
            $0.stage.network.on(AdmissionStage.endpoint, status: .unauthorized)
            try await $0.bearerTwice($0.stage.opaque())
        },
        AdmissionCase("introspection-unavailable-at-discovery") { declaration, _ in
            declaration.introspect()
            declaration.issuers[0].introspection?.endpoint = nil
        } play: {
            $0.stage.network.on(
                AdmissionStage.issuerName + "/.well-known/oauth-authorization-server",
                json: ["issuer": .string(AdmissionStage.issuerName)])
            try await $0.bearer($0.stage.opaque())
        },
        AdmissionCase(
            "fresh-introspection-of-an-issuer-that-has-none"
        ) { declaration, stage in
            declaration.introspect()
            declaration.issuers.append(stage.stranger.trusted)
            declaration.requirement = AccessRequirement("notes:read").freshlyIntrospected()
        } play: {
            try await $0.bearerTwice($0.stage.mint(by: $0.stage.stranger))
        },
        AdmissionCase(
            "fresh-introspection-inactive-jwt"
        ) {
            $0.verifyOrIntrospect($1.issuer.keys)
        } play: {
            let token = $0.stage.mint()
            let fresh = AccessRequirement("notes:read").freshlyIntrospected()
            try await $0.bearer(token)
            $0.stage.introspect(["active": false])
            try await $0.bearer(token, requiring: fresh)
            try await $0.bearer(token, requiring: fresh)
            try await $0.bearer(token)
        },
        AdmissionCase("fresh-introspection-unavailable-for-a-jwt") {
            $0.verifyOrIntrospect($1.issuer.keys)
            $0.requirement = AccessRequirement("notes:read").freshlyIntrospected()
        } play: {
            $0.stage.network.on(AdmissionStage.endpoint, status: .internalServerError)
            try await $0.bearerTwice($0.stage.mint())
        },
        AdmissionCase(
            "fresh-introspection-speaks-against-a-jwt"
        ) {
            $0.verifyOrIntrospect($1.issuer.keys)
            $0.requirement = AccessRequirement("notes:read").freshlyIntrospected()
        } play: {
            $0.stage.introspect(["active": true, "aud": "https://api.example.com/photos"])
            try await $0.bearerTwice($0.stage.mint())
        },
        AdmissionCase("fresh-introspection-inactive-opaque") { declaration, _ in
            declaration.introspect()
        } play: {
            let token = $0.stage.opaque()
            let fresh = AccessRequirement("notes:read").freshlyIntrospected()
            try await $0.bearer(token)
            $0.stage.introspect(["active": false])
            try await $0.bearer(token)
            try await $0.bearer(token, requiring: fresh)
            try await $0.bearer(token)
        },
    ]
}
