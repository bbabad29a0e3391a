// SPDX-License-Identifier: MIT

import Dispatch
import PortcullisTransport
import Synchronization
import Testing

@Suite("Name resolution", .timeLimit(.minutes(1)))
struct ResolverTests {
    private final class Counter: Sendable {
        let value = Atomic<Int>(0)
        let peak = Atomic<Int>(0)
        let running = Atomic<Int>(0)

        func enter() {
            value.add(1, ordering: .relaxed)
            let now = running.add(1, ordering: .sequentiallyConsistent).newValue
            peak.max(now, ordering: .relaxed)
        }
        func leave() { running.subtract(1, ordering: .sequentiallyConsistent) }
    }

    private func loopback(_ port: Int, _ hosts: String...) -> Result<[ResolvedAddress], SocketError> {
        Result { () throws(SocketError) in
            var addresses: [ResolvedAddress] = []
            for host in hosts { addresses += try SocketAddress.resolve(host: host, port: port) }
            return addresses
        }
    }

    private func answer(_ resolver: Resolver, _ url: String) async throws -> Resolver.Answer {
        let origin = try RequestURL(url).origin
        return await withCheckedContinuation { done in
            resolver.resolve(origin, now: .now()) { done.resume(returning: $0) }
        }
    }

    @Test func `concurrent queries for one name share one resolution, and its answer is cached`() async throws
    {
        let counter = Counter()
        let resolver = Resolver { _, port in
            counter.enter()
            defer { counter.leave() }
            return loopback(port, "127.0.0.1")
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    let addresses = try await answer(resolver, "http://a.example/").get()
                    #expect(addresses.count == 1)
                }
            }
            try await group.waitForAll()
        }
        #expect(counter.value.load(ordering: .relaxed) == 1)
    }

    @Test func `an answer is cached for its time, a failure is not cached`() async throws {
        let counter = Counter()
        let short = Resolver(lifetime: .zero) { _, port in
            counter.enter()
            return loopback(port, "127.0.0.1")
        }
        for _ in 0..<3 { _ = try await answer(short, "http://a.example/").get() }
        let failing = Resolver { _, _ in
            counter.enter()
            return .success([])
        }
        for _ in 0..<3 {
            await #expect(throws: HTTPClientError.self) {
                try await answer(failing, "http://a.example/").get()
            }
        }
        #expect(counter.value.load(ordering: .relaxed) == 6)
    }

    @Test func `few resolutions run concurrently, some wait, the others fail at once`() async throws {
        let counter = Counter()
        let gate = DispatchSemaphore(value: 0)
        let resolver = Resolver { _, port in
            counter.enter()
            gate.wait()
            counter.leave()
            return loopback(port, "127.0.0.1")
        }
        let allowed = Resolver.maximumRunningCount + Resolver.maximumQueuedCount
        let (answers, continuation) = AsyncStream<Resolver.Answer>.makeStream()
        for number in 0..<(allowed + 5) {
            let origin = try RequestURL("http://h\(number).example/").origin
            resolver.resolve(origin, now: .now()) { continuation.yield($0) }
        }
        for _ in 0..<allowed { gate.signal() }
        var (answeredCount, refusedCount) = (0, 0)
        for await answer in answers.prefix(allowed + 5) {
            if case .failure(.tooManyWaiting) = answer { refusedCount += 1 }
            if case .success = answer { answeredCount += 1 }
        }
        #expect(answeredCount == allowed)
        #expect(refusedCount == 5)
        #expect(counter.peak.load(ordering: .relaxed) <= Resolver.maximumRunningCount)
    }

    @Test func `a name without an address is a resolution error`() async throws {
        let resolver = Resolver { _, _ in .success([]) }
        let client = try makeClient(resolver: resolver)
        let error = await #expect(throws: HTTPClientError.self) {
            try await client.execute(.init(url: "http://nobody.example/"))
        }
        guard case .resolveFailed = error else {
            Issue.record("Another error: \(String(describing: error))")
            return
        }
    }

    @Test func `a resolution that takes too long exceeds the deadline`() async throws {
        let gate = DispatchSemaphore(value: 0)
        let client = try makeClient(
            resolver: Resolver { _, _ in
                gate.wait()
                return .success([])
            })
        await #expect(throws: HTTPClientError.timeout(.preparing)) {
            try await client.execute(.init(url: "http://slow.example/", deadline: .milliseconds(100)))
        }
        gate.signal()
    }

    @Test(arguments: ReadinessKind.allCases)
    func `when one address refuses, the client tries the next`(readiness: ReadinessKind) async throws {
        let server = try ScriptedServer.repeating { peer, _ in peer.answer("found") }
        let resolver = Resolver { _, port in loopback(port, "127.0.0.2", "127.0.0.3", "127.0.0.1") }
        let client = try makeClient(readiness, resolver: resolver)
        #expect(try await client.execute(.init(url: "http://many.example:\(server.port)/")).text == "found")
        server.stop()
    }
}
