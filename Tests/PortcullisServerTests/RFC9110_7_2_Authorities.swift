// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import Testing

@Suite("RFC 9110 §7.2, §15.5.20 Several authorities on one server")
struct RFC9110_7_2_Authorities {
    let site = GuardedSite()

    private func serve(_ identifiers: String..., test: (RunningServer) async throws -> Void) async throws {
        let resources = try identifiers.map { try site.resource($0) }
        try await withServer(
            .init(),
            { routes in
                for resource in resources {
                    routes.protect(resource) { $0.get("/") { _, token in .text(token.resource.text) } }
                }
                routes.get("/public") { _ in .text("public") }
            }, test)
    }

    private static func get(_ target: String, host: String?, version: String = "1.1", _ fields: String...)
        -> String
    {
        let lines = ["GET \(target) HTTP/\(version)"] + (host.map { ["Host: \($0)"] } ?? []) + fields
        return lines.joined(separator: "\r\n") + "\r\n\r\n"
    }

    @Test func `a request belongs to the resource of its host`() async throws {
        try await serve("https://a.example/p", "https://b.example:8443/p") { (server) async throws in
            for host in ["a.example", "A.Example", "a.example:443", "a.example:"] {
                let reply = try await server.exchange(Self.get("/p", host: host))
                reply.expectChallenge("https://a.example\(GuardedSite.wellKnown)/p")
            }
            let reply = try await server.exchange(Self.get("/p", host: "b.example:8443"))
            reply.expectChallenge("https://b.example:8443\(GuardedSite.wellKnown)/p")
        }
    }

    @Test(arguments: [
        "c.example", "a.example.", "a.example:80", "a.example:8443", "b.example", "b.example:443",
        "a%2eexample",
        "xa.example", "a.example.evil", "[::1]",
    ])
    func `an unknown host is misdirected, on public routes and documents too`(host: String) async throws {
        try await serve("https://a.example/p", "https://b.example:8443/p") { (server) async throws in
            let bearer = site.bearer(for: "https://a.example/p")
            for path in ["/p", "/public", GuardedSite.wellKnown + "/p", "/none"] {
                let reply = try await server.exchange(Self.get(path, host: host, bearer))
                #expect(reply.status == 421, "\(path)")
                #expect(reply["www-authenticate"] == nil)
            }
        }
    }

    @Test func `RFC 9112 §3.2.2: an absolute target names the authority, whatever Host says`() async throws {
        try await serve("https://a.example/p", "https://b.example/p") { (server) async throws in
            let bearer = site.bearer(for: "https://a.example/p")
            let own = try await server.exchange(Self.get("https://a.example/p", host: "b.example", bearer))
            #expect(own.text == "https://a.example/p")
            let other = try await server.exchange(Self.get("https://b.example/p", host: "a.example", bearer))
            #expect(other.status == 401)
            #expect(other["www-authenticate"]?.contains("https://b.example/.well-known/") == true)
            let none = try await server.exchange(Self.get("http://c.example/p", host: "a.example", bearer))
            #expect(none.status == 421)
        }
    }

    @Test func `HTTP/1.0 without Host names no authority`() async throws {
        try await serve("https://a.example/p", "https://b.example/p") { (server) async throws in
            let bearer = site.bearer(for: "https://a.example/p")
            #expect(
                try await server.exchange(Self.get("/p", host: nil, version: "1.0", bearer)).status == 421)
            let named = try await server.exchange(Self.get("/p", host: "a.example", version: "1.0", bearer))
            #expect(named.text == "https://a.example/p")
        }
    }

    @Test func `a token for one authority is refused at the other`() async throws {
        try await serve("https://a.example/p", "https://b.example/p") { (server) async throws in
            let bearer = site.bearer(for: "https://a.example/p")
            // By the second round the first authority has cached it.
            for _ in 0..<2 {
                #expect(try await server.exchange(Self.get("/p", host: "a.example", bearer)).status == 200)
                #expect(try await server.exchange(Self.get("/p", host: "b.example", bearer)).status == 401)
            }
        }
    }

    @Test func `an address matches as written, and in full`() async throws {
        try await serve("http://[::1]:8080/p", "https://b.example/p") { (server) async throws in
            for host in ["[::1]:8080", "[0:0:0:0:0:0:0:1]:8080"] {
                #expect(try await server.exchange(Self.get("/p", host: host)).status == 401, "\(host)")
            }
            #expect(try await server.exchange(Self.get("/p", host: "[::2]:8080")).status == 421)
        }
    }

    @Test(arguments: ["a b", "a/b", "a@b", "a,b", "[::1", "h:99999", "", "a.example, b.example"])
    func `a malformed host is 400`(host: String) async throws {
        try await serve("https://a.example/p", "https://b.example/p") { (server) async throws in
            #expect(try await server.exchange(Self.get("/p", host: host)).status == 400)
            #expect(
                try await server.exchange(Self.get("https://a.example/p", host: host)).status == 400)
        }
    }

    @Test func `two Host fields are 400, equal or not`() async throws {
        try await serve("https://a.example/p", "https://b.example/p") { (server) async throws in
            for second in ["a.example", "b.example"] {
                let reply = try await server.exchange(Self.get("/p", host: "a.example", "Host: \(second)"))
                #expect(reply.status == 400)
            }
        }
    }
}
