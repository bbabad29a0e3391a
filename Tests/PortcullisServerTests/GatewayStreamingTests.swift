// SPDX-License-Identifier: MIT

import Dispatch
import PortcullisServer
import PortcullisTesting
import PortcullisTransport
import Synchronization
import Testing

@Suite("RFC 9110 §7.8 Streams and protocols through a gateway", .timeLimit(.minutes(1)))
struct GatewayStreamingTests {
    @Test func `events pass as they come`() async throws {
        // Each event is written after the client has read what came before it.
        let turn = DispatchSemaphore(value: 0)
        let upstream = try RawUpstream.repeating { peer, _ in
            peer.write(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Accel-Buffering: no\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n")
            for number in 0..<3 {
                turn.wait()
                peer.write("8\r\ndata: \(number)\n\r\n")
            }
            peer.write("0\r\n\r\n")
        }
        try await GatewayStage.run(upstream: upstream) { stage in
            let client = try stage.server.client()
            try await client.send(request("GET", "/api/x", [stage.token]))
            // The head comes before the first event.
            let head = try await client.receive(containing: "\r\n\r\n")
            #expect(head.values("content-type") == ["text/event-stream"])
            #expect(head.values("x-accel-buffering") == ["no"])
            for number in 0..<3 {
                turn.signal()
                _ = try await client.receive(containing: "data: \(number)\n")
            }
        }
    }

    @Test(arguments: [true, false])
    func `a client that leaves cancels the request`(hasHead: Bool) async throws {
        let shared = Flag()
        let upstream = try RawUpstream { peer in
            _ = peer.head()
            if hasHead { peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n") }
            while peer.read() != nil {}
            shared.set()
        }
        try await GatewayStage.run(upstream: upstream) { stage in
            let client = try stage.server.client()
            try await client.send(request("GET", "/api/x", [stage.token]))
            if hasHead { _ = try await client.receive(containing: "abc") }
            #expect(await eventually { upstream.heads.count == 1 })
            client.close()
            #expect(await eventually { shared.isSet })
        }
    }

    @Test func `a server that reads slowly and one that is silent delay nobody else`() async throws {
        let upstream = try RawUpstream { peer in
            while let head = peer.head() {
                if head.contains("/slow") { while peer.read() != nil {} }
                peer.answer("quick")
            }
        }
        try await GatewayStage.run(server: { $0.eventLoopCount = 1 }, upstream: upstream) { stage in
            let slow = try (0..<20).map { _ in try stage.server.client() }
            for client in slow { try await client.send(request("GET", "/api/slow", [stage.token])) }
            for _ in 0..<50 { #expect(try await stage.send().text == "quick") }
        }
    }

    @Test func `a client that reads slowly holds a bounded amount`() async throws {
        let counter = Counter()
        let upstream = try RawUpstream.repeating { peer, _ in
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n")
            let piece = [UInt8](repeating: 0x61, count: 100_000)
            for _ in 0..<2000 {
                peer.write(piece)
                counter.add(piece.count)
            }
        }
        try await GatewayStage.run(upstream: upstream) { stage in
            let client = try stage.server.client(receiveBuffer: 8192)
            try await client.send(request("GET", "/api/x", [stage.token]))
            _ = try await client.receive(containing: "\r\n\r\n")
            try await Task.sleep(for: .milliseconds(500))
            #expect(counter.value < 20_000_000)
            client.close()
        }
    }

    @Test func `an early answer ends the upload`() async throws {
        let upstream = try RawUpstream { peer in
            _ = peer.head()
            peer.answer("too much", "413 Content Too Large", "Connection: close\r\n")
        }
        try await GatewayStage.run(upstream: upstream) { stage in
            let client = try stage.server.client()
            try await client.send(
                request("POST", "/api/x", [stage.token, "Content-Length: 1000000"]) + "start")
            let reply = try await client.reply(to: "POST")
            #expect(reply.status == 413 && reply.text == "too much")
        }
    }

    @Test func `RFC 9112 §7.1 a malformed body is 400, and the server behind sees no end`() async throws {
        let complete = Counter()
        let upstream = try RawUpstream { peer in
            guard let head = peer.head() else { return }
            if !peer.body(of: head).isEmpty, head.isEmpty { complete.increment() }
        }
        try await GatewayStage.run(upstream: upstream) { stage in
            let client = try stage.server.client()
            try await client.send(
                request("POST", "/api/x", [stage.token, "Transfer-Encoding: chunked"]) + "3\r\nabc\r\n")
            #expect(await eventually { upstream.heads.count == 1 })
            try await client.send("zz\r\n")
            #expect(try await client.reply(to: "POST").status == 400)
            #expect(complete.value == 0)
        }
    }

    // MARK: Other protocols

    private static let upgrade = [
        "Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: a",
    ]

    private static func webSocket(_ protocolName: String = "websocket") throws -> RawUpstream {
        try RawUpstream { peer in
            guard peer.head() != nil else { return }
            peer.write(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: \(protocolName)\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Accept: b\r\n\r\nhello")
            while let bytes = peer.read() { peer.write(bytes) }
        }
    }

    @Test func `a WebSocket passes after the gate`() async throws {
        try await GatewayStage.run({ $0.upgrades = ["websocket"] }, upstream: try Self.webSocket()) { stage in
            let refused = try await stage.server.get("/api/ws", Self.upgrade[0], Self.upgrade[1])
            #expect(refused.status == 401)
            #expect(stage.upstream.connectionCount == 0)
            let client = try stage.server.client()
            try await client.send(request("GET", "/api/ws", [stage.token] + Self.upgrade))
            let head = try await client.receive(containing: "\r\n\r\n")
            #expect(head.headLines[0] == "HTTP/1.1 101 Switching Protocols")
            #expect(head.values("upgrade") == ["websocket"] && head.values("connection") == ["upgrade"])
            #expect(head.values("sec-websocket-accept") == ["b"])
            let sent = try #require(stage.upstream.heads.last)
            #expect(sent.values("upgrade") == ["websocket"] && sent.values("connection") == ["upgrade"])
            if !head.contains("hello") { _ = try await client.receive(containing: "hello") }
            try await client.send("ping")
            #expect(try await client.receive(atLeast: 4) == Array("ping".utf8))
            client.close()
        }
    }

    @Test func `another protocol than the offered one is 502`() async throws {
        try await GatewayStage.run({ $0.upgrades = ["websocket"] }, upstream: try Self.webSocket("h2c")) {
            stage in
            let ask = request("GET", "/api/ws", [stage.token] + Self.upgrade)
            let reply = try await stage.server.exchange(ask)
            #expect(reply.status == 502)
        }
    }

    @Test func `a protocol that is not on the list is not offered`() async throws {
        let upstream = try RawUpstream.repeating { peer, _ in peer.answer() }
        try await GatewayStage.run(upstream: upstream) { stage in
            #expect(
                try await stage.server.exchange(request("GET", "/api/ws", [stage.token] + Self.upgrade))
                    .status == 200)
            let head = try #require(upstream.heads.last)
            #expect(head.values("upgrade").isEmpty && head.values("connection").isEmpty)
        }
    }

    @Test func `the expiry of the token cuts a WebSocket`() async throws {
        try await GatewayStage.run({ $0.upgrades = ["websocket"] }, upstream: try Self.webSocket()) { stage in
            // The leeway is 30 seconds.
            let token = stage.site.issuer.mint(audience: GatewayStage.identifier, lifetime: .seconds(-28))
            let client = try stage.server.client()
            try await client.send(
                request("GET", "/api/ws", ["Authorization: Bearer \(token)"] + Self.upgrade))
            _ = try await client.receive(containing: "\r\n\r\n")
            #expect(await client.rest().ending != .timedOut)
        }
    }

    /// An endless stream, as chunks or with a declared length; a flag that is set when its connection ends.
    private static func endless(_ framing: String, _ piece: String, _ hasEnded: Flag) throws -> RawUpstream {
        try RawUpstream { peer in
            guard peer.head() != nil else { return }
            peer.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\(framing)\r\n\r\n\(piece)")
            while peer.read() != nil {}
            hasEnded.set()
        }
    }

    private static let farewell = StreamExpiry.finish { try await $0.write("event: expired\n\n") }

    @Test func `a relayed stream ends as complete at the expiry of the token, where the app says so`()
        async throws
    {
        let hasEnded = Flag()
        let upstream = try Self.endless("Transfer-Encoding: chunked", "9\r\ndata: 1\n\n\r\n", hasEnded)
        try await GatewayStage.run(expiry: Self.farewell, upstream: upstream) { stage in
            // The leeway is 30 seconds.
            let token = stage.site.issuer.mint(audience: GatewayStage.identifier, lifetime: .seconds(-28))
            let client = try stage.server.client()
            try await client.send(request("GET", "/api/x", ["Authorization: Bearer \(token)"]))
            let reply = try await client.reply()
            #expect(reply.status == 200 && reply.text == "data: 1\n\nevent: expired\n\n")
            #expect(!reply.isCutOff)
            #expect(await eventually { hasEnded.isSet })
            // The connection goes on.
            #expect(try await client.exchange(request("GET", "/api/x")).status == 401)
        }
    }

    @Test func `a relayed answer that is shorter than it declares is cut all the same`() async throws {
        let hasEnded = Flag()
        let upstream = try Self.endless("Content-Length: 100", "data: 1\n\n", hasEnded)
        try await GatewayStage.run(expiry: Self.farewell, upstream: upstream) { stage in
            let token = stage.site.issuer.mint(audience: GatewayStage.identifier, lifetime: .seconds(-28))
            let client = try stage.server.client()
            try await client.send(request("GET", "/api/x", ["Authorization: Bearer \(token)"]))
            let (bytes, ending) = await client.rest()
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(text.hasPrefix("HTTP/1.1 200 ") && text.hasSuffix("\r\n\r\ndata: 1\n\n"))
            #expect(ending != .timedOut)
            #expect(await eventually { hasEnded.isSet })
        }
    }

    @Test func `the expiry of the token cuts a WebSocket, whatever the app would write`() async throws {
        try await GatewayStage.run(
            { $0.upgrades = ["websocket"] }, expiry: Self.farewell, upstream: try Self.webSocket()
        ) { stage in
            let token = stage.site.issuer.mint(audience: GatewayStage.identifier, lifetime: .seconds(-28))
            let client = try stage.server.client()
            try await client.send(
                request("GET", "/api/ws", ["Authorization: Bearer \(token)"] + Self.upgrade))
            _ = try await client.receive(containing: "\r\n\r\n")
            let (bytes, ending) = await client.rest()
            #expect(ending != .timedOut)
            #expect(!String(decoding: bytes, as: UTF8.self).contains("expired"))
        }
    }

    @Test func `a Unix domain socket is a server`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/up.sock"
        let backend = try Server(validating: Self.backendRoutes, host: "unix:" + path)
        let behind = try await RunningServer.start(backend)
        let proxy = try ReverseProxy(validating: ReverseProxy.Configuration("unix:" + path))
        try await withServer(.init()) {
            $0.proxy("/{rest...}", to: proxy)
        } _: { server in
            let reply = try await server.get("/hello")
            #expect(reply.text == "hello localhost")
        }
        try await behind.stop()
    }

    private static var backendRoutes: Routes {
        var routes = Routes()
        routes.get("/hello") { request in .text("hello \(request.fields[.host] ?? "")") }
        return routes
    }
}

/// A flag for several threads.
final class Flag: Sendable {
    private let value = Atomic<Bool>(false)

    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}
