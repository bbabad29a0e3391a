// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import PortcullisTransport
import Synchronization
import Testing

@Suite("RFC 7662 §2 Requests that wait for introspection, over sockets", .timeLimit(.minutes(1)))
struct RFC7662_2_AskedIssuers {
    static let identifier = "https://api.example.com/api"
    static let issuer = "https://as.example.com"

    /// An authorization server over sockets: tokens that begin with `good` are active.
    private final class Issuer: Sendable {
        let calls = Mutex<[String]>([])
        /// Open, unless a test holds the answers back.
        let door = Gate()
        /// Whether it fails for every token.
        let isDown = Atomic(false)

        var count: Int { calls.withLock { $0.count } }

        func declare(_ routes: inout Routes) {
            routes.post("/introspect") { [self] request async throws -> Response in
                let form = String(decoding: try await request.body.collect(), as: UTF8.self)
                let token = String(form.dropFirst("token=".count).prefix { $0 != "&" })
                calls.withLock { $0.append(token) }
                await door.wait()
                if token.hasPrefix("broken") || isDown.load(ordering: .relaxed) {
                    return .problem(.internalServerError)
                }
                var members: JSONObject = ["active": .bool(token.hasPrefix("good"))]
                members["aud"] = .string(RFC7662_2_AskedIssuers.identifier)
                members["sub"] = .string(token)
                return .bytes(members.serialized(), contentType: "application/json")
            }
        }
    }

    private struct PassOn: Middleware {
        func respond(to request: Request, next: Next) async throws -> Response { try await next(request) }
    }

    /// Counts requests just before they reach the gate.
    private struct Count: NonWaitingMiddleware {
        let seen: Counter

        func intercept(_ request: inout Request) -> Interception {
            seen.increment()
            return .proceed
        }
    }

    private func resource(
        _ server: RunningServer, cache: Duration = .zero, timeout: Duration = .seconds(20)
    ) throws -> ProtectedResource {
        var trusted = TrustedIssuer.introspection(
            issuer: Self.issuer, endpoint: "http://127.0.0.1:\(server.port)/introspect",
            authenticatedBy: .clientSecretPost(id: "rs", secret: "s"))
        trusted.allowsInsecureLoopback = true
        trusted.timeout = timeout
        var tokens = TokenPolicy()
        tokens.introspectionCacheLifetime = cache
        tokens.inactiveCacheLifetime = .zero
        var metadata = ProtectedResourceMetadata(
            resource: try ResourceIdentifier(validating: Self.identifier))
        metadata.authorizationServers = [Self.issuer]
        return try ProtectedResource(validating: .init(metadata, trusting: [trusted], tokens: tokens))
    }

    private func serve(
        _ kind: ReadinessKind = .preferred, behind middleware: (any Middleware)? = nil,
        timeout: Duration = .seconds(20), holdingBack: Bool = false,
        _ body: (RunningServer, Issuer) async throws -> Void
    ) async throws {
        let issuer = Issuer()
        if !holdingBack { issuer.door.open() }
        try await withServer(kind, issuer.declare) { authorizationServer in
            let resource = try resource(authorizationServer, timeout: timeout)
            func declare(_ routes: inout Routes) {
                if let middleware { routes.use(middleware) }
                routes.get("/public") { _ in .text("public") }
                routes.protect(resource) { api in
                    api.get("/now") { _, token in .text(token.subject ?? "") }
                    api.get("/later") { _, token async in
                        await Task.yield()
                        return .text(token.subject ?? "")
                    }
                    api.post("/echo") { request, _ async throws in
                        .bytes(try await request.body.collect(), contentType: "text/plain")
                    }
                    api.get("/stream") { _, token in
                        .stream(contentType: "text/plain") { writer in
                            for _ in 0..<3 { try await writer.write(Array((token.subject ?? "").utf8)) }
                        }
                    }
                }
            }
            try await withServer(kind, declare) { server in try await body(server, issuer) }
        }
    }

    private static let targets = ["/api/now", "/public", "/api/later", "/api/now", "/api/stream"]

    private func message(_ index: Int) -> String {
        let token = index % 5 == 3 ? "bad\(index)" : "good\(index)"
        return request("GET", Self.targets[index % 5], ["Authorization: Bearer \(token)"])
    }

