// SPDX-License-Identifier: MIT

// snippet: testing
import Portcullis
import PortcullisTesting
import Testing

@Test func `a token with the scope is admitted, and one without is not`() async throws {
    let issuer = TestIssuer("https://login.example.com")
    let notes = ProtectedResource(
        "https://api.example.com/notes", trusting: issuer.trusted, scopes: ["notes:read"])

    let good = issuer.mint(audience: "https://api.example.com/notes", scope: "notes:read")
    let token = try await notes.authorize(.get("/notes", bearer: good), requiring: "notes:read")
    #expect(token.subject == "user-1")

    let poor = issuer.mint(audience: "https://api.example.com/notes")
    let refusal = await #expect(throws: Refusal.self) {
        try await notes.authorize(.get("/notes", bearer: poor), requiring: "notes:read")
    }
    #expect(refusal?.reason == .insufficientScope)
}
// end

// snippet: testing-dpop
@Test func `a proof is good once`() async throws {
    let clock = ManualClock()
    let issuer = TestIssuer("https://login.example.com", time: clock.time)
    let client = TestDPoPClient(time: clock.time)
    let vault = ProtectedResource(
        "https://api.example.com/vault", trusting: issuer.trusted, dpop: .required, time: clock.time)
    clock.advance(by: .seconds(1))

    let token = issuer.mint(audience: "https://api.example.com/vault", boundTo: client)
    let proof = client.proof(.get, "https://api.example.com/vault", token: token)
    let head = RequestHead.dpop(.get, "/vault", token: token, proofs: [proof])
    _ = try await vault.authorize(head)
    let refusal = await #expect(throws: Refusal.self) { try await vault.authorize(head) }
    #expect(refusal?.reason == .replayedProof)
}
// end
