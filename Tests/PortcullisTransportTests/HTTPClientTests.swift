// SPDX-License-Identifier: MIT

import Dispatch
import PortcullisHTTP
import PortcullisTransport
import Synchronization
import Testing

@Suite("RFC 9112 The client", .timeLimit(.minutes(1)))
struct HTTPClientTests {
    @Test(arguments: ReadinessKind.allCases)
    func `a response with a length is read, and the connection is kept`(readiness: ReadinessKind) async throws
    {
        let server = try ScriptedServer.repeating { peer, request in
            peer.answer(String(request.prefix { $0 != "\r\n" }), fields: "X-Number: \(peer.number)\r\n")
        }
        let client = try makeClient(readiness)
        for path in ["/a", "/b?c=d"] {
            let response = try await client.execute(.init(url: server.url + path))
            #expect(response.status == .ok)
            #expect(response.text == "GET \(path) HTTP/1.1")
            #expect(response.fields["x-number"] == "0")
        }
        #expect(server.connectionCount == 1)
        server.stop()
    }

    @Test func `the request has its host, its length and the caller's fields`() async throws {
        let server = try ScriptedServer.repeating { peer, request in peer.answer(request) }
        let response = try await makeClient().execute(
            .init(
                url: server.url + "/x", method: .post,
                fields: [(.contentType, "text/plain"), ("X-A", "1"), ("X-A", "2")],
                body: Array("hello".utf8)))
        let expected = """
            POST /x HTTP/1.1\r
            Host: 127.0.0.1:\(server.port)\r
            Content-Type: text/plain\r
            X-A: 1\r
            X-A: 2\r
            User-Agent: \(HTTPClient.defaultUserAgent)\r
            Content-Length: 5\r
            \r
            hello
            """
        #expect(response.text == expected)
        server.stop()
    }