    private func check(_ reply: Reply, _ index: Int) {
        switch index % 5 {
        case 1: #expect(reply.text == "public")
        case 3: #expect(reply.status == 401)
        case 4: #expect(reply.text == String(repeating: "good\(index)", count: 3))
        default: #expect(reply.text == "good\(index)")
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `pipelined requests are answered in order, each for its own token`(_ kind: ReadinessKind)
        async throws
    {
        try await serve(kind) { server, issuer in
            let client = try server.client(timeout: .seconds(20))
            try await client.send((0..<60).map(message).joined())
            for index in 0..<60 { check(try await client.reply(), index) }
            #expect(issuer.count == 48)
        }
    }

    @Test func `requests are answered after other middleware too`() async throws {
        try await serve(behind: PassOn()) { server, _ in
            let client = try server.client(timeout: .seconds(20))
            try await client.send((0..<60).map(message).joined())
            for index in 0..<60 { check(try await client.reply(), index) }
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `many concurrent connections get answers for their own tokens`(_ kind: ReadinessKind) async throws {
        try await serve(kind) { server, issuer in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for connection in 0..<20 {
                    group.addTask {
                        let client = try server.client(timeout: .seconds(20))
                        for round in 0..<10 {
                            let token = "good-\(connection)-\(round)"
                            let reply = try await client.exchange(
                                request("GET", "/api/now", ["Authorization: Bearer \(token)"]))
                            #expect(reply.text == token)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(issuer.count == 200)
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `connections on all loops with one token share one call`(_ kind: ReadinessKind)
        async throws
    {
        let seen = Counter()
        try await serve(kind, behind: Count(seen: seen), holdingBack: true) { server, issuer in
            var clients: [RawClient] = []
            for _ in 0..<12 {
                let client = try server.client(timeout: .seconds(20))
                try await client.send(request("GET", "/api/now", ["Authorization: Bearer good"]))
                clients.append(client)
            }
            #expect(await eventually(.seconds(20)) { seen.value == 12 })
            #expect(try await server.get("/public").text == "public")
            issuer.door.open()
            for client in clients { #expect(try await client.reply().text == "good") }
            // The last request of each loop may be counted and not yet have asked when the answer arrives.
            #expect(issuer.count <= 3)
        }
    }

    @Test func `a client that leaves cancels no call, and leaks nothing`() async throws {
        try await serve(holdingBack: true) { server, issuer in
            let first = try server.client(timeout: .seconds(20))
            try await first.send(request("GET", "/api/now", ["Authorization: Bearer good"]))
            #expect(await eventually { issuer.count == 1 })
            let second = try server.client(timeout: .seconds(20))
            try await second.send(request("GET", "/api/later", ["Authorization: Bearer good"]))
            first.close()
            #expect(try await server.get("/public").text == "public")
            issuer.door.open()
            #expect(try await second.reply().text == "good")
            #expect(issuer.count == 1)
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `clients that reset leave at most as many requests as the connection limit`(_ kind: ReadinessKind)
        async throws
    {
        let (issuer, seen) = (Issuer(), Counter())
        try await withServer(kind, issuer.declare) { authorizationServer in
            let resource = try resource(authorizationServer)
            var setup = RunningServer.Setup(readiness: kind)
            setup.limits.maxConnectionCount = 4
            func declare(_ routes: inout Routes) {
                routes.use(Count(seen: seen))
                routes.protect(resource) { api in api.get("/now") { _, token in .text(token.subject ?? "") } }
            }
            try await withServer(setup, declare) { server in
                let message = request("GET", "/api/now", ["Authorization: Bearer good"])
                for count in 1...4 {
                    let client = try server.client()
                    try await client.send(message)
                    #expect(await eventually { seen.value == count })
                    client.reset()
                }
                let late = try server.client(timeout: .seconds(20))
                try await late.send(message)
                #expect(try await late.reply().status == 503)
                #expect(seen.value == 4 && issuer.count == 1)
                issuer.door.open()
                let deadline = ContinuousClock.now + .seconds(20)
                var reply = try await server.get("/api/now", "Authorization: Bearer good")
                while reply.status == 503, ContinuousClock.now < deadline {
                    reply = try await server.get("/api/now", "Authorization: Bearer good")
                }
                #expect(reply.text == "good")
            }
        }
    }

    @Test func `content that arrives during introspection goes to the handler`() async throws {
        try await serve(holdingBack: true) { server, issuer in
            let client = try server.client(timeout: .seconds(20))
            try await client.send(
                request("POST", "/api/echo", ["Authorization: Bearer good", "Content-Length: 6"]))
            #expect(await eventually { issuer.count == 1 })
            try await client.send("abc")
            issuer.door.open()
            try await client.send("def")
            #expect(try await client.reply().text == "abcdef")
        }
    }

    @Test func `a failing issuer is 503, and after five failures and a probe no request waits for it`()
        async throws
    {
        try await serve { server, issuer in
            issuer.isDown.store(true, ordering: .relaxed)
            let client = try server.client(timeout: .seconds(20))
            try await client.send(
                (0..<30).map { request("GET", "/api/now", ["Authorization: Bearer broken\($0)"]) }.joined())
            for _ in 0..<30 { #expect(try await client.reply().status == 503) }
            #expect(issuer.count == 5 + 1)
        }
    }

    @Test func `tokens that make an issuer fail harm no other token`() async throws {
        try await serve { server, issuer in
            let client = try server.client(timeout: .seconds(20))
            try await client.send(
                (0..<30).map { request("GET", "/api/now", ["Authorization: Bearer broken\($0)"]) }.joined())
            for _ in 0..<30 { #expect(try await client.reply().status == 503) }
            #expect(try await server.get("/api/now", "Authorization: Bearer good").text == "good")
        }
    }

    @Test func `an issuer that does not answer in time is 503`() async throws {
        try await serve(timeout: .milliseconds(200), holdingBack: true) { server, issuer in
            let reply = try await server.get("/api/now", "Authorization: Bearer good")
            #expect(reply.status == 503)
            issuer.door.open()
            #expect(try await server.get("/api/now", "Authorization: Bearer good2").text == "good2")
        }
    }

    @Test func `an issuer that refuses connections is 503`() async throws {
        let closed = try await RunningServer.start { _ in }
        try await closed.stop()
        let resource = try resource(closed)
        func declare(_ routes: inout Routes) {
            routes.protect(resource) { api in api.get("/now") { _, _ in .text("now") } }
        }
        try await withServer(.preferred, declare) { server in
            for _ in 0..<10 {
                let reply = try await server.get("/api/now", "Authorization: Bearer good")
                #expect(reply.status == 503)
            }
        }
    }

    @Test func `with a second gate for the same token, only the first one introspects`()
        async throws
    {
        let site = GuardedSite()
        let token = site.issuer.mint(audience: "http://127.0.0.1:8080/api")
        let calls = Counter()
        let fetcher = ScriptedFetcher()
        fetcher.on("https://as.example.com/introspect") { _ in
            calls.increment()
            let members: JSONObject = ["active": true, "aud": "http://127.0.0.1:8080/api"]
            return FetchResponse(status: .ok, body: members.serialized())
        }
        var tokens = TokenPolicy()
        tokens.format = .opaque
        tokens.introspectionCacheLifetime = .zero
        let introspecting = ProtectedResource(
            "http://127.0.0.1:8080/api",
            trusting: .introspection(
                issuer: "https://as.example.com", endpoint: "https://as.example.com/introspect",
                authenticatedBy: .clientSecretBasic(id: "rs", secret: "s")),
            tokens: tokens, fetcher: fetcher)
        let reading = try site.resource("http://127.0.0.1:8080/api")
        func declare(_ routes: inout Routes) {
            routes.use(ResourceGate(introspecting))
            routes.protect(reading) { api in api.get("/now") { _, token in .text(token.format.rawValue) } }
        }
        try await withServer(.preferred, declare) { server in
            let reply = try await server.get("/api/now", "Authorization: Bearer \(token)")
            #expect(reply.text == "jwt")
            #expect(calls.value == 1)
        }
    }

    @Test func `a server that stops waits for the answer as for any other`() async throws {
        let issuer = Issuer()
        try await withServer(.preferred, issuer.declare) { authorizationServer in
            let resource = try resource(authorizationServer)
            let server = try await RunningServer.start(.init(grace: .seconds(20))) { routes in
                routes.protect(resource) { api in api.get("/now") { _, token in .text(token.subject ?? "") } }
            }
            let client = try server.client(timeout: .seconds(20))
            try await client.send(request("GET", "/api/now", ["Authorization: Bearer good"]))
            #expect(await eventually { issuer.count == 1 })
            server.cancel()
            #expect(await eventually(.seconds(20)) { !RawClient.canConnect(to: server.port) })
            issuer.door.open()
            let reply = try await client.reply()
            #expect(reply.text == "good")
            #expect(reply.closes)
            try await server.ended()
        }
    }
}
