// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9449 §8, §9 The resource's nonces")
struct RFC9449_9_Nonces {
    let scene = DPoPScene { $0.nonce = .required }

    /// The nonce in the answer to a request without one.
    private func nonce(_ scene: DPoPScene) async -> String? {
        await scene.refusal(scene.proof())?.dpopNonce
    }

    @Test func `§9: a proof without a nonce gets one, and is accepted with it`() async throws {
        let refusal = try #require(await scene.refusal(scene.proof()))
        #expect(refusal.reason == .missingNonce)
        #expect(refusal.status == .unauthorized)
        let nonce = try #require(refusal.dpopNonce)
        #expect(
            refusal.head.lines == [
                "HTTP/1.1 401 Unauthorized",
                #"WWW-Authenticate: DPoP algs="\#(DPoPScene.algorithms)", "#
                    + #"resource_metadata="\#(DPoPScene.metadataURL)", error="use_dpop_nonce", "#
                    + #"error_description="A nonce is required in the DPoP proof""#,
                "DPoP-Nonce: \(nonce)", "Cache-Control: no-store", "Content-Type: application/json",
            ])
        #expect(await scene.refusal(scene.proof(nonce: nonce)) == nil)
        // The client uses it for every later request.
        #expect(await scene.refusal(scene.proof(nonce: nonce)) == nil)
    }

    @Test func `§8: a nonce is made of printable characters, and differs from window to window`() async throws
    {
        let first = try #require(await nonce(scene))
        let isAllowed = first.utf8.allSatisfy {
            $0 == 0x21 || (0x23...0x5B).contains($0) || (0x5D...0x7E).contains($0)
        }
        #expect(isAllowed)
        #expect(first.utf8.count >= 22)
        #expect(await nonce(scene) == first)
        scene.clock.advance(by: .seconds(300))
        #expect(await nonce(scene) != first)
        #expect(await nonce(DPoPScene { $0.nonce = .required }) != first)
    }

    @Test func `§8.2: a nonce is valid in its own window and the next one`() async throws {
        let first = try #require(await nonce(scene))
        scene.clock.advance(by: .seconds(300))
        #expect(await scene.refusal(scene.proof(nonce: first)) == nil)
        scene.clock.advance(by: .seconds(299))
        #expect(await scene.refusal(scene.proof(nonce: first)) == nil)
        scene.clock.advance(by: .seconds(1))
        let refusal = await scene.refusal(scene.proof(nonce: first))
        expectRefused(refusal, .staleNonce)
        #expect(refusal?.challenges.map { $0["error"] } == ["use_dpop_nonce"])
        let fresh = try #require(refusal?.dpopNonce)
        #expect(await scene.refusal(scene.proof(nonce: fresh)) == nil)
    }

    @Test(arguments: ["", "x", "NHs2u0SxX1nR8mJ0c3xv", "a b", "é"])
    func `§11.3: a nonce that was not issued here is invalid`(nonce: String) async {
        expectRefused(await scene.refusal(scene.proof(nonce: nonce)), .staleNonce)
    }

    @Test func `§9: other faults of a proof are reported first`() async {
        expectRefused(await scene.refusal(scene.proof("https://api.example.com/x")), .proofTargetMismatch)
        expectRefused(await scene.refusal(scene.proof(claims: ["nonce": 1])), .malformedProof)
        let refusal = await scene.refusal(scene.proof(claims: ["nonce": .null]))
        expectRefused(refusal, .malformedProof)
        // §8.2: with the next nonce at hand, the client need not ask for one.
        #expect(refusal?.dpopNonce != nil)
    }

    @Test func `§11.1: a proof that lacks only a nonce is not recorded`() async {
        let proof = scene.proof()
        expectRefused(await scene.refusal(proof), .missingNonce)
        expectRefused(await scene.refusal(proof), .missingNonce)
    }

    @Test func `where no nonce is required, a proof's nonce is ignored`() async {
        let scene = DPoPScene()
        #expect(await scene.refusal(scene.proof(nonce: "x")) == nil)
    }

    @Test func `§8.2: an answer has a new nonce too, and is not cacheable`() async throws {
        let nonce = try #require(await nonce(scene))
        let head = RequestHead.dpop("/notes", token: scene.token, proofs: [scene.proof(nonce: nonce)])
        var fields: Fields = [:]
        scene.resource.complete(&fields, status: .ok, answering: head)
        #expect(fields.values(of: "DPoP-Nonce") == [nonce])
        #expect(fields.values(of: .cacheControl) == ["no-store"])
        fields = [.cacheControl: "max-age=60", "DPoP-Nonce": "old"]
        scene.resource.complete(&fields, status: .ok, answering: head)
        #expect(fields.values(of: "DPoP-Nonce") == [nonce])
        #expect(fields.values(of: .cacheControl) == ["no-store, max-age=60"])
        let refusal = await scene.resource.refusal(of: head, requiring: "notes:write")
        #expect(refusal?.status == .forbidden)
        #expect(refusal?.dpopNonce == nonce)
    }

    @Test func `§8.2: an answer to a bearer token has a nonce for the client's first proof`() {
        var fields: Fields = [:]
        scene.resource.complete(&fields, status: .ok, answering: .get("/notes", bearer: "x"))
        #expect(fields["DPoP-Nonce"] != nil && fields[.cacheControl] == "no-store" && fields.count == 2)
    }

    @Test func `§8.2: a request without credentials gets a nonce too`() async {
        let refusal = await scene.resource.refusal(of: .get("/notes"))
        #expect(refusal?.reason == .missingCredentials && refusal?.dpopNonce != nil)
    }

    @Test func `processes with the same key accept each other's nonces`() async throws {
        let key = try NonceKey(validating: Array(repeating: 7, count: 32))
        let other = try NonceKey(validating: Array(repeating: 8, count: 32))
        let scenes = [[key], [key], [other, key], [other]].map { keys in
            DPoPScene {
                $0.nonce = .required
                $0.nonceKeys = keys
            }
        }
        let nonce = try #require(await nonce(scenes[0]))
        #expect(await self.nonce(scenes[1]) == nonce)
        #expect(await scenes[1].refusal(scenes[1].proof(nonce: nonce)) == nil)
        #expect(await self.nonce(scenes[2]) != nonce)
        #expect(await scenes[2].refusal(scenes[2].proof(nonce: nonce)) == nil)
        expectRefused(await scenes[3].refusal(scenes[3].proof(nonce: nonce)), .staleNonce)
    }

    @Test func `the clock of another process may be a window ahead, not two`() async throws {
        let key = try NonceKey(validating: Array(repeating: 7, count: 32))
        let scenes = (0..<2).map { _ in
            DPoPScene {
                $0.nonce = .required
                $0.nonceKeys = [key]
            }
        }
        scenes[1].clock.advance(by: .seconds(300))
        let ahead = try #require(await nonce(scenes[1]))
        #expect(await scenes[0].refusal(scenes[0].proof(nonce: ahead)) == nil)
        scenes[1].clock.advance(by: .seconds(300))
        let farAhead = try #require(await nonce(scenes[1]))
        expectRefused(await scenes[0].refusal(scenes[0].proof(nonce: farAhead)), .staleNonce)
    }

    @Test func `a key is secret, long enough, and not printed`() throws {
        #expect(throws: ConfigurationError.self) { try NonceKey(validating: Array(repeating: 1, count: 31)) }
        var text = ""
        dump(try NonceKey(validating: Array(repeating: 65, count: 32)), to: &text)
        #expect(!text.contains("65"))
    }
}

