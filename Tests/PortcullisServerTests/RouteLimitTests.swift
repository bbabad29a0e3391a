// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisServer
import PortcullisTesting
import Testing

/// Limits of groups, resources and single routes.
@Suite("RFC 9110 §15.5.14, §15.5.9 Limits of routes")
struct RouteLimitTests {
    private static let issuer = TestIssuer("https://login.example.com")
    private static let identifier = "https://api.example.com/notes"
    private static let notes = ProtectedResource(
        "https://api.example.com/notes", trusting: issuer.trusted, scopes: ["notes:read"])

    @Sendable private static func collect(_ request: Request) async throws -> Response {
        .text("\(try await request.body.collect().count)")
    }

    @Sendable private static func collect(_ request: Request, _ token: AccessToken) async throws -> Response {
        try await collect(request)
    }

    /// The server allows 10 bytes.
    private static func declare(_ routes: inout Routes) {
        routes.post("/server", collect)
        routes.post("/larger", collect).limits.maxBodyByteCount = 30
        routes.group("/group") { group in
            group.limits.maxBodyByteCount = 5
            group.post("/small", collect)
            group.post("/route", collect).limits.maxBodyByteCount = 7
            group.group { $0.post("/inner", collect) }
        }
        routes.protect(notes) { notes in
            notes.limits.maxBodyByteCount = 20
            notes.post("/", collect)
            notes.group("/tiny") { tiny in
                tiny.limits.maxBodyByteCount = 2
                tiny.post("/", collect)
                tiny.post("/none", collect).limits.maxBodyByteCount = 0
            }
        }
    }

    private static func serving(_ test: (RunningServer) async throws -> Void) async throws {
        var setup = RunningServer.Setup()
        setup.limits.maxBodyByteCount = 10
        try await withServer(setup, { (routes: inout Routes) in declare(&routes) }, test)
    }

    @Test(arguments: [
        ("/server", 10), ("/larger", 30), ("/group/small", 5), ("/group/route", 7), ("/group/inner", 5),
        ("/notes", 20), ("/notes/tiny", 2), ("/notes/tiny/none", 0), ("/nowhere", 10), ("/notes/nowhere", 10),
    ])
    func `the innermost limit of the body counts`(path: String, limit: Int) async throws {
        let token = "Authorization: Bearer \(Self.issuer.mint(audience: Self.identifier))"
        try await Self.serving { server in
            for count in [limit, limit + 1] {
                let body = String(repeating: "a", count: count)
                let whole = request("POST", path, [token, "Content-Length: \(count)"]) + body
                let chunk = count == 0 ? "" : "\(String(count, radix: 16))\r\n\(body)\r\n"
                let chunked =
                    request("POST", path, [token, "Transfer-Encoding: chunked"]) + chunk + "0\r\n\r\n"
                let isUnmatched = path.hasSuffix("nowhere")
                let expected = count > limit ? 413 : isUnmatched ? 404 : 200
                let reply = try await server.exchange(whole)
                #expect(reply.status == expected, "\(count)")
                // Nothing reads the chunks of a request without a route.
                let second = try await server.exchange(chunked)
                #expect(second.status == (isUnmatched ? 404 : expected), "\(count) in chunks")
                if expected == 200 { #expect(reply.text == "\(count)" && second.text == "\(count)") }
            }
        }
    }

    @Test func `a limit below 0 is a mistake`() {
        let problems = routingProblems { routes in
            routes.get("/size") { _ in .ok }.limits.maxBodyByteCount = -1
            routes.get("/time") { _ in .ok }.limits.bodyTimeout = .milliseconds(-1)
            routes.group { group in
                group.limits.minBodyBytesPerSecond = -1
                group.get("/rate") { _ in .ok }
            }
        }
        for path in ["/size", "/time", "/rate"] {
            #expect(problems.contains("the route \(path) has a limit below 0"))
        }
    }

    @Test func `a body may pause as long as its route allows`() async throws {
        var setup = RunningServer.Setup()
        setup.limits.bodyTimeout = .seconds(60)
        try await withServer(
            setup,
            { (routes: inout Routes) in
                routes.post("/short", Self.collect).limits.bodyTimeout = .milliseconds(250)
                routes.post("/long", Self.collect)
            }
        ) { server in
            for (path, isTooSlow) in [("/short", true), ("/long", false)] {
                let client = try server.client()
                try await client.send(request("POST", path, ["Content-Length: 2"]) + "a")
                if isTooSlow {
                    #expect(try await client.reply().status == 408)
                } else {
                    try await Task.sleep(for: .milliseconds(500))
                    try await client.send("b")
                    #expect(try await client.reply().text == "2")
                }
            }
        }
    }

    @Test func `a body has the minimum rate of its route`() async throws {
        var setup = RunningServer.Setup()
        setup.limits.bodyRateGracePeriod = .milliseconds(200)
        setup.limits.minBodyBytesPerSecond = 0
        try await withServer(
            setup,
            { (routes: inout Routes) in
                routes.post("/fast", Self.collect).limits.minBodyBytesPerSecond = 1_000_000
                routes.post("/any", Self.collect)
            }
        ) { server in
            for (path, status) in [("/fast", 408), ("/any", 200)] {
                let client = try server.client()
                try await client.send(request("POST", path, ["Content-Length: 3"]) + "a")
                try await Task.sleep(for: .milliseconds(400))
                try await client.send("b")
                if status == 200 { try await client.send("c") }
                #expect(try await client.reply().status == status)
            }
        }
    }

    /// The limits of one request do not stay on its connection.
    @Test func `the next request of the connection has its own limits`() async throws {
        try await Self.serving { server in
            let client = try server.client()
            for (path, count) in [("/larger", 30), ("/server", 10), ("/group/small", 5), ("/server", 10)] {
                let body = String(repeating: "a", count: count)
                try await client.send(request("POST", path, ["Content-Length: \(count)"]))
                try await client.send(body)
                #expect(try await client.reply().text == "\(count)")
            }
        }
    }
}
