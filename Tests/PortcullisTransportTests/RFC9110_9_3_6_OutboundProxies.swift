// SPDX-License-Identifier: MIT

import Dispatch
import PortcullisHTTP
import PortcullisTransport
import Synchronization
import Testing

@Suite("RFC 9110 §9.3.6 Proxies between the client and servers", .timeLimit(.minutes(1)))
struct RFC9110_9_3_6_OutboundProxies {
    /// A proxy that connects every tunnel to one port, and records the heads that it gets.
    private final class TunnelProxy: Sendable {
        let heads = Mutex<[String]>([])
        private let server = Mutex<ScriptedServer?>(nil)

        var port: Int { server.withLock { $0?.port ?? 0 } }
        var url: String { "http://127.0.0.1:\(port)" }

        init(to port: Int) throws {
            let made = try ScriptedServer { [weak self] peer in
                guard let head = peer.readRequest() else { return }
                self?.heads.withLock { $0.append(head) }
                guard let origin = ScriptedServer.Peer.connected(to: port) else { return }
                peer.write("HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\n\r\n")
                DispatchQueue(label: "tunnel").async {
                    while let bytes = origin.read() { peer.write(bytes) }
                    peer.shutDown()
                }
                while let bytes = peer.read() { origin.write(bytes) }
                origin.shutDown()
            }
            server.withLock { $0 = made }
        }

        func stop() { server.withLock { $0?.stop() } }
    }

    private static func failure(
        _ url: String, through proxy: String, deadline: Duration = .seconds(20)
    ) async throws -> HTTPClientError? {
        let client = try makeClient(proxies: OutboundProxies(OutboundProxy(proxy)))
        do throws(HTTPClientError) {
            _ = try await client.execute(.init(url: url, deadline: deadline))
            return nil
        } catch {
            return error
        }
    }

