// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import PortcullisTesting
import PortcullisTransport
import Testing

@Suite("Requests whose signature checks wait for their share of the loop's time")
struct VerificationShareTests {
    static let identifier = "http://127.0.0.1:8080/api"
    let site = GuardedSite()
    let impostor = TestIssuer("https://as.example.com")

    private struct PassOn: Middleware {
        func respond(to request: Request, next: Next) async throws -> Response { try await next(request) }
    }

    private func serve(
        _ kind: ReadinessKind, behind middleware: (any Middleware)? = nil,
        _ body: (RunningServer) async throws -> Void
    ) async throws {
        let resource = try site.resource(Self.identifier)
        func declare(_ routes: inout Routes) {
            if let middleware { routes.use(middleware) }
            routes.get("/public") { _ in .text("public") }
            routes.protect(resource) { api in
                api.get("/now") { _, _ in .text("now") }
                api.get("/later") { _, _ async in
                    await Task.yield()
                    return .text("later")
                }
                api.post("/echo") { request, _ async throws in
                    .bytes(try await request.body.collect(), contentType: "text/plain")
                }
            }
        }
        try await withServer(kind, declare) { server in try await body(server) }
    }

    /// A request with a new token, valid or forged.
    private func guarded(_ target: String, isForged: Bool = false) -> String {
        let issuer = isForged ? impostor : site.issuer
        return request(
            "GET", target, ["Authorization: Bearer \(issuer.mint(audience: Self.identifier))"])
    }

    private static let kinds = ["/api/now", "/public", "/api/later", "forged"]

    private func message(_ index: Int) -> String {
        switch Self.kinds[index % 4] {
        case "/public": request("GET", "/public")
        case "forged": guarded("/api/now", isForged: true)
        case let target: guarded(target)
        }
    }

    private func check(_ reply: Reply, _ index: Int) {
        switch Self.kinds[index % 4] {
        case "/public": #expect(reply.text == "public")
        case "forged": #expect(reply.status == 401)
        case let target: #expect(reply.text == target.dropFirst(5))
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `pipelined requests with new tokens are answered in order`(_ kind: ReadinessKind) async throws {
        try await serve(kind) { server in
            let client = try server.client(timeout: .seconds(20))
            try await client.send((0..<60).map(message).joined())
            for index in 0..<60 { check(try await client.reply(), index) }
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `requests are answered after other middleware too`(_ kind: ReadinessKind) async throws {
        try await serve(kind, behind: PassOn()) { server in
            let client = try server.client(timeout: .seconds(20))
            try await client.send((0..<60).map(message).joined())
            for index in 0..<60 { check(try await client.reply(), index) }
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a client that half-closes gets every answer, and then the end`(_ kind: ReadinessKind)
        async throws
    {
        try await serve(kind) { server in
            let client = try server.client(timeout: .seconds(20))
            try await client.send((0..<20).map(message).joined())
            client.endWriting()
            for index in 0..<20 { check(try await client.reply(), index) }
            #expect(await client.rest() == ([], .closed))
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `clients that disconnect while they wait disturb no other client`(_ kind: ReadinessKind) async throws
    {
        try await serve(kind) { server in
            for _ in 0..<100 {
                let client = try server.client()
                try await client.send(guarded("/api/now", isForged: true))
                client.reset()
            }
            #expect(try await server.exchange(guarded("/api/now")).text == "now")
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `content that arrives in the meantime goes to the handler`(_ kind: ReadinessKind) async throws {
        try await serve(kind) { server in
            let client = try server.client(timeout: .seconds(20))
            let token = site.issuer.mint(audience: Self.identifier)
            let fields = ["Authorization: Bearer \(token)", "Content-Length: 200000"]
            try await client.send(request("POST", "/api/echo", fields))
            try await client.send(Array(repeating: 0x61, count: 200_000))
            #expect(try await client.reply().body.count == 200_000)
            let forged = [
                "Authorization: Bearer \(impostor.mint(audience: Self.identifier))", "Content-Length: 3",
            ]
            try await client.send(request("POST", "/api/echo", forged) + "abc" + request("GET", "/public"))
            #expect(try await client.reply().status == 401)
            #expect(try await client.reply().text == "public")
        }
    }
}
