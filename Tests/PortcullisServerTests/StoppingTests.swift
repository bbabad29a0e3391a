// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisServer
import PortcullisTesting
import PortcullisTransport
import Testing

@Suite("Stopping: handlers and streams learn of it")
struct StoppingTests {
    @Test func `a stream that waits for it ends complete, long before the grace period`() async throws {
        var setup = RunningServer.Setup()
        setup.grace = .seconds(60)
        let server = try await RunningServer.start(setup) { routes in
            routes.get("/events") { request in
                .stream(contentType: "text/plain") { writer in
                    try await writer.write("begun\n")
                    await request.stopping.untilBegun()
                    try await writer.write("stopping \(request.stopping.hasBegun)\n")
                }
            }
            routes.get("/now") { .text("\($0.stopping.hasBegun)") }
        }
        #expect(try await server.get("/now").text == "false")
        let client = try server.client()
        try await client.send(request("GET", "/events"))
        _ = try await client.receive(upTo: "begun\n\r\n")
        let begin = ContinuousClock.now
        try await server.stop()
        #expect(ContinuousClock.now - begin < .seconds(30))
        let rest = await client.restText()
        #expect(rest.contains("stopping true\n") && rest.hasSuffix("0\r\n\r\n"))
    }

    @Test func `waiting ends with its task, and without a server it never begins`() async throws {
        let app = RouteTester { routes in
            routes.get("/wait") { request async in
                let waiting = Task { await request.stopping.untilBegun() }
                waiting.cancel()
                await waiting.value
                return .text("\(request.stopping.hasBegun)")
            }
        }
        #expect(try await app.get("/wait").text == "false")
    }
}

@Suite("Log: entries have levels and metadata")
struct LogEntryTests {
    private struct Trouble: Error {}

    @Test func `each entry has its level, and the parts that programs search for`() async throws {
        let (entries, log) = AsyncStream.makeStream(of: Server.LogEntry.self)
        let server = Server(port: 0, configuration: .init(eventLoopCount: 1, log: { log.yield($0) })) {
            routes in
            routes.get("/fails/{id}") { _ in throw Trouble() }
        }
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let running = Task { try await server.run { listening.yield($0.port) } }
        for await port in ports {
            _ = try await RawClient(port: port).exchange(request("GET", "/fails/7"))
            break
        }
        running.cancel()
        try await running.value
        log.finish()
        var all: [Server.LogEntry] = []
        for await entry in entries { all.append(entry) }
        let first = try #require(all.first { $0.message.hasPrefix("listening on http://127.0.0.1:") })
        #expect(first.level == .info && first.description == first.message)
        let failed = try #require(all.first { $0.level == .error })
        #expect(failed.metadata == ["route": "/fails/{id}"])
        #expect(failed.description == "error: the handler of /fails/{id} threw an error of the type Trouble")
        #expect(Server.LogEntry.Level.allCases.sorted() == [.info, .warning, .error])
    }
}
