// SPDX-License-Identifier: MIT

import PortcullisServer
import Testing

@Suite("RFC 9110 §7.6 What a gateway passes on", .timeLimit(.minutes(1)))
struct RFC9110_7_6_Gateway {
    private static func stage<Result>(
        _ configure: (inout ReverseProxy.Configuration) -> Void = { _ in },
        _ test: (GatewayStage) async throws -> Result
    ) async throws -> Result {
        let upstream = try RawUpstream.repeating { peer, head in
            let body = peer.body(of: head)
            peer.answer(String(decoding: body, as: UTF8.self))
        }
        return try await GatewayStage.run(configure, upstream: upstream, test)
    }

    @Test func `§7.6.1 connection options and the fields that they name are removed`() async throws {
        try await Self.stage { stage in
            let head = try await stage.forwarded(
                "GET", "/api/x", "Connection: close, X-A", "X-A: 1", "x_a: 2", "Keep-Alive: 5", "TE: gzip",
                "Upgrade: h2c", "Proxy-Connection: x", "Proxy-Authorization: Basic a", "Trailer: X-T",
                "X-B: kept")
            for name in [
                "connection", "x-a", "x_a", "keep-alive", "te", "upgrade", "proxy-connection",
                "proxy-authorization", "trailer",
            ] {
                #expect(head.values(name).isEmpty, "\(name)")
            }
            #expect(head.values("x-b") == ["kept"])
        }
    }

    @Test(arguments: ["Host", "Content-Length", "Authorization", "cache-control", "DPoP", "cache_control"])
    func `§7.6.1 a field for all recipients is no connection option`(name: String) async throws {
        try await Self.stage { stage in
            let reply = try await stage.send("GET", "/api/x", "Connection: X-A, \(name)")
            #expect(reply.status == 400)
            #expect(stage.upstream.heads.isEmpty)
        }
    }

    @Test func `§7.6.1 fields that the response's Connection names are removed`() async throws {
        let upstream = try RawUpstream.repeating { peer, _ in
            peer.answer(
                "ok", "200 OK",
                "Connection: X-A\r\nX-A: 1\r\nKeep-Alive: timeout=5\r\nX-B: 2\r\n"
                    + "Proxy-Authenticate: Basic\r\n"
            )
        }
        try await GatewayStage.run(upstream: upstream) { stage in
            let reply = try await stage.send()
            #expect(reply.status == 200)
            #expect(reply["x-a"] == nil && reply["keep-alive"] == nil && reply["proxy-authenticate"] == nil)
            #expect(reply["x-b"] == "2")
        }
    }

    @Test func `§7.6.1 a connection option cannot remove an identity field`() async throws {
        try await Self.stage { stage in
            let head = try await stage.forwarded("GET", "/api/x", "Connection: X-Portcullis-Subject")
            #expect(head.values("x-portcullis-subject").count == 1)
            #expect(head.values("x-portcullis-subject") != [""])
        }
    }

    @Test func `§7.1 the path is the one that was judged, the query is untouched, there is one Host`()
        async throws
    {
        try await Self.stage { stage in
            var head = try await stage.forwarded("GET", "/api/%6dcp/%C3%BC?a=%6d&b=+%2f")
            #expect(head.headLines[0] == "GET /api/mcp/%C3%BC?a=%6d&b=+%2f HTTP/1.1")
            #expect(head.values("host") == ["127.0.0.1:\(stage.upstream.port)"])
            head = try await stage.forwarded("GET", "http://api.example.com/api/abs?q")
            #expect(head.headLines[0] == "GET /api/abs?q HTTP/1.1")
            head = try await stage.forwarded("GET", "/api")
            #expect(head.headLines[0] == "GET /api HTTP/1.1")
        }
    }

    @Test func `§7.2 Host is the resource's where that is configured`() async throws {
        let upstream = try RawUpstream.repeating { peer, _ in peer.answer() }
        let site = GuardedSite()
        var configuration = ReverseProxy.Configuration(upstream.url)
        configuration.host = .resource
        let proxy = try ReverseProxy(validating: configuration)
        let resource = try site.resource(GatewayStage.identifier)
        defer { upstream.stop() }
        try await withServer(.init()) {
            $0.protect(resource) { $0.proxy("/{rest...}", to: proxy) }
        } _: { server in
            _ = try await server.get("/api/x", site.bearer(for: GatewayStage.identifier))
            #expect(upstream.heads.last?.values("host") == ["api.example.com"])
        }
        #expect(routingProblems { $0.proxy("/x", to: proxy) }.contains("no resource"))
    }

    @Test func `§7.6.3 Via is extended, and a request that comes back ends`() async throws {
        try await Self.stage { stage in
            let head = try await stage.forwarded("GET", "/api/x", "Via: 1.0 fred")
            let values = head.values("via")
            #expect(values.count == 2)
            #expect(values[0] == "1.0 fred")
            #expect(values[1].hasPrefix("1.1 portcullis-"))
            let reply = try await stage.send("GET", "/api/x", "Via: 1.1 a, \(values[1]) (comment)")
            #expect(reply.status == 502)
            #expect(stage.upstream.heads.count == 1)
            #expect(stage.events.sentences.count == 1)
        }
    }

    @Test func `§7.6.1 a Connection field that names too many fields is refused`() async throws {
        let names = (0...64).map { "x-\($0)" }
        try await Self.stage { stage in
            let few = "Connection: " + names.dropLast().joined(separator: ", ")
            var reply = try await stage.send("GET", "/api/x", few)
            #expect(reply.status == 200)
            reply = try await stage.send("GET", "/api/x", "Connection: " + names.joined(separator: ", "))
            #expect(reply.status == 400)
        }
    }

