// SPDX-License-Identifier: MIT

import PortcullisServer
import PortcullisTransport
import Testing

@Suite("PROXY protocol: connections of trusted proxies")
struct ProxyProtocolHandshakeTests {
    private static let header = "PROXY TCP4 192.0.2.9 10.0.0.1 56324 443\r\n"

    private static func serving(
        _ kind: ReadinessKind = .preferred, trusting networks: [String] = ["127.0.0.1"],
        timeout: Duration = .seconds(20),
        _ test: (RunningServer) async throws -> Void
    ) async throws {
        var setup = RunningServer.Setup(readiness: kind)
        setup.limits.headerTimeout = timeout
        let proxies = try TrustedProxies(networks, forwarded: .xForwarded, usesProxyProtocol: true)
        setup.configure = { $0.proxies = proxies }
        try await withServer(setup, { $0.get("/") { .text("\($0.clientAddress) \($0.peer)") } }, test)
    }

    @Test(arguments: ReadinessKind.allCases)
    func `the client of the header becomes the peer`(kind: ReadinessKind) async throws {
        try await Self.serving(kind) { server in
            let client = try server.client()
            let reply = try await client.exchange(Self.header + request("GET", "/"))
            #expect(reply.text == "192.0.2.9 192.0.2.9:56324")
            #expect(try await client.exchange(request("GET", "/")).text == "192.0.2.9 192.0.2.9:56324")
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a header may arrive in pieces, and the request with its last one`(kind: ReadinessKind) async throws
    {
        try await Self.serving(kind) { server in
            let client = try server.client()
            for byte in Self.header.dropLast(2) {
                try await client.send(String(byte))
                try await Task.sleep(for: .milliseconds(1))
            }
            let reply = try await client.exchange("\r\n" + request("GET", "/"))
            #expect(reply.text == "192.0.2.9 192.0.2.9:56324")
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a client that half-closes with its request gets the answer and then the end`(kind: ReadinessKind)
        async throws
    {
        try await Self.serving(kind) { server in
            let client = try server.client()
            try await client.send(Self.header + request("GET", "/"))
            client.endWriting()
            let rest = await client.rest()
            #expect(String(decoding: rest.bytes, as: UTF8.self).hasSuffix("192.0.2.9 192.0.2.9:56324"))
            #expect(rest.ending == .closed)
        }
    }

    @Test func `a proxy's own connection keeps its address`() async throws {
        try await Self.serving { server in
            let reply = try await server.exchange("PROXY UNKNOWN\r\n" + request("GET", "/"))
            #expect(reply.text.hasPrefix("127.0.0.1 127.0.0.1:"))
        }
    }

    @Test func `fields are trusted only if the announced peer is a trusted proxy`() async throws {
        try await Self.serving(trusting: ["127.0.0.1", "192.0.2.9"]) { server in
            let field = "X-Forwarded-For: 203.0.113.7"
            let reply = try await server.exchange(Self.header + request("GET", "/", [field]))
            #expect(reply.text == "203.0.113.7 192.0.2.9:56324")
        }
        try await Self.serving { server in
            let field = "X-Forwarded-For: 203.0.113.7"
            let reply = try await server.exchange(Self.header + request("GET", "/", [field]))
            #expect(reply.text == "192.0.2.9 192.0.2.9:56324")
        }
    }

    @Test(arguments: ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "PROXY TCP4 nonsense\r\n"])
    func `a proxy without a header is disconnected without an answer`(text: String) async throws {
        try await Self.serving { server in
            let client = try server.client()
            try await client.send(text)
            let rest = await client.rest()
            #expect(rest.bytes == [])
            #expect(rest.ending != .timedOut)
            let again = try server.client()
            try await again.send(text)
            _ = await again.rest()
            let warnings = server.log.sentences.filter { $0.contains("the trusted proxy 127.0.0.1") }
            #expect(warnings.count == 1 && warnings[0].hasPrefix("warning: "))
        }
    }

    @Test func `from an untrusted peer a header is not a request`() async throws {
        try await Self.serving(trusting: ["192.0.2.0/24"]) { server in
            let reply = try await server.exchange(Self.header + request("GET", "/"))
            #expect(reply.status == 400)
            let other = try await server.get("/")
            #expect(other.status == 200)
        }
    }

    @Test func `a silent proxy is disconnected in time, and does not keep the server from stopping`()
        async throws
    {
        try await Self.serving(timeout: .milliseconds(100)) { server in
            let client = try server.client()
            try await client.send("PROXY TC")
            let rest = await client.rest()
            #expect(rest.bytes == [])
            #expect(rest.ending != .timedOut)
        }
        try await Self.serving { server in
            let client = try server.client()
            try await client.send("PROXY TC")
            // Until the server accepts it, it waits in the backlog.
            let reply = try await server.exchange(Self.header + request("GET", "/"))
            #expect(reply.status == 200)
            try await server.stop()
        }
    }
    @Test(
        arguments: ReadinessKind.allCases,
        [["", header + request("GET", "/")], ["PROXY TC", header.dropFirst(8) + request("GET", "/")]])
    func `a header in flight when the server stops is read with its request`(
        kind: ReadinessKind, pieces: [String]
    ) async throws {
        try await Self.serving(kind) { server in
            let client = try server.client()
            try await client.send(pieces[0])
            // Until the server accepts it, it waits in the backlog.
            let other = try await server.exchange(Self.header + request("GET", "/"))
            #expect(other.status == 200)
            server.cancel()
            try await Task.sleep(for: .milliseconds(20))
            let last = try await client.exchange(pieces[1])
            #expect(last.text == "192.0.2.9 192.0.2.9:56324" && last.closes)
            try await server.ended()
        }
    }

    @Test func `a header alone does not keep a server from stopping`() async throws {
        try await Self.serving { server in
            let client = try server.client()
            let other = try await server.exchange(Self.header + request("GET", "/"))
            #expect(other.status == 200)
            server.cancel()
            try await Task.sleep(for: .milliseconds(20))
            try await client.send(Self.header)
            #expect(await client.rest() == ([], .closed))
            try await server.ended()
        }
    }
}
