// SPDX-License-Identifier: MIT

import PortcullisServer
import PortcullisTransport
import Synchronization
import Testing

/// Short deadlines for clients that exceed them, and long ones for clients that meet them.
@Suite("RFC 9110 §15.5.9 Deadlines")
struct RFC9110_15_5_9_Deadlines {
    private static let short = Duration.milliseconds(250)

    private static func routes(_ routes: inout Routes) {
        routes.get("/now") { _ in .text("now") }
        routes.post("/collect") { request async throws in .text("\(try await request.body.collect().count)") }
        routes.post("/echo") { request in
            .stream(contentType: "text/plain") { writer in
                for try await piece in request.body { try await writer.write(piece) }
            }
        }
    }

    private func serving(
        on kind: ReadinessKind = .preferred, _ change: (inout Server.Limits) -> Void,
        _ test: (RunningServer) async throws -> Void
    ) async throws {
        var setup = RunningServer.Setup(readiness: kind)
        change(&setup.limits)
        try await withServer(setup, Self.routes, test)
    }

    /// Sends a piece at intervals until the server reads no more.
    private static func dribble(_ piece: String, to client: RawClient) -> Task<Void, Never> {
        Task {
            while !Task.isCancelled, await client.sendSome(Array(piece.utf8)) > 0 {
                try? await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    // MARK: Heads

    @Test(arguments: ReadinessKind.allCases, [0, 1])
    func `an endless head is 408, however steadily it arrives`(
        _ kind: ReadinessKind, _ before: Int
    ) async throws {
        try await serving(on: kind, { $0.headerTimeout = Self.short }) { server in
            let client = try server.client()
            for _ in 0..<before { _ = try await client.exchange(request("GET", "/now")) }
            try await client.send("GET /now HTTP/1.1\r\nHost: a\r\n")
            // One field would be too many long after the deadline.
            let dribbling = Self.dribble("X: ", to: client)
            let reply = try await client.reply()
            dribbling.cancel()
            #expect(reply.status == 408 && reply.closes && !reply.isCutOff)
            client.endWriting()
            #expect(await client.rest().bytes.isEmpty)
        }
    }

    @Test func `silent and slow clients delay no other client`() async throws {
        try await serving({ $0.headerTimeout = .seconds(60) }) { server in
            let slow = try (0..<50).map { _ in try server.client() }
            for client in slow { try await client.send("GET /now HT") }
            #expect(try await server.get("/now").text == "now")
            for client in slow {
                try await client.send("TP/1.1\r\nHost: a\r\n\r\n")
                #expect(try await client.reply().text == "now")
            }
        }
    }

    // MARK: Bodies

    @Test(arguments: ReadinessKind.allCases, ["Content-Length: 10", "Transfer-Encoding: chunked"])
    func `a pause in a body is 408`(_ kind: ReadinessKind, _ framing: String) async throws {
        try await serving(on: kind, { $0.bodyTimeout = Self.short }) { server in
            let client = try server.client()
            try await client.send(request("POST", "/collect", [framing]))
            try await client.send(framing.hasPrefix("C") ? "hello" : "5\r\nhello\r\n")
            let reply = try await client.reply()
            #expect(reply.status == 408 && reply.closes)
            _ = await client.sendSome(Array(("world" + request("GET", "/now")).utf8))
            #expect(await client.rest().bytes.isEmpty)
        }
    }

    @Test func `a body below the least rate is 408, however steadily it arrives`() async throws {
        try await serving({
            $0.bodyRateGracePeriod = Self.short
            $0.minBodyBytesPerSecond = 1_000_000
        }) { server in
            for framing in ["Content-Length: 1000000", "Transfer-Encoding: chunked"] {
                let client = try server.client()
                try await client.send(request("POST", "/collect", [framing]))
                let dribbling = Self.dribble(framing.hasPrefix("C") ? "a" : "1\r\na\r\n", to: client)
                let reply = try await client.reply()
                dribbling.cancel()
                #expect(reply.status == 408 && reply.closes)
            }
        }
    }

    @Test func `time during which the handler does not read the body does not count`() async throws {
        var setup = RunningServer.Setup()
        setup.limits.bodyRateGracePeriod = .zero
        setup.limits.bodyTimeout = .seconds(5)
        setup.limits.minBodyBytesPerSecond = 1000
        func routes(_ routes: inout Routes) {
            routes.post("/") { request async throws in
                var count = 0
                for try await piece in request.body {
                    count += piece.count
                    if count < 1000 { try await Task.sleep(for: .milliseconds(300)) }
                }
                return .text("\(count)")
            }
        }
        try await withServer(setup, routes) { server in
            let client = try server.client()
            let content = String(repeating: "a", count: 60_000)
            try await client.send(request("POST", "/", ["Content-Length: 60001"]) + "a")
            try await client.send(content)
            #expect(try await client.reply().text == "60001")
        }
    }

    @Test func `a pause in the body of a streamed answer cuts it`() async throws {
        try await serving({ $0.bodyTimeout = Self.short }) { server in
            let client = try server.client()
            try await client.send(request("POST", "/echo", ["Content-Length: 10"]) + "hello")
            let reply = try await client.reply()
            #expect(reply.status == 200 && reply.isCutOff)
        }
    }

    // MARK: Idle connections

    @Test(arguments: ReadinessKind.allCases, [0, 1])
    func `an idle connection is closed without an answer`(_ kind: ReadinessKind, _ before: Int) async throws {
        try await serving(on: kind, { $0.idleTimeout = Self.short }) { server in
            let client = try server.client()
            for _ in 0..<before { _ = try await client.exchange(request("GET", "/now")) }
            #expect(await client.rest() == ([], .closed))
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `the idle deadline cuts neither a running handler nor a stream`(_ kind: ReadinessKind) async throws {
        var setup = RunningServer.Setup(readiness: kind)
        setup.limits.idleTimeout = .milliseconds(100)
        setup.limits.headerTimeout = .milliseconds(100)
        setup.limits.bodyTimeout = .milliseconds(100)
        func routes(_ routes: inout Routes) {
            routes.get("/slow") { _ async throws in
                try await Task.sleep(for: .milliseconds(500))
                return .text("slow")
            }
            routes.get("/stream") { _ in
                .stream(contentType: "text/event-stream") { writer in
                    for number in 0..<4 {
                        try await Task.sleep(for: .milliseconds(200))
                        try await writer.write("data: \(number)\n\n")
                    }
                }
            }
        }
        try await withServer(setup, routes) { server in
            #expect(try await server.get("/slow").text == "slow")
            let reply = try await server.get("/stream")
            #expect(reply.chunks?.count == 4 && !reply.isCutOff)
        }
    }

    // MARK: Clients that do not read

    @Test(arguments: ReadinessKind.allCases)
    func `a client that reads nothing of its answer is disconnected, and the writer gets an error`(
        _ kind: ReadinessKind
    ) async throws {
        let ended = Mutex<String?>(nil)
        var setup = RunningServer.Setup(readiness: kind)
        setup.limits.writeTimeout = Self.short
        let piece = [UInt8](repeating: 0x61, count: 65_536)
        func routes(_ routes: inout Routes) {
            routes.get("/stream") { _ in
                .stream(contentType: "text/plain") { writer in
                    do {
                        while true { try await writer.write(piece) }
                    } catch {
                        ended.withLock { $0 = "\(type(of: error))" }
                        throw error
                    }
                }
            }
            routes.get("/whole") { _ in
                .bytes([UInt8](repeating: 0x61, count: 32 << 20), contentType: "text/plain")
            }
        }
        try await withServer(setup, routes) { server in
            let streaming = try server.client(receiveBuffer: 4096)
            try await streaming.send(request("GET", "/stream"))
            #expect(await eventually(.seconds(20)) { ended.withLock { $0 } == "CancellationError" })
            let whole = try server.client(receiveBuffer: 4096)
            try await whole.send(request("GET", "/whole"))
            try await Task.sleep(for: .seconds(1))
            #expect(await whole.rest().bytes.count < 32 << 20)
        }
    }

    @Test func `a client that reads slowly but steadily is served to the end`() async throws {
        var setup = RunningServer.Setup()
        // The system reports room again when about a third of its buffer for the client, some 1.3 MiB, is
        // free.
        setup.limits.writeTimeout = .seconds(8)
        func routes(_ routes: inout Routes) {
            routes.get("/") { _ in
                .bytes([UInt8](repeating: 0x61, count: 12 << 20), contentType: "text/plain")
            }
        }
        try await withServer(setup, routes) { server in
            let client = try server.client(receiveBuffer: 65_536)
            try await client.send(request("GET", "/"))
            var count = try await client.receiveSlowly(
                atLeast: 1, pause: .milliseconds(50), upTo: 11 << 20)
            while count < 12 << 20 { count += try await client.receive(atLeast: 1).count }
        }
    }
}
