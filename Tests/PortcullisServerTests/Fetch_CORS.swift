// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("WHATWG Fetch: the CORS protocol at the server's edge")
struct Fetch_CORS {
    private static let app = "https://app.example.com"
    private static let preflightVariation =
        "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
    private let issuer = TestIssuer("https://login.example.com")

    /// A resource with one route, a public route below it and one outside it.
    private func serving(
        _ policy: CORSPolicy?, named: Bool = false, _ test: (RunningServer) async throws -> Void
    ) async throws {
        let notes = ProtectedResource(
            "https://api.example.com/notes", trusting: issuer.trusted, scopes: ["notes:read"])
        var setup = RunningServer.Setup()
        setup.configure = { $0.assignsRequestIDs = named }
        let declare: (inout Routes) -> Void = { routes in
            routes.protect(notes) { notes in
                notes.cors = policy
                notes.get("/", requiring: "notes:read") { _, _ in .text("notes") }
                notes.delete("/{id}") { _, _ in .noContent }
            }
            routes.get("/notes/public") { _ in .text("public") }
            routes.get("/elsewhere") { _ in .text("elsewhere") }
        }
        try await withServer(setup, declare, test)
    }

    private static func preflight(_ path: String, _ origin: String = app, method: String = "GET") -> String {
        request(
            "OPTIONS", path,
            [
                "Origin: \(origin)", "Access-Control-Request-Method: \(method)",
                "Access-Control-Request-Headers: dpop",
            ])
    }

