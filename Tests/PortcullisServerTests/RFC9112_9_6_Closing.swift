// SPDX-License-Identifier: MIT

import Dispatch
import PortcullisServer
import PortcullisTransport
import Synchronization
import Testing

@Suite("RFC 9112 §9.6 Tear-down")
struct RFC9112_9_6_Closing {
    private static func routes(_ routes: inout Routes) { routes.get("/now") { _ in .text("now") } }

    @Test(arguments: ReadinessKind.allCases)
    func `a refused client that continues to send still gets its answer, and an end instead of a reset`(
        _ kind: ReadinessKind
    ) async throws {
        try await withServer(kind, Self.routes) { server in
            for _ in 0..<20 {
                let client = try server.client()
                try await client.send("GET  /now HTTP/1.1\r\n" + String(repeating: "x", count: 30_000))
                let reply = try await client.reply()
                #expect(reply.status == 400 && !reply.isCutOff)
                client.endWriting()
                #expect(await client.rest() == ([], .closed))
            }
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a client that half-closes with its last request gets the answer, and then the end`(
        _ kind: ReadinessKind
    ) async throws {
        let arrived = Gate()
        let release = DispatchSemaphore(value: 0)
        func routes(_ routes: inout Routes) {
            Self.routes(&routes)
            // Blocks the only loop, so that everything the others send is there when the loop reads.
            routes.get("/block") { _ in
                arrived.open()
                _ = release.wait(timeout: .now() + 20)
                return .text("blocked")
            }
            routes.post("/echo") { request in
                .stream(contentType: "text/plain") { writer in
                    for try await piece in request.body { try await writer.write(piece) }
                }
            }
        }
        let requests = [
            "GET /now HTTP/1.0\r\n\r\n", "junk\r\n\r\n", request("GET", "/now"),
            request("GET", "/now", ["Connection: close"]),
            request("GET", "/now") + request("GET", "/now", ["Connection: close"]),
            request("POST", "/echo", ["Transfer-Encoding: chunked"]) + "no chunk\r\n",
        ]
        try await withServer(.init(readiness: kind, loops: 1), routes) { server in
            let blocker = try server.client()
            try await blocker.send(request("GET", "/block"))
            await arrived.wait()
            let clients = try requests.map { _ in try server.client(timeout: .seconds(10)) }
            for (client, request) in zip(clients, requests) {
                try await client.send(request)
                client.endWriting()
            }
            release.signal()
            for client in clients {
                let (bytes, ending) = await client.rest()
                #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("HTTP/1.1 "))
                #expect(ending == .closed)
            }
        }
    }

    @Test func `the server reads from a refused client for a bounded time`() async throws {
        try await withServer(.init(), Self.routes) { server in
            let client = try server.client(timeout: .seconds(20))
            let reply = try await client.exchange("GET  /now HTTP/1.1\r\n\r\n")
            #expect(reply.status == 400)
            // It neither half-closes nor sends; its sending fails once the server has closed.
            let begun = ContinuousClock.now
            while await client.sendSome([0x61]) == 1, begun.duration(to: .now) < .seconds(20) {
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(begun.duration(to: .now) < .seconds(15))
        }
    }

    // MARK: A server that stops

    @Test(arguments: ReadinessKind.allCases)
    func `a server that stops answers requests in flight with Connection: close, and accepts no more`(
        _ kind: ReadinessKind
    ) async throws {
        let arrived = Gate()
        let gate = Gate()
        func routes(_ routes: inout Routes) {
            Self.routes(&routes)
            routes.get("/held") { _ async in
                arrived.open()
                await gate.wait()
                return .text("held")
            }
        }
        let setup = RunningServer.Setup(readiness: kind, grace: .seconds(20))
        let server = try await RunningServer.start(setup, routes)
        let idle = try server.client()
        #expect(try await idle.exchange(request("GET", "/now")).text == "now")
        let busy = try server.client()
        // The server did not begin the request after it and does not answer: the client may send it
        // elsewhere.
        try await busy.send(request("GET", "/held") + request("GET", "/now"))
        await arrived.wait()
        server.cancel()
        #expect(await idle.rest() == ([], .closed))
        #expect(await eventually { !RawClient.canConnect(to: server.port) })
        gate.open()
        let reply = try await busy.reply()
        #expect(reply.text == "held" && reply.closes)
        #expect(await busy.rest().bytes.isEmpty)
        try await server.ended()
    }

    @Test func `a server that stops lets a stream end within the grace period`() async throws {
        let gate = Gate()
        func routes(_ routes: inout Routes) {
            routes.get("/") { _ in
                .stream(contentType: "text/plain") { writer in
                    try await writer.write("one")
                    await gate.wait()
                    try await writer.write("two")
                }
            }
        }
        let server = try await RunningServer.start(.init(grace: .seconds(20)), routes)
        let client = try server.client()
        try await client.send(request("GET", "/"))
        _ = try await client.receive(upTo: "one\r\n")
        server.cancel()
        #expect(await eventually { !RawClient.canConnect(to: server.port) })
        gate.open()
        let rest = await client.rest()
        #expect(String(decoding: rest.bytes, as: UTF8.self).hasSuffix("3\r\ntwo\r\n0\r\n\r\n"))
        #expect(rest.ending == .closed)
        try await server.ended()
    }

    @Test func `handlers that exceed the grace period are cancelled and cut`() async throws {
        let outcomes = Mutex<[String]>([])
        func routes(_ routes: inout Routes) {
            routes.get("/") { _ async throws in
                do {
                    try await Task.sleep(for: .seconds(60))
                } catch {
                    outcomes.withLock { $0.append("\(type(of: error))") }
                    throw error
                }
                return .ok
            }
            routes.get("/stream") { _ in
                .stream(contentType: "text/event-stream") { writer in
                    try await writer.write("data: 1\n\n")
                    do {
                        try await Task.sleep(for: .seconds(60))
                    } catch {
                        outcomes.withLock { $0.append("\(type(of: error))") }
                        throw error
                    }
                }
            }
        }
        let server = try await RunningServer.start(.init(grace: .milliseconds(100)), routes)
        let whole = try server.client()
        try await whole.send(request("GET", "/"))
        let stream = try server.client()
        try await stream.send(request("GET", "/stream"))
        _ = try await stream.receive(atLeast: 100)
        server.cancel()
        try await server.ended()
        #expect(outcomes.withLock { $0 } == ["CancellationError", "CancellationError"])
        #expect(await whole.rest().bytes.isEmpty)
        #expect(await !stream.restText().hasSuffix("0\r\n\r\n"))
    }

    @Test func `a slow head does not keep a server from stopping`() async throws {
        let server = try await RunningServer.start(.init(grace: .milliseconds(100)), Self.routes)
        let client = try server.client()
        try await client.send("GET /now HTTP/1.1\r\nHo")
        #expect(try await server.get("/now").text == "now")
        let begun = ContinuousClock.now
        try await server.stop()
        #expect(begun.duration(to: .now) < .seconds(5))
    }
}
