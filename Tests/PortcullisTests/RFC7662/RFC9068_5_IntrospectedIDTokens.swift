// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9068 §5 ID tokens that an introspection endpoint calls active")
struct RFC9068_5_IntrospectedIDTokens {
    private static let endpoint = RFC7662_2_Introspection.endpoint
    private static let uri = "https://api.example.com/mcp"

    private let clock = ManualClock()
    private let fetcher = ScriptedFetcher()
    private let events = EventLog()
    private let issuer: TestIssuer
    private let resource: ProtectedResource

    init() {
        issuer = TestIssuer("https://as.example.com", time: clock.time)
        var policy = TokenPolicy()
        policy.format = .opaque
        resource = RFC7662_2_Introspection.resource(
            policy, fetcher: fetcher, clock: clock, events: events,
            issuer: .jwtOrIntrospection(
                issuer: "https://as.example.com", keys: .fixed(issuer.keys), endpoint: Self.endpoint,
                authenticatedBy: .clientSecretBasic(id: "rs", secret: "s")))
        answer([:])
    }

    private func answer(_ more: JSONObject) {
        var answer = RFC7662_2_Introspection.active
        for member in more.members { answer[member.name] = member.value }
        fetcher.on(Self.endpoint, json: .object(answer))
    }

    private func refusal(_ token: String) async -> Refusal? {
        await resource.refusal(of: .get("/mcp", bearer: token))
    }

    private func mint(_ claims: JSONObject) -> String {
        issuer.mint(audience: Self.uri, claims: claims, header: ["typ": "JWT"])
    }

    static let identities: [JSONObject] = [
        ["at_hash": "x"], ["c_hash": "x"], ["token_use": "id"], ["token_use": ["id"]],
        ["aud": "client-1", "at_hash": "x", "nonce": "n"],
    ]

    @Test(arguments: identities)
    func `a JWT with the claims of an ID token is refused, whatever its server says`(
        claims: JSONObject
    ) async {
        let refusal = await refusal(mint(claims))
        expectRefused(refusal, .idToken)
        #expect(refusal?.status == .unauthorized)
        #expect(refusal?.challenges.first?["error_description"] == PublicText.identity)
        #expect(events.all == [])
    }

    @Test(arguments: identities)
    func `without its own signature the JWT is refused too`(claims: JSONObject) async {
        let parts = mint(claims).split(separator: ".")
        expectRefused(await refusal("\(parts[0]).\(parts[1]).AAAA"), .idToken)
        let impostor = TestIssuer("https://as.example.com", time: clock.time)
        expectRefused(await refusal(impostor.mint(audience: Self.uri, claims: claims)), .idToken)
    }

    @Test(arguments: identities)
    func `an answer with the claims of an ID token is refused, also for an opaque token`(
        members: JSONObject
    ) async {
        answer(members)
        expectRefused(await refusal("opaque"), .idToken)
        expectRefused(await refusal(mint([:])), .idToken)
    }

    @Test func `an access token in the form of a JWT, and what only looks like a JWT, are accepted`() async {
        #expect(await refusal(mint(["token_use": "access"])) == nil)
        for token in ["a.b.c", "e30.bm90IEpTT04.AA", "e30.W10.AA", "opaque"] {
            #expect(await refusal(token) == nil, "\(token)")
        }
        #expect(events.all == [])
    }

    @Test func `an inactive ID token is inactive`() async {
        fetcher.on(Self.endpoint, json: ["active": false])
        expectRefused(await refusal(mint(["at_hash": "x"])), .inactiveToken)
    }

    @Test func `a nonce alone is accepted, and reported`() async {
        let event = ResourceEvent.tokenWithNonce(
            issuer: "https://as.example.com", resource: "https://api.example.com/mcp")
        #expect(await refusal(mint(["nonce": "n"])) == nil)
        #expect(events.all == [event])
        clock.advance(by: .seconds(60))
        answer(["nonce": "n"])
        #expect(await refusal("opaque") == nil)
        #expect(events.all == [event, event])
    }

    @Test func `the finding names the claims, and there is no setting`() async throws {
        let explanation = await resource.explain(
            .get("/mcp", bearer: mint(["at_hash": "secret", "token_use": "id"])), judgingAllSteps: true)
        let step = try #require(explanation.failedStep)
        #expect(step.got == "at_hash, token_use id")
        guard case .unsound(let why)? = explanation.suggestion() else {
            Issue.record("there is a suggestion")
            return
        }
        #expect(why.contains("ID token"))
    }

    @Test func `where JWTs are verified and not introspected, nothing changes`() async {
        let scene = Scene()
        let token = scene.mint(claims: ["at_hash": "x"])
        expectRefused(await scene.refusal(of: token), .idToken)
    }
}
