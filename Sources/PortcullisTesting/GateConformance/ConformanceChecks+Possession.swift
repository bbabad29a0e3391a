// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE

/// Checks of proof of possession.
extension ConformanceCheck {
    static let proofs: [ConformanceCheck] =
        [
            .init("RFC 9449 §7.1", "without credentials there is a DPoP challenge with algs") {
                probe throws(ConformanceProblem) in
                let answer = try await probe.send()
                let challenge = answer.challenges.first { $0.scheme == "DPoP" }
                guard challenge?["algs"]?.isEmpty == false, challenge?["error"] == nil else {
                    throw ConformanceProblem("expected a DPoP challenge with algs and without an error")
                }
            },
            .init("RFC 9449 §7.1", "a bound token with its proof is let in") {
                probe throws(ConformanceProblem) in
                let call = try await ProvenCall(probe)
                try probe.expectSuccess(try await call.send([call.proof()]))
            },
            .init("RFC 9449 §11.1", "a proof is good once") { probe throws(ConformanceProblem) in
                let call = try await ProvenCall(probe)
                let proof = call.proof()
                try probe.expectSuccess(try await call.send([proof]))
                let second = try await call.send([proof])
                try probe.expectRefusal(second, 401, "invalid_dpop_proof", scheme: "DPoP")
            },
            .init("RFC 9449 §7.1", "a token that is not bound is refused in the DPoP scheme") {
                probe throws(ConformanceProblem) in
                let call = try await ProvenCall(probe, token: probe.goodToken)
                let answer = try await call.send([call.proof()])
                try probe.expectRefusal(answer, 401, "invalid_token", scheme: "DPoP")
            },
            .init("RFC 9449 §4.3", "the proof of another client is refused") {
                probe throws(ConformanceProblem) in
                let call = try await ProvenCall(probe)
                let proof = TestDPoPClient().proof(.get, probe.proofURI, token: call.token, nonce: call.nonce)
                try probe.expectRefusal(try await call.send([proof]), 401, "invalid_token", scheme: "DPoP")
            },
            badProof("no proof") { _ in [] },
            badProof("a proof for another method") { [$0.proof(claims: ["htm": "POST"])] },
            badProof("a proof for another path") {
                [$0.proof(claims: ["htu": .string($0.probe.proofURI + "7d1c")])]
            },
            badProof("a proof for another host") {
                [$0.proof(claims: ["htu": .string("https://other.example" + $0.probe.path)])]
            },
            badProof("a proof for another token") { [$0.proof(claims: ["ath": "x"])] },
            badProof("a proof without a token") { [$0.proof(omitting: ["ath"])] },
            badProof("a proof without an identifier") { [$0.proof(omitting: ["jti"])] },
            badProof("a proof without a time") { [$0.proof(omitting: ["iat"])] },
            badProof("another type of JWT") { [$0.proof(header: ["typ": "JWT"])] },
            badProof("a proof with a private key") {
                var key = $0.client.key.publicKey.publicJSON
                key["d"] = "AAAA"
                return [$0.proof(header: ["jwk": .object(key)])]
            },
            badProof("text that is no JWT") { _ in ["x"] },
        ]

    /// Checks of proofs for servers that pass on every field line.
    static let repeatedProofs = [badProof("two proofs") { [$0.proof(), $0.proof()] }]

    private static func badProof(
        _ name: String, _ proofs: @escaping @Sendable (ProvenCall) -> [String]
    ) -> ConformanceCheck {
        ConformanceCheck("RFC 9449 §4.3", "\(name) is refused") { probe throws(ConformanceProblem) in
            let call = try await ProvenCall(probe)
            let answer = try await call.send(proofs(call))
            try probe.expectRefusal(answer, 401, "invalid_dpop_proof", scheme: "DPoP")
        }
    }

    static let certificates: [ConformanceCheck] = [
        .init("RFC 8705 §3", "a token that is bound to the client's certificate is let in") {
            probe throws(ConformanceProblem) in
            let token = probe.target.issuer.mint(
                audience: probe.target.resource.text, scope: probe.target.scope,
                certificate: probe.target.certificates?.der)
            let answer = try await probe.send(
                [("Authorization", "Bearer \(token)")], presentsCertificate: true)
            try probe.expectSuccess(answer)
        },
        .init("RFC 8705 §3", "a token that is bound to another certificate is refused") {
            probe throws(ConformanceProblem) in
            let token = probe.target.issuer.mint(
                audience: probe.target.resource.text, scope: probe.target.scope, certificate: [1, 2, 3])
            let answer = try await probe.send(
                [("Authorization", "Bearer \(token)")], presentsCertificate: true)
            try probe.expectRefusal(answer, 401, "invalid_token")
        },
        .init("RFC 9440 §2.4", "a certificate field that the client sends is no certificate") {
            probe throws(ConformanceProblem) in
            let der = probe.target.certificates?.der ?? []
            let token = probe.target.issuer.mint(
                audience: probe.target.resource.text, scope: probe.target.scope, certificate: der)
            let answer = try await probe.send([
                ("Authorization", "Bearer \(token)"), ("Client-Cert", ":\(Base64.encode(der)):"),
            ])
            try probe.expectRefusal(answer, 401, "invalid_token")
        },
    ]
}

/// A call with a token in the DPoP scheme.
struct ProvenCall: Sendable {
    let probe: ConformanceProbe
    let client = TestDPoPClient()
    let token: String
    /// The nonce of the gate's last answer; `nil` if it wants none.
    let nonce: String?

    /// - Parameter token: The token. Default: one that is bound to the client's key.
    init(_ probe: ConformanceProbe, token: String? = nil) async throws(ConformanceProblem) {
        self.probe = probe
        self.token =
            token
            ?? probe.target.issuer.mint(
                audience: probe.target.resource.text, scope: probe.target.scope, boundTo: client)
        // RFC 9449 §9: where nonces are wanted, each answer has one.
        nonce = try await probe.send().values(of: "DPoP-Nonce").first
    }

    func proof(
        claims: JSONObject = [:], omitting: [String] = [], header: JSONObject = [:]
    ) -> String {
        client.proof(
            .get, probe.proofURI, token: token, nonce: nonce, claims: claims, omitting: omitting,
            header: header)
    }

    func send(_ proofs: [String]) async throws(ConformanceProblem) -> ConformanceAnswer {
        try await probe.send([("Authorization", "DPoP \(token)")] + proofs.map { ("DPoP", $0) })
    }
}
