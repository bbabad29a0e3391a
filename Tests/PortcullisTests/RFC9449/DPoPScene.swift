// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

/// A resource that accepts DPoP, a client with a key, and their clock.
struct DPoPScene {
    static let uri = "https://api.example.com/notes"
    static let metadataURL = Scene.metadataURL
    static let algorithms = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519"

    let clock: ManualClock
    let issuer: TestIssuer
    let client: TestDPoPClient
    let resource: ProtectedResource
    let token: String

    init(
        _ use: DPoPUse = .accepted, algorithm: SignatureAlgorithm = .es256,
        at now: NumericDate = 1_800_000_000,
        _ change: (inout DPoPPolicy) -> Void = { _ in }
    ) {
        clock = ManualClock(at: now)
        issuer = TestIssuer("https://as.example.com", time: clock.time)
        client = TestDPoPClient(algorithm: algorithm, time: clock.time)
        var policy = TokenPolicy()
        policy.dpop.replayCacheEntryCount = 1000
        change(&policy.dpop)
        resource = ProtectedResource(
            "https://api.example.com/notes", trusting: issuer.trusted, scopes: ["notes:read"],
            tokens: policy, dpop: use, time: clock.time)
        token = issuer.mint(audience: Scene.identifier, scope: "notes:read", boundTo: client)
    }

    func proof(
        _ uri: String = Self.uri, nonce: String? = nil, claims: JSONObject = [:], omitting: [String] = [],
        header: JSONObject = [:]
    ) -> String {
        client.proof(
            .get, uri, token: token, nonce: nonce, claims: claims, omitting: omitting, header: header)
    }

    func refusal(_ proofs: String..., target: String = "/notes", token: String? = nil) async -> Refusal? {
        await resource.refusal(of: .dpop(target, token: token ?? self.token, proofs: proofs))
    }

    /// Asserts that a proof is refused: status, challenge text and reason.
    func expectRefused(
        _ proofs: String..., reason: RefusalReason, _ text: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        let head = RequestHead.dpop("/notes", token: token, proofs: proofs)
        let refusal = await resource.refusal(of: head, requiring: "notes:read")
        #expect(refusal?.reason == reason, sourceLocation: sourceLocation)
        #expect(refusal?.status == .unauthorized, sourceLocation: sourceLocation)
        #expect(
            refusal?.challenges.map(\.description) == [
                #"DPoP algs="\#(Self.algorithms)", resource_metadata="\#(Self.metadataURL)", "#
                    + #"scope="notes:read", "#
                    + #"error="invalid_dpop_proof", error_description="\#(text)""#
            ], sourceLocation: sourceLocation)
    }
}

/// The public texts about proofs.
enum ProofText {
    static let malformed = "The DPoP proof is malformed or not signed as it must be"
    static let other = "The DPoP proof is for another request"
    static let time = "The DPoP proof is not of this moment"
    static let replayed = "The DPoP proof was used before"
}

extension RequestHead {
    static func dpop(_ target: String, token: String, proofs: [String]) -> RequestHead {
        dpop(.get, target, token: token, proofs: proofs)
    }
}
