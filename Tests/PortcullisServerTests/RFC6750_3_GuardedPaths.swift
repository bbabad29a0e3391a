// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("RFC 6750 §3, RFC 9728 §5 Every path below a resource is guarded")
struct RFC6750_3_GuardedPaths {
    static let identifier = "https://api.example.com/photos"
    static let metadataURL = "https://api.example.com\(GuardedSite.wellKnown)/photos"
    let site = GuardedSite()
    let calls = Counter()

    /// A resource with a route, and a test's other declarations.
    private func serve(
        _ more: (inout Routes) -> Void = { _ in }, _ test: (RunningServer) async throws -> Void
    ) async throws {
        let photos = try site.resource(Self.identifier, scopes: ["read", "write"])
        let calls = calls
        try await withServer(
            .init(),
            { routes in
                routes.protect(photos) { photos in
                    photos.get("/", requiring: "read") { _, _ in
                        calls.increment()
                        return .text("all")
                    }
                    photos.on([.get, .put], "/{id}", requiring: ["read", "write"]) { request, token in
                        calls.increment()
                        return .text("\(request.parameters["id"]) \(token.subject ?? "")")
                    }
                }
                more(&routes)
            }, test)
    }

    @Test(arguments: ["GET", "HEAD", "POST", "PUT", "DELETE", "PROPFIND", "OPTIONS", "TRACE", "get", "X"])
    func `without a token every path is 401, with a route or without`(method: String) async throws {
        try await serve { (server) async throws in
            for path in [
                "/photos", "/photos/", "/photos/7", "/photos/7/", "/photos/a/b/c", "/%70hotos/7", "/photos?x",
                "/photos/7?access_token=x", "/photos/%7E", "/photos/;x", "/photos/7;x=1",
                "/photos/.well-known/oauth-protected-resource",
            ] {
                let reply = try await server.exchange(request(method, path))
                #expect(reply.status == 401, "\(method) \(path)")
                let challenge = try #require(reply["www-authenticate"])
                #expect(challenge.hasPrefix("Bearer resource_metadata=\"\(Self.metadataURL)\""))
                #expect(!challenge.contains("error"))
                #expect(reply.all("cache-control") == ["no-store"])
                #expect(reply.body.isEmpty && reply["allow"] == nil)
            }
            #expect(calls.value == 0)
        }
    }

    @Test func `the challenge names the route's scopes, and no scope where there is no route`() async throws {
        try await serve { (server) async throws in
            try await server.get("/photos").expectChallenge(Self.metadataURL, scope: "read")
            try await server.get("/photos/7").expectChallenge(Self.metadataURL, scope: "read write")
            try await server.get("/photos/7/8").expectChallenge(Self.metadataURL)
            try await server.exchange(request("DELETE", "/photos/7")).expectChallenge(Self.metadataURL)
        }
    }

    @Test func `RFC 9110 §9.3.2: HEAD is challenged as GET is`() async throws {
        try await serve { (server) async throws in
            for fields in [[], ["Authorization: Bearer x"], ["Authorization: Bearer"]] {
                let get = try await server.exchange(request("GET", "/photos/7", fields))
                let head = try await server.exchange(request("HEAD", "/photos/7", fields))
                #expect(head.statusLine == get.statusLine)
                #expect(head.stableFields == get.stableFields)
                #expect(head.body.isEmpty)
            }
        }
    }

    @Test func `with a token it is 404, 405 or the handler's answer`() async throws {
        try await serve { (server) async throws in
            let bearer = site.bearer(for: Self.identifier, scope: "read write")
            #expect(try await server.get("/photos/7", bearer).text == "7 user-1")
            #expect(try await server.get("/photos", bearer).text == "all")
            #expect(try await server.get("/photos/7/8", bearer).status == 404)
            #expect(try await server.get("/photos/", bearer).status == 404)
            let other = try await server.exchange(request("DELETE", "/photos/7", [bearer]))
            #expect(other.status == 405)
            #expect(other.all("allow") == ["GET, PUT, HEAD"])
            let head = try await server.exchange(request("HEAD", "/photos/7", [bearer]))
            #expect(head.status == 200 && head.body.isEmpty && head["content-length"] == "8")
        }
    }

