// SPDX-License-Identifier: MIT

import Dispatch
import Portcullis
import PortcullisRedis
import PortcullisTransport
import Synchronization
import Testing

@Suite("A store that is broken, or somebody else's", .timeLimit(.minutes(1)))
struct BrokenStoreTests {
    private static let get = [Array("GET".utf8), Array("x".utf8)]
    /// Longer than the test may take: what ends before was not ended by it.
    private static let never = Duration.seconds(600)

    /// A cache that listens to a store, and what its observer is told.
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

    /// A store whose first listener is served as the test wants, and the next ones well.
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
    func `an answer that comes byte by byte is late all the same`(slowCommand: Int) async throws {
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
        #expect(await eventually { store.endedCount == 1 }, "nobody reads on")
        #expect(await eventually { (try? await client.execute(Self.get)) == .text(Array("OK".utf8)) })
    }

    @Test(arguments: [
        "*65\r\n", "*9223372036854775807\r\n", "*8\r\n" + String(repeating: "*8\r\n", count: 8),
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", "$4194305\r\n", "$9223372036854775807\r\n",
        String(repeating: "+", count: 5000), "HTTP/1.1 400 Bad Request\r\n",
    ])
    func `an answer beyond the bounds ends the connection, and does not wait for the time to be over`(
        start: String
    ) async throws {
        let store = try ScriptedStore { peer in
            guard peer.number == 0 else { return peer.answerAll() }
            if let greeting = peer.command() { peer.answer(greeting) }
            guard peer.command() != nil else { return }
            peer.write(start)
            // Elements first, in case that somebody waits for them.
            peer.write(String(repeating: ":1\r\n", count: 100))
            peer.flood()
        }
        defer { store.stop() }
        let client = try store.client(timeout: Self.never)
        await #expect(throws: RedisFailure.unavailable) { try await client.execute(Self.get) }
        #expect(await eventually { store.endedCount == 1 }, "nobody reads on")
        #expect(try await client.execute(Self.get) == .text(Array("OK".utf8)))
        #expect(store.connectionCount == 2)
    }

    @Test func `an answer that nobody has asked for ends the connection before it is taken for another's`()
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

    // MARK: The look-up

    @Test func `a name that is looked up without end counts in the time, and is found when it is there`()
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
        // A second thread does not hang beside the first.
        #expect(lookUps.load(ordering: .relaxed) == 1)
        gate.signal()
        #expect(await eventually { (try? await client.execute(Self.get)) == .text(Array("OK".utf8)) })
        #expect(events.withLock { $0.contains(.available) })
    }

    // MARK: Messages

    @Test func `messages that nobody has the time for are dropped with all that is remembered`() async throws
    {
        // More than the system keeps for a socket, so that when it is sent most of it has been read.
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
            // Busy with the first message until all have come.
            if invalidation != .all, isBusy.exchange(false, ordering: .relaxed) {
                _ = sent.wait(timeout: .now() + 20)
            }
        }
        // At the start, for what was missed, and when it listens again.
        #expect(await eventually { listener.told.count { $0 == .all } >= 3 })
        #expect(store.connectionCount == 2)
        let messages = listener.told.filter { $0 != .all }
        #expect((1023...1025).contains(messages.count))
        #expect(listener.told[messages.count + 1] == .all, "right after those that were kept")
    }

    /// Understood it would be an invalidation of one subject; it is too long to be one of ours.
    private static let longMessage = #"{"issuer":"i","subject":"\#(String(repeating: "x", count: 16_384))"}"#

    @Test(arguments: [
        ("*65\r\n" + String(repeating: ":1\r\n", count: 65), true), ("$4194305\r\n", true),
        ("*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$\(longMessage.utf8.count)\r\n\(longMessage)\r\n", false),
    ])
    func `a message beyond the bounds makes all that is remembered worth nothing`(
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
    func `a server that says nothing, or nothing whole, is not listened to for long`(isSilent: Bool)
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
