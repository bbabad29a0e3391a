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
                    notes.get("/cached") { _, token in
                        var response = Response.text(token?.subject ?? "nobody")
                        response.fields["Cache-Control"] = "max-age=60"
                        return response
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
        try await serve { server in
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

    /// RFC 9110 §12.5.5: a cache must not give the answer for nobody to somebody.
    @Test(arguments: ["", "/later", "/blocking", "/stream", "/cached"])
    func `answers vary with Authorization`(path: String) async throws {
        try await serve { server in
            for fields in [[], [bearer]] {
                let reply = try await server.exchange(request("GET", "/notes" + path, fields))
                #expect(reply.status == 200 && reply.all("vary") == ["Authorization"], "\(path)")
            }
        }
    }

    @Test func `where a token is required, answers do not vary with it`() async throws {
        try await serve { server in
            let reply = try await server.get("/notes/any", bearer)
            #expect(reply.status == 200 && reply.all("vary").isEmpty)
            let call = request("POST", "/notes/rpc", ["Mcp-Method: tools/list", "Content-Length: 0"])
            let list = try await server.exchange(call)
            #expect(list.status == 200 && list.all("vary") == ["Authorization"])
        }
    }

    @Test(arguments: [
        "Authorization: Basic dXNlcjpwYXNz", "Authorization: DPoP abc", "Authorization: Bearerx y",
        "Authorization: ", "authorization: negotiate", "Proxy-Authorization: Bearer x",
        "X-Authorization: Bearer x",
    ])
    func `a scheme that is not taken is no credential`(field: String) async throws {
        try await serve { server in
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
        try await serve { server in
            let reply = try await server.get("/notes", field)
            #expect(reply.status == status)
        }
    }

    @Test func `a token that is for another resource, expired or bound is refused`() async throws {
        let client = TestDPoPClient()
        try await serve(.accepted) { server in
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
        try await serve { server in
            for path in ["/private", "/any", "/nothing", "/later/x", "/%6C%61ter/"] {
                let reply = try await server.get("/notes" + path)
                #expect(reply.status == 401, "\(path)")
            }
            #expect(try await server.exchange(request("DELETE", "/notes")).status == 401)
            #expect(try await server.get("/notes/private", bearer).status == 403)
            #expect(try await server.get("/notes/nothing", bearer).status == 404)
            #expect(try await server.get("/notes/any", bearer).text == "user-1")
        }
    }

    @Test func `an operation may need no token, and the rest of its route does`() async throws {
        try await serve { server in
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
        try await serve { server in
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
