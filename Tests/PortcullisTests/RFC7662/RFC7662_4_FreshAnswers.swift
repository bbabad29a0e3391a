// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Synchronization
import Testing

@Suite("RFC 7662 §4, RFC 7009 §3 A route can require a fresh introspection answer")
struct RFC7662_4_FreshAnswers {
    static let endpoint = RFC7662_2_Introspection.endpoint
    static let fresh = AccessRequirement("mcp:read").freshlyIntrospected()
    static let known = AccessRequirement("mcp:read")

    let clock = ManualClock()
    let fetcher = ScriptedFetcher()
    let issuer: TestIssuer
    let resource: ProtectedResource

    init() {
        issuer = TestIssuer("https://as.example.com", time: clock.time)
        resource = RFC7662_2_Introspection.resource(
            fetcher: fetcher, clock: clock,
            issuer: .jwtOrIntrospection(
                issuer: "https://as.example.com", keys: .fixed(issuer.keys), endpoint: Self.endpoint,
                authenticatedBy: .clientSecretBasic(id: "rs", secret: "s")))
        answer(["active": true])
    }

    private func answer(_ object: JSONObject) { fetcher.on(Self.endpoint, json: .object(object)) }

    private var jwt: String {
        issuer.mint(audience: "https://api.example.com/mcp", scope: "mcp:read")
    }

    private func refusal(_ token: String, _ requirement: AccessRequirement = fresh) async -> Refusal? {
        await resource.refusal(of: .get("/mcp", bearer: token), requiring: requirement)
    }

