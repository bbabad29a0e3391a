// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 7662 §2.2 Answers as servers write them")
struct RFC7662_2_2_AnswersOfServers {
    private static let endpoint = RFC7662_2_Introspection.endpoint
    private static let issuer = "https://as.example.com"

    private let clock = ManualClock()
    private let fetcher = ScriptedFetcher()
    private let events = EventLog()

    private func resource(
        _ policy: TokenPolicy = .default, _ change: (inout TrustedIssuer) -> Void = { _ in }
    ) -> ProtectedResource {
        var trusted = TrustedIssuer.introspection(
            issuer: Self.issuer, endpoint: Self.endpoint,
            authenticatedBy: .clientSecretBasic(id: "rs", secret: "s"))
        change(&trusted)
        return RFC7662_2_Introspection.resource(
            policy, fetcher: fetcher, clock: clock, events: events, issuer: trusted)
    }

    private func answer(_ changes: JSONObject, omitting: [String] = []) {
        var object = RFC7662_2_Introspection.active
        for member in changes.members { object[member.name] = member.value }
        for name in omitting { object[name] = nil }
        fetcher.on(Self.endpoint, json: .object(object))
    }

    private func token(_ resource: ProtectedResource, _ text: String = "opaque") async throws -> AccessToken {
        try await resource.authorize(.get("/mcp", bearer: text))
    }

    private func refusal(_ resource: ProtectedResource, _ text: String = "opaque") async -> Refusal? {
        await resource.refusal(
            of: .get("/mcp", bearer: text), in: AuthorizationContext(describesRefusals: true))
    }

    @Test func `scope may be an array`() async throws {
        answer(["scope": ["mcp:read", "x"]])
        #expect(try await token(resource()).scopes == ["mcp:read", "x"])
    }

    @Test(arguments: [
        "iss", "sub", "client_id", "token_type", "exp", "nbf", "iat", "jti", "scope", "cnf", "username",
    ])
    func `a member that is null is absent`(name: String) async throws {
        answer([name: .null])
        let token = try await token(resource())
        if name == "exp" { #expect(token.expiresAt == nil) }
        if name == "sub" { #expect(token.subject == nil) }
        #expect(events.all == [])
    }

    @Test func `aud that is null is absent too`() async {
        answer(["aud": .null])
        expectRefused(await refusal(resource()), .audienceMismatch)
    }

    @Test(arguments: [
        "access_token", "Access_Token", "bearer", "BEARER", "JWT", "mac", "N_A", "PoP", "",
        "urn:ietf:params:oauth:token-type:access_token",
    ])
    func `any type of access token is accepted`(type: String) async throws {
        answer(["token_type": .string(type)])
        #expect(await refusal(resource()) == nil)
    }

    @Test(arguments: [
        ("DPoP", RefusalReason.unprovenPossession), ("dpop", .unprovenPossession),
        ("refresh_token", .unsupportedTokenType), ("Refresh_Token", .unsupportedTokenType),
        ("id_token", .unsupportedTokenType),
        ("urn:ietf:params:oauth:token-type:refresh_token", .unsupportedTokenType),
    ])
    func `a type that contradicts is refused`(type: String, reason: RefusalReason) async {
        answer(["token_type": .string(type)])
        expectRefused(await refusal(resource()), reason)
    }

    @Test func `scope_claims applies to answers, and scope is read last`() async throws {
        var policy = TokenPolicy()
        policy.scopeClaims = ["scp", "permissions"]
        let resource = resource(policy)
        answer(["scp": ["a"], "permissions": ["b"], "scope": "c"])
        #expect(try await token(resource, "1").scopes == ["a"])
        answer(["scp": .null, "permissions": "b", "scope": "c"])
        #expect(try await token(resource, "2").scopes == ["b"])
        answer(["scope": "c"])
        #expect(try await token(resource, "3").scopes == ["c"])
    }

    @Test func `the mapping of the issuer applies to answers`() async throws {
        let resource = resource {
            $0.claims = ClaimMapping(clientID: ["/azp"], scopes: ["/realm_access/roles"])
        }
        answer(["azp": "c", "realm_access": ["roles": ["r", "not a scope"]]], omitting: ["client_id"])
        let token = try await token(resource, "1")
        #expect(token.clientID == "c" && token.scopes == ["r"])
        // `scope` is not among the pointers.
        answer(["scope": "mcp:read"])
        #expect(try await self.token(resource, "2").scopes == [])
    }

    @Test func `required values and the audience source apply to answers`() async throws {
        let resource = resource {
            $0.requiredClaimValues = [ClaimValues("/use", ["access"])]
            $0.audienceSource = ClaimValues("/client_id", ["client-1"])
        }
        answer([:], omitting: ["aud"])
        expectRefused(await refusal(resource, "1"), .claimValueMismatch)
        answer(["use": "access"], omitting: ["aud"])
        #expect(try await token(resource, "2").audience == [])
        answer(["use": "access", "client_id": "other"], omitting: ["aud"])
        expectRefused(await refusal(resource, "3"), .audienceMismatch)
        answer(["use": "access", "aud": "other"])
        expectRefused(await refusal(resource, "4"), .audienceMismatch)
    }

    @Test(
        arguments: [
            ("exp", "1800003500", "a string"), ("nbf", "x", "a string"),
            ("iat", [1], "an array with a number"),
            ("sub", 1, "a number"), ("iss", 1, "a number"), ("jti", 1, "a number"), ("aud", 1, "a number"),
            ("aud", ["a", 1], "an array with a number"), ("token_type", ["Bearer"], "an array of strings"),
        ] as [(String, JSONValue, String)])
    func `a member of another type makes the answer unusable, and the log names it`(
        name: String, value: JSONValue, found: String
    ) async {
        answer([name: value])
        let refusal = await refusal(resource())
        expectRefused(refusal, .introspectionUnavailable)
        #expect(refusal?.finding?.got == "\(name): \(found)")
        #expect(
            events.all == [.unusableIntrospectionAnswer(issuer: Self.issuer, member: name, found: found)])
    }

    @Test(
        arguments: [
            ("scope", 5, "a number"), ("scope", ["a": "b"], "an object"),
            ("scope", ["a", .null], "an array with null"), ("client_id", [:], "an object"),
            ("client_id", ["a", "b"], "an array of strings"),
        ] as [(String, JSONValue, String)])
    func `a client or scopes of another type make the token invalid, and the log names them`(
        name: String, value: JSONValue, found: String
    ) async {
        answer([name: value])
        let refusal = await refusal(resource())
        expectRefused(refusal, .malformedClaims)
        #expect(refusal?.finding?.got == "\(name): \(found)")
        #expect(
            events.all == [.unusableIntrospectionAnswer(issuer: Self.issuer, member: name, found: found)])
    }

