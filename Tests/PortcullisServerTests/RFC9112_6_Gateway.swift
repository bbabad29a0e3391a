// SPDX-License-Identifier: MIT

import PortcullisServer
import Synchronization
import Testing

@Suite("RFC 9112 §6 Bodies through a gateway", .timeLimit(.minutes(1)))
struct RFC9112_6_Gateway {
    private static func echo() throws -> RawUpstream {
        try RawUpstream.repeating { peer, head in
            let body = peer.body(of: head)
            peer.answer(String(decoding: body, as: UTF8.self))
        }
    }

    @Test func `§6.3 the framing is made anew`() async throws {
        try await GatewayStage.run(upstream: try Self.echo()) { stage in
            var reply = try await stage.send("POST", "/api/x", "Content-Length: 5", body: "hello")
            #expect(reply.text == "hello")
            #expect(stage.upstream.heads[0].values("content-length") == ["5"])
            #expect(stage.upstream.heads[0].values("transfer-encoding").isEmpty)
            reply = try await stage.send(
                "POST", "/api/x", "Transfer-Encoding: chunked", "Trailer: X-Portcullis-Subject",
                body: "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Portcullis-Subject: admin\r\n\r\n")
            #expect(reply.text == "abcde")
            #expect(stage.upstream.heads[1].values("transfer-encoding") == ["chunked"])
            #expect(stage.upstream.heads[1].values("content-length").isEmpty)
            #expect(!stage.upstream.heads[1].contains("admin"))
            reply = try await stage.send("POST", "/api/x", "Content-Length: 0")
            #expect(stage.upstream.heads[2].values("content-length") == ["0"])
            reply = try await stage.send("GET")
            #expect(stage.upstream.heads[3].values("content-length").isEmpty)
        }
    }