@Suite("RFC 9449 §8 Nonce keys")
struct NonceSealerTests {
    static let now: NumericDate = 1_800_000_000

    private func sealer(_ keys: [SealingKey] = [], at now: NumericDate = now, after: NonceSealer? = nil)
        -> NonceSealer
    {
        NonceSealer(
            "https://api.example.com", lifetime: .seconds(300), keys: keys, at: now, succeeding: after)
    }

    @Test func `a generated key lasts a day, and its last nonces are accepted`() {
        let sealer = sealer()
        let first = sealer.nonce(at: Self.now)
        let eve = Self.now.adding(seconds: 86_399)
        let last = sealer.nonce(at: eve)
        let next = Self.now.adding(seconds: 86_400)
        #expect(sealer.nonce(at: next) != last)
        #expect(sealer.takes(last, at: next))
        #expect(!sealer.takes(first, at: next))
        #expect(!sealer.takes(last, at: next.adding(seconds: 600)))
    }

    @Test func `a new configuration continues with the generated key`() {
        let old = sealer()
        let new = sealer(after: old)
        #expect(new.nonce(at: Self.now) == old.nonce(at: Self.now))
    }

    @Test func `configured keys replace others with an overlap of two windows`() {
        let (first, second) = (SealingKey.random(), SealingKey.random())
        let old = sealer([first])
        let nonce = old.nonce(at: Self.now)
        let new = sealer([second], at: Self.now, after: old)
        #expect(new.nonce(at: Self.now) != nonce)
        #expect(new.takes(nonce, at: Self.now))
        #expect(new.takes(nonce, at: Self.now.adding(seconds: 299)))
        let later = Self.now.adding(seconds: 600)
        #expect(!new.takes(old.nonce(at: later), at: later))
        let made = sealer(after: new)
        #expect(made.takes(new.nonce(at: Self.now), at: Self.now))
    }

    @Test func `resources with the same key have separate nonces`() {
        let key = SealingKey.random()
        let other = NonceSealer("https://b.example.com", lifetime: .seconds(300), keys: [key], at: Self.now)
        #expect(!sealer([key]).takes(other.nonce(at: Self.now), at: Self.now))
    }
}

extension NonceSealer {
    fileprivate func takes(_ nonce: String, at now: NumericDate) -> Bool {
        validity(of: nonce, at: now) != nil
    }
}
