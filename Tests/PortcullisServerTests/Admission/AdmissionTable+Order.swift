// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting

extension AdmissionTable {
    private static let wanting = AccessRequirement("notes:write").authenticated(by: ["phr"])

    /// The reason for a request with two faults: the gate's order of checks.
    static let order: [AdmissionCase] = [
        AdmissionCase("order-origin-before-certificate") { declaration, _ in
            declaration.profile = .mcp()
        } play: {
            let fields = [("Origin", "https://evil.example.com"), ("Client-Cert", "x")]
            try await $0.send(fields, certificate: .trustedField)
        },
        AdmissionCase("order-certificate-field-before-credentials") {
            let token = ("Authorization", "Bearer a")
            try await $0.send([token, token, ("Client-Cert", "x")], certificate: .trustedField)
        },
        AdmissionCase("order-length-before-proof") {
            $0.takeDPoP($1.memory)
            $0.tokens.maxTokenByteCount = 8
        } play: {
            try await $0.dpop("a-token-too-long")
        },
        AdmissionCase("order-proof-field-before-characters") {
            $0.takeDPoP($1.memory)
        } play: {
            try await $0.dpop("to\"ken")
        },
        AdmissionCase("order-characters-before-introspection") {
            $0.takeDPoP($1.memory)
            $0.introspect()
        } play: {
            try await $0.dpop("to\"ken", "x")
        },
        AdmissionCase("order-token-before-proof") {
            $0.takeDPoP($1.memory)
        } play: {
            let token = $0.stage.mint(boundTo: $0.stage.client, claims: ["exp": 1_799_999_000])
            try await $0.dpop(token, "a malformed proof")
        },
        AdmissionCase("order-type-before-algorithm-before-claims-before-issuer") {
            try await $0.bearer(
                $0.stage.mint(by: $0.stage.stranger, header: ["typ": "JWT", "alg": "none"]))
            try await $0.bearer($0.stage.mint("second token", by: $0.stage.stranger, header: ["alg": "none"]))
            try await $0.bearer(
                $0.stage.mint("third token", by: $0.stage.stranger, header: ["kid": "other"]))
        },
        AdmissionCase("order-issuer-before-keys") { declaration, _ in
            declaration.fetchKeys()
        } play: {
            $0.stage.network.on(AdmissionStage.keysURL, failing: .unreachable)
            try await $0.bearer($0.stage.mint(by: $0.stage.stranger))
        },
        AdmissionCase("order-signature-before-claims") {
            try await $0.bearer($0.stage.mint(by: $0.stage.impostor, claims: ["aud": "x", "exp": 1]))
        },
        AdmissionCase("order-audience-before-times-before-claims-before-confirmation") {
            let wrong: JSONObject = ["aud": "x", "exp": 1, "cnf": ["x": "y"]]
            try await $0.bearer($0.stage.mint(claims: wrong, omitting: ["jti"]))
            try await $0.bearer(
                $0.stage.mint("second token", claims: ["exp": 1, "cnf": "y"], omitting: ["jti"]))
            try await $0.bearer($0.stage.mint("third token", claims: ["cnf": "y"], omitting: ["jti"]))
            try await $0.bearer($0.stage.mint("fourth token", claims: ["cnf": "y", "sub": 1]))
        },
        AdmissionCase("order-scheme-before-certificate") {
            $0.takeDPoP($1.memory)
        } play: {
            let stage = $0.stage
            try await $0.bearer(stage.mint(boundTo: stage.client, certificate: stage.certificate))
        },
        AdmissionCase("order-certificate-before-proof") {
            $0.takeDPoP($1.memory)
        } play: {
            let stage = $0.stage
            let token = stage.mint(boundTo: stage.client, certificate: stage.certificate)
            try await $0.dpop(token, "a malformed proof")
        },
        AdmissionCase("order-proof-before-step-up") {
            $0.takeDPoP($1.memory)
            $0.requirement = wanting
        } play: {
            let token = $0.stage.mint(boundTo: $0.stage.client)
            try await $0.dpop(token, $0.stage.proof(for: token, claims: ["htm": "POST"]))
        },
        AdmissionCase("order-replay-before-scope") {
            $0.takeDPoP($1.memory)
            $0.requirement = "notes:write"
        } play: {
            let token = $0.stage.mint(boundTo: $0.stage.client)
            let proof = $0.stage.proof(for: token)
            try await $0.dpop(token, proof)
            try await $0.dpop(token, proof)
        },
        AdmissionCase(
            "order-binding-before-fresh-introspection"
        ) {
            $0.verifyOrIntrospect($1.issuer.keys)
            $0.requirement = AccessRequirement("notes:read").freshlyIntrospected()
        } play: {
            try await $0.bearer($0.stage.mint(boundTo: $0.stage.client))
        },
        AdmissionCase(
            "order-fresh-introspection-before-proof"
        ) {
            $0.takeDPoP($1.memory)
            $0.verifyOrIntrospect($1.issuer.keys)
            $0.requirement = AccessRequirement("notes:read").freshlyIntrospected()
        } play: {
            $0.stage.introspect(["active": false])
            let token = $0.stage.mint(boundTo: $0.stage.client)
            try await $0.dpop(token, $0.stage.proof(for: token, claims: ["htm": "POST"]))
        },
        AdmissionCase("order-fresh-introspection-before-scope") {
            $0.verifyOrIntrospect($1.issuer.keys)
            $0.requirement = AccessRequirement("notes:write").freshlyIntrospected()
        } play: {
            try await $0.bearer($0.stage.mint())
        },
        AdmissionCase("order-bond-before-step-up") { declaration, _ in
            declaration.requirement = wanting.senderConstrained()
        } play: {
            try await $0.bearer($0.stage.mint())
        },
        AdmissionCase("order-step-up-before-scope") { declaration, _ in
            declaration.requirement = wanting
        } play: {
            try await $0.bearer($0.stage.mint())
        },
        AdmissionCase("order-scope-before-details") { declaration, _ in
            declaration.metadata.authorizationDetailsTypesSupported = ["payment"]
            declaration.requirement = AccessRequirement("notes:write")
                .covering(AuthorizationDetail(type: "payment"))
        } play: {
            try await $0.bearer($0.stage.mint())
        },
        AdmissionCase("order-known-token-with-a-wrong-scheme") {
            $0.takeDPoP($1.memory)
        } play: {
            let token = $0.stage.mint(boundTo: $0.stage.client)
            try await $0.dpop(token, $0.stage.proof(for: token))
            try await $0.bearer(token)
            try await $0.dpop(token)
        },
    ]
}
