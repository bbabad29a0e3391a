// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisTransport
import Synchronization
import Testing

@Suite("RFC 9112 §6 Streamed exchanges", .timeLimit(.minutes(1)))
struct StreamedExchangeTests {
    private static let timeouts = StreamedRequest.Timeouts(
        connect: .seconds(5), response: .seconds(5), idle: .seconds(5))

    private static func open(
        _ client: HTTPClient, _ server: ScriptedServer, _ method: Method = .get, fields: String = "",
        body: String = "", rest: StreamedRequest.Rest = .none, timeouts: StreamedRequest.Timeouts = timeouts,
        repeatable: Bool = true, upgrade: Bool = false
    ) throws -> StreamedExchange {
        try client.open(
            StreamedRequest(
                to: RequestURL(server.url).origin, method,
                message: Array("\(method) / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\(body)".utf8), rest: rest,
                timeouts: timeouts, isRepeatable: repeatable, offersUpgrade: upgrade))
    }

    private static func body(of exchange: StreamedExchange) async throws -> String {
        var body: [UInt8] = []
        while let piece = try await exchange.nextPiece() { body += piece }
        return String(decoding: body, as: UTF8.self)
    }

    @Test func `the connection is used again`() async throws {
        let server = try ScriptedServer.repeating { peer, _ in peer.answer("hello") }
        defer { server.stop() }
        let client = try makeClient()
        for _ in 0..<3 {
            let exchange = try Self.open(client, server)
            #expect(try await exchange.nextHead().status == .ok)
            #expect(try await Self.body(of: exchange) == "hello")
        }
        #expect(server.connectionCount == 1)
    }

    @Test func `interim heads come first, and a chunked body in pieces`() async throws {
        let server = try ScriptedServer.repeating { peer, _ in
            peer.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n")
            peer.write("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n")
        }
        defer { server.stop() }
        let exchange = try Self.open(try makeClient(), server)
        #expect(try await exchange.nextHead().status.code == 103)
        let head = try await exchange.nextHead()
        #expect(head.status == .ok)
        #expect(head.fields["X-Trailer"] == nil)
        #expect(try await Self.body(of: exchange) == "abcde")
    }

