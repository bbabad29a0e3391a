// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import Testing

@Suite("RFC 9728 §3.1 Metadata documents on a server")
struct RFC9728_3_1_MetadataRoutes {
    static let root = GuardedSite.wellKnown
    let site = GuardedSite()

    private func serve(
        _ identifiers: [String], alias: String? = nil, _ test: (RunningServer) async throws -> Void
    ) async throws {
        let resources = try identifiers.map { try site.resource($0, rootAlias: $0 == alias) }
        try await withServer(
            .init(), { routes in for resource in resources { routes.protect(resource) { _ in } } }, test)
    }

    private func expect(
        _ reply: Reply, _ identifier: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(reply.status == 200, sourceLocation: sourceLocation)
        #expect(reply.all("content-type") == ["application/json"], sourceLocation: sourceLocation)
        #expect(
            reply.text
                == #"{"resource":"\#(identifier)","authorization_servers":["https://as.example.com"]}"#,
            sourceLocation: sourceLocation)
    }

    @Test(arguments: [
        ("https://h", ["", "/"]), ("https://h/", ["", "/"]), ("https://h/a/b", ["/a/b", "/a/b/"]),
        ("https://h/p/", ["/p/", "/p"]), ("https://h/%7Ep", ["/~p", "/%7ep", "/%7Ep/"]),
        ("https://h/p?t=%7e", ["/p?t=%7e", "/p/?t=~"]), ("https://h?t=1", ["?t=1", "/?t=1"]),
    ])
    func `the document is at the location that clients derive, with or without a slash`(
        identifier: String, suffixes: [String]
    ) async throws {
        try await serve([identifier]) { (server) async throws in
            for suffix in suffixes {
                expect(try await server.get(Self.root + suffix), identifier)
            }
            let url = try #require(
                try ResourceIdentifier(validating: identifier).metadataURL.split(separator: "/h").last)
            expect(try await server.get(String(url.hasPrefix("/") ? url : "/" + url)), identifier)
        }
    }

    @Test func `each resource has its own document, and no path serves another's`() async throws {
        try await serve(["https://h/a", "https://h/a/b", "https://h/c"]) { (server) async throws in
            for path in ["/a", "/a/b", "/c"] {
                expect(try await server.get(Self.root + path), "https://h\(path)")
            }
            for path in ["", "/", "/A", "/a/c", "/a/b/c", "/ab", "/c/a", "/a%2", "ful/a"] {
                let reply = try await server.get(Self.root + path)
                #expect([400, 404].contains(reply.status), "\(path)")
                #expect(reply["www-authenticate"] == nil && reply["location"] == nil)
                #expect(!reply.text.contains("https://h"))
            }
        }
    }

    @Test func `a query in the identifier selects the document, any other query does not`() async throws {
        try await serve(["https://h/p?t=1", "https://h/p?t=2", "https://h/q"]) { (server) async throws in
            expect(try await server.get(Self.root + "/p?t=1"), "https://h/p?t=1")
            expect(try await server.get(Self.root + "/p?t=2"), "https://h/p?t=2")
            expect(try await server.get(Self.root + "/q?x"), "https://h/q")
            for query in ["", "?", "?t=3", "?t=1&x", "?T=1"] {
                #expect(try await server.get(Self.root + "/p" + query).status == 404, "\(query)")
            }
        }
        try await serve(["https://h/p", "https://h/p?t=1"]) { (server) async throws in
            expect(try await server.get(Self.root + "/p?t=1"), "https://h/p?t=1")
            expect(try await server.get(Self.root + "/p?t=2"), "https://h/p")
        }
    }

    @Test func `the root alias is served if switched on, in addition to the derived location`() async throws {
        try await serve(["https://h/a", "https://h/b"], alias: "https://h/b") { (server) async throws in
            for suffix in ["", "/", "/b"] { expect(try await server.get(Self.root + suffix), "https://h/b") }
        }
        try await serve(["https://h/a", "https://h/b"]) { (server) async throws in
            #expect(try await server.get(Self.root).status == 404)
        }
    }

    @Test func `§7.3: an alias does not replace another document`() throws {
        let alias = try site.resource("https://h/a", rootAlias: true)
        for other in [try site.resource("https://h/b", rootAlias: true), try site.resource("https://h")] {
            let problems = routingProblems { routes in
                routes.protect(alias) { _ in }
                routes.protect(other) { _ in }
            }
            #expect(problems.contains("would have their metadata at"))
        }
        let elsewhere = try site.resource("https://i/b", rootAlias: true)
        let problems = routingProblems { routes in
            routes.protect(alias) { _ in }
            routes.protect(elsewhere) { _ in }
        }
        #expect(problems.isEmpty)
    }

    @Test func `§3.3: documents with one location are refused`() throws {
        for (first, second) in [("https://h/p", "https://h/p/"), ("https://h", "HTTPS://H:443/")] {
            let resources = try [site.resource(first), site.resource(second)]
            let problems = routingProblems { routes in
                for resource in resources { routes.protect(resource) { _ in } }
            }
            #expect(problems.contains("the same metadata location"))
        }
    }

    @Test func `the document needs no token, whatever the client sends`() async throws {
        try await serve(["https://api.example.com"]) { (server) async throws in
            let fields = [
                "X: y", "Authorization: Bearer x", "Authorization: Basic x", "Authorization: Bearer",
                site.bearer(for: "https://api.example.com"),
            ]
            for field in fields { expect(try await server.get(Self.root, field), "https://api.example.com") }
            expect(
                try await server.get(Self.root, "Authorization: Bearer a", "Authorization: Bearer b"),
                "https://api.example.com")
        }
    }

    @Test func `§3.2: no name in the request changes the document`() async throws {
        try await serve(["https://api.example.com/a"]) { (server) async throws in
            let forged = [
                "GET \(Self.root)/a HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\n\r\n",
                "GET http://evil.example\(Self.root)/a HTTP/1.1\r\nHost: evil.example\r\n\r\n",
                "GET \(Self.root)/a HTTP/1.0\r\n\r\n",
                "GET \(Self.root)/a HTTP/1.1\r\nHost: h\r\nAccept: "
                    + "application/oauth-protected-resource+json\r\n\r\n",
            ]
            for text in forged {
                let reply = try await server.exchange(text)
                expect(reply, "https://api.example.com/a")
                #expect(!reply.fields.contains { $0.value.contains("evil") })
            }
        }
    }

    @Test func `RFC 9110 §9.3.2: HEAD has the fields of GET and no content`() async throws {
        try await serve(["https://h/a"]) { (server) async throws in
            for path in ["/a", "/none"] {
                let get = try await server.get(Self.root + path)
                let head = try await server.exchange(request("HEAD", Self.root + path))
                #expect(head.statusLine == get.statusLine)
                #expect(head.stableFields == get.stableFields)
                #expect(head.body.isEmpty)
                #expect(head["content-length"] == String(get.body.count))
            }
        }
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "PATCH", "TRACE", "get"])
    func `RFC 9110 §15.5.6: another method is 405 with the allowed methods`(method: String) async throws {
        try await serve(["https://h/a"]) { (server) async throws in
            let reply = try await server.exchange(request(method, Self.root + "/a"))
            #expect(reply.status == 405)
            #expect(reply.all("allow") == ["GET, HEAD, OPTIONS"])
            #expect(reply.all("access-control-allow-origin") == ["*"])
        }
    }

    @Test func `RFC 9110 §13.1.2: a client that has the document gets 304`() async throws {
        try await serve(["https://h/a"]) { (server) async throws in
            let first = try await server.get(Self.root + "/a")
            let etag = try #require(first["etag"])
            #expect(etag.hasPrefix("\"") && etag.hasSuffix("\""))
            #expect(first.all("cache-control") == ["public, max-age=300"])
            for value in [etag, "W/\(etag)", "*", "\"x\", \(etag)"] {
                let second = try await server.get(Self.root + "/a", "If-None-Match: \(value)")
                #expect(second.status == 304)
                #expect(second.body.isEmpty)
                for name in ["etag", "cache-control", "access-control-allow-origin"] {
                    #expect(second.all(name) == first.all(name))
                }
            }
            #expect(try await server.get(Self.root + "/a", "If-None-Match: \"x\"").status == 200)
        }
    }

    @Test func `RFC 9111 §5.2.2.1: the configuration sets max-age`() async throws {
        let resource = try site.resource("https://h/a", maxAge: .zero)
        try await withServer(.init(), { $0.protect(resource) { _ in } }) { (server) async throws in
            #expect(
                try await server.get(Self.root + "/a").all("cache-control") == ["public, max-age=0"])
        }
    }

    @Test func `scripts of every origin may read the document, and its 404`() async throws {
        try await serve(["https://h/a"]) { (server) async throws in
            for path in ["/a", "/none"] {
                for fields in [[], ["Origin: https://app.example"]] {
                    let reply = try await server.exchange(request("GET", Self.root + path, fields))
                    #expect(reply.all("access-control-allow-origin") == ["*"])
                    #expect(reply["access-control-allow-credentials"] == nil)
                }
            }
            let preflight = try await server.exchange(
                request(
                    "OPTIONS", Self.root + "/a",
                    [
                        "Origin: https://app.example", "Access-Control-Request-Method: GET",
                        "Access-Control-Request-Headers: mcp-protocol-version",
                    ]))
            #expect(preflight.status == 204)
            #expect(preflight.all("access-control-allow-origin") == ["*"])
            #expect(preflight.all("access-control-allow-methods") == ["GET, HEAD, OPTIONS"])
            #expect(preflight.all("access-control-allow-headers") == ["mcp-protocol-version"])
            #expect(preflight.all("vary") == ["Access-Control-Request-Headers"])
        }
    }

    @Test func `RFC 9112 §5.5: nothing in a preflight can split the answer`() async throws {
        try await serve(["https://h/a"]) { (server) async throws in
            for value in ["a\u{0B}b", "x: y", "a;b", "\u{E9}", "a, Set-Cookie: b=c"] {
                let reply = try await server.exchange(
                    request("OPTIONS", Self.root + "/a", ["Access-Control-Request-Headers: \(value)"]))
                #expect(reply.status == 400 || reply.all("access-control-allow-headers") == ["*"])
                #expect(reply["set-cookie"] == nil)
            }
        }
    }
}