    @Test(arguments: [
        FieldName.host, .contentLength, .connection, .transferEncoding, .expect, "Upgrade", "te", "TRAILER",
    ])
    func `framing and connection fields are refused`(name: FieldName) async throws {
        let client = try makeClient()
        await #expect(throws: HTTPClientError.reservedField) {
            try await client.execute(.init(url: "http://127.0.0.1:1/", fields: [(name, "x")]))
        }
    }

    @Test(arguments: ["a\r\nX: y", "a\nb", "\0", " a", "a\t"])
    func `invalid field values are refused`(value: String) async throws {
        let client = try makeClient()
        await #expect(throws: HTTPClientError.invalidField) {
            try await client.execute(.init(url: "http://127.0.0.1:1/", fields: [("X" as FieldName, value)]))
        }
    }

    @Test(arguments: ["", "CONNECT", "GET /x HTTP/1.1\r\nX: y\r\n\r\nGET", "G T"])
    func `malformed methods, and CONNECT, are refused`(name: String) async throws {
        let client = try makeClient()
        await #expect(throws: HTTPClientError.invalidMethod) {
            try await client.execute(.init(url: "http://127.0.0.1:1/", method: Method(token: name)))
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a chunked response is decoded, and the connection is kept`(readiness: ReadinessKind)
        async throws
    {
        let server = try ScriptedServer.repeating { peer, _ in
            for part in [
                "HTTP/1.1 200 OK\r\nTransfer-Enc", "oding: chunked\r\n\r\n3", "\r\nabc\r",
                "\n2;x=y\r\nde\r\n0\r", "\n\r\n",
            ] {
                peer.write(part)
            }
        }
        let client = try makeClient(readiness)
        for _ in 0..<3 { #expect(try await client.execute(.init(url: server.url)).text == "abcde") }
        #expect(server.connectionCount == 1)
        server.stop()
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a response that ends with the connection is read to the end`(readiness: ReadinessKind) async throws
    {
        let body = String(repeating: "0123456789", count: 40000)
        let server = try ScriptedServer { peer in
            _ = peer.readRequest()
            peer.write("HTTP/1.0 200 OK\r\n\r\n\(body)")
        }
        let client = try makeClient(readiness)
        for _ in 0..<2 { #expect(try await client.execute(.init(url: server.url)).text == body) }
        #expect(server.connectionCount == 2)
        server.stop()
    }

    @Test func `Connection: close is obeyed`() async throws {
        let server = try ScriptedServer.repeating { peer, _ in
            peer.answer("x", fields: "Connection: close\r\n")
        }
        let client = try makeClient()
        for _ in 0..<2 { #expect(try await client.execute(.init(url: server.url)).text == "x") }
        #expect(server.connectionCount == 2)
        server.stop()
    }

    @Test func `HEAD has no body, whatever its Content-Length`() async throws {
        let server = try ScriptedServer.repeating { peer, _ in
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        }
        let client = try makeClient()
        for _ in 0..<2 {
            #expect(try await client.execute(.init(url: server.url, method: .head)).body.isEmpty)
        }
        #expect(server.connectionCount == 1)
        server.stop()
    }

    @Test(arguments: [301, 302, 303, 307, 308])
    func `redirects are returned, not followed`(code: Int) async throws {
        let server = try ScriptedServer.repeating { peer, _ in
            peer.answer(status: "\(code) Elsewhere", fields: "Location: http://127.0.0.1:1/\r\n")
        }
        let response = try await makeClient().execute(.init(url: server.url))
        #expect(response.status.code == code)
        #expect(response.fields[.location] == "http://127.0.0.1:1/")
        server.stop()
    }

    @Test func `interim responses are skipped`() async throws {
        let server = try ScriptedServer.repeating { peer, _ in
            peer.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
            peer.answer("real")
        }
        #expect(try await makeClient().execute(.init(url: server.url)).text == "real")
        server.stop()
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n0123456789a",
        "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n0123456789a\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n5\r\n6789a\r\n",
        "HTTP/1.0 200 OK\r\n\r\n0123456789a",
    ])
    func `a body one byte above the limit is refused`(answer: String) async throws {
        let server = try ScriptedServer { peer in
            _ = peer.readRequest()
            peer.write(answer)
            _ = peer.read()
        }
        let client = try makeClient()
        await #expect(throws: HTTPClientError.responseTooLarge) {
            try await client.execute(.init(url: server.url, maxResponseByteCount: 10))
        }
        server.stop()
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\n0123456789",
    ])
    func `a body of exactly the limit is accepted`(answer: String) async throws {
        let server = try ScriptedServer { peer in
            _ = peer.readRequest()
            peer.write(answer)
        }
        let response = try await makeClient().execute(.init(url: server.url, maxResponseByteCount: 10))
        #expect(response.text == "0123456789")
        server.stop()
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH_9.2p1 Debian\r\n\r\n", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\n", "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
    ])
    func `a response that is not HTTP/1 is refused`(answer: String) async throws {
        let server = try ScriptedServer { peer in
            _ = peer.readRequest()
            peer.write(answer)
            _ = peer.read()
        }
        let client = try makeClient()
        let error = await #expect(throws: HTTPClientError.self) {
            try await client.execute(.init(url: server.url))
        }
        guard case .malformedResponse = error else {
            Issue.record("Another error: \(String(describing: error))")
            return
        }
        server.stop()
    }

    @Test func `an endless head is refused`() async throws {
        let server = try ScriptedServer { peer in
            _ = peer.readRequest()
            peer.write("HTTP/1.1 200 OK\r\nX: " + String(repeating: "a", count: 100_000))
            _ = peer.read()
        }
        let client = try makeClient()
        await #expect(throws: HTTPClientError.malformedResponse(.headerBlockTooLarge)) {
            try await client.execute(.init(url: server.url))
        }
        server.stop()
    }

    @Test(arguments: [
        "", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
    ])
    func `a connection that ends before the response is an error`(answer: String) async throws {
        let server = try ScriptedServer { peer in
            _ = peer.readRequest()
            peer.write(answer)
        }
        let client = try makeClient()
        await #expect(throws: HTTPClientError.closed) { try await client.execute(.init(url: server.url)) }
        #expect(server.connectionCount == 1)
        server.stop()
    }

    @Test func `a reset is not taken for the end of a response`() async throws {
        let server = try ScriptedServer { peer in
            _ = peer.readRequest()
            peer.write("HTTP/1.0 200 OK\r\n\r\nabc")
            peer.resetOnClose()
        }
        let client = try makeClient()
        await #expect(throws: HTTPClientError.closed) { try await client.execute(.init(url: server.url)) }
        server.stop()
    }

    @Test func `bytes after a response end the connection and answer no request`() async throws {
        let server = try ScriptedServer.repeating { peer, _ in
            peer.write(
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
                    + "evil"
            )
        }
        let client = try makeClient()
        for _ in 0..<2 { #expect(try await client.execute(.init(url: server.url)).text == "a") }
        #expect(server.connectionCount == 2)
        server.stop()
    }

    @Test func `a large request is sent whole`() async throws {
        let server = try ScriptedServer.repeating { peer, request in peer.answer("\(request.utf8.count)") }
        let body = [UInt8](repeating: 0x61, count: 3_000_000)
        let response = try await makeClient().execute(
            .init(url: server.url, method: .post, body: body, deadline: .seconds(60)))
        #expect((Int(response.text) ?? 0) > 3_000_000)
        server.stop()
    }

    @Test func `an early answer to a large request is returned, and its connection is not reused`()
        async throws
    {
        let isAnswered = DispatchSemaphore(value: 0)
        let server = try ScriptedServer { peer in
            _ = peer.read()
            peer.answer("no", status: "413 Content Too Large")
            // If more were read now, the request might be complete before the answer arrives, and the
            // connection be kept.
            _ = isAnswered.wait(timeout: .now() + 60)
        }
        let client = try makeClient()
        let body = [UInt8](repeating: 0x61, count: 20_000_000)
        for _ in 0..<2 {
            let response = try await client.execute(
                .init(url: server.url, method: .post, body: body, deadline: .seconds(60)))
            #expect(response.status == .contentTooLarge)
            isAnswered.signal()
        }
        #expect(server.connectionCount == 2)
        server.stop()
    }
}
