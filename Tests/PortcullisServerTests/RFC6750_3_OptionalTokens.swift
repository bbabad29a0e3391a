// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("RFC 6750 §3, §3.1 Routes that take a token or none", .timeLimit(.minutes(1)))
struct RFC6750_3_OptionalTokens {
    static let identifier = "https://api.example.com/notes"
    private let site = GuardedSite()

    private func serve(
        _ dpop: DPoPUse = .none, _ test: (RunningServer) async throws -> Void
    ) async throws {
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: site.issuer.trusted, scopes: ["notes:read"],
            dpop: dpop)
        try await withServer(
            RunningServer.Setup(),
            { routes in
                routes.optionallyProtect(resource) { notes in
                    notes.get("/") { _, token in .text(token?.subject ?? "nobody") }
                    notes.get("/later") { _, token in
                        await Task.yield()
                        return .text(token?.subject ?? "nobody")
                    }
                    notes.on([.get], "/blocking", blocking: { _, token in .text(token?.subject ?? "nobody") })
                    notes.get("/stream") { _, token in
                        .stream(contentType: "text/plain") { try await $0.write(token?.subject ?? "nobody") }
                    }
                    notes.get("/private", requiring: "notes:read") { _, token in
                        .text(token?.subject ?? "nobody")
                    }
                    notes.get("/any", requiring: .anyValidToken) { _, token in
                        .text(token?.subject ?? "nobody")
                    }
                    notes.post(
                        "/rpc",
                        requiring: AccessRequirement.anyValidToken.distinguishing(
                            .withOptionalToken(["Mcp-Method": "tools/list"]),
                            RequestOperation(["Mcp-Method": "tools/call"], scopes: ["notes:read"]))
                    ) { _, token in .text(token?.subject ?? "nobody") }
                }
            }, test)
    }

    private var bearer: String { site.bearer(for: Self.identifier, scope: "") }

    @Test(arguments: ["", "/later", "/blocking", "/stream"])
    func `without credentials the handler runs and has no token`(path: String) async throws {
        try await serve { server async throws in
            let reply = try await server.get("/notes" + path)
            #expect(reply.status == 200 && reply.text == "nobody")
            #expect(reply["WWW-Authenticate"] == nil)
            #expect(reply["Cache-Control"] == "no-store")
            let known = try await server.get("/notes" + path, bearer)
            #expect(known.status == 200 && known.text == "user-1")
            // In the other order on one connection: no token of an earlier request counts.
            let client = try server.client()
            let first = try await client.exchange(request("GET", "/notes" + path, [bearer]))
            let second = try await client.exchange(request("GET", "/notes" + path))
            #expect(first.text == "user-1" && second.text == "nobody")
        }
    }

    @Test(arguments: [
        "Authorization: Basic dXNlcjpwYXNz", "Authorization: DPoP abc", "Authorization: Bearerx y",
        "Authorization: ", "authorization: negotiate", "Proxy-Authorization: Bearer x",
        "X-Authorization: Bearer x",
    ])
    func `a scheme that is not taken is no credential`(field: String) async throws {
        try await serve { server async throws in
            let reply = try await server.get("/notes", field)
            #expect(reply.status == 200 && reply.text == "nobody")
        }
    }

    @Test(arguments: [
        ("Authorization: Bearer nonsense", 401), ("Authorization: bearer nonsense", 401),
        ("Authorization: Bearer", 400), ("Authorization: Bearer \r\nAuthorization: Basic YTpi", 400),
        ("Authorization: Basic YTpi\r\nAuthorization: Basic YTpi", 400), ("Authorization: Bearer a b", 401),
    ])
    func `bad credentials are refused as always`(field: String, status: Int) async throws {
        try await serve { server async throws in
            #expect(try await server.get("/notes", field).status == status)
        }
    }

    @Test func `a token that is for another resource, expired or bound is refused`() async throws {
        let client = TestDPoPClient()
        try await serve(.accepted) { server async throws in
            for token in [
                site.issuer.mint(audience: "https://other.example.com"),
                site.issuer.mint(audience: Self.identifier, claims: ["exp": 1]),
                site.issuer.mint(audience: Self.identifier, boundTo: client),
            ] {
                let reply = try await server.get("/notes", "Authorization: Bearer \(token)")
                #expect(reply.status == 401 && reply["WWW-Authenticate"] != nil)
            }
            let bound = try await server.get("/notes", "Authorization: DPoP abc")
            #expect(bound.status == 401)
        }
    }

    @Test func `routes with a requirement and paths without a route need a token`() async throws {
        try await serve { server async throws in
            for path in ["/private", "/any", "/nothing", "/later/x", "/%6C%61ter/"] {
                #expect(try await server.get("/notes" + path).status == 401, "\(path)")
            }
            #expect(try await server.exchange(request("DELETE", "/notes")).status == 401)
            #expect(try await server.get("/notes/private", bearer).status == 403)
            #expect(try await server.get("/notes/nothing", bearer).status == 404)
            #expect(try await server.get("/notes/any", bearer).text == "user-1")
        }
    }

    @Test func `an operation may need no token, and the rest of its route does`() async throws {
        try await serve { server async throws in
            func call(_ fields: String...) async throws -> Reply {
                try await server.exchange(request("POST", "/notes/rpc", fields + ["Content-Length: 0"]))
            }
            #expect(try await call("Mcp-Method: tools/list").text == "nobody")
            #expect(try await call("Mcp-Method: tools/list", bearer).text == "user-1")
            #expect(try await call("Mcp-Method: tools/list", "Authorization: Bearer x").status == 401)
            let denied = try await call("Mcp-Method: tools/call")
            #expect(denied.status == 401)
            #expect(denied["WWW-Authenticate"]?.contains(#"scope="notes:read""#) == true)
            #expect(try await call("Mcp-Method: tools/call", bearer).status == 403)
            for fields in [
                [], ["Mcp-Method: tools/other"], ["Mcp-Method: tools/list", "Mcp-Method: tools/list"],
                ["Mcp_Method: tools/list"], ["Mcp-Method: tools/list", "Mcp_Method: tools/call"],
                ["Mcp-Method: tools/list", "Connection: Mcp-Method"], ["Mcp-Method: TOOLS/LIST"],
                ["Mcp-Method: tools/list, tools/call"],
            ] {
                let reply = try await server.exchange(
                    request("POST", "/notes/rpc", fields + ["Content-Length: 0"]))
                #expect(reply.status == 401, "\(fields)")
            }
        }
    }

    @Test func `the server logs each route that needs no token when it starts`() async throws {
        try await serve { server async throws in
            let warnings = server.log.sentences.filter { $0.hasPrefix("warning:") }
            for path in ["/", "/later", "/blocking", "/stream"] {
                let sentence =
                    "warning: \(Self.identifier): the route \(path) needs no token: requests without credentials pass"
                #expect(warnings.count { $0 == sentence } == 1)
            }
            #expect(warnings.count { $0.contains("/rpc has operations that need no token") } == 1)
            #expect(!warnings.contains { $0.contains("/private") || $0.contains("/any ") })
        }
    }

    @Test func `a handler that needs a token cannot be declared for a request without one`() {
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: site.issuer.trusted)
        let problems = routingProblems { routes in
            routes.protect(resource) { notes in
                notes.get("/", requiring: .validTokenOrNone) { _, _ in .ok }
                notes.get(
                    "/x",
                    requiring: AccessRequirement.anyValidToken.distinguishing(
                        .withOptionalToken(["Mcp-Method": "tools/list"]))
                ) { _, _ in .ok }
            }
        }
        #expect(problems.ranges(of: "declare it in optionallyProtect").count == 2)
    }

    @Test func `a gate as a middleware lets them pass too`() async throws {
        let resource = ProtectedResource("https://api.example.com/notes", trusting: site.issuer.trusted)
        try await withServer(
            RunningServer.Setup(),
            { routes in
                routes.group("/open") { group in
                    group.use(ResourceGate(resource, requiring: .validTokenOrNone))
                    group.get("/x") { request in .text(request.token?.subject ?? "nobody") }
                }
            }
        ) { (server: RunningServer) async throws -> Void in
            #expect(try await server.get("/open/x").text == "nobody")
            #expect(try await server.get("/open/x", bearer).text == "user-1")
            #expect(try await server.get("/open/x", "Authorization: Bearer x").status == 401)
        }
    }

    @Test func `an embedded gate admits without a token only where it is asked to`() async throws {
        let resource = ProtectedResource("https://api.example.com/notes", trusting: site.issuer.trusted)
        let head = RequestHead.get("/notes")
        #expect(try await resource.authorizeOptionally(head) == nil)
        let refusal = await #expect(throws: Refusal.self) {
            try await resource.authorize(head, requiring: .validTokenOrNone)
        }
        #expect(refusal?.reason == .missingCredentials)
        await #expect(throws: Refusal.self) {
            _ = try await resource.authorizeOptionally(head, requiring: .anyValidToken)
        }
        let basic = RequestHead.get("/notes", fields: [("Authorization", "Basic YTpi")])
        #expect(try await resource.authorizeOptionally(basic) == nil)
        let other = await #expect(throws: Refusal.self) {
            try await resource.authorize(basic, requiring: .validTokenOrNone)
        }
        #expect(other?.reason == .unsupportedScheme)
    }

    @Test func `whatever is added demands a token again`() {
        let decision = ExternalDecision { _ in .permit }
        for requirement: AccessRequirement in [
            .validTokenOrNone.authenticated(by: ["phr"]), .validTokenOrNone.senderConstrained(),
            .validTokenOrNone.covering(AuthorizationDetail(type: "x")),
            .validTokenOrNone.freshlyIntrospected(), .validTokenOrNone.decided(by: decision),
            .validTokenOrNone.holding(ClaimCondition("/a", equals: 1)),
            .validTokenOrNone.distinguishing(RequestOperation(["a": "b"])),
        ] {
            #expect(!requirement.mayLackToken)
        }
        #expect(AccessRequirement.validTokenOrNone.mayLackToken)
        #expect(!AccessRequirement.anyValidToken.mayLackToken)
    }
}

