// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("RFC 9112 §3.2 Request targets, RFC 9110 §9.3 methods")
struct RFC9112_3_2_Targets {
    private static func routes(_ routes: inout Routes) {
        routes.get("/") { _ in .text("root") }
        routes.get("/notes") { request in .text("notes \(request.query ?? "-")") }
        routes.put("/notes") { _ in .text("put") }
        routes.post("/post-only") { _ in .text("posted") }
        routes.get("/gone") { _ in Response(status: .noContent, body: .bytes(Array("text".utf8))) }
        routes.get("/stream") { _ in .stream(contentType: "text/plain") { try await $0.write("streamed") } }
    }

    // MARK: Forms

    @Test func `#1: the origin form names a path and a query`() async throws {
        try await withServer(.init(), Self.routes) { server in
            let client = try server.client()
            #expect(try await client.exchange(request("GET", "/notes?a=b?c")).text == "notes a=b?c")
            #expect(try await client.exchange(request("GET", "/notes?")).text == "notes ")
        }
    }

    @Test func `#2: the absolute form is accepted, and its authority takes precedence over Host`()
        async throws
    {
        let issuer = TestIssuer("https://as.example.com")
        let one = ProtectedResource("https://one.example.com/notes", trusting: issuer.trusted)
        let two = ProtectedResource("https://two.example.com/notes", trusting: issuer.trusted)
        func routes(_ routes: inout Routes) {
            routes.protect(one) { $0.get("/") { _, _ in .ok } }
            routes.protect(two) { $0.get("/") { _, _ in .ok } }
        }
        try await withServer(.init(), routes) { server in
            for (target, host, named) in [
                ("http://one.example.com/notes", "two.example.com", "one.example.com"),
                ("HTTPS://two.example.com/notes?x", "one.example.com", "two.example.com"),
                ("/notes", "one.example.com", "one.example.com"),
            ] {
                let reply = try await server.exchange("GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n")
                #expect(reply.status == 401)
                #expect(reply["www-authenticate"]?.contains("https://\(named)/") == true)
            }
            let unknown = "GET http://three.example.com/notes HTTP/1.1\r\nHost: one.example.com\r\n\r\n"
            #expect(try await server.exchange(unknown).status == 421)
        }
    }

    @Test func `#2: an absolute target without a path is the root`() async throws {
        try await withServer(.init(), Self.routes) { server in
            let reply = try await server.get("http://api.example.com")
            #expect(reply.status == 200 && reply.text == "root")
        }
    }

    @Test func `#3: CONNECT is 501, and nothing after it is a request`() async throws {
        try await withServer(.init(), Self.routes) { server in
            let client = try server.client()
            try await client.send("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n")
            let reply = try await client.reply(to: "CONNECT")
            #expect(reply.status == 501 && reply.closes)
            _ = await client.sendSome(Array(request("GET", "/").utf8))
            #expect(await client.rest().bytes.isEmpty)
        }
    }

    @Test func `#4: OPTIONS * concerns the server, not its root`() async throws {
        let issuer = TestIssuer("https://as.example.com")
        let resource = ProtectedResource("https://api.example.com/", trusting: issuer.trusted)
        func routes(_ routes: inout Routes) {
            Self.routes(&routes)
            routes.protect(resource) { $0.delete("/guarded") { _, _ in .ok } }
        }
        try await withServer(.init(), routes) { server in
            let client = try server.client()
            let reply = try await client.exchange(request("OPTIONS", "*"))
            #expect(reply.status == 204)
            #expect(reply["allow"] == "DELETE, GET, HEAD, OPTIONS, POST, PUT")
            #expect(try await client.exchange(request("GET", "/notes")).status == 200)
            #expect(try await client.exchange(request("GET", "*")).status == 400)
        }
    }

    // MARK: Methods

    @Test func `OPTIONS for a path lists its methods`() async throws {
        try await withServer(.init(), Self.routes) { server in
            let reply = try await server.exchange(request("OPTIONS", "/notes"))
            #expect(reply.status == 204 && reply["allow"] == "GET, PUT, HEAD, OPTIONS")
            #expect(reply["content-length"] == nil && reply["transfer-encoding"] == nil)
        }
    }

    @Test(arguments: ["DELETE", "TRACE", "BREW", "get"])
    func `a method that a path does not have is 405 with Allow`(_ method: String) async throws {
        try await withServer(.init(), Self.routes) { server in
            let client = try server.client()
            let reply = try await client.exchange(request(method, "/notes"))
            #expect(reply.status == 405 && reply["allow"] == "GET, PUT, HEAD" && !reply.closes)
            #expect(try await client.exchange(request("GET", "/notes")).status == 200)
        }
    }

    @Test(arguments: ["/", "/notes", "/gone", "/stream", "/none", "/post-only"])
    func `HEAD has the head of GET and no content`(_ target: String) async throws {
        try await withServer(.init(), Self.routes) { server in
            let client = try server.client()
            let get = try await client.exchange(request("GET", target))
            let head = try await client.exchange(request("HEAD", target))
            #expect(head.statusLine == get.statusLine)
            let isFixed = { (field: Reply.Field) in field.name.lowercased() != "date" }
            #expect(head.fields.filter(isFixed) == get.fields.filter(isFixed))
            // If content were sent, it would be read as the next answer.
            #expect(try await client.exchange(request("GET", "/notes")).text == "notes -")
        }
    }

    // MARK: Length, RFC 9112 §3, RFC 9110 §15.5.15

    @Test func `a target is 414 just beyond the limit`() async throws {
        var setup = RunningServer.Setup()
        for limit in [100, 8192] {
            setup.limits.maxTargetByteCount = limit
            try await withServer(setup, { $0.get("/{rest...}") { _ in .ok } }) { server in
                for (count, status) in [(limit - 1, 200), (limit, 200), (limit + 1, 414)] {
                    let client = try server.client()
                    let target = "/" + String(repeating: "a", count: count - 1)
                    let reply = try await client.exchange(request("GET", target))
                    #expect(reply.status == status && reply.closes == (status == 414))
                }
            }
        }
    }

    @Test func `an endless target is 414 as soon as it is too long`() async throws {
        try await withServer(.init(), Self.routes) { server in
            let client = try server.client()
            try await client.send("GET /")
            _ = await client.sendSome([UInt8](repeating: 0x61, count: 9000))
            let reply = try await client.reply()
            #expect(reply.status == 414 && reply.closes)
            _ = await client.sendSome(Array((" HTTP/1.1\r\nHost: a\r\n\r\n" + request("GET", "/")).utf8))
            #expect(await client.rest().bytes.isEmpty)
        }
    }
}
