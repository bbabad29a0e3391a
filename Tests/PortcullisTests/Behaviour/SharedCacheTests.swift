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
        cache = MemoryIntrospectionCache(capacity: 3, uptime: clock.time.uptime)
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

    @Test func `one resource asks, and the other uses the answer, no longer than its own lifetime`() async {
        let (first, second) = (resource(), resource())
        #expect(await use(first) == 1)
        clock.advance(by: .seconds(20))
        #expect(await use(second) == 0)
        clock.advance(by: .seconds(9))
        #expect(await use(second) == 0)
        clock.advance(by: .seconds(1))
        #expect(await use(second) == 1)
    }

    @Test func `a large answer is not shared`() async {
        var object = RFC7662_2_Introspection.active
        object["extension"] = .string(String(repeating: "x", count: 66_000))
        fetcher.on(Self.endpoint, json: .object(object))
        #expect(await use(resource()) == 1)
        #expect(await use(resource()) == 1)
    }

    @Test func `each resource applies its own lifetime`() async {
        #expect(await use(resource()) == 1)
        clock.advance(by: .seconds(5))
        #expect(await use(resource(lifetime: .seconds(5))) == 1)
        #expect(await use(resource(lifetime: .zero)) == 1)
    }

    @Test func `an invalidation in one resource applies to all`() async throws {
        let (first, second) = (resource(), resource())
        for token in ["a", "b"] { #expect(await use(first, token) + use(second, token) == 1) }
        let hash = Digest.sha256(Array("a".utf8)).bytes
        try await cache.invalidate(.token(hash, issuer: "https://as.example.com"))
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

    @Test func `an inactive answer is shared for its own lifetime, whichever resource asked`()
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

    @Test func `inactive tokens evict no active one, and any invalidation removes them`()
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

    @Test func `a full cache and another issuer's answer are not used`() async {
        let first = resource()
        for token in ["a", "b", "c", "d"] { #expect(await use(first, token) == 1) }
        #expect(await use(resource(), "a") == 1)
        #expect(await use(resource(), "d") == 0)
        guard case .missing = await cache.recall(.init(issuer: "https://b", tokenHash: [], asker: [])) else {
            Issue.record("found for another issuer")
            return
        }
    }

    /// The differences between two resources that share a cache.
    enum Difference: CaseIterable {
        case client, way, ownToken, endpoint, discoveredEndpoint, signedAnswers, loopback

        func apply(to issuer: inout TrustedIssuer) {
            switch self {
            case .client: issuer.introspection?.authentication = .clientSecretBasic(id: "other", secret: "b")
            case .way: issuer.introspection?.authentication = .clientSecretPost(id: "a", secret: "b")
            case .ownToken: issuer.introspection?.authentication = .bearer(token: "own")
            case .endpoint: issuer.introspection?.endpoint = "https://as.example.com/other"
            case .discoveredEndpoint: issuer.introspection?.endpoint = nil
            case .signedAnswers:
                issuer.keys = .fixed(JWKSet([]))
                issuer.introspection?.signedResponseAudience = "a"
            case .loopback: issuer.allowsInsecureLoopback = true
            }
        }
    }

    /// One client's answer is not for another, and an unsigned answer is not enough where signed ones are
    /// required.
    @Test(arguments: Difference.allCases)
    func `RFC 7662 §2.2: an answer is used only for resources that ask in the same way`(
        difference: Difference
    ) async {
        #expect(await use(resource()) == 1)
        #expect(await use(resource()) == 0)
        var issuer = TrustedIssuer.introspection(
            issuer: "https://as.example.com", endpoint: Self.endpoint,
            authenticatedBy: .clientSecretBasic(id: "a", secret: "b"))
        issuer.introspection?.sharedCache = cache
        difference.apply(to: &issuer)
        let other = ProtectedResource(
            "https://api.example.com/mcp", trusting: issuer, fetcher: fetcher, time: clock.time)
        let before = fetcher.requests.count
        _ = await other.refusal(of: .get("/mcp", bearer: "a"))
        #expect(fetcher.requests.count > before)
    }

    @Test func `an invalidation removes the answers to every client`() async throws {
        let hash = Digest.sha256(Array("a".utf8)).bytes
        var issuer = TrustedIssuer.introspection(
            issuer: "https://as.example.com", endpoint: Self.endpoint,
            authenticatedBy: .clientSecretBasic(id: "other", secret: "b"))
        issuer.introspection?.sharedCache = cache
        let second = ProtectedResource(
            "https://api.example.com/mcp", trusting: issuer, fetcher: fetcher, time: clock.time)
        let first = resource()
        #expect(await use(first, "a") == 1)
        #expect(await second.refusal(of: .get("/mcp", bearer: "a")) == nil)
        try await cache.invalidate(.token(hash, issuer: "https://as.example.com"))
        #expect(await use(first, "a") == 1)
        let before = fetcher.requests.count
        #expect(await second.refusal(of: .get("/mcp", bearer: "a")) == nil)
        #expect(fetcher.requests.count == before + 1)
    }

    @Test func `the age of an answer does not depend on the wall clock`() async {
        #expect(await use(resource()) == 1)
        clock.set(to: 1_799_999_980)
        clock.advance(by: .seconds(31))
        #expect(await use(resource()) == 1)
    }

    @Test func `each resource still checks the answer`() async {
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
