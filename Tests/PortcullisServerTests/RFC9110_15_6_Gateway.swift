// SPDX-License-Identifier: MIT

import PortcullisServer
import PortcullisTransport
import Synchronization
import Testing

enum HeldThreadForTests {
    static func sleep() { HeldThread.sleep(for: .milliseconds(50)) }
}

@Suite("RFC 9110 §15.6 A gateway without a usable answer", .timeLimit(.minutes(1)))
struct RFC9110_15_6_Gateway {
    /// The answer to a request when the server behind does this, and the events.
    private static func answer(
        _ configure: (inout ReverseProxy.Configuration) -> Void = { _ in },
        _ method: String = "GET", _ script: @escaping @Sendable (RawUpstream.Peer) -> Void
    ) async throws -> (Reply, [String], Int) {
        let upstream = try RawUpstream(script)
        return try await GatewayStage.run(configure, upstream: upstream) { stage in
            let reply = try await stage.send(method)
            #expect(!reply.text.contains("127.0.0.1") && !reply.text.contains("\(upstream.port)"))
            return (reply, stage.events.sentences, upstream.connectionCount)
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200\r\nA: b\r\n c\r\n\r\n", "HTTP/1.1 200 OK\r\nA b\r\n\r\n", "HTTP/1.1 200 OK\nA: b\n\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "HTTP/2 200\r\n\r\n", "garbage",
        "HTTP/1.1 200 OK\r\nX: \u{1}\r\n\r\n", "",
    ])
    func `§15.6.3 a malformed answer is 502`(text: String) async throws {
        let (reply, events, _) = try await Self.answer { peer in
            _ = peer.head()
            peer.write(text)
        }
        #expect(reply.status == 502)
        #expect(events.count == 1)
    }

    @Test func `§15.6.3 an over-long head is 502`() async throws {
        let (reply, _, _) = try await Self.answer { peer in
            _ = peer.head()
            peer.write("HTTP/1.1 200 OK\r\nX: " + String(repeating: "a", count: 40_000) + "\r\n\r\n")
        }
        #expect(reply.status == 502)
    }

    @Test func `§15.6.3 a server that is not there is 502`() async throws {
        let upstream = try RawUpstream { _ in }
        upstream.stop()
        try await GatewayStage.run({ $0.urls = ["http://127.0.0.1:1"] }, upstream: upstream) { stage in
            let reply = try await stage.send()
            #expect(reply.status == 502)
            #expect(stage.events.sentences.first?.contains("refused") == true)
        }
    }

    @Test func `§15.6.5 no answer in time is 504`() async throws {
        let (reply, events, _) = try await Self.answer({ $0.responseTimeout = .milliseconds(100) }) { peer in
            while peer.read() != nil {}
        }
        #expect(reply.status == 504)
        #expect(events.count == 1)
    }

    @Test func `§15.6.4 no free connection is 503 with Retry-After`() async throws {
        let upstream = try RawUpstream { peer in while peer.read() != nil {} }
        try await GatewayStage.run(
            {
                $0.maxConnectionCount = 1
                $0.maxWaitingCount = 0
            }, upstream: upstream
        ) { stage in
            // One of them on each loop takes the only place of the loop.
            let clients = try (0..<12).map { _ in try stage.server.client() }
            for client in clients { try await client.send(request("GET", "/api/x", [stage.token])) }
            #expect(await eventually { stage.events.sentences.count >= 10 })
            #expect(stage.events.sentences.allSatisfy { $0.contains("503") })
            let reply = try await stage.send()
            #expect(reply.status == 503 && reply["retry-after"] == "1")
        }
    }

    @Test func `§11.6.1 the server's 401 is 502, its challenge and nonces are not passed on`() async throws {
        let upstream = try RawUpstream.repeating { peer, head in
            let status = head.contains("/401") ? "401 Unauthorized" : "403 Forbidden"
            peer.answer("no", status, "WWW-Authenticate: Basic realm=\"x\"\r\nDPoP-Nonce: n\r\n")
        }
        try await GatewayStage.run(upstream: upstream) { stage in
            var reply = try await stage.send("GET", "/api/401")
            #expect(reply.status == 502 && reply["www-authenticate"] == nil)
            #expect(stage.events.sentences.count == 1)
            reply = try await stage.send("GET", "/api/403")
            #expect(reply.status == 403 && reply["www-authenticate"] == nil && reply["dpop-nonce"] == nil)
            #expect(reply.text == "no")
        }
    }

