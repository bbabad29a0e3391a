// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisRedis
import PortcullisTesting
import Synchronization
import Testing

@Suite("RFC 7662 §4 Introspection answers shared in a store", .enabled(if: StoreServer.program != nil))
struct SharedIntrospectionTests {
    static let endpoint = "https://as.example.com/introspect"

    final class Counter: Sendable {
        private let count = Atomic<Int>(0)
        var value: Int { count.load(ordering: .relaxed) }
        func increment() { count.add(1, ordering: .relaxed) }
    }

    /// One process: a resource with its own connections to the store and to the authorization server.
    struct Instance {
        let fetcher = ScriptedFetcher()
        let cache: RedisIntrospectionCache
        let resource: ProtectedResource
        /// The number of times that the whole cache was cleared.
        let forgettings = Counter()

        init(_ server: StoreServer, lifetime: Duration = .seconds(30)) throws {
            cache = RedisIntrospectionCache(try server.client())
            // Before the resource subscribes, and so before any message arrives.
            cache.observe { [forgettings] invalidation in
                if invalidation == .all { forgettings.increment() }
                return true
            }
            var issuer = TrustedIssuer.introspection(
                issuer: "https://as.example.com", endpoint: SharedIntrospectionTests.endpoint,
                authenticatedBy: .clientSecretBasic(id: "rs", secret: "s"), cachingActiveTokensFor: lifetime)
            issuer.introspection?.sharedCache = cache
            resource = ProtectedResource(
                "https://api.example.com/mcp", trusting: issuer, fetcher: fetcher)
            fetcher.on(
                SharedIntrospectionTests.endpoint,
                json: ["active": true, "aud": "https://api.example.com/mcp", "sub": "alice"])
        }

        func use(_ token: String) async -> Bool {
            do throws(Refusal) {
                return try await resource.authorize(.get("/mcp", bearer: token)).subject == "alice"
            } catch {
                return false
            }
        }

        /// Whether the token would be accepted without a call.
        func knows(_ token: String) -> Bool {
            var admission = Admission(to: resource)
            let head = RequestHead.get("/mcp", bearer: token)
            return
                if case .admitted = admission.advance(
                    head, requiring: .anyValidToken, in: AuthorizationContext())
            {
                true
            } else {
                false
            }
        }

        var callCount: Int { fetcher.requests.count }
    }

    /// Waits until both have subscribed: subscribing clears the cache again.
    private func pair(_ server: StoreServer, count: Int = 2) async throws -> [Instance] {
        let both = try (0..<count).map { _ in try Instance(server) }
        #expect(await eventually { both.allSatisfy { $0.forgettings.value > 0 } })
        return both
    }

    @Test func `one process asks, and the others use the answer`() async throws {
        let server = try await StoreServer()
        let both = try await pair(server)
        #expect(await both[0].use("token"))
        #expect(await both[1].use("token"))
        #expect(both.map(\.callCount) == [1, 0])
    }