    @Test func `nine interim responses are too many`() async throws {
        let server = try ScriptedServer.repeating { peer, _ in
            for _ in 0..<20 { peer.write("HTTP/1.1 102 Processing\r\n\r\n") }
            peer.answer("x")
        }
        defer { server.stop() }
        let exchange = try Self.open(try makeClient(), server)
        await #expect(throws: HTTPClientError.malformedResponse(.headerBlockTooLarge)) {
            while try await exchange.nextHead().status.isInformational {}
        }
    }

    @Test(arguments: [StreamedRequest.Rest.plain, .chunked])
    func `the body of the request follows in pieces`(rest: StreamedRequest.Rest) async throws {
        let seen = Mutex("")
        let wanted = rest == .plain ? "abcdef" : "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"
        let server = try ScriptedServer { peer in
            var text = ""
            while !text.hasSuffix(wanted), let bytes = peer.read() {
                text += String(decoding: bytes, as: UTF8.self)
            }
            seen.withLock { $0 = text }
            peer.answer("done")
        }
        defer { server.stop() }
        let exchange = try Self.open(
            try makeClient(), server, .post,
            fields: rest == .plain ? "Content-Length: 6\r\n" : "Transfer-Encoding: chunked\r\n", rest: rest)
        try await exchange.untilOpened()
        try await exchange.write(Array("abc".utf8))
        try await exchange.write(Array("def".utf8))
        exchange.endRequest()
        #expect(try await exchange.nextHead().status == .ok)
        #expect(seen.withLock { $0 }.hasSuffix("\r\n\r\n" + wanted))
    }

    @Test func `a writer waits for a server that does not read`() async throws {
        let go = DispatchGate()
        let server = try ScriptedServer { peer in
            go.wait()
            while peer.read() != nil {}
        }
        defer { server.stop() }
        let exchange = try Self.open(
            try makeClient(), server, .post, fields: "Content-Length: 100000000\r\n", rest: .plain)
        let count = Atomic<Int>(0)
        let piece = [UInt8](repeating: 0x61, count: 65_536)
        let writing = Task {
            for _ in 0..<1000 {
                try await exchange.write(piece)
                count.add(1, ordering: .relaxed)
            }
        }
        try await Task.sleep(for: .milliseconds(300))
        let stalled = count.load(ordering: .relaxed)
        #expect(stalled < 200)
        go.open()
        exchange.cancel()
        await #expect(throws: HTTPClientError.self) { try await writing.value }
    }

    @Test func `a server waits for a reader that does not take`() async throws {
        let sent = Atomic<Int>(0)
        let server = try ScriptedServer.repeating { peer, _ in
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
            let piece = [UInt8](repeating: 0x61, count: 100_000)
            for _ in 0..<1000 {
                peer.write(piece)
                sent.add(piece.count, ordering: .relaxed)
            }
        }
        defer { server.stop() }
        let exchange = try Self.open(try makeClient(), server)
        _ = try await exchange.nextHead()
        try await Task.sleep(for: .milliseconds(300))
        #expect(sent.load(ordering: .relaxed) < 20_000_000)
        var count = 0
        while let piece = try await exchange.nextPiece() {
            #expect(piece.count <= 65_536)
            count += piece.count
        }
        #expect(count == 100_000_000)
    }

    @Test func `a response that breaks off fails`() async throws {
        let server = try ScriptedServer { peer in
            _ = peer.readRequest()
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        }
        defer { server.stop() }
        let exchange = try Self.open(try makeClient(), server)
        _ = try await exchange.nextHead()
        await #expect(throws: HTTPClientError.closed) { try await Self.body(of: exchange) }
    }

    @Test func `a connection with surplus bytes is closed`() async throws {
        let server = try ScriptedServer.repeating { peer, _ in
            peer.write(
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"
                    + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
            )
        }
        defer { server.stop() }
        let client = try makeClient()
        for _ in 0..<2 {
            let exchange = try Self.open(client, server)
            _ = try await exchange.nextHead()
            #expect(try await Self.body(of: exchange) == "a")
        }
        #expect(server.connectionCount == 2)
    }

    @Test(arguments: [true, false])
    func `only a repeatable request is sent again after a kept connection died`(isRepeatable: Bool)
        async throws
    {
        let server = try ScriptedServer { peer in
            guard peer.readRequest() != nil else { return }
            peer.answer("first")
            // Dies with the second request.
            if peer.number == 0 { _ = peer.readRequest() } else { while peer.readRequest() != nil {} }
        }
        defer { server.stop() }
        let client = try makeClient()
        let first = try Self.open(client, server)
        _ = try await first.nextHead()
        _ = try await Self.body(of: first)
        let second = try Self.open(client, server, isRepeatable ? .get : .post, repeatable: isRepeatable)
        if isRepeatable {
            #expect(try await second.nextHead().status == .ok)
        } else {
            await #expect(throws: HTTPClientError.closed) { try await second.nextHead() }
        }
        #expect(server.connectionCount == (isRepeatable ? 2 : 1))
    }

    @Test func `a silent server is too late`() async throws {
        let server = try ScriptedServer { peer in while peer.read() != nil {} }
        defer { server.stop() }
        let exchange = try Self.open(
            try makeClient(), server,
            timeouts: .init(connect: .seconds(5), response: .milliseconds(100), idle: .seconds(5)))
        await #expect(throws: HTTPClientError.timeout(.answering)) { try await exchange.nextHead() }
    }

    @Test func `a pause within a body is too long`() async throws {
        let server = try ScriptedServer { peer in
            _ = peer.readRequest()
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            while peer.read() != nil {}
        }
        defer { server.stop() }
        let exchange = try Self.open(
            try makeClient(), server,
            timeouts: .init(connect: .seconds(5), response: .seconds(5), idle: .milliseconds(100)))
        _ = try await exchange.nextHead()
        await #expect(throws: HTTPClientError.timeout(.answering)) { try await Self.body(of: exchange) }
    }

    @Test func `cancelling closes the connection`() async throws {
        let closed = DispatchGate()
        let server = try ScriptedServer { peer in
            _ = peer.readRequest()
            peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while peer.read() != nil {}
            closed.open()
        }
        defer { server.stop() }
        let exchange = try Self.open(try makeClient(), server)
        _ = try await exchange.nextHead()
        exchange.cancel()
        await #expect(throws: HTTPClientError.cancelled) { try await exchange.nextPiece() }
        await closed.untilOpen()
    }

    @Test func `after 101 the bytes pass as they are`() async throws {
        let server = try ScriptedServer { peer in
            _ = peer.readRequest()
            peer.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhi")
            while let bytes = peer.read() { peer.write(bytes) }
        }
        defer { server.stop() }
        let exchange = try Self.open(try makeClient(), server, upgrade: true)
        #expect(try await exchange.nextHead().status.code == 101)
        #expect(try await exchange.nextPiece() == Array("hi".utf8))
        try await exchange.write(Array("echo".utf8))
        #expect(try await exchange.nextPiece() == Array("echo".utf8))
        exchange.cancel()
    }

    @Test func `101 that was not requested is malformed`() async throws {
        let server = try ScriptedServer.repeating { peer, _ in
            peer.write("HTTP/1.1 101 Switching Protocols\r\n\r\n")
        }
        defer { server.stop() }
        let exchange = try Self.open(try makeClient(), server)
        await #expect(throws: HTTPClientError.malformedResponse(.invalidStatusLine)) {
            try await exchange.nextHead()
        }
    }

    @Test func `a Unix domain socket is an origin`() async throws {
        #expect(Origin(unixPath: "") == nil)
        #expect(Origin(unixPath: String(repeating: "a", count: 200)) == nil)
        #expect(Origin(unixPath: "/run/a.sock")?.unixPath == "/run/a.sock")
    }
}

/// A gate between threads and tasks.
final class DispatchGate: Sendable {
    private let isOpen = Atomic<Bool>(false)

    func open() { isOpen.store(true, ordering: .releasing) }

    func wait() { while !isOpen.load(ordering: .acquiring) { HeldThread.sleep(for: .milliseconds(2)) } }

    func untilOpen() async {
        while !isOpen.load(ordering: .acquiring) { try? await Task.sleep(for: .milliseconds(2)) }
    }
}

extension StreamedExchange {
    fileprivate func nextHead() async throws(HTTPClientError) -> ParsedResponseHead {
        try await withCheckedContinuation { continuation in
            nextHead { continuation.resume(returning: $0) }
        }.get()
    }
}