    @Test func `with both faults it is the answer's`() async {
        answer(["scope": 5, "sub": 5])
        expectRefused(await refusal(resource()), .introspectionUnavailable)
    }

    @Test func `it is logged once a minute for each issuer, whatever the resource`() async {
        answer(["exp": "soon"])
        let first = resource()
        for text in ["1", "2", "3"] { expectRefused(await refusal(first, text), .introspectionUnavailable) }
        #expect(events.all.count == 1)
        clock.advance(by: .seconds(59))
        expectRefused(await refusal(first, "4"), .introspectionUnavailable)
        #expect(events.all.count == 1)
        clock.advance(by: .seconds(1))
        expectRefused(await refusal(first, "5"), .introspectionUnavailable)
        #expect(events.all.count == 2)
    }

    @Test func `a fresh answer about a JWT is logged too`() async {
        let issuer = TestIssuer(Self.issuer, time: clock.time)
        let resource = resource {
            $0.keys = .fixed(issuer.keys)
        }
        answer(["exp": "soon"])
        let token = issuer.mint(audience: "https://api.example.com/mcp", scope: "mcp:read")
        let refusal = await resource.refusal(
            of: .get("/mcp", bearer: token),
            requiring: AccessRequirement("mcp:read").freshlyIntrospected())
        expectRefused(refusal, .introspectionUnavailable)
        #expect(
            events.all == [
                .unusableIntrospectionAnswer(issuer: Self.issuer, member: "exp", found: "a string")
            ])
    }

    // MARK: 400

    private func answer(_ status: Status, _ body: String) {
        fetcher.on(Self.endpoint) { _ in FetchResponse(status: status, body: Array(body.utf8)) }
    }

    @Test(arguments: [
        #"{"error":"invalid_token"}"#, #" {"error":"invalid_token","error_description":"Token is expired"} "#,
        #"{"error":"invalid\u005ftoken"}"#,
    ])
    func `§2.3: 400 with invalid_token is an inactive token, and is remembered as such`(body: String) async {
        answer(.badRequest, body)
        let resource = resource()
        expectRefused(await refusal(resource), .inactiveToken)
        expectRefused(await refusal(resource), .inactiveToken)
        #expect(fetcher.requests.count == 1)
        #expect(events.all == [])
        clock.advance(by: .seconds(5))
        answer([:])
        #expect(await refusal(resource) == nil)
    }

    @Test(arguments: [
        "", "{}", "[]", "null", "invalid_token", #"{"error":"invalid_request"}"#,
        #"{"error":"invalid_client"}"#,
        #"{"error":["invalid_token"]}"#, #"{"error":"invalid_token"} x"#, #"{"error":"Invalid_Token"}"#,
        #"{"error":"invalid_token","error":"invalid_token"}"#, #"{"errors":"invalid_token"}"#,
    ])
    func `§2.3: any other 400 is an outage`(body: String) async {
        answer(.badRequest, body)
        expectRefused(await refusal(resource()), .introspectionUnavailable)
        let fault = AuthorizationServerFault.calling(url: Self.endpoint, .status(400))
        #expect(events.all == [.introspectionFailed(issuer: Self.issuer, fault: fault)])
    }

    @Test(arguments: [401, 403, 404, 422, 500, 302, 201, 204])
    func `§2.3: invalid_token with another status is an outage`(code: Int) async throws {
        answer(try #require(Status(code)), #"{"error":"invalid_token"}"#)
        expectRefused(await refusal(resource()), .introspectionUnavailable)
    }

    @Test func `an inactive token by 400 does not suspend the calls`() async {
        answer(.badRequest, #"{"error":"invalid_token"}"#)
        let resource = resource()
        for number in 0..<20 { expectRefused(await refusal(resource, "stale-\(number)"), .inactiveToken) }
        answer([:])
        #expect(await refusal(resource, "good") == nil)
        #expect(events.all == [])
    }
}