    @Test func `a JWT is verified locally, and its issuer is asked each time`() async throws {
        let token = jwt
        for count in 1...3 {
            let access = try await resource.authorize(.get("/mcp", bearer: token), requiring: Self.fresh)
            #expect(access.format == .jwt && access.subject == "user-1")
            #expect(fetcher.requests.count == count)
        }
        #expect(await refusal(token, Self.known) == nil)
        #expect(fetcher.requests.count == 3)
        let body = String(decoding: try #require(fetcher.requests.first).body, as: UTF8.self)
        #expect(body == "token=\(token)&token_type_hint=access_token")
    }

    @Test func `a revoked token is refused at once, and on other routes when the cached answer ends`()
        async
    {
        let token = jwt
        #expect(await refusal(token) == nil)
        answer(["active": false])
        #expect(await refusal(token, Self.known) == nil)
        expectRefused(await refusal(token), .inactiveToken)
        expectRefused(await refusal(token, Self.known), .inactiveToken)
        #expect(fetcher.requests.count == 2)
        // Without a fresh answer the gate only verifies the JWT.
        clock.advance(by: .seconds(5))
        #expect(await refusal(token, Self.known) == nil)
        expectRefused(await refusal(token), .inactiveToken)
    }

    @Test func `while the issuer is unreachable the answer is 503, and other routes continue`() async {
        let token = jwt
        for error in [FetchError.unreachable, .timedOut, .tooLarge] {
            fetcher.on(Self.endpoint, failing: error)
            expectRefused(await refusal(token), .introspectionUnavailable)
        }
        fetcher.on(Self.endpoint, status: .internalServerError)
        expectRefused(await refusal(token), .introspectionUnavailable)
        fetcher.on(Self.endpoint, json: ["active"])
        expectRefused(await refusal(token), .introspectionUnavailable)
        #expect(await refusal(token, Self.known) == nil)
    }

    @Test func `a token that fails verification is not sent to the issuer`() async {
        let stranger = TestIssuer("https://as.example.com", time: clock.time)
        let forged = stranger.mint(audience: "https://api.example.com/mcp", scope: "mcp:read")
        expectRefused(await refusal(forged), .invalidSignature)
        let other = issuer.mint(audience: "https://other.example", scope: "mcp:read")
        expectRefused(await refusal(other), .audienceMismatch)
        expectRefused(await refusal("a b"), .malformedToken)
        let client = TestDPoPClient(time: clock.time)
        let bound = issuer.mint(audience: "https://api.example.com/mcp", boundTo: client)
        expectRefused(await refusal(bound), .boundTokenAsBearer)
        #expect(fetcher.requests.isEmpty)
    }

    @Test(
        arguments: [
            ("iss", "https://other.example", .unknownIssuer),
            ("aud", "https://other.example", .audienceMismatch),
            ("exp", 1_799_999_000, .expired), ("nbf", 1_800_001_000, .notYetValid),
            ("token_type", "refresh_token", .unsupportedTokenType), ("exp", "x", .introspectionUnavailable),
            ("iss", 1, .introspectionUnavailable), ("active", "true", .inactiveToken),
        ] as [(String, JSONValue, RefusalReason)])
    func `an answer that contradicts the token refuses it`(
        name: String, value: JSONValue, reason: RefusalReason
    ) async {
        var object: JSONObject = ["active": true]
        object[name] = value
        answer(object)
        expectRefused(await refusal(jwt), reason)
    }

    @Test func `an opaque token is introspected each time, whatever is cached`() async {
        answer(RFC7662_2_Introspection.active)
        for _ in 0..<2 { #expect(await refusal("opaque", Self.known) == nil) }
        #expect(fetcher.requests.count == 1)
        for count in 2...4 {
            #expect(await refusal("opaque") == nil)
            #expect(fetcher.requests.count == count)
        }
        // Other routes use the answer.
        #expect(await refusal("opaque", Self.known) == nil)
        #expect(fetcher.requests.count == 4)
        answer(["active": false])
        expectRefused(await refusal("opaque"), .inactiveToken)
        expectRefused(await refusal("opaque", Self.known), .inactiveToken)
        #expect(fetcher.requests.count == 5)
    }

    @Test func `a first use costs one call`() async {
        answer(RFC7662_2_Introspection.active)
        #expect(await refusal("opaque") == nil)
        #expect(fetcher.requests.count == 1)
    }

    @Test func `an answer from a shared cache is not fresh`() async {
        let cache = MemoryIntrospectionCache(uptime: clock.time.uptime)
        var trusted = TrustedIssuer.introspection(
            issuer: "https://as.example.com", endpoint: Self.endpoint,
            authenticatedBy: .clientSecretBasic(id: "a", secret: "b"))
        trusted.introspection?.sharedCache = cache
        answer(RFC7662_2_Introspection.active)
        let (first, second) = (
            RFC7662_2_Introspection.resource(fetcher: fetcher, clock: clock, issuer: trusted),
            RFC7662_2_Introspection.resource(fetcher: fetcher, clock: clock, issuer: trusted)
        )
        let head = RequestHead.get("/mcp", bearer: "opaque")
        #expect(await first.refusal(of: head, requiring: Self.known) == nil)
        #expect(await second.refusal(of: head, requiring: Self.known) == nil)
        #expect(fetcher.requests.count == 1)
        #expect(await second.refusal(of: head, requiring: Self.fresh) == nil)
        #expect(fetcher.requests.count == 2)
    }

    @Test func `requests that arrive during a call share the next one, not this one`() async {
        let doors = [Latch(), Latch()]
        let count = Mutex(0)
        fetcher.on(Self.endpoint) { _ in
            let number = count.withLock { number in
                number += 1
                return number
            }
            if number <= 2 { await doors[number - 1].wait() }
            // The first call was sent before the token was revoked.
            let object: JSONObject = ["active": .bool(number == 1)]
            return FetchResponse(status: .ok, body: object.serialized())
        }
        let token = jwt
        async let early = refusal(token)
        await settle { !fetcher.requests.isEmpty }
        let late = await withTaskGroup(of: Refusal?.self) { group in
            for _ in 0..<100 { group.addTask { await refusal(token) } }
            for _ in 0..<2000 { await Task.yield() }
            #expect(fetcher.requests.count == 1)
            doors[0].open()
            doors[1].open()
            return await group.reduce(into: [Refusal?]()) { $0.append($1) }
        }
        #expect(await early == nil)
        #expect(late.count == 100)
        for refusal in late { expectRefused(refusal, .inactiveToken) }
        #expect(fetcher.requests.count == 2)
    }

    @Test func `an older answer that arrives after a newer one is not cached over it`() async {
        let door = Latch()
        let count = Mutex(0)
        fetcher.on(Self.endpoint) { _ in
            let isFirst = count.withLock { count in
                count += 1
                return count == 1
            }
            guard isFirst else {
                return FetchResponse(status: .ok, body: (["active": false] as JSONObject).serialized())
            }
            await door.wait()
            return FetchResponse(status: .ok, body: RFC7662_2_Introspection.active.serialized())
        }
        async let early = refusal("opaque", Self.known)
        await settle { !fetcher.requests.isEmpty }
        clock.advance(by: .milliseconds(1))
        expectRefused(await refusal("opaque"), .inactiveToken)
        door.open()
        // The first request gets the answer that was true then; no other request uses it.
        #expect(await early == nil)
        expectRefused(await refusal("opaque", Self.known), .inactiveToken)
        #expect(fetcher.requests.count == 2)
    }

    @Test func `an older call that a later request shares is not cached over a newer answer`() async {
        let (first, second) = (Latch(), Latch())
        let count = Mutex(0)
        fetcher.on(Self.endpoint) { _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            await (number == 1 ? first : second).wait()
            let answer: JSONObject = number == 1 ? RFC7662_2_Introspection.active : ["active": false]
            return FetchResponse(status: .ok, body: answer.serialized())
        }
        async let early = refusal("opaque", Self.known)
        await settle { !fetcher.requests.isEmpty }
        clock.advance(by: .milliseconds(1))
        async let fresh = refusal("opaque")
        await settle { fetcher.requests.count >= 2 }
        clock.advance(by: .milliseconds(1))
        async let joining = refusal("opaque", Self.known)
        for _ in 0..<1000 { await Task.yield() }
        second.open()
        expectRefused(await fresh, .inactiveToken)
        first.open()
        #expect(await early == nil)
        _ = await joining
        expectRefused(await refusal("opaque", Self.known), .inactiveToken)
        #expect(fetcher.requests.count == 2)
    }

    @Test func `a call from before an invalidation answers no request after it`() async throws {
        let pool = IssuerConnections()
        let door = Latch()
        fetcher.on(Self.endpoint) { _ in
            await door.wait()
            return FetchResponse(status: .ok, body: RFC7662_2_Introspection.active.serialized())
        }
        func resource(_ path: String) throws -> ProtectedResource {
            let identifier = try ResourceIdentifier(validating: "https://api.example.com/\(path)")
            return try ProtectedResource(
                ProtectedResource.Configuration(
                    .init(resource: identifier),
                    trusting: [
                        .introspection(
                            issuer: "https://as.example.com", endpoint: Self.endpoint,
                            authenticatedBy: .clientSecretBasic(id: "rs", secret: "s"))
                    ],
                    fetcher: fetcher, time: clock.time, connectionPool: pool))
        }
        let (one, other) = (try resource("mcp"), try resource("notes"))
        one.invalidateAllTokens()
        async let before = one.refusal(of: .get("/mcp", bearer: "opaque"))
        await settle { !fetcher.requests.isEmpty }
        one.invalidateAllTokens()
        other.invalidateAllTokens()
        async let behind = other.refusal(of: .get("/notes", bearer: "opaque"))
        await settle { fetcher.requests.count >= 2 }
        #expect(fetcher.requests.count == 2)
        door.open()
        _ = await (before, behind)
    }

    @Test func `a token whose issuer cannot be asked is refused`() async {
        let other = TestIssuer("https://b.example", time: clock.time)
        let both = ProtectedResource(
            "https://api.example.com/mcp",
            trusting: .jwtOrIntrospection(
                issuer: "https://as.example.com", keys: .fixed(issuer.keys), endpoint: Self.endpoint,
                authenticatedBy: .clientSecretBasic(id: "rs", secret: "s")),
            other.trusted, fetcher: fetcher, time: clock.time)
        let token = other.mint(audience: "https://api.example.com/mcp")
        let requirement = AccessRequirement.anyValidToken.freshlyIntrospected()
        #expect(await both.refusal(of: .get("/mcp", bearer: token)) == nil)
        expectRefused(
            await both.refusal(of: .get("/mcp", bearer: token), requiring: requirement),
            .unsupportedTokenFormat)
        #expect(fetcher.requests.isEmpty)
    }

    @Test func `nothing is decided without waiting`() async {
        let token = jwt
        #expect(await refusal(token) == nil)
        guard
            case .needs(.introspection) = resource.progress(
                .get("/mcp", bearer: token), requiring: Self.fresh),
            case .admitted = resource.progress(.get("/mcp", bearer: token), requiring: Self.known)
        else {
            Issue.record("another decision")
            return
        }
    }

    @Test func `a proof is not used up while the issuer is unreachable`() async throws {
        let client = TestDPoPClient(time: clock.time)
        let resource = ProtectedResource(
            "https://api.example.com/mcp",
            trusting: .jwtOrIntrospection(
                issuer: "https://as.example.com", keys: .fixed(issuer.keys), endpoint: Self.endpoint,
                authenticatedBy: .clientSecretBasic(id: "rs", secret: "s")),
            dpop: .accepted, fetcher: fetcher, time: clock.time)
        let token = issuer.mint(audience: "https://api.example.com/mcp", boundTo: client)
        let head = RequestHead.dpop(
            "/mcp", token: token, proofs: [client.proof(.get, "https://api.example.com/mcp", token: token)])
        let requirement = AccessRequirement.anyValidToken.freshlyIntrospected()
        fetcher.on(Self.endpoint, failing: .unreachable)
        expectRefused(await resource.refusal(of: head, requiring: requirement), .introspectionUnavailable)
        answer(["active": true])
        #expect(await resource.refusal(of: head, requiring: requirement) == nil)
        expectRefused(await resource.refusal(of: head, requiring: requirement), .replayedProof)
    }
}