@Suite("MCX-12, GWY-12 Optional tokens and operations at a gateway", .timeLimit(.minutes(1)))
struct OptionalGatewayTests {
    private static let identifier = "https://api.example.com/api"

    private static func serve(
        forwardsToken: Bool, _ test: (RunningServer, RawUpstream, String) async throws -> Void
    ) async throws {
        let site = GuardedSite()
        let upstream = try RawUpstream.repeating { peer, head in
            _ = peer.body(of: head)
            peer.answer()
        }
        defer { upstream.stop() }
        var configuration = ReverseProxy.Configuration(upstream.url)
        configuration.forwardsToken = forwardsToken
        let proxy = try ReverseProxy(validating: configuration)
        let resource = try site.resource(identifier, scopes: ["write"])
        try await withServer(
            RunningServer.Setup(),
            { routes in
                routes.optionallyProtect(resource) { block in
                    block.proxy("/open/{rest...}", to: proxy)
                    block.proxy(
                        "/rpc",
                        requiring: AccessRequirement.anyValidToken.distinguishing(
                            RequestOperation(
                                ["Mcp-Method": "tools/call", "Mcp-Name": "delete"], scopes: ["write"]),
                            .withOptionalToken(["Mcp-Method": "tools/list"])),
                        to: proxy)
                }
            }
        ) { try await test($0, upstream, site.bearer(for: identifier, scope: "")) }
    }