    @Test(arguments: [true, false])
    func `an invalidation in one process applies to all`(bySubject: Bool) async throws {
        let server = try await StoreServer()
        let all = try await pair(server, count: 4)
        for instance in all { #expect(await instance.use("token")) }
        #expect(all.map(\.callCount) == [1, 0, 0, 0])
        for instance in all { instance.fetcher.on(Self.endpoint, json: ["active": false]) }
        if bySubject {
            all[0].resource.invalidate(subject: "alice")
        } else {
            all[0].resource.invalidate("token")
        }
        for instance in all {
            #expect(await eventually { !instance.knows("token") })
            #expect(await eventually { await !instance.use("token") })
        }
        #expect(all.map(\.callCount).reduce(0, +) > 1)
    }

    @Test(arguments: [
        TokenInvalidation.token(
            [UInt8](repeating: 7, count: 32), issuer: "https://as.example.com"),
        .subject("alice", issuer: "https://as.example.com"), .all,
    ])
    func `an answer to a question from before an invalidation is not cached after it`(
        invalidation: TokenInvalidation
    ) async throws {
        let server = try await StoreServer()
        let cache = RedisIntrospectionCache(try server.client())
        let key = IntrospectionKey(
            issuer: "https://as.example.com", tokenHash: [UInt8](repeating: 7, count: 32), asker: [1])
        let other = IntrospectionKey(
            issuer: "https://as.example.com", tokenHash: [UInt8](repeating: 8, count: 32), asker: [1])
        let answer = { (subject: String) in
            IntrospectedAnswer(
                members: ["active": true, "sub": .string(subject)], age: .zero,
                lifetime: .seconds(60))
        }
        guard case .missing(let ticket) = await cache.recall(key) else {
            Issue.record("not missing")
            return
        }
        await cache.remember(answer("alice"), for: key, since: ticket)
        await cache.remember(answer("bob"), for: other, since: ticket)
        guard case .found(let found) = await cache.recall(key) else {
            Issue.record("not found")
            return
        }
        #expect(found.members["sub"] == "alice" && found.lifetime == .seconds(60))
        #expect(found.age >= .zero && found.age < .seconds(30))
        try await cache.invalidate(invalidation)
        guard case .missing(let newer) = await cache.recall(key) else {
            Issue.record("still there")
            return
        }
        #expect(newer > ticket)
        if case .found = await cache.recall(other) {
            #expect(invalidation != .all)
        } else {
            #expect(invalidation == .all)
        }
        await cache.remember(answer("alice"), for: key, since: ticket)
        guard case .missing = await cache.recall(key) else {
            Issue.record("an answer from before the invalidation was cached")
            return
        }
        await cache.remember(answer("alice"), for: key, since: newer)
        guard case .found = await cache.recall(key) else {
            Issue.record("an answer from after the invalidation was not cached")
            return
        }
    }

    @Test
    func
        `RFC 7662 §2.2: an answer for one client is not used for another, and is invalidated with the token`()
        async throws
    {
        let server = try await StoreServer()
        let cache = RedisIntrospectionCache(try server.client())
        let hash = [UInt8](repeating: 7, count: 32)
        let keys = [[1], [2]].map {
            IntrospectionKey(issuer: "https://as.example.com", tokenHash: hash, asker: $0)
        }
        let answer = IntrospectedAnswer(
            members: ["active": true, "sub": "alice"], age: .zero, lifetime: .seconds(60))
        guard case .missing(let ticket) = await cache.recall(keys[0]) else {
            Issue.record("not missing")
            return
        }
        await cache.remember(answer, for: keys[0], since: ticket)
        guard case .missing = await cache.recall(keys[1]) else {
            Issue.record("found for another client")
            return
        }
        await cache.remember(answer, for: keys[1], since: ticket)
        try await cache.invalidate(.token(hash, issuer: "https://as.example.com"))
        for key in keys {
            guard case .missing = await cache.recall(key) else {
                Issue.record("still there")
                return
            }
        }
    }

    @Test func `the store's clock determines the age of an answer`() async throws {
        let server = try await StoreServer()
        let client = try server.client()
        let cache = RedisIntrospectionCache(client)
        let key = IntrospectionKey(
            issuer: "https://as.example.com", tokenHash: [UInt8](repeating: 7, count: 32), asker: [1])
        guard case .missing(let ticket) = await cache.recall(key) else {
            Issue.record("not missing")
            return
        }
        let members: JSONObject = ["active": true, "sub": "alice"]
        await cache.remember(
            IntrospectedAnswer(members: members, age: .seconds(20), lifetime: .seconds(60)), for: key,
            since: ticket)
        guard case .found(let found) = await cache.recall(key) else {
            Issue.record("not found")
            return
        }
        #expect(found.age >= .seconds(20) && found.age < .seconds(50) && found.lifetime == .seconds(60))
        // Its remaining lifetime has grown: the store's clock was set back.
        let name = try #require(
            try await client.execute(["KEYS", "portcullis:answer:*"].map { Array($0.utf8) }).first)
        _ = try await client.execute([Array("PEXPIRE".utf8), name, Array("90000".utf8)])
        guard case .missing = await cache.recall(key) else {
            Issue.record("an answer of unknown age was used")
            return
        }
    }

