// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9449 §6.2 Introspected tokens bound to a key")
struct RFC9449_6_2_IntrospectedBinding {
    static let uri = "https://api.example.com/mcp"
    let clock = ManualClock()
    let fetcher = ScriptedFetcher()
    let client: TestDPoPClient
    let resource: ProtectedResource

    init() {
        client = TestDPoPClient(time: clock.time)
        resource = ProtectedResource(
            "https://api.example.com/mcp",
            trusting: .introspection(
                issuer: "https://as.example.com", endpoint: RFC7662_2_Introspection.endpoint,
                authenticatedBy: .clientSecretBasic(id: "rs", secret: "s")),
            dpop: .accepted, fetcher: fetcher, time: clock.time)
    }

    private func answer(type: String?, isBound: Bool = true) {
        var object = RFC7662_2_Introspection.active
        object["token_type"] = type.map(JSONValue.string)
        object["cnf"] = isBound ? ["jkt": .string(client.thumbprint)] : nil
        fetcher.on(RFC7662_2_Introspection.endpoint, json: .object(object))
    }

    private func proof(by client: TestDPoPClient? = nil) -> String {
        (client ?? self.client).proof(.get, Self.uri, token: "opaque")
    }

    // The binding counts, whatever type the answer names.
    @Test(arguments: ["DPoP", "dpop", "DPOP", "Bearer", "bearer", nil] as [String?])
    func `the thumbprint is enforced as in a JWT`(type: String?) async throws {
        answer(type: type)
        expectRefused(await resource.refusal(of: .get("/mcp", bearer: "opaque")), .boundTokenAsBearer)
        expectRefused(
            await resource.refusal(of: .get("/mcp", bearer: "opaque", fields: [("DPoP", proof())])),
            .boundTokenAsBearer)
        expectRefused(
            await resource.refusal(of: .dpop("/mcp", token: "opaque", proofs: [])), .missingProof)
        let stranger = TestDPoPClient(time: clock.time)
        expectRefused(
            await resource.refusal(of: .dpop("/mcp", token: "opaque", proofs: [proof(by: stranger)])),
            .proofKeyMismatch)
        let head = RequestHead.dpop("/mcp", token: "opaque", proofs: [proof()])
        let token = try await resource.authorize(head, requiring: "mcp:read")
        #expect(token.binding == .dpop && token.format == .opaque)
        expectRefused(await resource.refusal(of: head), .replayedProof)
    }

    @Test(arguments: ["DPoP", "dpop"])
    func `a token_type of DPoP without a key is an unusable token`(type: String) async {
        answer(type: type, isBound: false)
        expectRefused(await resource.refusal(of: .get("/mcp", bearer: "opaque")), .unprovenPossession)
        clock.advance(by: .seconds(10))
        expectRefused(
            await resource.refusal(of: .dpop("/mcp", token: "opaque", proofs: [proof()])), .unprovenPossession
        )
    }

    @Test(arguments: ["Bearer", "BEARER", nil] as [String?])
    func `a bearer token in the DPoP scheme is refused`(type: String?) async {
        answer(type: type, isBound: false)
        expectRefused(
            await resource.refusal(of: .dpop("/mcp", token: "opaque", proofs: [proof()])), .unboundToken)
        #expect(await resource.refusal(of: .get("/mcp", bearer: "opaque")) == nil)
    }

    @Test(arguments: ["refresh_token", "id_token"])
    func `the token_type of another token is refused`(type: String) async {
        answer(type: type)
        expectRefused(await resource.refusal(of: .get("/mcp", bearer: "opaque")), .unsupportedTokenType)
    }

    @Test(arguments: ["N_A", "access_token", "pop", ""])
    func `with any other token_type, the binding alone counts`(type: String) async {
        answer(type: type)
        expectRefused(await resource.refusal(of: .get("/mcp", bearer: "opaque")), .boundTokenAsBearer)
        #expect(await resource.refusal(of: .dpop("/mcp", token: "opaque", proofs: [proof()])) == nil)
    }

    @Test func `the proof is for the resource, and the introspection endpoint never gets it`() async throws {
        answer(type: "DPoP")
        let proof = proof()
        #expect(await resource.refusal(of: .dpop("/mcp", token: "opaque", proofs: [proof])) == nil)
        let request = try #require(fetcher.requests.first)
        #expect(request.fields["DPoP"] == nil)
        #expect(request.fields.map(\.name.spelling).sorted() == ["Accept", "Authorization", "Content-Type"])
        #expect(String(decoding: request.body, as: UTF8.self) == "token=opaque&token_type_hint=access_token")
    }
}
