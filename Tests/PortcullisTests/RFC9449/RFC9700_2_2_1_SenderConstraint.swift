// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9700 §2.2.1 A route can require sender-constrained tokens")
struct RFC9700_2_2_1_SenderConstraint {
    static let demand = AccessRequirement("notes:read").senderConstrained()
    static let der: [UInt8] = [0x30, 0x03, 0x02, 0x01, 0x07]

    @Test func `a token bound to a key suffices, an unbound one is challenged in both schemes`() async {
        let scene = DPoPScene()
        let head = RequestHead.dpop("/notes", token: scene.token, proofs: [scene.proof()])
        #expect(await scene.resource.refusal(of: head, requiring: Self.demand) == nil)
        let token = scene.issuer.mint(audience: Scene.identifier, scope: "notes:read")
        let bearer = RequestHead.get("/notes", bearer: token)
        let refusal = await scene.resource.refusal(of: bearer, requiring: Self.demand)
        expectRefused(refusal, .unboundToken)
        let rest = #"resource_metadata="\#(DPoPScene.metadataURL)", scope="notes:read""#
        #expect(
            refusal?.challenges.map(\.description) == [
                #"Bearer \#(rest), error="invalid_token", "#
                    + #"error_description="The access token is not bound to a key""#,
                #"DPoP algs="\#(DPoPScene.algorithms)", \#(rest)"#,
            ])
        // Other routes accept it.
        #expect(await scene.resource.refusal(of: bearer, requiring: "notes:read") == nil)
    }

    @Test func `RFC 8705 §3: a certificate binds too`() async {
        let scene = Scene()
        let token = scene.issuer.mint(
            audience: Scene.identifier, scope: "notes:read", certificate: Self.der)
        let context = AuthorizationContext(clientCertificate: .connection(der: Self.der))
        let head = RequestHead.get("/notes", bearer: token)
        #expect(await scene.resource.refusal(of: head, requiring: Self.demand, in: context) == nil)
        expectRefused(
            await scene.resource.refusal(of: head, requiring: Self.demand), .missingClientCertificate)
        // A certificate that the token is not bound to does not bind it.
        let unbound = RequestHead.get("/notes", bearer: scene.mint())
        expectRefused(
            await scene.resource.refusal(of: unbound, requiring: Self.demand, in: context), .unboundToken)
    }

    @Test func `it is checked before the scopes, and applies to cached tokens and in handlers`()
        async throws
    {
        let scene = Scene()
        let token = scene.mint(scope: "x")
        for _ in 0..<2 {
            expectRefused(await scene.refusal(of: token, requiring: Self.demand), .unboundToken)
        }
        let access = try await scene.resource.authorize(.get("/notes", bearer: token))
        let refusal = #expect(throws: Refusal.self) { try access.require(.anyValidToken.senderConstrained()) }
        expectRefused(refusal, .unboundToken)
        #expect(refusal?.finding?.expected == "a token that is bound to its client")
        guard
            case .refused = scene.resource.progress(.get("/notes", bearer: token), requiring: Self.demand)
        else {
            Issue.record("let in")
            return
        }
    }
}
