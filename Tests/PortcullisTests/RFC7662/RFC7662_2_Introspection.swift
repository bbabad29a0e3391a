// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 7662 §2 Introspection")
struct RFC7662_2_Introspection {
    static let endpoint = "https://as.example.com/introspect"
    static let active: JSONObject = [
        "active": true, "iss": "https://as.example.com", "aud": "https://api.example.com/mcp",
        "sub": "user-1",
        "client_id": "client-1", "scope": "mcp:read", "exp": 1_800_003_500, "iat": 1_799_999_900,
        "token_type": "Bearer",
    ]

    let clock = ManualClock()
    let fetcher = ScriptedFetcher()
    let events = EventLog()
    let resource: ProtectedResource

    init() {
        resource = Self.resource(fetcher: fetcher, clock: clock, events: events)
        answer(Self.active)
    }

    static func resource(
        _ tokens: TokenPolicy = .default, fetcher: ScriptedFetcher, clock: ManualClock,
        events: EventLog = EventLog(),
        issuer: TrustedIssuer = .introspection(
            issuer: "https://as.example.com", endpoint: endpoint,
            authenticatedBy: .clientSecretBasic(id: "rs:api", secret: "p%w d"))
    ) -> ProtectedResource {
        ProtectedResource(
            "https://api.example.com/mcp", trusting: issuer, scopes: ["mcp:read"], tokens: tokens,
            fetcher: fetcher,
            time: clock.time, onEvent: { events.append($0) })
    }

    private func answer(_ object: JSONObject) {
        fetcher.on(Self.endpoint, json: .object(object))
    }

    private func answer(replacing name: String, with value: JSONValue?) {
        var object = Self.active
        object[name] = value
        answer(object)
    }

    private func refusal(_ token: String = "opaque+t/1=", _ requirement: AccessRequirement = .anyValidToken)
        async
        -> Refusal?
    {
        await resource.refusal(of: .get("/mcp", bearer: token), requiring: requirement)
    }

    private func expectInvalid(
        _ reason: RefusalReason, _ text: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        let refusal = await refusal()
        expectRefused(refusal, reason, sourceLocation: sourceLocation)
        #expect(refusal?.status == .unauthorized, sourceLocation: sourceLocation)
        #expect(refusal?.challenges.first?["error"] == "invalid_token", sourceLocation: sourceLocation)
        #expect(refusal?.challenges.first?["error_description"] == text, sourceLocation: sourceLocation)
    }

