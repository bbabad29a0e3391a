// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting

extension AdmissionTable {
    /// RFC 9449 §7.1, §7.2, RFC 9700 §2.2.1: whether the token may be sent in its scheme.
    static let binding: [AdmissionCase] = [
        AdmissionCase("bound-token-as-bearer") {
            $0.takeDPoP($1.memory)
        } play: {
            try await $0.bearerTwice($0.stage.mint(boundTo: $0.stage.client))
        },
        AdmissionCase("bound-token-as-bearer-where-dpop-is-not-taken") {
            try await $0.bearer($0.stage.mint(boundTo: $0.stage.client))
        },
        AdmissionCase("unbound-token-as-dpop") {
            $0.takeDPoP($1.memory)
        } play: {
            let token = $0.stage.mint()
            try await $0.dpop(token, $0.stage.proof(for: token))
        },
        AdmissionCase("unbound-token-where-dpop-is-required") {
            $0.takeDPoP($1.memory)
            $0.metadata.dpopBoundAccessTokensRequired = true
        } play: {
            try await $0.bearerTwice($0.stage.mint())
        },
        AdmissionCase("unbound-token-where-the-route-wants-a-bound-one") { declaration, _ in
            declaration.requirement = AccessRequirement("notes:read").senderConstrained()
        } play: {
            try await $0.bearerTwice($0.stage.mint())
        },
        AdmissionCase("stray-proof") {
            $0.takeDPoP($1.memory)
            $0.tokens.dpop.refusesStrayProofs = true
        } play: {
            let token = $0.stage.mint()
            try await $0.send([
                ("Authorization", "Bearer \(token)"), ("DPoP", $0.stage.proof(for: token)),
            ])
        },
        AdmissionCase("stray-proof-that-is-ignored") {
            $0.takeDPoP($1.memory)
        } play: {
            try await $0.send([("Authorization", "Bearer \($0.stage.mint())"), ("DPoP", "x")])
        },
    ]

    private static func proof(
        _ name: String, _ play: @escaping AdmissionCase.Play
    ) -> AdmissionCase {
        AdmissionCase(name) {
            $0.takeDPoP($1.memory)
        } play: {
            try await play($0)
        }
    }

    private static func wrongProof(
        _ name: String, _ make: @escaping @Sendable (AdmissionStage, _ token: String) -> String
    ) -> AdmissionCase {
        proof(name) {
            let token = $0.stage.mint(boundTo: $0.stage.client)
            try await $0.dpop(token, make($0.stage, token))
        }
    }

