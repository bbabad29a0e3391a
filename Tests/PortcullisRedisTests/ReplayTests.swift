// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisRedis
import PortcullisTesting
import Synchronization
import Testing

@Suite("RFC 9449 §11.1 Replay records in a store", .enabled(if: StoreServer.program != nil))
struct ReplayTests {
    /// The record of a server whose clock is some seconds ahead of the store's.
    private func record(_ number: UInt8, seconds: Double = 60, ahead: Double = 0) -> ReplayRecord {
        let now = TimeSource.system.now().adding(seconds: ahead)
        return ReplayRecord(
            identifier: [UInt8](repeating: number, count: 32),
            keyThumbprint: [UInt8](repeating: 1, count: 32), now: now, until: now.adding(seconds: seconds))
    }

    private func timeLeft(_ number: UInt8, _ client: RedisClient) async throws -> Duration? {
        let name = Array("portcullis:proof:".utf8) + [UInt8](repeating: number, count: 32)
        guard case .integer(let left) = try await client.execute([Array("PTTL".utf8), name]) else {
            return nil
        }
        return .milliseconds(left)
    }

    @Test func `a proof is accepted once by all processes together`() async throws {
        let server = try await StoreServer()
        let stores = try (0..<4).map { _ in RedisReplayStore(try server.client()) }
        #expect(await stores[0].insert(record(1)) == .fresh)
        for store in stores { #expect(await store.insert(record(1)) == .replayed) }
        #expect(await stores[3].insert(record(2)) == .fresh)
    }

    @Test func `of many concurrent uses of a proof one is accepted`() async throws {
        let server = try await StoreServer()
        let stores = try (0..<4).map { _ in RedisReplayStore(try server.client()) }
        for number in UInt8(0)..<10 {
            let verdicts = await withTaskGroup(of: ReplayVerdict.self) { group in
                for index in 0..<200 {
                    group.addTask { await stores[index % 4].insert(record(number)) }
                }
                return await group.reduce(into: [ReplayVerdict]()) { $0.append($1) }
            }
            #expect(verdicts.count { $0 == .fresh } == 1)
            #expect(verdicts.count { $0 == .replayed } == 199)
        }
    }

    @Test
    func
        `a record outlives its proof by the store's clock and by elapsed time, for any server clock`()
        async throws
    {
        let server = try await StoreServer()
        let client = try server.client()
        let store = RedisReplayStore(client)
        let tolerance = RedisReplayStore.clockTolerance
        for (number, ahead) in [(1, 0), (2, 3), (3, 400), (4, -3)] as [(UInt8, Double)] {
            #expect(await store.insert(record(number, seconds: 61.5, ahead: ahead)) == .fresh)
            let left = try #require(try await timeLeft(number, client))
            // Another server accepts the proof until 61.5 seconds after its `iat`, by a clock that agrees
            // with the store's.
            #expect(left > .seconds(61.5 + ahead) + tolerance - .seconds(20))
            #expect(left <= .seconds(62.5 + max(ahead, 0)) + tolerance)
            #expect(await store.insert(record(number, seconds: 61.5, ahead: ahead)) == .replayed)
        }
    }

    @Test
    func `a proof that has expired by the store's clock is refused, and the difference is reported once`()
        async throws
    {
        let server = try await StoreServer()
        let events = Mutex<[RedisEvent]>([])
        let client = try server.client { event in events.withLock { $0.append(event) } }
        let store = RedisReplayStore(client)
        // As if the record had expired: nothing is stored, and the proof is not accepted again.
        for _ in 0..<3 { #expect(await store.insert(record(1, ahead: -121)) == .unavailable) }
        #expect(await store.insert(record(1, ahead: -119)) == .fresh)
        #expect(await eventually { events.withLock { $0.contains(.clockAhead) } })
        #expect(events.withLock { $0.count { $0 == .clockAhead } } == 1)
    }

    @Test func `while the store is unavailable no proof is accepted, and it recovers without help`()
        async throws
    {
        let server = try await StoreServer()
        let store = RedisReplayStore(try server.client())
        #expect(await store.insert(record(1)) == .fresh)
        server.stop()
        let start = ContinuousClock.now
        for number in UInt8(10)..<40 { #expect(await store.insert(record(number)) == .unavailable) }
        #expect(ContinuousClock.now - start < .seconds(5), "a refused connection needs no wait")
        try await server.start()
        #expect(await eventually { await store.insert(record(2)) != .unavailable })
        #expect(await store.insert(record(2)) == .replayed)
    }

    @Test func `the store's outage and its recovery are reported once each, with the reason`() async throws {
        let server = try await StoreServer(password: "open sesame")
        let events = Mutex<[RedisEvent]>([])
        let client = try server.client { event in events.withLock { $0.append(event) } }
        #expect(await eventually { events.withLock { $0 } == [.available] } && client.isAvailable)
        server.stop()
        #expect(await eventually { events.withLock { $0.count } == 2 } && !client.isAvailable)
        for number in UInt8(10)..<20 { _ = await RedisReplayStore(client).insert(record(number)) }
        try await server.start()
        #expect(await eventually { client.isAvailable })
        #expect(events.withLock { $0 } == [.available, .unavailable(.unreachable), .available])
        let told = Mutex<[RedisEvent]>([])
        let stranger = try server.client(password: "another") { event in told.withLock { $0.append(event) } }
        #expect(await eventually { told.withLock { $0 } == [.unavailable(.rejectedCredentials)] })
        #expect(!stranger.isAvailable)
    }

    @Test func `a store that evicts keys when it is full is reported`() async throws {
        let server = try await StoreServer()
        let client = try server.client()
        for words in [
            ["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"], ["CONFIG", "SET", "maxmemory", "100mb"],
        ] {
            _ = try await client.execute(words.map { Array($0.utf8) })
        }
        let events = Mutex<[RedisEvent]>([])
        let watching = try server.client { event in events.withLock { $0.append(event) } }
        #expect(await eventually { events.withLock { $0 } == [.available, .evicting] })
        #expect(watching.isAvailable)
    }

    @Test func `a store that denies access is unavailable`() async throws {
        let server = try await StoreServer(password: "open sesame")
        #expect(await RedisReplayStore(try server.client()).insert(record(1)) == .fresh)
        let stranger = RedisReplayStore(try server.client(password: "another"))
        #expect(await stranger.insert(record(2)) == .unavailable)
        #expect(await RedisReplayStore(try server.client()).insert(record(2)) == .fresh)
    }

    @Test func `a full store is reported as full`() async throws {
        let server = try await StoreServer()
        let client = try server.client()
        for words in [
            ["CONFIG", "SET", "maxmemory-policy", "noeviction"], ["CONFIG", "SET", "maxmemory", "1"],
        ] {
            #expect(try await client.execute(words.map { Array($0.utf8) }).payload == Array("OK".utf8))
        }
        #expect(await RedisReplayStore(client).insert(record(1)) == .full)
    }
}

@Suite("RFC 9449 §11.1 Four processes with one store", .enabled(if: StoreServer.program != nil))
struct SharedReplayTests {
    /// A resource as four processes have it: the same keys, and one connection to the store each.
    private func resources(_ server: StoreServer, _ issuer: TestIssuer) throws -> [ProtectedResource] {
        try (0..<4).map { _ in
            var policy = TokenPolicy()
            policy.dpop.replayStore = RedisReplayStore(try server.client())
            return ProtectedResource(
                "https://api.example.com/notes", trusting: issuer.trusted, tokens: policy, dpop: .required)
        }
    }

    private func refusal(_ resource: ProtectedResource, _ token: String, _ proof: String) async -> Refusal? {
        do throws(Refusal) {
            _ = try await resource.authorize(.dpop(.get, "/notes", token: token, proofs: [proof]))
            return nil
        } catch {
            return error
        }
    }

    @Test
    func `four processes never accept one proof twice, and refuse all proofs while the store is unavailable`()
        async throws
    {
        let server = try await StoreServer()
        let issuer = TestIssuer("https://as.example.com")
        let client = TestDPoPClient()
        let four = try resources(server, issuer)
        let token = issuer.mint(audience: "https://api.example.com/notes", boundTo: client)
        let uri = "https://api.example.com/notes"
        for _ in 0..<5 {
            let proof = client.proof(.get, uri, token: token)
            let refusals = await withTaskGroup(of: Refusal?.self) { group in
                for index in 0..<40 {
                    group.addTask { await refusal(four[index % 4], token, proof) }
                }
                return await group.reduce(into: [Refusal?]()) { $0.append($1) }
            }
            #expect(refusals.count { $0 == nil } == 1)
            #expect(refusals.count { $0?.reason == .replayedProof && $0?.status == .unauthorized } == 39)
        }
        server.stop()
        for resource in four {
            let refused = await refusal(resource, token, client.proof(.get, uri, token: token))
            #expect(refused?.status == .serviceUnavailable && refused?.challenges == [])
            #expect(refused?.reason == .replayStoreUnavailable)
        }
        try await server.start()
        #expect(
            await eventually { await refusal(four[0], token, client.proof(.get, uri, token: token)) == nil })
    }
}
