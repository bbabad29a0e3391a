// SPDX-License-Identifier: MIT

import PortcullisServer
import PortcullisTransport
import Synchronization

/// A server that runs on a free port during a test.
struct RunningServer: Sendable {
    let port: Int
    let log: Logbook
    private let server: Server
    private let task: Task<Void, any Error>

    /// The number and kind of a test server's loops.
    struct Setup: Sendable {
        var readiness: ReadinessKind = .preferred
        var loops = 2
        var limits = Server.Limits()
        var grace = Duration.milliseconds(500)
        var metrics: (any ServerMetrics)?
        var configure: @Sendable (inout Server.Configuration) -> Void = { _ in }
        var tls: Server.TLS?
    }

    static func start(_ setup: Setup = Setup(), _ declare: (inout Routes) -> Void) async throws
        -> RunningServer
    {
        var routes = Routes()
        declare(&routes)
        let log = Logbook()
        var configuration = Server.Configuration(
            eventLoopCount: setup.loops, limits: setup.limits, shutdownGracePeriod: setup.grace,
            log: { log.add($0) }, metrics: setup.metrics)
        configuration.readiness = setup.readiness
        setup.configure(&configuration)
        configuration.tls = setup.tls
        let server = try Server(validating: routes, port: 0, configuration: configuration)
        return try await start(server, log)
    }

    static func start(_ server: Server, _ log: Logbook = Logbook()) async throws -> RunningServer {
        let (addresses, continuation) = AsyncStream.makeStream(of: SocketAddress.self)
        let task = Task {
            defer { continuation.finish() }
            try await server.run { continuation.yield($0) }
        }
        for await address in addresses {
            return RunningServer(port: address.port, log: log, server: server, task: task)
        }
        try await task.value
        throw CancellationError()
    }

    func replace(_ routes: Routes, limits: Server.Limits? = nil) async throws {
        try await server.replace(routes, limits: limits)
    }

    func replaceTLS(_ tls: Server.TLS) async { await server.replaceTLS(tls) }

    func client(receiveBuffer: Int32? = nil, timeout: Duration = .seconds(8)) throws -> RawClient {
        try RawClient(port: port, receiveBuffer: receiveBuffer, timeout: timeout)
    }

    /// One exchange on a connection of its own.
    func exchange(_ request: String) async throws -> Reply { try await client().exchange(request) }

    func get(_ target: String, _ fields: String...) async throws -> Reply {
        try await exchange(request("GET", target, fields))
    }

    /// Begins to stop, without waiting.
    func cancel() { task.cancel() }

    /// Waits until ``Server/run(onListening:)`` has returned.
    func ended() async throws { try await task.value }

    func stop() async throws {
        cancel()
        try await ended()
    }
}

/// Runs a server for the duration of a test.
func withServer<Result>(
    _ setup: RunningServer.Setup = RunningServer.Setup(), _ declare: (inout Routes) -> Void,
    _ test: (RunningServer) async throws -> Result
) async throws -> Result {
    let server = try await RunningServer.start(setup, declare)
    do {
        let result = try await test(server)
        try await server.stop()
        return result
    } catch {
        try? await server.stop()
        throw error
    }
}

func withServer<Result>(
    _ kind: ReadinessKind, _ declare: (inout Routes) -> Void, _ test: (RunningServer) async throws -> Result
) async throws -> Result {
    try await withServer(RunningServer.Setup(readiness: kind), declare, test)
}

/// A request without content, as text.
func request(_ method: String, _ target: String, _ fields: [String] = []) -> String {
    ([method + " " + target + " HTTP/1.1", "Host: api.example.com"] + fields).joined(separator: "\r\n")
        + "\r\n\r\n"
}

/// The events that a server reported.
final class Logbook: Sendable {
    private let entries = Mutex<[String]>([])

    func add(_ sentence: String) { entries.withLock { $0.append(sentence) } }

    func add(_ entry: Server.LogEntry) { add(entry.description) }

    var sentences: [String] { entries.withLock { $0 } }
}

/// A counter for several threads.
final class Counter: Sendable {
    private let number = Atomic<Int>(0)

    func increment() { number.add(1, ordering: .relaxed) }

    func add(_ count: Int) { number.add(count, ordering: .relaxed) }

    var value: Int { number.load(ordering: .relaxed) }
}

/// Waits for a condition that becomes true soon, and returns whether it did.
func eventually(_ limit: Duration = .seconds(5), _ condition: @Sendable () -> Bool) async -> Bool {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return condition()
}

/// A gate that opens once.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in waiting { waiter.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}
