// SPDX-License-Identifier: MIT

import Dispatch
import Portcullis
import PortcullisRedis
import PortcullisTransport
import Synchronization
import Testing

@Suite("A store that is broken or hostile", .timeLimit(.minutes(1)))
struct BrokenStoreTests {
    private static let get = [Array("GET".utf8), Array("x".utf8)]
    /// Longer than the test may take, so that this deadline ends nothing during the test.
    private static let never = Duration.seconds(600)

    /// A cache that subscribes to a store, and the events that its observer gets.
    private final class Listener: Sendable {
        private let cache: RedisIntrospectionCache
        private let list = Mutex<[TokenInvalidation]>([])

        init(
            _ store: ScriptedStore, whenTold: @escaping @Sendable (TokenInvalidation) -> Void = { _ in }
        ) throws {
            cache = RedisIntrospectionCache(try store.client(timeout: BrokenStoreTests.never))
            cache.observe { [weak self] invalidation in
                self?.list.withLock { $0.append(invalidation) }
                whenTold(invalidation)
                return true
            }
        }

        var told: [TokenInvalidation] { list.withLock { $0 } }
    }

    /// A store whose first subscriber is served by the test's script, and later ones correctly.
    private func store(firstListener script: @escaping @Sendable (ScriptedStore.Peer) -> Void) throws
        -> ScriptedStore
    {
        try ScriptedStore { peer in
            guard peer.number == 0 else { return peer.answerAll() }
            // The greeting and the subscription.
            for _ in 0..<2 { if let command = peer.command() { peer.answer(command) } }
            script(peer)
        }
    }

    // MARK: Answers

    @Test(arguments: [1, 2])
    func `a reply that arrives byte by byte still misses the deadline`(slowCommand: Int) async throws {
        let store = try ScriptedStore { peer in
            var count = 0
            while let command = peer.command() {
                count += 1
                guard peer.number == 0, count == slowCommand else {
                    peer.answer(command)
                    continue
                }
                peer.write("$100000\r\n")
                peer.drip()
            }
        }
        defer { store.stop() }
        let client = try store.client(timeout: .milliseconds(300))
        await #expect(throws: RedisFailure.unavailable) { try await client.execute(Self.get) }
        #expect(await eventually { store.endedCount == 1 }, "no reader continues")
        #expect(await eventually { (try? await client.execute(Self.get)) == .text(Array("OK".utf8)) })
    }

    @Test(arguments: [
        "*65\r\n", "*9223372036854775807\r\n", "*8\r\n" + String(repeating: "*8\r\n", count: 8),
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", "$4194305\r\n", "$9223372036854775807\r\n",
        String(repeating: "+", count: 5000), "HTTP/1.1 400 Bad Request\r\n",
    ])
    func `a reply beyond the limits ends the connection before the deadline`(
        start: String
    ) async throws {
        let store = try ScriptedStore { peer in
            guard peer.number == 0 else { return peer.answerAll() }
            if let greeting = peer.command() { peer.answer(greeting) }
            guard peer.command() != nil else { return }
            peer.write(start)
            // Elements first, so that a client that awaits them reads on.
            peer.write(String(repeating: ":1\r\n", count: 100))
            peer.flood()
        }
        defer { store.stop() }
        let client = try store.client(timeout: Self.never)
        await #expect(throws: RedisFailure.unavailable) { try await client.execute(Self.get) }
        #expect(await eventually { store.endedCount == 1 }, "no reader continues")
        #expect(try await client.execute(Self.get) == .text(Array("OK".utf8)))
        #expect(store.connectionCount == 2)
    }

    @Test func `an unsolicited reply ends the connection before it answers another command`()
        async throws
    {
        let store = try ScriptedStore { peer in
            guard peer.number == 0 else { return peer.answerAll() }
            if let greeting = peer.command() { peer.answer(greeting) }
            guard peer.command() != nil else { return }
            peer.write("+OK\r\n+another's\r\n")
            _ = peer.command()
        }
        defer { store.stop() }
        let client = try store.client(timeout: Self.never)
        #expect(try await client.execute(Self.get) == .text(Array("OK".utf8)))
        #expect(await eventually { store.endedCount == 1 })
        #expect(try await client.execute(Self.get) == .text(Array("OK".utf8)))
        #expect(store.connectionCount == 2)
    }

