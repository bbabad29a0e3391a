// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9449 §4.2, §7 Stricter options")
struct RFC9449_4_2_Options {
    @Test(arguments: [
        "https://api.example.com/notes?", "https://api.example.com/notes?page=2",
        "https://api.example.com/notes#",
        "https://api.example.com/notes#top", "https://api.example.com/notes?a#b",
    ])
    func `§4.2: an htu with a query or a fragment is compared without them, or refused`(uri: String) async {
        let lenient = DPoPScene()
        #expect(await lenient.refusal(lenient.proof(uri), target: "/notes?page=2") == nil)
        let strict = DPoPScene { $0.refusesQueryInTarget = true }
        await strict.expectRefused(strict.proof(uri), reason: .proofTargetMismatch, ProofText.other)
        #expect(await strict.refusal(strict.proof(), target: "/notes?page=2") == nil)
        #expect(await strict.refusal(strict.proof("HTTPS://API.example.com:443/%6Eotes")) == nil)
    }

    @Test func `§7: a proof with an unbound bearer token is ignored, or makes the request malformed`()
        async
    {
        let lenient = DPoPScene()
        let strict = DPoPScene { $0.refusesStrayProofs = true }
        for (scene, isRefused) in [(lenient, false), (strict, true)] {
            let token = scene.issuer.mint(audience: Scene.identifier)
            for proofs in [["nonsense"], [scene.proof()], ["a", "b"]] {
                let fields = proofs.map { ("DPoP", $0) }
                let refusal = await scene.resource.refusal(of: .get("/notes", bearer: token, fields: fields))
                if isRefused { expectRefused(refusal, .strayProof) } else { #expect(refusal == nil) }
            }
            #expect(await scene.resource.refusal(of: .get("/notes", bearer: token)) == nil)
        }
        let bound = await strict.resource.refusal(
            of: .get("/notes", bearer: strict.token, fields: [("DPoP", strict.proof())]))
        expectRefused(bound, .boundTokenAsBearer)
        #expect(await strict.refusal(strict.proof()) == nil)
    }

    @Test func `§7: without DPoP its field is ignored`() async throws {
        var policy = TokenPolicy()
        policy.dpop.refusesStrayProofs = true
        let scene = Scene(tokens: policy)
        let head = RequestHead.get("/notes", bearer: scene.mint(), fields: [("DPoP", "x")])
        #expect(await scene.resource.refusal(of: head) == nil)
    }

    @Test func `a cached token gives the same answer`() async throws {
        let scene = DPoPScene { $0.refusesStrayProofs = true }
        let token = scene.issuer.mint(audience: Scene.identifier)
        _ = try await scene.resource.authorize(.get("/notes", bearer: token))
        guard
            case .refused(let refusal) = scene.resource.progress(
                .get("/notes", bearer: token, fields: [("DPoP", "x")]))
        else {
            Issue.record("let in")
            return
        }
        expectRefused(refusal, .strayProof)
    }
}