    // Fetch: a preflight has no credentials, and `*` does not cover Authorization.
    @Test(arguments: ["/notes", "/notes/7", "/notes/no/such/route", "/notes/public"])
    func `a preflight below a resource is answered before the gate, for every path alike`(path: String)
        async throws
    {
        try await serving(.anyOrigin) { server in
            let reply = try await server.exchange(Self.preflight(path))
            #expect(reply.status == 204)
            #expect(reply["access-control-allow-origin"] == "*")
            #expect(
                reply["access-control-allow-headers"]
                    == "Authorization, Content-Type, Accept, DPoP, MCP-Protocol-Version, Mcp-Session-Id, "
                    + "Last-Event-ID, Mcp-Method, Mcp-Name")
            #expect(reply["access-control-max-age"] == "600")
            #expect(reply["www-authenticate"] == nil)
            #expect(reply["access-control-allow-credentials"] == nil)
            #expect(reply["vary"] == nil)
        }
    }

    @Test func `the methods are those of the resource's routes`() async throws {
        try await serving(.anyOrigin) { server in
            let reply = try await server.exchange(Self.preflight("/notes/x/y"))
            #expect(reply["access-control-allow-methods"] == "DELETE, GET, HEAD, OPTIONS")
        }
    }

    @Test func `without a policy the answer to a preflight allows nothing`() async throws {
        try await serving(nil) { server in
            let reply = try await server.exchange(Self.preflight("/notes"))
            #expect(reply.status == 204)
            #expect(reply.fields.allSatisfy { !$0.name.lowercased().hasPrefix("access-control") })
            #expect(try await server.exchange(Self.preflight("/elsewhere")).status == 204)
            #expect(try await server.exchange(Self.preflight("/nowhere")).status == 404)
        }
    }

    @Test(arguments: [
        ["Origin: https://app.example.com"], ["Access-Control-Request-Method: GET"], [],
    ])
    func `OPTIONS without the preflight's fields goes to the gate`(fields: [String]) async throws {
        try await serving(.anyOrigin) { server in
            let reply = try await server.exchange(request("OPTIONS", "/notes", fields))
            #expect(reply.status == 401)
        }
    }

    // Fetch, RFC 9110 §12.5.5: an answer that depends on the origin has Vary: Origin.
    @Test(arguments: [
        "https://other.example.com", "null", "https://app.example.com.evil.example",
        "https://APP.example.com",
        "http://app.example.com", "https://app.example.com:443",
    ])
    func `an unlisted origin gets no permission, and Vary names Origin`(origin: String) async throws {
        try await serving(try CORSPolicy(allowing: [Self.app, "http://localhost:3000"])) { server in
            for text in [Self.preflight("/notes", origin), request("GET", "/notes", ["Origin: \(origin)"])] {
                let reply = try await server.exchange(text)
                #expect(reply["access-control-allow-origin"] == nil)
                #expect(reply["access-control-expose-headers"] == nil)
                #expect(reply["vary"] == (text.hasPrefix("OPTIONS") ? Self.preflightVariation : "Origin"))
            }
        }
    }

    @Test(arguments: [app, "http://localhost:3000"])
    func `a listed origin is named, and Vary names Origin`(origin: String) async throws {
        try await serving(try CORSPolicy(allowing: [Self.app, "http://localhost:3000"])) { server in
            for text in [Self.preflight("/notes", origin), request("GET", "/notes", ["Origin: \(origin)"])] {
                let reply = try await server.exchange(text)
                #expect(reply["access-control-allow-origin"] == origin)
                #expect(reply["vary"] == (text.hasPrefix("OPTIONS") ? Self.preflightVariation : "Origin"))
            }
            let without = try await server.get("/notes")
            #expect(without["vary"] == "Origin")
            #expect(without["access-control-allow-origin"] == nil)
        }
    }

    // RFC 9449 §7.1, §8: scripts have to read challenges and nonces.
    @Test func `refusals have the same CORS fields as successes`() async throws {
        let token = issuer.mint(audience: "https://api.example.com/notes", scope: "notes:read")
        let short = issuer.mint(audience: "https://api.example.com/notes", scope: "other")
        try await serving(.anyOrigin) { server in
            let cases: [(Int, String, [String])] = [
                (200, "/notes", ["Authorization: Bearer \(token)"]), (401, "/notes", []),
                (401, "/notes", ["Authorization: Bearer a.b.c"]), (400, "/notes", ["Authorization: Bearer"]),
                (403, "/notes", ["Authorization: Bearer \(short)"]),
                (404, "/notes/a/b", ["Authorization: Bearer \(token)"]),
                (405, "/notes/7", ["Authorization: Bearer \(token)"]), (200, "/notes/public", []),
            ]
            for (status, path, fields) in cases {
                let reply = try await server.exchange(request("GET", path, fields + ["Origin: \(Self.app)"]))
                #expect(reply.status == status)
                #expect(reply.all("access-control-allow-origin") == ["*"])
                #expect(reply["access-control-expose-headers"] == "WWW-Authenticate, DPoP-Nonce")
            }
        }
    }

    // MCP transports 2025-11-25, "Session Management": a page reads its session from the answer.
    @Test func `pages read the session of an MCP server`() async throws {
        var configuration = ProtectedResource.Configuration(
            {
                var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/mcp")
                metadata.authorizationServers = ["https://login.example.com"]
                return metadata
            }(), trusting: [issuer.trusted])
        configuration.profile = .mcp(allowedOrigins: [Self.app])
        let resource = try ProtectedResource(validating: configuration)
        let policy = try CORSPolicy(allowing: [Self.app])
        let token = issuer.mint(audience: "https://api.example.com/mcp")
        try await withServer(
            .init(),
            {
                $0.protect(resource) {
                    $0.cors = policy
                    $0.post("/") { _, _ in .ok }
                }
            }
        ) { server in
            let fields = ["Origin: \(Self.app)", "Authorization: Bearer \(token)"]
            let reply = try await server.exchange(request("POST", "/mcp", fields))
            #expect(reply.status == 200)
            #expect(reply["access-control-expose-headers"] == "WWW-Authenticate, DPoP-Nonce, Mcp-Session-Id")
            let preflight = try await server.exchange(Self.preflight("/mcp", method: "POST"))
            #expect(preflight["access-control-allow-headers"]?.contains("Mcp-Session-Id") == true)
        }
    }

    @Test func `an undeclared method of a public route can be read too`() async throws {
        try await withServer(
            .init(),
            {
                $0.group { group in
                    group.cors = .anyOrigin
                    group.get("/p") { _ in .ok }
                }
            }
        ) { server in
            for (method, status) in [("GET", 200), ("DELETE", 405)] {
                let reply = try await server.exchange(request(method, "/p", ["Origin: \(Self.app)"]))
                #expect(reply.status == status)
                #expect(reply["access-control-allow-origin"] == "*")
            }
        }
    }

    @Test func `with request IDs, the answers expose X-Request-Id`() async throws {
        try await serving(.anyOrigin, named: true) { server in
            let reply = try await server.get("/notes")
            #expect(reply["access-control-expose-headers"] == "WWW-Authenticate, DPoP-Nonce, X-Request-Id")
        }
    }

    @Test func `a route outside the resource ignores its policy`() async throws {
        try await serving(.anyOrigin) { server in
            let reply = try await server.get("/elsewhere", "Origin: \(Self.app)")
            #expect(reply["access-control-allow-origin"] == nil)
        }
    }

    // Fetch: metadata is open to every origin.
    @Test(arguments: ["https://api.example.com", "https://api.example.com/"])
    func `a resource without a path has every public route below it`(identifier: String) async throws {
        let site = GuardedSite()
        let resource = try site.resource(identifier)
        try await withServer(
            .init(),
            { routes in
                routes.protect(resource) { $0.cors = .anyOrigin }
                routes.get("/public") { _ in .text("public") }
            }
        ) { (server) async throws in
            let reply = try await server.get("/public", "Origin: \(Self.app)")
            #expect(reply.status == 200)
            #expect(reply.all("access-control-allow-origin") == ["*"])
        }
    }

    @Test func `the metadata is open to every origin, whatever the policy`() async throws {
        for policy in [nil, try CORSPolicy(allowing: [Self.app])] {
            try await serving(policy) { server in
                for path in ["notes", "none"] {
                    let reply = try await server.get(
                        "/.well-known/oauth-protected-resource/\(path)", "Origin: https://anywhere.example")
                    #expect(reply.all("access-control-allow-origin") == ["*"])
                }
                let preflight = try await server.exchange(
                    Self.preflight("/.well-known/oauth-protected-resource/notes"))
                #expect(preflight.status == 204)
                #expect(preflight["access-control-allow-origin"] == "*")
            }
        }
    }

    @Test func `a policy applies to a group of public routes, and a handler's own fields replace it`()
        async throws
    {
        try await withServer(
            .init(),
            { routes in
                routes.group { group in
                    group.cors = .anyOrigin
                    group.get("/open") { _ in .ok }
                    group.post("/open") { _ in .ok }
                    group.get("/slow") { _ in
                        await Task.yield()
                        return Response(
                            status: .ok, fields: ["Access-Control-Allow-Origin": "https://mine.example"])
                    }
                    group.on([.options], "/own") { _ in .text("own") }
                }
                routes.get("/closed") { _ in .ok }
            }
        ) { server in
            let preflight = try await server.exchange(Self.preflight("/open"))
            #expect(preflight["access-control-allow-methods"] == "GET, POST, HEAD")
            #expect(try await server.get("/open")["access-control-allow-origin"] == "*")
            #expect(
                try await server.get("/slow").all("access-control-allow-origin") == ["https://mine.example"])
            #expect(try await server.exchange(Self.preflight("/own")).text == "own")
            #expect(try await server.get("/closed")["access-control-allow-origin"] == nil)
        }
    }

    @Test func `middleware around all routes sees preflights too`() async throws {
        let notes = ProtectedResource("https://api.example.com/notes", trusting: issuer.trusted)
        let count = Counter()
        struct Counting: Middleware {
            let count: Counter
            func respond(to request: Request, next: Next) async throws -> Response {
                count.increment()
                return try await next(request)
            }
        }
        try await withServer(
            .init(),
            { routes in
                routes.use(Counting(count: count))
                routes.protect(notes) { $0.cors = .anyOrigin }
            }
        ) { server in _ = try await server.exchange(Self.preflight("/notes")) }
        #expect(count.value == 1)
    }

    // RFC 6454 §6.2.
    @Test(arguments: [
        "", "app.example.com", "https://", "https://app.example.com/", "https://App.example.com",
        "HTTPS://a.example",
        "https://a.example:443", "http://a.example:80", "https://a.example:", "https://a@b.example", "null",
        "*", "https://*.example.com",
        "https://a.example,https://b.example", "https://a.example?x",
    ])
    func `an origin that no browser sends is refused`(origin: String) {
        #expect(throws: ConfigurationError.self) { try CORSPolicy(allowing: [origin, "https://b.example"]) }
    }

    @Test(arguments: [
        "https://a.example", "http://localhost:3000", "https://[::1]:8443", "app://obsidian.md",
        "moz-extension://abc",
    ])
    func `an origin that browsers send is accepted`(origin: String) {
        #expect(throws: Never.self) { try CORSPolicy(allowing: [origin]) }
    }

    // Fetch, CORS check: without the field a page gets a network error instead of the reason.
    @Test(arguments: [
        ("GET", "/notes/a%2Fb", "", 400), ("GET", "/notes/../x", "", 400),
        ("GET", "/notes", "X: \u{1}\r\n", 400),
    ])
    func `a refusal that belongs to no route is readable where something is`(
        method: String, path: String, line: String, status: Int
    ) async throws {
        func message(_ origin: String) -> String {
            "\(method) \(path) HTTP/1.1\r\nHost: a\r\nOrigin: \(origin)\r\n\(line)\r\n"
        }
        try await serving(try CORSPolicy(allowing: [Self.app]), named: true) { server in
            let reply = try await server.exchange(message(Self.app))
            #expect(reply.status == status)
            #expect(reply["access-control-allow-origin"] == Self.app)
            let other = try await server.exchange(message("https://other.example"))
            #expect(other.status == status)
            #expect(other["access-control-allow-origin"] == nil)
            #expect(reply.all("vary").contains("Origin"))
        }
        try await serving(.anyOrigin) { server in
            let reply = try await server.exchange(message(Self.app))
            #expect(reply["access-control-allow-origin"] == "*")
            #expect(!reply.all("vary").contains("Origin"))
        }
        try await serving(nil) { server in
            let reply = try await server.exchange(message(Self.app))
            #expect(reply["access-control-allow-origin"] == nil)
        }
    }

    @Test(arguments: [("/notes?" + String(repeating: "x", count: 9000), "", 414), ("/notes", "x", 431)])
    func `a page reads why its request was too long`(path: String, field: String, status: Int) async throws {
        let line = field.isEmpty ? "" : "X-Long: " + String(repeating: field, count: 40_000) + "\r\n"
        let text = "GET \(path) HTTP/1.1\r\nHost: a\r\n\(line)Origin: \(Self.app)\r\n\r\n"
        try await serving(try CORSPolicy(allowing: [Self.app])) { server in
            let reply = try await server.exchange(text)
            #expect(reply.status == status)
            #expect(reply["access-control-allow-origin"] == Self.app)
            #expect(reply.all("vary").contains("Origin"))
        }
        try await serving(.anyOrigin) { server in
            let reply = try await server.exchange(text)
            #expect(reply.status == status)
            #expect(reply["access-control-allow-origin"] == "*")
            #expect(!reply.all("vary").contains("Origin"))
        }
    }

    /// Lines of a malformed message, and the origin that its refusal names.
    static let originLines: [(line: String, named: String?)] = [
        ("Origin: https://second.example\r\n", "https://second.example"),
        ("oRIGIN:\t https://app.example.com\r\n", "https://app.example.com"),
        ("Origin: https://other.example\r\n", nil), ("Origin: null\r\n", nil), ("Origin: *\r\n", nil),
        ("X-Origin: https://second.example\r\n", nil), ("Origin: https://second.example/\r\n", nil),
        ("X: Origin: https://second.example\r\n", nil), ("", nil),
    ]

    /// Of several origins, the one whose line has arrived is named; no page of another one reads the refusal.
    @Test(arguments: originLines)
    func `of a malformed message the origin counts all the same`(line: String, named: String?) async throws {
        let policy = try CORSPolicy(allowing: [Self.app, "https://second.example"])
        try await serving(policy) { server in
            let reply = try await server.exchange("GET /notes HTTP/1.1\r\nHost: a\r\nX: \u{1}\r\n\(line)\r\n")
            #expect(reply.status == 400)
            #expect(reply["access-control-allow-origin"] == named)
            #expect(reply.all("vary").contains("Origin"))
        }
    }

    /// A line that has not arrived in whole may be the start of another origin.
    @Test func `a request that took too long names the origin that has arrived`() async throws {
        let policy = try CORSPolicy(allowing: [Self.app, "https://second.example"])
        var setup = RunningServer.Setup()
        setup.limits.headerTimeout = .milliseconds(200)
        let declare: (inout Routes) -> Void = { routes in
            routes.group { routes in
                routes.cors = policy
                routes.get("/") { _ in .text("served") }
            }
        }
        try await withServer(setup, declare) { server in
            for rest in ["\r\n", ""] {
                let client = try server.client()
                try await client.send("GET / HTTP/1.1\r\nHost: a\r\nOrigin: \(Self.app)\(rest)")
                let reply = try await client.reply()
                #expect(reply.status == 408)
                #expect(reply["access-control-allow-origin"] == (rest.isEmpty ? nil : Self.app))
            }
        }
    }
}