    /// RFC 9449 §4.3, §8, §9, §11.1: the DPoP proof.
    static let proofs: [AdmissionCase] = [
        proof("missing-proof") { try await $0.dpop($0.stage.mint(boundTo: $0.stage.client)) },
        proof("missing-proof-as-the-field-is-empty") {
            try await $0.dpop($0.stage.mint(boundTo: $0.stage.client), "")
        },
        proof("repeated-proof") {
            let token = $0.stage.mint(boundTo: $0.stage.client)
            let proof = $0.stage.proof(for: token)
            try await $0.dpop(token, proof, proof)
        },
        wrongProof("malformed-proof") { _, _ in "a.b.c" },
        wrongProof("malformed-proof-type") { $0.proof(for: $1, header: ["typ": "JWT"]) },
        wrongProof("malformed-proof-without-jti") { $0.proof(for: $1, omitting: ["jti"]) },
        AdmissionCase("unsupported-proof-algorithm") {
            $0.takeDPoP($1.memory, algorithms: ["EdDSA"])
        } play: {
            let token = $0.stage.mint(boundTo: $0.stage.client)
            try await $0.dpop(token, $0.stage.proof(for: token))
        },
        wrongProof("proof-method-mismatch") { $0.proof(for: $1, claims: ["htm": "POST"]) },
        wrongProof("proof-target-mismatch") { $0.proof(for: $1, AdmissionStage.identifier + "/other") },
        wrongProof("proof-outside-window-too-old") { $0.proof(for: $1, claims: ["iat": 1_799_999_939]) },
        wrongProof("proof-outside-window-too-new") { $0.proof(for: $1, claims: ["iat": 1_800_000_006]) },
        wrongProof("proof-token-mismatch") { stage, _ in stage.proof(for: stage.mint("other token")) },
        wrongProof("invalid-proof-signature") { stage, token in
            let parts = stage.proof(for: token).split(separator: ".")
            let other = stage.proof("other proof", for: token).split(separator: ".")
            let forged = "\(parts[0]).\(parts[1]).\(other[2])"
            stage.name(forged, "forged proof")
            return forged
        },
        wrongProof("proof-key-mismatch") { $0.proof(for: $1, by: $0.otherClient) },
        AdmissionCase("missing-nonce-then-with-it") {
            $0.takeDPoP($1.memory)
            $0.tokens.dpop.nonce = .required
        } play: {
            let token = $0.stage.mint(boundTo: $0.stage.client)
            let refusal = try await $0.dpop(token, $0.stage.proof(for: token))
            let nonce = refusal.field("DPoP-Nonce") ?? "none"
            let proof = $0.stage.proof("proof with nonce", for: token, nonce: nonce)
            try await $0.dpop(token, proof)
            try await $0.dpop(token, proof)
        },
        AdmissionCase("stale-nonce") {
            $0.takeDPoP($1.memory)
            $0.tokens.dpop.nonce = .required
        } play: {
            let token = $0.stage.mint(boundTo: $0.stage.client)
            try await $0.dpop(token, $0.stage.proof(for: token, nonce: "a nonce of somebody else altogether"))
        },
        AdmissionCase("insufficient-scope-with-a-nonce") {
            $0.takeDPoP($1.memory)
            $0.tokens.dpop.nonce = .required
            $0.requirement = "notes:write"
        } play: {
            let token = $0.stage.mint(boundTo: $0.stage.client)
            let refusal = try await $0.dpop(token, $0.stage.proof(for: token))
            let nonce = refusal.field("DPoP-Nonce") ?? "none"
            try await $0.dpop(token, $0.stage.proof("proof with nonce", for: token, nonce: nonce))
        },
        proof("replayed-proof") {
            let token = $0.stage.mint(boundTo: $0.stage.client)
            let proof = $0.stage.proof(for: token)
            try await $0.dpop(token, proof)
            try await $0.dpop(token, proof)
        },
        AdmissionCase("replayed-proof-in-a-store-that-waits") {
            $0.takeDPoP($1.store)
        } play: {
            let token = $0.stage.mint(boundTo: $0.stage.client)
            let proof = $0.stage.proof(for: token)
            try await $0.dpop(token, proof)
            try await $0.dpop(token, proof)
        },
        AdmissionCase("replay-store-full") {
            $0.takeDPoP($1.store)
        } play: {
            $0.stage.store.answer(.full)
            let token = $0.stage.mint(boundTo: $0.stage.client)
            try await $0.dpop(token, $0.stage.proof(for: token))
        },
        AdmissionCase("replay-store-unavailable") {
            $0.takeDPoP($1.store)
        } play: {
            $0.stage.store.answer(.unavailable)
            let token = $0.stage.mint(boundTo: $0.stage.client)
            try await $0.dpop(token, $0.stage.proof(for: token))
        },
    ]

    private static func bound(
        _ name: String, to certificate: ClientCertificate, _ fields: [(String, String)] = []
    ) -> AdmissionCase {
        AdmissionCase(name) {
            let token = $0.stage.mint(certificate: $0.stage.certificate)
            let request = [("Authorization", "Bearer \(token)")] + fields
            try await $0.send(request, certificate: certificate)
            try await $0.send(request, certificate: certificate)
        }
    }

    private static let field = Base64.encode(Array("the client's certificate".utf8))
    private static let otherField = Base64.encode(Array("another certificate".utf8))

    /// RFC 8705 §3, RFC 9440 §2: the client's certificate.
    static let certificates: [AdmissionCase] = [
        bound("missing-client-certificate", to: .none),
        bound("missing-client-certificate-from-a-proxy", to: .trustedField),
        bound("client-certificate-mismatch", to: .connection(der: Array("another certificate".utf8))),
        bound(
            "client-certificate-mismatch-from-a-proxy", to: .trustedField,
            [("Client-Cert", ":\(otherField):")]),
        bound("client-cert-field-from-anyone", to: .none, [("Client-Cert", ":\(field):")]),
        bound("malformed-client-certificate", to: .trustedField, [("Client-Cert", field)]),
        bound(
            "malformed-client-certificate-repeated", to: .trustedField,
            [("Client-Cert", ":\(field):"), ("Client-Cert", ":\(field):")]),
        AdmissionCase("malformed-client-certificate-without-credentials") {
            try await $0.send([("Client-Cert", "x")], certificate: .trustedField)
        },
        AdmissionCase("missing-credentials-behind-a-proxy") {
            try await $0.send([], certificate: .trustedField)
        },
        bound("admitted-mtls", to: .connection(der: Array("the client's certificate".utf8))),
        bound("admitted-mtls-from-a-proxy", to: .trustedField, [("Client-Cert", ":\(field):")]),
    ]
}