    @Test(arguments: ["/api/x;y", "/api/x;jsessionid=1/z"])
    func `RFC 3986 §3.3: a path parameter, which some servers strip, is refused`(path: String) async throws {
        try await Self.stage { stage in
            let reply = try await stage.send("GET", path)
            #expect(reply.status == 400)
            #expect(stage.upstream.heads.isEmpty)
        }
    }

    @Test func `§7.6.2 Max-Forwards is decremented, and 0 is answered here`() async throws {
        try await Self.stage { stage in
            let head = try await stage.forwarded("OPTIONS", "/api/x", "Max-Forwards: 3")
            #expect(head.values("max-forwards") == ["2"])
            let reply = try await stage.send("OPTIONS", "/api/x", "Max-Forwards: 0")
            #expect(reply.status == 204)
            #expect(reply["allow"]?.contains("PATCH") == true)
            #expect(try await stage.send("OPTIONS", "/api/x", "Max-Forwards: x").status == 400)
            #expect(stage.upstream.heads.count == 1)
            // Other methods have no such field.
            #expect(
                try await stage.forwarded("GET", "/api/x", "Max-Forwards: 0").values("max-forwards") == ["0"])
        }
    }

    @Test func `§9.3.8 TRACE and §9.3.6 CONNECT are never passed on`() async throws {
        try await Self.stage { stage in
            let reply = try await stage.send("TRACE")
            #expect(reply.status == 405)
            #expect(reply["allow"] == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
            let tunnel = try await stage.server.exchange(
                "CONNECT api.example.com:443 HTTP/1.1\r\nHost: api.example.com\r\n\r\n")
            #expect(tunnel.status == 405)
            #expect(stage.upstream.connectionCount == 0)
        }
    }

    @Test(arguments: ["PROPFIND", "QUERY", "*"])
    func `§9.1 every other method is passed on`(method: String) async throws {
        try await Self.stage { stage in
            let head = try await stage.forwarded(method)
            #expect(head.hasPrefix("\(method) /api/x HTTP/1.1"))
        }
    }

    @Test func `§7.7 the content and its fields pass unchanged`() async throws {
        let upstream = try RawUpstream.repeating { peer, _ in
            peer.write(
                "HTTP/1.1 206 Partial\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\nETag: \"a\"\r\n"
                    + "Content-Range: bytes 0-1/9\r\nContent-Encoding: gzip\r\nSet-Cookie: a=1\r\n"
                    + "Set-Cookie: b=2\r\nServer: x\r\nX-Bytes: ")
            peer.write([0xE9])
            peer.write("\r\nContent-Length: 2\r\n\r\n")
            peer.write([0x1F, 0x8B])
        }
        try await GatewayStage.run(upstream: upstream) { stage in
            let client = try stage.server.client()
            try await client.send(request("GET", "/api/x", [stage.token, "Connection: close"]))
            let bytes = await client.rest().bytes
            #expect(bytes.suffix(2).elementsEqual([0x1F, 0x8B]))
            #expect(bytes.contains(0xE9))
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(text.values("date") == ["Tue, 15 Nov 1994 08:12:31 GMT"])
            #expect(text.values("etag") == ["\"a\""] && text.values("content-range") == ["bytes 0-1/9"])
            #expect(
                text.values("set-cookie") == ["a=1", "b=2"] && text.values("content-encoding") == ["gzip"])
        }
    }

    @Test func `a prefix is stripped in whole segments`() async throws {
        let upstream = try RawUpstream.repeating { peer, _ in peer.answer() }
        try await GatewayStage.run(
            {
                $0.urls = [upstream.url + "/base/"]; $0.strippedPrefix = "/open"
            }, upstream: upstream,
            problems: ["/api"])
    }

    @Test func `MCX fields and unknown ones pass unchanged`() async throws {
        try await Self.stage { stage in
            let head = try await stage.forwarded(
                "POST", "/api/x", "Mcp-Method: tools/call", "Mcp-Param-X: =?base64?w7w=?=", "Cookie: a=b",
                "Content-Length: 2", body: "{}")
            #expect(head.values("mcp-param-x") == ["=?base64?w7w=?="])
            #expect(head.values("mcp-method") == ["tools/call"] && head.values("cookie") == ["a=b"])
        }
    }
}

extension GatewayStage {
    /// Expects that routes below these paths are wrong with these settings.
    static func run(
        _ configure: (inout ReverseProxy.Configuration) -> Void, upstream: RawUpstream, problems: [String]
    ) async throws {
        var configuration = ReverseProxy.Configuration(upstream.url)
        configure(&configuration)
        let proxy = try ReverseProxy(validating: configuration)
        defer { upstream.stop() }
        for path in problems {
            #expect(routingProblems { $0.proxy(path + "/{rest...}", to: proxy) }.contains("prefix"))
        }
        try await withServer(.init()) {
            $0.proxy("/open/{rest...}", to: proxy)
            $0.proxy("/open", to: proxy)
        } _: { server in
            _ = try await server.get("/open/a/b?q")
            #expect(upstream.heads.last?.headLines[0] == "GET /base/a/b?q HTTP/1.1")
            _ = try await server.get("/open")
            #expect(upstream.heads.last?.headLines[0] == "GET /base/ HTTP/1.1")
        }
    }
}