    @Test func `a token without the route's scope is 403`() async throws {
        try await serve { (server) async throws in
            let reply = try await server.get("/photos/7", site.bearer(for: Self.identifier, scope: "read"))
            #expect(reply.status == 403)
            #expect(
                reply.all("www-authenticate") == [
                    "Bearer resource_metadata=\"\(Self.metadataURL)\", scope=\"read write\", "
                        + "error=\"insufficient_scope\", "
                        + "error_description=\"The access token lacks a required scope\""
                ])
            #expect(calls.value == 0)
        }
    }

    @Test(arguments: [
        "/photos/../hello", "/hello/../photos/7", "/hello/%2e%2e/photos/7", "/hello/.%2E/photos",
        "/photos//7",
        "//photos/7", "/photos/7//", "/photos%2F7", "/photos%2f7", "/hello%2f..%2fphotos", "/photos%5C7",
        "/photos\\7", "/photos/%00", "/photos/7%00", "/./photos/7", "/photos/.", "/photos/..",
        "/photos/..;/x",
        "/hello/..;a=b/photos", "/photos/%2e", "/photos/%C0%AE%C0%AE/x", "/photos/%c0%af7", "/photos/%",
        "/photos/%2", "/photos/%zz", "/photos/%e9", "/.%3Bx/photos",
    ])
    func `RFC 3986 §6.2.2: a path that two programs might read differently is refused`(path: String)
        async throws
    {
        try await serve({ $0.get("/hello") { _ in .text("hello") } }) { (server) async throws in
            let bearer = site.bearer(for: Self.identifier, scope: "read write")
            for fields in [[], [bearer]] {
                let reply = try await server.exchange(request("GET", path, fields))
                #expect(reply.status == 400)
                #expect(reply["www-authenticate"] == nil)
            }
            #expect(calls.value == 0)
        }
    }

    @Test(arguments: [
        "/photosx", "/Photos/7", "/PHOTOS", "/photo", "/photos;x/7", "/photos%20/7", "/photos./7",
        "/x/photos/7", "/photos%3F/7", "/photos%23/7", "/%2570hotos/7", "/photos%252F7",
    ])
    func `a path that only resembles the resource reaches none of its handlers`(path: String) async throws {
        try await serve { (server) async throws in
            for fields in [[], [site.bearer(for: Self.identifier, scope: "read write")]] {
                #expect(try await server.exchange(request("GET", path, fields)).status == 404)
            }
            #expect(calls.value == 0)
        }
    }

    @Test(arguments: [
        "GET http://evil.example/photos/7 HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
        "GET HTTP://API.EXAMPLE.COM/photos/7 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /photos/7 HTTP/1.0\r\n\r\n", "GET /photos/7 HTTP/1.1\r\nHost: api.example.com.\r\n\r\n",
        "GET /photos/7 HTTP/1.1\r\nHost: API.EXAMPLE.COM:443\r\n\r\n",
        "GET /photos/7 HTTP/1.1\r\nHost: h\r\nX-Original-URL: /hello\r\nX-Rewrite-URL: /hello\r\n\r\n",
        "POST /photos/7 HTTP/1.1\r\nHost: h\r\nX-HTTP-Method-Override: GET\r\nContent-Length: 0\r\n\r\n",
        "\r\nGET /photos/7 HTTP/1.1\r\nHost: h\r\n\r\n",
    ])
    func `no spelling of a request bypasses the gate`(text: String) async throws {
        try await serve({ $0.get("/hello") { _ in .text("hello") } }) { (server) async throws in
            let client = try server.client()
            try await client.send(text)
            #expect(try await client.reply().status == 401)
            #expect(calls.value == 0)
        }
    }

    @Test func `the longest path owns the request, even if only its parent has a route`() async throws {
        let child = try site.resource("https://api.example.com/photos/private")
        try await serve({ $0.protect(child) { $0.get("/x") { _, _ in .text("private") } } }) {
            (server) async throws in
            let ofParent = site.bearer(for: Self.identifier, scope: "read write")
            let ofChild = site.bearer(for: "https://api.example.com/photos/private")
            try await server.get("/photos/private").expectChallenge(Self.metadataURL + "/private")
            let refused = try await server.get("/photos/private/x", ofParent)
            #expect(refused.status == 401)
            #expect(refused["www-authenticate"]?.contains("not intended for this resource") == true)
            #expect(try await server.get("/photos/private", ofParent).status == 401)
            #expect(try await server.get("/photos/private/x", ofChild).text == "private")
            #expect(try await server.get("/photos/private", ofChild).status == 404)
            #expect(try await server.get("/photos/7", ofChild).status == 401)
            #expect(calls.value == 0)
        }
    }

    @Test func `a resource without a path guards the whole authority, except its documents`() async throws {
        let all = try site.resource("https://api.example.com")
        try await withServer(.init(), { $0.protect(all) { _ in } }) { (server) async throws in
            let url = "https://api.example.com\(GuardedSite.wellKnown)"
            for path in ["/", "/x", "/x/y/", "/.well-known/openid-configuration", "/robots.txt"] {
                try await server.get(path).expectChallenge(url)
            }
            try await server.exchange("GET http://h HTTP/1.1\r\nHost: h\r\n\r\n").expectChallenge(url)
            #expect(try await server.get(GuardedSite.wellKnown).status == 200)
            #expect(try await server.get(GuardedSite.wellKnown + "/none").status == 404)
        }
    }

    @Test func `an identifier with a trailing slash guards the paths below it`() async throws {
        let resource = try site.resource("https://api.example.com/p/")
        try await withServer(
            .init(), { $0.protect(resource) { $0.get("/x") { _, _ in .text("x") } } }
        ) { (server) async throws in
            let url = "https://api.example.com\(GuardedSite.wellKnown)/p/"
            for path in ["/p/", "/p/x", "/p/y"] { try await server.get(path).expectChallenge(url) }
            #expect(try await server.get("/p").status == 404)
            #expect(try await server.get("/p/x", site.bearer(for: "https://api.example.com/p/")).text == "x")
        }
    }

    @Test func `a route below a resource is public only where declared, and only for its methods`()
        async throws
    {
        try await serve({ $0.get("/photos/open") { _ in .text("open") } }) { (server) async throws in
            #expect(try await server.get("/photos/open").text == "open")
            #expect(try await server.exchange(request("HEAD", "/photos/open")).status == 200)
            for method in ["POST", "DELETE", "OPTIONS"] {
                #expect(try await server.exchange(request(method, "/photos/open")).status == 401)
            }
            let bearer = site.bearer(for: Self.identifier, scope: "read write")
            let other = try await server.exchange(request("DELETE", "/photos/open", [bearer]))
            #expect(other.status == 405)
            #expect(other.all("allow") == ["GET, PUT, HEAD"])
            #expect(try await server.exchange(request("PUT", "/photos/open", [bearer])).text == "open user-1")
            #expect(try await server.get("/photos/open/").status == 401)
            #expect(try await server.get("/photos/open/x").status == 401)
            #expect(
                server.log.sentences.contains { $0.contains("/photos/open") && $0.contains("needs no token") }
            )
        }
    }

    @Test func `a public pattern that covers a resource by accident opens none of its paths`() async throws {
        try await serve({ routes in
            routes.get("/{a}/{b}") { _ in .text("public") }
            routes.get("/{rest...}") { _ in .text("rest") }
        }) { (server) async throws in
            #expect(try await server.get("/x/y").text == "public")
            #expect(try await server.get("/x").text == "rest")
            for path in ["/photos", "/photos/7", "/photos/7/8", "/photos/"] {
                #expect(try await server.get(path).status == 401, "\(path)")
            }
        }
    }

    @Test func `RFC 9110 §15.5.6: a path with public methods only is 405, after the gate`() async throws {
        try await serve({ $0.get("/photos/open/page") { _ in .text("open") } }) { (server) async throws in
            let without = try await server.exchange(request("DELETE", "/photos/open/page"))
            without.expectChallenge(Self.metadataURL)
            let bearer = site.bearer(for: Self.identifier)
            let with = try await server.exchange(request("DELETE", "/photos/open/page", [bearer]))
            #expect(with.status == 405)
            #expect(with.all("allow") == ["GET, HEAD"])
        }
    }

    @Test func `a public catch-all below a resource is refused`() throws {
        let photos = try site.resource(Self.identifier)
        for path in ["/photos/{rest...}", "/photos/{a}/{rest...}"] {
            let problems = routingProblems { routes in
                routes.protect(photos) { _ in }
                routes.get(path) { _ in .ok }
            }
            #expect(problems.contains("would open everything"))
        }
    }

    @Test func `a guarded route lies below its resource`() throws {
        let photos = try site.resource(Self.identifier)
        for path in ["x", "x/y", ""] {
            let problems = routingProblems { $0.protect(photos) { $0.get(path) { _, _ in .ok } } }
            #expect(problems.contains("begin it with a slash") == !path.isEmpty)
        }
    }

    @Test func `with whole paths, a slash after the resource is a separate route`() async throws {
        let photos = try site.resource(Self.identifier)
        try await withServer(
            .init(),
            { routes in
                routes.protect(photos) { photos in
                    photos.hasWholePaths = true
                    photos.get("/photos") { _, _ in .text("bare") }
                    photos.get("/photos/") { _, _ in .text("slash") }
                }
            }
        ) { (server) async throws in
            let bearer = site.bearer(for: Self.identifier)
            #expect(try await server.get("/photos", bearer).text == "bare")
            #expect(try await server.get("/photos/", bearer).text == "slash")
            #expect(try await server.get("/photos/").status == 401)
        }
        for path in ["/", "/photo", "/{a}/b"] {
            let problems = routingProblems { routes in
                routes.protect(photos) { photos in
                    photos.hasWholePaths = true
                    photos.get(path) { _, _ in .ok }
                }
            }
            #expect(problems.contains("lies outside the resource"))
        }
    }

    @Test func `a middleware that drops the token admits no request`() async throws {
        struct Forgetful: Middleware {
            func respond(to request: Request, next: Next) async throws -> Response {
                try await next(
                    Request(
                        head: request.head, path: RequestPath("/photos"), queryRange: nil, body: request.body,
                        peer: request.peer))
            }
        }
        let photos = try site.resource(Self.identifier)
        let calls = calls
        try await withServer(
            .init(),
            { routes in
                routes.protect(photos) { photos in
                    photos.use(Forgetful())
                    photos.get("/") { _, _ in
                        calls.increment()
                        return .ok
                    }
                }
            }
        ) { (server) async throws in
            #expect(try await server.get("/photos", site.bearer(for: Self.identifier)).status == 500)
            #expect(calls.value == 0)
        }
    }

    @Test func `RFC 6750 §3.1: an app's own 403 passes unchanged, without a challenge`() async throws {
        let photos = try site.resource(Self.identifier, scopes: ["read"])
        try await withServer(
            .init(),
            { routes in
                routes.protect(photos) { photos in
                    photos.get("/", requiring: "read") { _, _ in
                        var response = Response.text("closed on Sundays", status: .forbidden)
                        response.fields["X-Reason"] = "sunday"
                        return response
                    }
                }
            }
        ) { server in
            let reply = try await server.get("/photos", site.bearer(for: Self.identifier, scope: "read"))
            #expect(reply.status == 403 && reply.text == "closed on Sundays" && reply["x-reason"] == "sunday")
            #expect(reply["www-authenticate"] == nil)
        }
    }

    @Test func `RFC 9728 §2: a promise of bound tokens that the server cannot keep is a warning`()
        async throws
    {
        let issuer = site.issuer
        func logged(_ promise: Bool?, _ setup: RunningServer.Setup = .init()) async throws -> Bool {
            var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/photos")
            metadata.authorizationServers = [issuer.issuer]
            metadata.tlsClientCertificateBoundAccessTokens = promise
            let resource = try ProtectedResource(validating: .init(metadata, trusting: [issuer.trusted]))
            let server = try await RunningServer.start(setup) { $0.protect(resource) { _ in } }
            let body = try await server.get("\(GuardedSite.wellKnown)/photos").text
            #expect(body.contains("tls_client_certificate_bound_access_tokens") == (promise != nil))
            try await server.stop()
            return server.log.sentences.contains { $0.contains("tokens that are bound to certificates") }
        }
        #expect(try await logged(true))
        #expect(try await logged(false) == false)
        #expect(try await logged(nil) == false)
        var proxied = RunningServer.Setup()
        proxied.configure = { configuration in
            if let proxies = try? TrustedProxies(["127.0.0.1/32"]) {
                configuration.proxies = proxies
            }
            configuration.proxies.sendsClientCertificates = true
        }
        #expect(try await logged(true, proxied) == false)
    }
}