    @Test func `§11.6.1 the server's 401 is passed on where that is configured`() async throws {
        let (reply, events, _) = try await Self.answer({ $0.passesUnauthorized = true }) { peer in
            _ = peer.head()
            peer.answer("no", "401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n")
        }
        #expect(reply.status == 401 && reply["www-authenticate"] == "Basic realm=\"x\"" && events.isEmpty)
    }

    @Test(arguments: ["GET", "POST", "PATCH"])
    func `§9.2.2 only an idempotent request is sent again after a kept connection died`(method: String)
        async throws
    {
        let upstream = try RawUpstream { peer in
            guard peer.head() != nil else { return }
            peer.answer("first")
            if peer.number == 0 { _ = peer.head() } else { while peer.head() != nil {} }
        }
        try await GatewayStage.run(server: { $0.eventLoopCount = 1 }, upstream: upstream) { stage in
            #expect(try await stage.send().status == 200)
            let second = try await stage.send(method)
            #expect(second.status == (method == "GET" ? 200 : 502))
            #expect(upstream.heads.count == (method == "GET" ? 3 : 2))
        }
    }

    @Test func `§9.2.2 a request is not sent again after its first byte of an answer`() async throws {
        let (reply, _, count) = try await Self.answer { peer in
            _ = peer.head()
            peer.write("HTTP/1.1 2")
        }
        #expect(reply.status == 502 && count == 1)
    }

    @Test func `§15.2 interim responses pass, but not to HTTP/1.0, and 100 never`() async throws {
        let upstream = try RawUpstream.repeating { peer, _ in
            peer.write("HTTP/1.1 100 Continue\r\n\r\n")
            peer.write("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: X-B\r\nX-B: 1\r\n\r\n")
            peer.answer()
        }
        try await GatewayStage.run(upstream: upstream) { stage in
            let client = try stage.server.client()
            try await client.send(request("GET", "/api/x", [stage.token, "Connection: close"]))
            let text = await client.restText()
            #expect(text.hasPrefix("HTTP/1.1 103 "))
            #expect(text.contains("Link: </a.css>\r\n") && !text.contains("X-B"))
            #expect(text.contains("HTTP/1.1 200 OK") && !text.contains("100 Continue"))
            let old = try stage.server.client()
            try await old.send("GET /api/x HTTP/1.0\r\nHost: a\r\n\(stage.token)\r\n\r\n")
            #expect(await old.restText().hasPrefix("HTTP/1.1 200 OK"))
        }
    }

    @Test func `§15.2 twenty interim responses are too many`() async throws {
        let (reply, _, _) = try await Self.answer { peer in
            _ = peer.head()
            for _ in 0..<20 { peer.write("HTTP/1.1 100 Continue\r\n\r\n") }
            peer.answer()
        }
        #expect(reply.status == 502)
    }

    @Test func `requests go to the server with the fewest in flight, and avoid one that failed`() async throws
    {
        let slow = try RawUpstream { peer in
            _ = peer.head()
            while peer.read() != nil {}
        }
        let quick = try RawUpstream.repeating { peer, _ in peer.answer("quick") }
        defer { quick.stop() }
        try await GatewayStage.run(
            { $0.urls = [slow.url, quick.url, "http://127.0.0.1:1"] }, upstream: slow
        ) { stage in
            let waiting = try stage.server.client()
            try await waiting.send(request("GET", "/api/x", [stage.token]))
            #expect(await eventually { slow.heads.count == 1 })
            for _ in 0..<10 { #expect(try await stage.send().text == "quick") }
            // The server that is not there was tried at most once, and never seen by a client.
            #expect(stage.events.sentences.isEmpty)
        }
    }

    @Test func `RFC 3986 §3.2.2 nothing in a request selects the server`() async throws {
        let upstream = try RawUpstream.repeating { peer, _ in peer.answer() }
        try await GatewayStage.run(upstream: upstream) { stage in
            let reply = try await stage.server.exchange(
                "GET http://169.254.169.254/api/x HTTP/1.1\r\nHost: 169.254.169.254\r\n\(stage.token)\r\n\r\n"
            )
            #expect(reply.status == 200)
            #expect(upstream.heads.last?.values("host") == ["127.0.0.1:\(upstream.port)"])
        }
    }
}