    @Test(arguments: [false, true])
    func `without a token the identity fields are empty, and no credentials are passed on`(
        forwardsToken: Bool
    ) async throws {
        try await Self.serve(forwardsToken: forwardsToken) { server, upstream, bearer in
            let fields = ["Authorization: Basic c2VjcmV0", "DPoP: secret", "X-Portcullis-Subject: admin"]
            for (path, more) in [
                ("/api/open/x?access_token=secret&a=b", []), ("/api/rpc", ["Mcp-Method: tools/list"]),
            ] {
                let reply = try await server.exchange(request("GET", path, fields + more))
                #expect(reply.status == 200)
                let head = try #require(upstream.heads.last)
                #expect(!head.contains("secret") && !head.contains("c2VjcmV0") && !head.contains("admin"))
                for name in ["Subject", "Client", "Scopes", "Issuer", "Resource", "Expires", "Actor"] {
                    #expect(head.values("X-Portcullis-" + name) == [""], "\(name)")
                }
            }
            _ = try await server.get("/api/open/x", bearer)
            let head = try #require(upstream.heads.last)
            #expect(head.values("X-Portcullis-Subject") == ["user-1"])
            #expect(head.contains("Authorization: Bearer") == forwardsToken)
        }
    }

    @Test func `nothing reaches the server behind for an operation that is refused`() async throws {
        try await Self.serve(forwardsToken: false) { server, upstream, bearer in
            for (fields, status) in [
                (["Mcp-Method: tools/call", "Mcp-Name: delete"], 403),
                (["Mcp-Method: tools/call", "Mcp-Name: =?base64?ZGVsZXRl?="], 403),
                (["Mcp-Method: tools/call", "Mcp-Name: =?base64?ZGVsZXRl"], 400),
                (["Mcp-Method: tools/call", "Mcp-Name: other"], 403), (["Mcp-Method: tools/call"], 400),
                (["Mcp-Method: tools/list", "Mcp-Method: tools/call"], 400),
                (["Mcp-Method: tools/list", "Mcp_Method: tools/call"], 400),
                (["Mcp-Method: tools/list", "Connection: Mcp-Method"], 400), ([], 400),
            ] {
                let reply = try await server.exchange(request("GET", "/api/rpc", [bearer] + fields))
                #expect(reply.status == status, "\(fields)")
            }
            #expect(upstream.heads.isEmpty)
            // GWY-26: the fields are passed on as they came.
            _ = try await server.exchange(
                request("GET", "/api/rpc", [bearer, "mcp-method: tools/list", "Mcp-Name: =?base64?eA==?="]))
            #expect(upstream.heads.last?.contains("mcp-method: tools/list") == true)
            #expect(upstream.heads.last?.contains("Mcp-Name: =?base64?eA==?=") == true)
        }
    }
}

