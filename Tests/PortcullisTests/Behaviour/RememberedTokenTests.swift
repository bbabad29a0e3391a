// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 7662 §4 Tokens are cached, briefly and within bounds")
struct RememberedTokenTests {
    static let endpoint = RFC7662_2_Introspection.endpoint
    let clock = ManualClock()
    let fetcher = ScriptedFetcher()

    init() {
        fetcher.on(Self.endpoint, json: .object(RFC7662_2_Introspection.active))
    }

    private func resource(_ change: (inout TokenPolicy) -> Void = { _ in }) -> ProtectedResource {
        var policy = TokenPolicy()
        policy.leeway = .zero
        change(&policy)
        return RFC7662_2_Introspection.resource(policy, fetcher: fetcher, clock: clock)
    }

    private func isKnown(_ token: String, to resource: ProtectedResource) -> Bool {
        if case .admitted = resource.progress(.get("/mcp", bearer: token)) {
            true
        } else {
            false
        }
    }

    @Test func `an active answer is cached for its lifetime`() async {
        let resource = resource()
        for _ in 0..<3 { #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil) }
        #expect(fetcher.requests.count == 1)
        clock.advance(by: .seconds(29))
        #expect(isKnown("a", to: resource))
        clock.advance(by: .seconds(1))
        #expect(!isKnown("a", to: resource))
        #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil)
        #expect(fetcher.requests.count == 2)
    }

    @Test func `an answer is never cached past exp`() async {
        var object = RFC7662_2_Introspection.active
        object["exp"] = 1_800_000_005
        fetcher.on(Self.endpoint, json: .object(object))
        let resource = resource()
        #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil)
        clock.advance(by: .seconds(4))
        #expect(isKnown("a", to: resource))
        clock.advance(by: .seconds(1))
        #expect(!isKnown("a", to: resource))
        expectRefused(await resource.refusal(of: .get("/mcp", bearer: "a")), .expired)
    }

    @Test func `a lifetime of zero introspects every time`() async {
        let resource = resource { $0.introspectionCacheLifetime = .zero }
        for _ in 0..<3 { #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil) }
        #expect(fetcher.requests.count == 3)
    }

    @Test func `the issuer's own lifetime takes precedence over the policy's`() async {
        let issuer = TrustedIssuer.introspection(
            issuer: "https://as.example.com", endpoint: Self.endpoint,
            authenticatedBy: .clientSecretBasic(id: "a", secret: "b"), cachingActiveTokensFor: .seconds(2))
        let resource = RFC7662_2_Introspection.resource(fetcher: fetcher, clock: clock, issuer: issuer)
        #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil)
        clock.advance(by: .seconds(2))
        #expect(!isKnown("a", to: resource))
    }

    @Test func `an inactive answer is cached for a few seconds`() async {
        fetcher.on(Self.endpoint, json: ["active": false])
        let resource = resource()
        for _ in 0..<3 {
            expectRefused(await resource.refusal(of: .get("/mcp", bearer: "a")), .inactiveToken)
        }
        #expect(fetcher.requests.count == 1)
        fetcher.on(Self.endpoint, json: .object(RFC7662_2_Introspection.active))
        clock.advance(by: .seconds(5))
        #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil)
    }

    @Test func `a flood of bad tokens evicts no good one`() async {
        let resource = resource { $0.verifiedCacheEntryCount = 4 }
        #expect(await resource.refusal(of: .get("/mcp", bearer: "good")) == nil)
        fetcher.on(Self.endpoint, json: ["active": false])
        for number in 0..<100 { _ = await resource.refusal(of: .get("/mcp", bearer: "bad\(number)")) }
        #expect(isKnown("good", to: resource))
    }

    @Test func `no more tokens are cached than allowed, and those in use stay`() async {
        let scene = Scene()
        var policy = TokenPolicy()
        policy.verifiedCacheEntryCount = 8
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: scene.issuer.trusted, tokens: policy,
            time: scene.clock.time)
        let tokens = (0..<40).map { _ in scene.mint() }
        for token in tokens {
            _ = await resource.refusal(of: .get("/notes", bearer: tokens[0]))
            _ = await resource.refusal(of: .get("/notes", bearer: token))
        }
        #expect(isKnown(tokens[0], to: resource))
        #expect(tokens.filter { isKnown($0, to: resource) }.count == 8)
    }

    @Test func `in a full cache a JWT is stored on its second use`() async {
        let scene = Scene()
        var policy = TokenPolicy()
        policy.verifiedCacheEntryCount = 8
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: scene.issuer.trusted, tokens: policy,
            time: scene.clock.time)
        let first = (0..<8).map { _ in scene.mint() }
        for token in first { #expect(await resource.refusal(of: .get("/notes", bearer: token)) == nil) }
        for _ in 0..<100 {
            #expect(await resource.refusal(of: .get("/notes", bearer: scene.mint())) == nil)
        }
        #expect(first.allSatisfy { isKnown($0, to: resource) })
        let regular = scene.mint()
        #expect(await resource.refusal(of: .get("/notes", bearer: regular)) == nil)
        #expect(!isKnown(regular, to: resource))
        #expect(await resource.refusal(of: .get("/notes", bearer: regular)) == nil)
        #expect(isKnown(regular, to: resource))
        #expect(first.filter { isKnown($0, to: resource) }.count == 7)
    }

    @Test func `in a full cache an introspection answer is stored at once`() async {
        let resource = resource { $0.verifiedCacheEntryCount = 4 }
        for number in 0..<100 {
            #expect(await resource.refusal(of: .get("/mcp", bearer: "token\(number)")) == nil)
        }
        #expect((96..<100).allSatisfy { isKnown("token\($0)", to: resource) })
    }

    @Test(arguments: [
        (JSONValue.string(String(repeating: "x", count: 60_000)), true),
        (.string(String(repeating: "x", count: 66_000)), false),
        (.array(Array(repeating: .bool(true), count: 3000)), false),
        (.object(["a": .array([.object(["b": .string(String(repeating: "x", count: 66_000))])])]), false),
    ])
    func `a large answer is used and not cached`(claim: JSONValue, isKept: Bool) async {
        var object = RFC7662_2_Introspection.active
        object["extension"] = claim
        fetcher.on(Self.endpoint, json: .object(object))
        let resource = resource()
        for _ in 0..<2 { #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil) }
        #expect(fetcher.requests.count == (isKept ? 1 : 2))
    }

    @Test func `a large answer still replaces an earlier one`() async {
        let resource = resource()
        #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil)
        #expect(isKnown("a", to: resource))
        var object = RFC7662_2_Introspection.active
        object["extension"] = .string(String(repeating: "x", count: 66_000))
        fetcher.on(Self.endpoint, json: .object(object))
        let fresh = AccessRequirement.anyValidToken.freshlyIntrospected()
        #expect(await resource.refusal(of: .get("/mcp", bearer: "a"), requiring: fresh) == nil)
        #expect(!isKnown("a", to: resource))
    }

    @Test func `with a capacity of zero nothing is cached`() async {
        let resource = resource { $0.verifiedCacheEntryCount = 0 }
        #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil)
        #expect(!isKnown("a", to: resource))
    }

    @Test func `forgetting makes the next use a first use`() async {
        let resource = resource()
        for token in ["a", "b", "c"] { _ = await resource.refusal(of: .get("/mcp", bearer: token)) }
        resource.invalidate("a")
        #expect(!isKnown("a", to: resource) && isKnown("b", to: resource) && isKnown("c", to: resource))
        resource.invalidateAllTokens()
        #expect(!isKnown("b", to: resource) && !isKnown("c", to: resource))
    }

    @Test func `a cached JWT ends with its exp`() async {
        let scene = Scene()
        let token = scene.mint()
        #expect(await scene.refusal(of: token) == nil)
        #expect(isKnown(token, to: scene.resource))
        scene.clock.advance(by: .seconds(3629))
        #expect(isKnown(token, to: scene.resource))
        scene.clock.advance(by: .seconds(1))
        #expect(!isKnown(token, to: scene.resource))
        await scene.expectInvalid(token, .expired, PublicText.expired)
    }

    @Test func `a cached token's scopes are checked each time`() async {
        let scene = Scene()
        let token = scene.mint()
        #expect(await scene.refusal(of: token, requiring: "notes:read") == nil)
        expectRefused(await scene.refusal(of: token, requiring: "notes:write"), .insufficientScope)
        guard
            case .refused(let refusal) = scene.resource.progress(
                .get("/notes", bearer: token), requiring: "notes:write")
        else {
            Issue.record("not refused at once")
            return
        }
        #expect(refusal.status == .forbidden)
    }

    @Test func `one resource does not use another's cache`() async {
        let scene = Scene()
        let token = scene.mint()
        #expect(await scene.refusal(of: token) == nil)
        let child = ProtectedResource(
            "https://api.example.com/notes/private", trusting: scene.issuer.trusted, time: scene.clock.time)
        expectRefused(await child.refusal(of: .get("/notes/private", bearer: token)), .audienceMismatch)
    }

    @Test func `a hundred concurrent requests with one token cause one call`() async {
        let latch = Latch()
        let body = RFC7662_2_Introspection.active.serialized()
        fetcher.on(Self.endpoint) { _ in
            await latch.wait()
            return FetchResponse(status: .ok, body: body)
        }
        let resource = resource { $0.introspectionCacheLifetime = .zero }
        let refusals = await withTaskGroup(of: Refusal?.self) { group in
            for _ in 0..<100 { group.addTask { await resource.refusal(of: .get("/mcp", bearer: "same")) } }
            for _ in 0..<1000 { await Task.yield() }
            latch.open()
            return await group.reduce(into: [Refusal?]()) { $0.append($1) }
        }
        #expect(refusals.allSatisfy { $0 == nil })
        #expect(fetcher.requests.count <= 2)
    }

    @Test func `a token that fails one check is never checked the other way`() async {
        let issuer = TestIssuer("https://as.example.com", time: clock.time)
        let trusted = TrustedIssuer.jwtOrIntrospection(
            issuer: "https://as.example.com", keys: .fixed(issuer.keys), endpoint: Self.endpoint,
            authenticatedBy: .clientSecretBasic(id: "a", secret: "b"))
        let both = RFC7662_2_Introspection.resource(fetcher: fetcher, clock: clock, issuer: trusted)
        let good = issuer.mint(audience: "https://api.example.com/mcp")
        #expect(await both.refusal(of: .get("/mcp", bearer: good)) == nil)
        let stranger = TestIssuer("https://as.example.com", time: clock.time)
        let forged = stranger.mint(audience: "https://api.example.com/mcp")
        expectRefused(await both.refusal(of: .get("/mcp", bearer: forged)), .invalidSignature)
        expectRefused(await both.refusal(of: .get("/mcp", bearer: "a.b.c")), .malformedJWT)
        #expect(fetcher.requests.isEmpty)
        #expect(await both.refusal(of: .get("/mcp", bearer: "opaque")) == nil)
        #expect(await both.refusal(of: .get("/mcp", bearer: "a.b.~")) == nil)
        #expect(fetcher.requests.count == 2)
        var policy = TokenPolicy()
        policy.format = .opaque
        let opaque = RFC7662_2_Introspection.resource(policy, fetcher: fetcher, clock: clock, issuer: trusted)
        #expect(await opaque.refusal(of: .get("/mcp", bearer: forged)) == nil)
        policy.format = .jwt
        let jwt = RFC7662_2_Introspection.resource(policy, fetcher: fetcher, clock: clock, issuer: trusted)
        expectRefused(await jwt.refusal(of: .get("/mcp", bearer: "opaque")), .malformedJWT)
        #expect(fetcher.requests.count == 3)
    }
}
