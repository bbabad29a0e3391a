// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 7662 §4 Introspection answers shared in memory")
struct SharedCacheTests {
    static let endpoint = RFC7662_2_Introspection.endpoint
    let clock = ManualClock()
    let fetcher = ScriptedFetcher()
    let cache: MemoryIntrospectionCache

    init() {
        let clock = clock
        cache = MemoryIntrospectionCache(capacity: 3, now: { clock.now })
        fetcher.on(Self.endpoint, json: .object(RFC7662_2_Introspection.active))
    }

    private func resource(lifetime: Duration? = nil) -> ProtectedResource {
        var issuer = TrustedIssuer.introspection(
            issuer: "https://as.example.com", endpoint: Self.endpoint,
            authenticatedBy: .clientSecretBasic(id: "a", secret: "b"), cachingActiveTokensFor: lifetime)
        issuer.introspection?.sharedCache = cache
        return RFC7662_2_Introspection.resource(fetcher: fetcher, clock: clock, issuer: issuer)
    }

    private func use(_ resource: ProtectedResource, _ token: String = "a") async -> Int {
        let before = fetcher.requests.count
        #expect(await resource.refusal(of: .get("/mcp", bearer: token)) == nil)
        return fetcher.requests.count - before
    }

    @Test func `one resource asks, and the other knows, no longer than it would by itself`() async {
        let (first, second) = (resource(), resource())
        #expect(await use(first) == 1)
        clock.advance(by: .seconds(20))
        #expect(await use(second) == 0)
        clock.advance(by: .seconds(9))
        #expect(await use(second) == 0)
        clock.advance(by: .seconds(1))
        #expect(await use(second) == 1)
    }

    @Test func `an answer that is large is not shared`() async {
        var object = RFC7662_2_Introspection.active
        object["extension"] = .string(String(repeating: "x", count: 66_000))
        fetcher.on(Self.endpoint, json: .object(object))
        #expect(await use(resource()) == 1)
        #expect(await use(resource()) == 1)
    }

    @Test func `each resource keeps to its own lifetime`() async {
        #expect(await use(resource()) == 1)
        clock.advance(by: .seconds(5))
        #expect(await use(resource(lifetime: .seconds(5))) == 1)
        #expect(await use(resource(lifetime: .zero)) == 1)
    }

    @Test func `what is invalidated in one is invalidated in all`() async throws {
        let (first, second) = (resource(), resource())
        for token in ["a", "b"] { #expect(await use(first, token) + use(second, token) == 1) }
        let hash = Digest.sha256(Array("a".utf8)).bytes
        try await cache.invalidate(.token(.init(issuer: "https://as.example.com", tokenHash: hash)))
        #expect(await use(second) == 1)
        #expect(await use(first) == 0)
        #expect(await use(first, "b") == 0)
        try await cache.invalidate(.subject("user-1", issuer: "https://as.example.com"))
        #expect(await use(first, "a") + use(first, "b") == 2)
        try await cache.invalidate(.all)
        #expect(await use(second, "a") == 1)
    }

    private func reason(_ resource: ProtectedResource, _ token: String) async -> RefusalReason? {
        await resource.refusal(of: .get("/mcp", bearer: token))?.reason
    }

    @Test func `that a token is not active is shared for its own time, by whomever it was found out`()
        async throws
    {
        let (first, second) = (resource(), resource())
        fetcher.on(Self.endpoint, json: ["active": false])
        #expect(await reason(first, "x") == .inactiveToken)
        clock.advance(by: .seconds(4))
        #expect(await reason(second, "x") == .inactiveToken)
        #expect(fetcher.requests.count == 1)
        fetcher.on(Self.endpoint, json: .object(RFC7662_2_Introspection.active))
        clock.advance(by: .seconds(1))
        #expect(await use(second, "x") == 1)
        #expect(await use(first, "x") == 0)
    }

    @Test func `tokens that are not active displace no good one, and any invalidation is one of theirs`()
        async throws
    {
        let (first, second) = (resource(), resource())
        #expect(await use(first) == 1)
        fetcher.on(Self.endpoint, json: ["active": false])
        for number in 0..<10 { #expect(await reason(first, "bad\(number)") == .inactiveToken) }
        #expect(await use(second) == 0)
        let before = fetcher.requests.count
        #expect(await reason(second, "bad9") == .inactiveToken)
        #expect(fetcher.requests.count == before)
        try await cache.invalidate(.subject("somebody", issuer: "https://as.example.com"))
        #expect(await reason(second, "bad9") == .inactiveToken)
        #expect(fetcher.requests.count == before + 1)
    }

    @Test func `a full cache and an answer of another issuer help nobody`() async {
        let first = resource()
        for token in ["a", "b", "c", "d"] { #expect(await use(first, token) == 1) }
        #expect(await use(resource(), "a") == 1)
        #expect(await use(resource(), "d") == 0)
        guard case .missing = await cache.recall(.init(issuer: "https://b", tokenHash: [])) else {
            Issue.record("found under another issuer")
            return
        }
    }

    @Test func `the answer is still checked by each resource`() async {
        #expect(await use(resource()) == 1)
        var issuer = TrustedIssuer.introspection(
            issuer: "https://as.example.com", endpoint: Self.endpoint,
            authenticatedBy: .clientSecretBasic(id: "a", secret: "b"))
        issuer.introspection?.sharedCache = cache
        let other = ProtectedResource(
            "https://api.example.com/other", trusting: issuer, fetcher: fetcher, time: clock.time)
        expectRefused(await other.refusal(of: .get("/other", bearer: "a")), .audienceMismatch)
        #expect(fetcher.requests.count == 1)
    }
}