@Suite("AuthZEN 1.0 §6 Decisions of the app on a server", .timeLimit(.minutes(1)))
struct DecisionOnServerTests {
    @Test func `a decision holds up no other request of its loop`() async throws {
        let site = GuardedSite()
        let resource = try site.resource("https://api.example.com/notes")
        let gate = Gate()
        let asked = Counter()
        let slow = ExternalDecision(timeout: .seconds(30)) { _ in
            asked.increment()
            await gate.wait()
            return .permit
        }
        var setup = RunningServer.Setup()
        setup.loops = 1
        try await withServer(
            setup,
            { routes in
                routes.protect(resource) { notes in
                    notes.get("/", requiring: AccessRequirement.anyValidToken.decided(by: slow)) { _, token in
                        .text(token.subject ?? "")
                    }
                    notes.get("/fast") { _, _ in .ok }
                }
            }
        ) { server async throws in
            let bearer = site.bearer(for: "https://api.example.com/notes")
            async let waiting = server.get("/notes", bearer)
            #expect(await eventually { asked.value == 1 })
            #expect(try await server.get("/notes/fast", bearer).status == 200)
            gate.open()
            #expect(try await waiting.text == "user-1")
        }
    }

    @Test func `denial and outage are 403 and 503, and the access log names them`() async throws {
        let site = GuardedSite()
        let resource = try site.resource("https://api.example.com/notes")
        try await withServer(
            RunningServer.Setup(),
            { routes in
                routes.protect(resource) { notes in
                    notes.get(
                        "/denied",
                        requiring: AccessRequirement.anyValidToken.decided(
                            by: ExternalDecision { _ in .deny("secret policy") })
                    ) { _, _ in .ok }
                    notes.get(
                        "/silent",
                        requiring: AccessRequirement.anyValidToken.decided(
                            by: ExternalDecision(timeout: .milliseconds(10)) { _ in
                                try await Task.sleep(for: .seconds(60))
                                return .permit
                            })
                    ) { _, _ in .ok }
                }
            }
        ) { server async throws in
            let bearer = site.bearer(for: "https://api.example.com/notes")
            let denied = try await server.get("/notes/denied", bearer)
            #expect(denied.status == 403 && denied["WWW-Authenticate"] == nil)
            #expect(denied.text == #"{"error":"access_denied","error_description":"The request was denied"}"#)
            let silent = try await server.get("/notes/silent", bearer)
            #expect(silent.status == 503 && silent["Retry-After"] == "5")
            #expect(try await server.get("/notes/denied").status == 401)
        }
    }
}