    @Test(arguments: [
        "Content-Length: 3\r\nTransfer-Encoding: chunked", "Content-Length: 3\r\nContent-Length: 3",
        "Content-Length: 3, 3", "Content-Length: +3", "Content-Length : 3", "X: a\r\n b",
        "Transfer-Encoding: chunked, gzip", "Transfer-Encoding: gzip",
        "Transfer-Encoding: chunked\r\nX: \u{0}",
        "Transfer-Encoding : chunked", "Transfer-Encoding: xchunked",
        "Transfer_Encoding: chunked\r\nA: b\nC: d",
    ])
    func `§11.2 an ambiguous request reaches no server`(fields: String) async throws {
        try await GatewayStage.run(upstream: try Self.echo()) { stage in
            let client = try stage.server.client()
            try await client.send(
                "POST /api/x HTTP/1.1\r\nHost: api.example.com\r\n\(stage.token)\r\n\(fields)\r\n\r\n"
                    + "0\r\n\r\nGET /api/smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
            let text = await client.restText()
            #expect(text.hasPrefix("HTTP/1.1 400") || text.hasPrefix("HTTP/1.1 501"))
            #expect(stage.upstream.connectionCount == 0)
        }
    }

    @Test func `RFC 9110 §10.1.1 no byte of a refused request's body is asked for`() async throws {
        try await GatewayStage.run(upstream: try Self.echo()) { stage in
            let client = try stage.server.client()
            try await client.send(
                request(
                    "POST", "/api/x",
                    ["Content-Length: 5", "Expect: 100-continue", "Authorization: Bearer bad"]))
            #expect(try await client.reply().status == 401)
            #expect(stage.upstream.connectionCount == 0)
        }
    }

    @Test func `RFC 9110 §10.1.1 the gateway answers the expectation itself`() async throws {
        let upstream = try RawUpstream.repeating { peer, head in
            peer.write("HTTP/1.1 100 Continue\r\n\r\n")
            let body = peer.body(of: head)
            peer.answer(String(decoding: body, as: UTF8.self))
        }
        try await GatewayStage.run(upstream: upstream) { stage in
            let client = try stage.server.client()
            try await client.send(
                request("POST", "/api/x", [stage.token, "Content-Length: 5", "Expect: 100-continue"]))
            #expect(try await client.receive(upTo: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            try await client.send("hello")
            #expect(try await client.reply().text == "hello")
            #expect(stage.upstream.heads.last?.values("expect") == [])
        }
    }

    @Test func `§6.3 HEAD, 204 and 304 have no body`() async throws {
        let upstream = try RawUpstream.repeating { peer, head in
            if head.hasPrefix("HEAD") {
                peer.write("HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n")
            } else if head.contains("/204") {
                peer.write("HTTP/1.1 204 No Content\r\n\r\n")
            } else {
                peer.write("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 9\r\n\r\n")
            }
        }
        try await GatewayStage.run(upstream: upstream) { stage in
            let client = try stage.server.client()
            var reply = try await client.exchange(request("HEAD", "/api/x", [stage.token]))
            #expect(reply["content-length"] == "77")
            reply = try await client.exchange(request("GET", "/api/204", [stage.token]))
            #expect(reply.status == 204)
            reply = try await client.exchange(request("GET", "/api/304", [stage.token]))
            #expect(reply.status == 304 && reply["etag"] == "\"a\"")
            #expect(upstream.connectionCount == 1)
        }
    }

    @Test func `§8 a response that breaks off is never completed`() async throws {
        let upstream = try RawUpstream { peer in
            guard let head = peer.head() else { return }
            if head.contains("/length") {
                peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            } else {
                peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            }
        }
        try await GatewayStage.run(upstream: upstream) { stage in
            for path in ["/api/length", "/api/chunked"] {
                let reply = try await stage.send("GET", path)
                #expect(reply.status == 200 && reply.isCutOff)
                // The reader of the test drops an incomplete body of a known length.
                if path == "/api/chunked" { #expect(reply.text == "abc") }
            }
            #expect(await eventually { stage.events.sentences.count == 2 })
        }
    }

    @Test func `§6.3 surplus bytes never become an answer`() async throws {
        let upstream = try RawUpstream.repeating { peer, _ in
            peer.write(
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                    + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
            )
        }
        try await GatewayStage.run(upstream: upstream) { stage in
            let client = try stage.server.client()
            for _ in 0..<3 {
                #expect(try await client.exchange(request("GET", "/api/x", [stage.token])).text == "ok")
            }
            #expect(upstream.connectionCount == 3)
        }
    }

    @Test func `RFC 9112 §2.5 clients and servers of HTTP/1.0`() async throws {
        let upstream = try RawUpstream { peer in
            guard let head = peer.head() else { return }
            peer.write("HTTP/1.0 200 OK\r\nX-Host: \(head.values("host").count)\r\n\r\nuntil the end")
        }
        try await GatewayStage.run(upstream: upstream) { stage in
            #expect(try await stage.send().text == "until the end")
            let client = try stage.server.client()
            try await client.send("GET /api/x HTTP/1.0\r\nHost: api.example.com\r\n\(stage.token)\r\n\r\n")
            let text = await client.restText()
            #expect(text.hasSuffix("\r\n\r\nuntil the end"))
            #expect(text.values("transfer-encoding").isEmpty && text.values("x-host") == ["1"])
        }
    }

    @Test func `§9.3.1 a client of HTTP/1.0 gets a known length, and keeps its connection`() async throws {
        let upstream = try RawUpstream.repeating { peer, _ in
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
            HeldPause.wait()
            peer.write("def")
        }
        try await GatewayStage.run(upstream: upstream) { stage in
            let client = try stage.server.client()
            let text = "GET /api/x HTTP/1.0\r\nConnection: keep-alive\r\nHost: a\r\n\(stage.token)\r\n\r\n"
            for _ in 0..<2 {
                let reply = try await client.exchange(text)
                #expect(reply["content-length"] == "6" && reply.text == "abcdef")
                #expect(reply["connection"] == "keep-alive")
            }
        }
    }

    @Test func `RFC 9110 §15.5.14 a route has a body limit of its own`() async throws {
        var limits = Server.Limits()
        limits.maxBodyByteCount = 10
        try await GatewayStage.run({ $0.maxBodyByteCount = 20 }, limits: limits, upstream: try Self.echo()) {
            stage in
            let long = String(repeating: "a", count: 20)
            #expect(try await stage.send("POST", "/api/x", "Content-Length: 20", body: long).text == long)
            #expect(
                try await stage.send("POST", "/api/x", "Content-Length: 21", body: long + "a").status == 413)
            let chunked = try await stage.send(
                "POST", "/api/x", "Transfer-Encoding: chunked", body: "15\r\n\(long)a\r\n0\r\n\r\n")
            #expect(chunked.status == 413)
            // The limit of the server holds elsewhere.
            #expect(
                try await stage.server.exchange(
                    request("POST", "/other", ["Content-Length: 11"]) + "aaaaaaaaaaa"
                ).status == 413)
        }
    }

    @Test func `§7.1 a large body passes in both directions`() async throws {
        let upstream = try RawUpstream.repeating { peer, head in
            let count = Int(head.values("content-length").first ?? "") ?? 0
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: \(count)\r\n\r\n")
            var left = count
            while left > 0, let bytes = peer.read(left) {
                peer.write(bytes)
                left -= bytes.count
            }
        }
        var limits = Server.Limits()
        limits.maxBodyByteCount = 100_000_000
        try await GatewayStage.run(limits: limits, upstream: upstream) { stage in
            let client = try stage.server.client(timeout: .seconds(30))
            let body = (0..<20_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            async let sent: Void = client.send(
                Array(request("POST", "/api/x", [stage.token, "Content-Length: \(body.count)"]).utf8) + body)
            let reply = try await client.reply(to: "POST")
            try await sent
            #expect(reply.body == body)
        }
    }
}

/// A pause on a thread of its own.
enum HeldPause {
    static func wait() { HeldThreadForTests.sleep() }
}