    // MARK: Name resolution

    @Test func `a hanging name resolution counts toward the deadline, and later succeeds`()
        async throws
    {
        let gate = DispatchSemaphore(value: 0)
        let store = try ScriptedStore { $0.answerAll() }
        defer { store.stop() }
        let lookUps = Atomic<Int>(0)
        let resolver = Resolver { _, port in
            lookUps.add(1, ordering: .relaxed)
            gate.wait()
            return Result { () throws(SocketError) in
                try SocketAddress.resolve(host: "127.0.0.1", port: port)
            }
        }
        let events = Mutex<[RedisEvent]>([])
        let client = try store.client(
            timeout: .milliseconds(300), host: "store.example", resolver: resolver
        ) { event in events.withLock { $0.append(event) } }
        for _ in 0..<3 {
            await #expect(throws: RedisFailure.unavailable) { try await client.execute(Self.get) }
        }
        #expect(await eventually { events.withLock { $0 } == [.unavailable(.timeout)] })
        #expect(!client.isAvailable && store.connectionCount == 0)
        // No second thread hangs next to the first.
        #expect(lookUps.load(ordering: .relaxed) == 1)
        gate.signal()
        #expect(await eventually { (try? await client.execute(Self.get)) == .text(Array("OK".utf8)) })
        #expect(events.withLock { $0.contains(.available) })
    }

    // MARK: Messages

    @Test func `when messages arrive faster than they are read, they are dropped with the whole cache`()
        async throws
    {
        // More than the system's socket buffers hold, so that most of it has been read once it is sent.
        let (count, padding) = (4096, String(repeating: "x", count: 16_384))
        let sent = DispatchSemaphore(value: 0)
        let store = try store { peer in
            let message = #"{"issuer":"i","subject":"s"}"#
            let channel = "$\(padding.utf8.count)\r\n\(padding)\r\n"
            let text = "*3\r\n$7\r\nmessage\r\n\(channel)$\(message.utf8.count)\r\n\(message)\r\n"
            for _ in 0..<count where !peer.write(text) { break }
            sent.signal()
            peer.answerAll()
        }
        defer { store.stop() }
        let isBusy = Atomic(true)
        let listener = try Listener(store) { invalidation in
            // Busy with the first message until all have arrived.
            if invalidation != .all, isBusy.exchange(false, ordering: .relaxed) {
                _ = sent.wait(timeout: .now() + 20)
            }
        }
        // Once at the start, for missed messages, and once when the cache subscribes again.
        #expect(await eventually { listener.told.count { $0 == .all } >= 3 })
        #expect(store.connectionCount == 2)
        let messages = listener.told.filter { $0 != .all }
        #expect((1023...1025).contains(messages.count))
        #expect(listener.told[messages.count + 1] == .all, "directly after the messages that were kept")
    }

    /// Correctly parsed, it would invalidate one subject; it is too long for one of our messages.
    private static let longMessage = #"{"issuer":"i","subject":"\#(String(repeating: "x", count: 16_384))"}"#

    @Test(arguments: [
        ("*65\r\n" + String(repeating: ":1\r\n", count: 65), true), ("$4194305\r\n", true),
        ("*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$\(longMessage.utf8.count)\r\n\(longMessage)\r\n", false),
    ])
    func `a message beyond the limits clears the whole cache`(
        text: String, endsConnection: Bool
    ) async throws {
        let store = try store { peer in
            peer.write(text)
            peer.answerAll()
        }
        defer { store.stop() }
        let listener = try Listener(store)
        let count = endsConnection ? 3 : 2
        #expect(await eventually { listener.told == Array(repeating: .all, count: count) })
        #expect(store.connectionCount == (endsConnection ? 2 : 1))
    }

    @Test(arguments: [true, false])
    func `a subscription to a server that sends nothing, or no whole message, soon ends`(isSilent: Bool)
        async throws
    {
        let store = try store { peer in
            if isSilent {
                while peer.command() != nil {}
            } else {
                peer.write("*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$100000\r\n")
                peer.drip()
            }
        }
        defer { store.stop() }
        let listener = try Listener(store)
        #expect(await eventually { listener.told == [.all, .all, .all] && store.endedCount == 1 })
        #expect(store.connectionCount == 2)
    }
}
