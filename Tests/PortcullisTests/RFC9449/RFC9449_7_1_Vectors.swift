// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9449 §4.1, §7.1 The published proofs")
struct RFC9449_7_1_Vectors {
    static let uri = "https://resource.example.org/protectedresource"
    let clock = ManualClock(at: 1_562_262_618)
    let fetcher = ScriptedFetcher()

    private func published(_ name: String) throws -> String {
        String(try Fixture.text("rfc9449/\(name).txt").dropLast())
    }

    private func resource() throws -> ProtectedResource {
        fetcher.on(
            "https://server.example.com/introspect",
            json: [
                "active": true, "aud": .string(Self.uri), "token_type": "DPoP",
                "cnf": ["jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"],
            ])
        return ProtectedResource(
            "https://resource.example.org/protectedresource",
            trusting: .introspection(
                issuer: "https://server.example.com", endpoint: "https://server.example.com/introspect",
                authenticatedBy: .clientSecretBasic(id: "rs", secret: "s")),
            dpop: .required, fetcher: fetcher, time: clock.time)
    }

    @Test func `§7.1: the published request is accepted, once`() async throws {
        let resource = try resource()
        let head = RequestHead.dpop(
            "/protectedresource", token: try published("7.1/token"), proofs: [try published("7.1/proof")])
        #expect(try await resource.authorize(head).binding == .dpop)
        expectRefused(await resource.refusal(of: head), .replayedProof)
    }

    @Test func `§4.1: the published proof for the token endpoint is refused`() async throws {
        let head = RequestHead.dpop(
            "/protectedresource", token: try published("7.1/token"), proofs: [try published("4.1/proof")])
        // It has no ath, because there was no token yet.
        expectRefused(await (try resource()).refusal(of: head), .malformedProof)
    }

    @Test func `§7.1: the published proof is valid only for its own request`() async throws {
        let (token, proof) = (try published("7.1/token"), try published("7.1/proof"))
        let resource = try resource()
        expectRefused(
            await resource.refusal(of: .dpop(.post, "/protectedresource", token: token, proofs: [proof])),
            .proofMethodMismatch)
        expectRefused(
            await resource.refusal(of: .dpop("/protectedresource/x", token: token, proofs: [proof])),
            .proofTargetMismatch)
        expectRefused(
            await resource.refusal(of: .dpop("/protectedresource", token: token + "x", proofs: [proof])),
            .proofTokenMismatch)
        clock.advance(by: .seconds(61))
        expectRefused(
            await resource.refusal(of: .dpop("/protectedresource", token: token, proofs: [proof])),
            .proofOutsideWindow)
    }

    @Test(arguments: ["Proxy-Authorization", "X-Authorization", "Authentication"])
    func `§7.1: the scheme is accepted only in the Authorization field`(name: String) async throws {
        let scene = DPoPScene()
        let fields = [(name, "DPoP \(scene.token)"), ("DPoP", scene.proof())]
        expectRefused(await scene.resource.refusal(of: .get("/notes", fields: fields)), .missingCredentials)
        #expect(
            await scene.resource.refusal(of: .get("/notes", fields: fields))?.head.fields.contains(
                "Proxy-Authenticate") == false)
    }

    @Test(arguments: Fixture.names(in: "keys/refused"))
    func `§4.3 #7, RFC 7518 §3.3, §3.4: a key that is refused for issuers is refused for clients too`(
        name: String
    )
        async throws
    {
        let scene = DPoPScene()
        let key = try #require(JSONValue.parse(Fixture.bytes("keys/refused/\(name).json")).object?["key"])
        await scene.expectRefused(
            scene.proof(header: ["jwk": key]), reason: .malformedProof, ProofText.malformed)
    }
}