    @Test func `an inactive answer is shared until any invalidation`() async throws {
        let server = try await StoreServer()
        let cache = RedisIntrospectionCache(try server.client())
        let other = RedisIntrospectionCache(try server.client())
        let key = IntrospectionKey(
            issuer: "https://as.example.com", tokenHash: [UInt8](repeating: 7, count: 32), asker: [1])
        let inactive = IntrospectedAnswer(
            members: ["active": false], age: .zero, lifetime: .seconds(60))
        guard case .missing(let ticket) = await cache.recall(key) else {
            Issue.record("not missing")
            return
        }
        await cache.remember(inactive, for: key, since: ticket)
        guard case .found(let found) = await other.recall(key) else {
            Issue.record("not found")
            return
        }
        #expect(!found.isActive && found.members == ["active": false])
        try await other.invalidate(.subject("somebody", issuer: "https://as.example.com"))
        guard case .missing(let newer) = await cache.recall(key) else {
            Issue.record("still there")
            return
        }
        await cache.remember(inactive, for: key, since: ticket)
        guard case .missing = await cache.recall(key) else {
            Issue.record("an answer from before the invalidation was cached")
            return
        }
        await cache.remember(inactive, for: key, since: newer)
        guard case .found = await other.recall(key) else {
            Issue.record("an answer from after the invalidation was not cached")
            return
        }
    }

    @Test func `an answer expires in the store too`() async throws {
        let server = try await StoreServer()
        let instance = try Instance(server, lifetime: .milliseconds(300))
        #expect(await instance.use("token"))
        let asked = instance.callCount
        #expect(await eventually { await instance.use("token") && instance.callCount > asked })
    }

    @Test func `while the store is unavailable the authorization server is asked`() async throws {
        let server = try await StoreServer()
        let both = try await pair(server)
        #expect(await both[0].use("token"))
        server.stop()
        #expect(await both[1].use("token"))
        #expect(both[1].callCount == 1)
        await #expect(throws: IntrospectionCacheUnavailable.self) {
            try await both[1].cache.invalidate(.all)
        }
        #expect(await both[1].use("another"))
        try await server.start()
        #expect(
            await eventually {
                let key = IntrospectionKey(issuer: "x", tokenHash: [], asker: [])
                return if case .missing = await both[1].cache.recall(key) {
                    true
                } else {
                    false
                }
            })
    }

    @Test func `a process that loses its subscription clears its cache`() async throws {
        let server = try await StoreServer()
        let both = try await pair(server)
        #expect(await both[0].use("token"))
        #expect(both[0].knows("token"))
        server.stop()
        #expect(await eventually { !both[0].knows("token") })
    }

    @Test func `a store that refuses subscriptions is reported once, and nothing is cached`() async throws {
        let server = try await StoreServer(
            settings: ["--user", "deaf", "on", ">secret", "~*", "resetchannels", "+@all"])
        defer { server.stop() }
        let (reports, forgettings) = (Counter(), Counter())
        let client = try server.client(user: "deaf", password: "secret") { event in
            if event == .subscriptionRefused { reports.increment() }
        }
        let cache = RedisIntrospectionCache(client)
        cache.observe { invalidation in
            if invalidation == .all { forgettings.increment() }
            return true
        }
        for _ in 0..<2000 where forgettings.value < 4 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(forgettings.value >= 4)
        #expect(reports.value == 1)
        withExtendedLifetime(cache) {}
    }
}

extension RESPValue {
    /// The first of several values.
    fileprivate var first: [UInt8]? {
        if case .array(let values) = self { values.first?.payload } else { nil }
    }
}