    @Test func `https goes through a tunnel, whose end must have the certificate of the server`() async throws
    {
        let certificates = try TestCertificates.shared.get()
        let server = try TLSServerProcess(certificate: "localhost")
        let proxy = try TunnelProxy(to: server.port)
        // Only the proxy looks the name up.
        let resolver = Resolver { host, port in
            host == "127.0.0.1"
                ? Result { () throws(SocketError) in try SocketAddress.resolve(host: host, port: port) }
                : .failure(SocketError(call: .resolve, code: -2))
        }
        let client = try makeClient(
            roots: certificates.authority, resolver: resolver,
            proxies: OutboundProxies(OutboundProxy("http://us%65r:p%40ss@127.0.0.1:\(proxy.port)")))
        let response = try await client.execute(.init(url: "https://localhost:\(server.port)/"))
        #expect(response.status == .ok)
        let expected = """
            CONNECT localhost:\(server.port) HTTP/1.1\r
            Host: localhost:\(server.port)\r
            User-Agent: \(HTTPClient.defaultUserAgent)\r
            Proxy-Authorization: Basic dXNlcjpwQHNz\r
            \r

            """
        #expect(proxy.heads.withLock { $0 } == [expected])
        await #expect(throws: HTTPClientError.tls(.certificateRefused(.wrongName))) {
            try await client.execute(.init(url: "https://other.example:\(server.port)/"))
        }
        proxy.stop()
        withExtendedLifetime(server) {}
    }

    @Test func `http is sent in absolute form, with the credentials`() async throws {
        let proxy = try ScriptedServer.repeating { peer, request in peer.answer(request) }
        let client = try makeClient(
            proxies: OutboundProxies(OutboundProxy("http://u:@127.0.0.1:\(proxy.port)/")))
        for _ in 0..<2 {
            let response = try await client.execute(.init(url: "http://127.0.0.1:9/keys?a=b"))
            #expect(
                response.text.hasPrefix("GET http://127.0.0.1:9/keys?a=b HTTP/1.1\r\nHost: 127.0.0.1:9\r\n"))
            #expect(response.text.contains("\r\nProxy-Authorization: Basic dTo=\r\n"))
        }
        #expect(proxy.connectionCount == 1)
        proxy.stop()
    }

    @Test(arguments: [
        ("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", ProxyFault.status(407)),
        ("HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\n\r\n", .status(302)),
        ("HTTP/1.0 502 Bad Gateway\r\n\r\n<html>", .status(502)),
        ("HTTP/1.1 200 OK\r\n\r\nx", .malformedAnswer), ("SSH-2.0-OpenSSH_9\r\n", .malformedAnswer),
        ("HTTP/1.1 200 OK\nX: y\n\n", .malformedAnswer), ("HTTP/1.1 101 Switching\r\n\r\n", .malformedAnswer),
        ("HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 20_000) + "\r\n\r\n", .malformedAnswer),
        (String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 9), .malformedAnswer), ("", .closed),
        ("HTTP/1.1 200 O", .closed),
    ])
    func `another answer than one 2xx is an error`(answer: String, fault: ProxyFault) async throws {
        let proxy = try ScriptedServer { peer in
            _ = peer.readRequest()
            peer.write(answer)
            if fault != .closed { while peer.read() != nil {} }
        }
        let error = try await Self.failure("https://as.example/", through: proxy.url)
        #expect(error == .proxy(fault))
        proxy.stop()
    }

    @Test func `a proxy that does not answer, or sends byte by byte, exceeds the deadline`() async throws {
        let proxy = try ScriptedServer { peer in
            _ = peer.readRequest()
            guard peer.number > 0 else { while peer.read() != nil {}; return }
            for byte in "HTTP/1.1 200 OK\r\n\r\n".utf8 {
                peer.write([byte])
                DispatchSemaphore(value: 0).wait(timeout: .now() + 0.3) == .success ? () : ()
            }
        }
        for _ in 0..<2 {
            let error = try await Self.failure(
                "https://as.example/", through: proxy.url, deadline: .seconds(2))
            #expect(error == .timeout(.tunnelling))
        }
        proxy.stop()
    }

    @Test func `a proxy that cannot be reached is named as such`() async throws {
        let unknown = try await Self.failure("https://as.example/", through: "http://proxy.invalid:3128")
        guard case .proxy(.resolveFailed) = unknown else {
            Issue.record("Another error: \(String(describing: unknown))")
            return
        }
        #expect(
            try await Self.failure("https://as.example/", through: "http://127.0.0.1:1")
                == .proxy(.connectFailed(111)))
    }

    @Test func `the address policy is about servers, not about the proxy`() async throws {
        let proxy = try ScriptedServer { peer in
            _ = peer.readRequest()
            peer.write("HTTP/1.1 502 Bad Gateway\r\n\r\n")
        }
        let resolver = Resolver { host, port in
            switch host {
            case "inside.example":
                Result { () throws(SocketError) in try SocketAddress.resolve(host: "10.0.0.1", port: port) }
            case "127.0.0.1", "10.0.0.1":
                Result { () throws(SocketError) in try SocketAddress.resolve(host: host, port: port) }
            default: .failure(SocketError(call: .resolve, code: -2))
            }
        }
        let client = try makeClient(
            resolver: resolver, addresses: .publicOnly, proxies: OutboundProxies(OutboundProxy(proxy.url)))
        for url in ["https://10.0.0.1/", "https://inside.example/"] {
            await #expect(throws: HTTPClientError.forbiddenAddress) {
                try await client.execute(.init(url: url))
            }
        }
        #expect(proxy.connectionCount == 0)
        await #expect(throws: HTTPClientError.proxy(.status(502))) {
            try await client.execute(.init(url: "https://outside.example/"))
        }
        proxy.stop()
    }

    @Test(arguments: [
        ("https://proxy.example", OutboundProxy.Malformation.scheme), ("socks5://proxy.example", .scheme),
        ("proxy.example:3128", .scheme), ("http://", .authority), ("http://proxy.example:0", .authority),
        ("http://proxy example", .authority), ("http://proxy.example/path", .path),
        ("http://proxy.example?x", .path), ("http://u%0d%0aX:y@proxy.example", .credentials),
        ("http://u%zz@proxy.example", .credentials), ("http://a b@proxy.example", .credentials),
    ])
    func `another URL is no proxy`(url: String, malformation: OutboundProxy.Malformation) {
        #expect(throws: malformation) { try OutboundProxy(url) }
        #expect(!malformation.description.isEmpty)
    }

    @Test func `no description has the credentials`() throws {
        let proxy = try OutboundProxy("http://user:s3cret@proxy.example:3128")
        var dumped = ""
        dump(OutboundProxies(proxy), to: &dumped)
        for text in ["\(proxy)", String(reflecting: proxy), dumped] {
            #expect(!text.contains("s3cret") && !text.contains("czNjcmV0") && !text.contains("user"))
        }
        #expect("\(proxy)" == "proxy.example:3128")
    }

    @Test func `Proxy-Authorization of a caller is refused`() async throws {
        let client = try makeClient()
        await #expect(throws: HTTPClientError.reservedField) {
            try await client.execute(
                .init(url: "http://127.0.0.1:1/", fields: [("proxy-authorization", "x")]))
        }
    }
}
