// SPDX-License-Identifier: MIT

import PortcullisServer
import PortcullisTransport
import Testing

@Suite("RFC 9112 §9.3 Persistence")
struct RFC9112_9_3_Persistence {
    static func routes(_ routes: inout Routes) {
        routes.get("/now") { _ in .text("now") }
        routes.get("/later") { _ async in
            await Task.yield()
            return .text("later")
        }
        routes.get("/stream") { _ in .stream(contentType: "text/plain") { try await $0.write("streamed") } }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a connection serves several requests in a row`(_ kind: ReadinessKind) async throws {
        try await withServer(kind, Self.routes) { server in
            let client = try server.client()
            for _ in 0..<5 {
                for target in ["now", "later"] {
                    let reply = try await client.exchange(request("GET", "/" + target))
                    #expect(reply.status == 200 && reply.text == target && !reply.closes)
                }
                let reply = try await client.exchange(request("GET", "/stream"))
                #expect(reply.text == "streamed" && !reply.closes && !reply.isCutOff)
            }
        }
    }

    @Test(arguments: ReadinessKind.allCases, ["close", "CLOSE", "foo, CLOSE", "keep-alive, close"])
    func `Connection: close is honoured and sent`(_ kind: ReadinessKind, _ value: String) async throws {
        try await withServer(kind, Self.routes) { server in
            for target in ["/now", "/later", "/stream"] {
                let client = try server.client()
                let reply = try await client.exchange(request("GET", target, ["Connection: " + value]))
                #expect(reply.status == 200 && reply.closes)
                #expect(await client.rest() == ([], .closed))
            }
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `nothing after a request with Connection: close is answered`(_ kind: ReadinessKind) async throws {
        try await withServer(kind, Self.routes) { server in
            for target in ["/now", "/later", "/stream"] {
                let client = try server.client()
                try await client.send(request("GET", target, ["Connection: close"]) + request("GET", "/now"))
                #expect(try await client.reply().closes)
                #expect(await client.rest() == ([], .closed))
            }
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `HTTP/1.0 ends the connection unless the request says keep-alive`(_ kind: ReadinessKind) async throws
    {
        try await withServer(kind, Self.routes) { server in
            for target in ["now", "later"] {
                let client = try server.client()
                let reply = try await client.exchange("GET /\(target) HTTP/1.0\r\n\r\n")
                #expect(reply.statusLine == "HTTP/1.1 200 OK" && reply.text == target && reply.closes)
                #expect(await client.rest() == ([], .closed))
            }
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `HTTP/1.0 with keep-alive gets Connection: keep-alive`(_ kind: ReadinessKind) async throws {
        try await withServer(kind, Self.routes) { server in
            let client = try server.client()
            for target in ["now", "later", "now"] {
                let reply = try await client.exchange(
                    "GET /\(target) HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
                #expect(reply.text == target && reply["connection"] == "keep-alive")
            }
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a stream to HTTP/1.0 has no coding and ends with the connection`(_ kind: ReadinessKind) async throws
    {
        try await withServer(kind, Self.routes) { server in
            let client = try server.client()
            let reply = try await client.exchange("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(reply.text == "streamed" && reply.closes && reply.chunks == nil)
            #expect(reply["transfer-encoding"] == nil && reply["content-length"] == nil)
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `HEAD for a stream in HTTP/1.0 closes as announced`(_ kind: ReadinessKind) async throws {
        try await withServer(kind, Self.routes) { server in
            let client = try server.client(timeout: .seconds(3))
            let reply = try await client.exchange("HEAD /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(reply.closes)
            #expect(await client.rest() == ([], .closed))
        }
    }
}