    private func expectOutage(sourceLocation: SourceLocation = #_sourceLocation) async {
        let refusal = await refusal()
        #expect(refusal?.reason == .introspectionUnavailable, sourceLocation: sourceLocation)
        #expect(
            refusal?.head.lines == [
                "HTTP/1.1 503 Service Unavailable", "Retry-After: 5", "Cache-Control: no-store",
                "Content-Type: application/json",
            ], sourceLocation: sourceLocation)
        #expect(
            refusal?.body == Array(#"{"error":"temporarily_unavailable"}"#.utf8),
            sourceLocation: sourceLocation)
    }

    @Test func `§2.1: worked exchange 16, byte for byte`() async throws {
        let body = try Fixture.bytes("exchanges/introspection-active.json")
        #expect(body.count == 195)
        fetcher.on(Self.endpoint) { _ in FetchResponse(status: .ok, body: body) }
        let token = try await resource.authorize(.get("/mcp", bearer: "opaque+t/1="), requiring: "mcp:read")
        let request = try #require(fetcher.requests.first)
        #expect(request.method == .post)
        #expect(request.url == Self.endpoint)
        #expect(
            request.fields.map { "\($0.name.spelling): \($0.value)" } == [
                "Authorization: Basic cnMlM0FhcGk6cCUyNXcrZA==", "Accept: application/json",
                "Content-Type: application/x-www-form-urlencoded",
            ])
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == "token=opaque%2Bt%2F1%3D&token_type_hint=access_token")
        #expect(request.body.count == 52)
        #expect(token.format == .opaque)
        #expect(token.subject == "user-1")
        #expect(token.expiresAt == 1_800_003_500)
        #expect(token.audience == ["https://api.example.com/mcp"])
    }

    @Test func `RFC 6749 §2.3.1: the credentials may be in the body, or a bearer token`() async throws {
        for (authentication, field, suffix) in [
            (
                ClientAuthentication.clientSecretPost(id: "a b", secret: "c&d"), nil,
                "&client_id=a+b&client_secret=c%26d"
            ),
            (.bearer(token: "abc"), "Bearer abc", ""),
        ] as [(ClientAuthentication, String?, String)] {
            let fetcher = ScriptedFetcher()
            fetcher.on(Self.endpoint, json: .object(Self.active))
            let issuer = TrustedIssuer.introspection(
                issuer: "https://as.example.com", endpoint: Self.endpoint, authenticatedBy: authentication)
            let resource = Self.resource(fetcher: fetcher, clock: clock, issuer: issuer)
            #expect(await resource.refusal(of: .get("/mcp", bearer: "x")) == nil)
            let request = try #require(fetcher.requests.first)
            #expect(request.fields[.authorization] == field)
            #expect(
                String(decoding: request.body, as: UTF8.self) == "token=x&token_type_hint=access_token"
                    + suffix)
        }
    }

    @Test func `§2.2: inactive is an invalid token, and no other member is read`() async {
        answer(["active": false, "exp": "not a number", "aud": 1])
        await expectInvalid(.inactiveToken, PublicText.inactive)
    }

    @Test(arguments: ["true", 1, .null, [true], [:]] as [JSONValue])
    func `§2.2: only the boolean true is active`(value: JSONValue) async {
        answer(replacing: "active", with: value)
        await expectInvalid(.inactiveToken, PublicText.inactive)
    }

    @Test func `§2.2: an answer without active is inactive`() async {
        answer(replacing: "active", with: nil)
        await expectInvalid(.inactiveToken, PublicText.inactive)
    }

    @Test(arguments: [400, 401, 403, 404, 500, 502, 302, 204])
    func `§2.3: another status is an outage`(code: Int) async {
        fetcher.on(Self.endpoint, status: Status(code: code))
        await expectOutage()
        let fault: AuthorizationServerFault =
            switch code {
            case 401: .rejectedCredentials
            case 302: .redirect(302, to: nil)
            default: .status(code)
            }
        #expect(
            events.all == [
                .introspectionFailed(
                    issuer: "https://as.example.com", fault: .calling(url: Self.endpoint, fault))
            ])
    }

    @Test(arguments: ["", "[]", "true", "<html>", #"{"active":true"#, #"{"active":false,"active":true}"#])
    func `§2.2: a body that is not a JSON object is an outage`(body: String) async {
        fetcher.on(Self.endpoint) { _ in FetchResponse(status: .ok, body: Array(body.utf8)) }
        await expectOutage()
    }

    @Test(arguments: [FetchError.unreachable, .timedOut, .tooLarge, .untrustedServer])
    func `no answer is an outage`(error: FetchError) async {
        fetcher.on(Self.endpoint, failing: error)
        await expectOutage()
        answer(Self.active)
        #expect(await refusal() == nil)
    }

    @Test(
        arguments: [
            ("exp", "1800003500"), ("nbf", "x"), ("iat", true), ("sub", 1), ("iss", 1), ("aud", 1),
            ("token_type", 1),
        ] as [(String, JSONValue)])
    func `a member of the wrong type is an outage: it does not concern the token`(
        name: String, value: JSONValue
    ) async {
        answer(replacing: name, with: value)
        await expectOutage()
    }

    @Test func `§4: the answer's claims are validated`() async {
        answer(replacing: "exp", with: 1_799_999_970)
        await expectInvalid(.expired, PublicText.expired)
    }

    @Test func `§4: a token that is not yet valid is refused`() async {
        answer(replacing: "nbf", with: 1_800_000_031)
        await expectInvalid(.notYetValid, PublicText.early)
    }

    @Test func `§4: a token of another issuer is refused`() async {
        answer(replacing: "iss", with: "https://as.example.com/")
        await expectInvalid(.unknownIssuer, PublicText.unacceptable)
    }

    @Test(arguments: ["https://other.example", ["x"], [], nil] as [JSONValue?])
    func `§4: a token for another audience, or for none, is refused`(audience: JSONValue?) async {
        answer(replacing: "aud", with: audience)
        await expectInvalid(.audienceMismatch, PublicText.audience)
    }

    @Test func `§4: a missing audience may be accepted, a wrong one never`() async {
        var policy = TokenPolicy()
        policy.introspectionAudience = .optional
        let resource = Self.resource(policy, fetcher: fetcher, clock: clock)
        answer(replacing: "aud", with: nil)
        #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil)
        answer(replacing: "aud", with: "x")
        expectRefused(await resource.refusal(of: .get("/mcp", bearer: "b")), .audienceMismatch)
    }

    @Test(arguments: ["iss", "exp", "iat", "sub", "client_id", "token_type", "scope"])
    func `§2.2: the other members are optional`(name: String) async {
        answer(replacing: name, with: nil)
        #expect(await refusal() == nil)
        #expect(
            await refusal("opaque+t/1=", "mcp:read")?.reason == (name == "scope" ? .insufficientScope : nil))
    }

    @Test(arguments: [
        ("DPoP", RefusalReason.unprovenPossession), ("refresh_token", .unsupportedTokenType),
    ])
    func `RFC 9449 §6.2: a token of another type is refused`(type: String, reason: RefusalReason) async {
        answer(replacing: "token_type", with: .string(type))
        expectRefused(await refusal(), reason)
    }

    @Test func `RFC 9449 §6.2, RFC 8705 §3.2: a bound token is never treated as unbound`() async {
        answer(replacing: "cnf", with: ["jkt": "x"])
        await expectInvalid(.unprovenPossession, PublicText.unproven)
    }

    @Test(arguments: ["a b", "a,b", "é", "\"a\""])
    func `§4: a malformed token is refused without a call`(token: String) async {
        expectRefused(await refusal(token), .malformedToken)
        expectRefused(await refusal(String(repeating: "a", count: 16_385)), .tokenTooLong)
        #expect(fetcher.requests.isEmpty)
    }

    @Test func `the endpoint may be discovered`() async {
        let well = "https://as.example.com/.well-known/oauth-authorization-server"
        let issuer = TrustedIssuer.introspection(
            issuer: "https://as.example.com", authenticatedBy: .clientSecretBasic(id: "a", secret: "b"))
        let resource = Self.resource(fetcher: fetcher, clock: clock, issuer: issuer)
        expectRefused(await resource.refusal(of: .get("/mcp", bearer: "a")), .introspectionUnavailable)
        fetcher.on(
            well,
            json: ["issuer": "https://as.example.com", "introspection_endpoint": .string(Self.endpoint)])
        clock.advance(by: .seconds(1))
        #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil)
        #expect(resource.isReady)
    }

    @Test func `printed credentials contain no secret`() {
        let authentication = ClientAuthentication.clientSecretBasic(id: "rs", secret: "s3cret")
        var dumped = ""
        dump(TrustedIssuer.introspection(issuer: "https://a", authenticatedBy: authentication), to: &dumped)
        #expect(!dumped.contains("s3cret") && !"\(authentication)".contains("s3cret"))
        #expect(!String(reflecting: authentication).contains("s3cret"))
    }
}
