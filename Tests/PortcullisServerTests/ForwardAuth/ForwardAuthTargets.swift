// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import PortcullisTesting
import Testing

/// Table 9.3 of the norms, for each family.
@Suite("FWA-04 The told target has one reading", .timeLimit(.minutes(1)))
struct ForwardAuthTargets {
    static let table: [(target: String, status: Int)] = [
        ("/mcp", 401), ("/mcp/", 401), ("/mcp/a?x=/../public", 401), ("/public/a", 200),
        ("/public/../mcp", 400), ("/public/%2e%2e/mcp", 400), ("/public/..;/mcp", 400),
        ("/public/%2E%2E%3B/mcp", 400), ("/public//../mcp", 400), ("//mcp", 400), ("/mcp//a", 400),
        ("//host/x", 400), ("//api.example.com/public/a", 400), ("/public%2F..%2Fmcp", 400),
        ("/public/%5c..%5cmcp", 400), ("/public\\..\\mcp", 400), ("/mcp%00", 400),
        ("/%c0%ae%c0%ae/mcp", 400), ("/public#/../mcp", 400), ("/mcp#", 400), ("/public?#", 400),
        ("/public/%zz", 400), ("/public/%", 400), ("/%6dcp", 401), ("/MCP", 403), ("/unknown", 403),
        ("/mcpx", 403), ("/publicx/a", 403), ("/", 403), ("/public/a?b=%2F..%2Fmcp", 200),
        ("/public/a,/mcp", 400), ("/public/a,b", 200), ("/public/a?x=1,/2", 200),
        ("/.well-known/oauth-protected-resource/mcp", 200),
        ("/.well-known/oauth-protected-resource/other", 403),
    ]
    /// Those that only fields can tell.
    static let forms = [
        "https://api.example.com/public/a", "http://api.example.com/public/a", "public/a", "*", "?a", "#",
        "/public/a /mcp", "/public/a, /mcp", "/public/a HTTP/1.1", "/pub\tlic",
    ]

    @Test(arguments: ForwardAuthFamily.allCases)
    func `every target has the recorded verdict without a token`(family: ForwardAuthFamily) async throws {
        try await ForwardAuthStage.run(family) { stage async throws in
            for (target, status) in Self.table {
                let reply = try await stage.ask(target)
                #expect(reply.status == family.mapped(status), "\(family) \(target)")
                #expect(reply.body.isEmpty || status >= 400)
            }
        }
    }

    @Test func `every target has the verdict of a direct request`() async throws {
        try await ForwardAuthStage.run(.traefik) { stage async throws in
            // A comma before a slash looks like two values that were joined, which a direct target is not.
            for (target, _) in Self.table where !target.prefix(while: { $0 != "?" }).contains(",/") {
                for method in ["GET", "POST", "DELETE", "OPTIONS"] {
                    for fields in [[], [stage.token]] {
                        let direct = try await stage.server.exchange(request(method, target, fields))
                        let told = try await stage.server.exchange(stage.carrier(target, method, fields))
                        // 204 passes, and what belongs to nothing is 403.
                        let isOutside = direct.status == 404 && !target.hasPrefix("/mcp/")
                        let expected = direct.status == 204 ? 200 : isOutside ? 403 : direct.status
                        #expect(told.status == expected, "\(method) \(target)")
                        #expect(told.all("www-authenticate") == direct.all("www-authenticate"))
                    }
                }
            }
        }
    }

    @Test(arguments: ForwardAuthFamily.allCases.filter { $0 != .envoy })
    func `absolute, authority, asterisk and broken forms are refused`(family: ForwardAuthFamily) async throws
    {
        try await ForwardAuthStage.run(family) { stage async throws in
            for target in Self.forms {
                let reply = try await stage.ask(target, "OPTIONS")
                #expect(reply.status == family.mapped(400), "\(family) \(target)")
            }
            #expect(try await stage.ask("api.example.com:443", "CONNECT").status == family.mapped(400))
            #expect(try await stage.ask("/mcp", "CONNECT").status == family.mapped(400))
        }
    }

    @Test(arguments: [ForwardAuthFamily.nginx, .caddy])
    func `8193 bytes are too long, 8192 are not`(family: ForwardAuthFamily) async throws {
        try await ForwardAuthStage.run(family) { stage async throws in
            let longest = "/public/" + String(repeating: "a", count: 8184)
            #expect(try await stage.ask(longest).status == 200)
            #expect(try await stage.ask(longest + "a").status == family.mapped(400))
        }
    }

    // The path of the endpoint is Envoy's path_prefix.
    @Test func `Envoy's target follows the path of the endpoint`() async throws {
        try await ForwardAuthStage.run(.envoy) { stage async throws in
            #expect(try await stage.server.get("/_auth").status == 400)
            #expect(try await stage.server.get("/_auth?x=/public/a").status == 400)
            #expect(try await stage.server.get("/_auth/public/a?b=c").status == 200)
            #expect(try await stage.server.get("/_auth/../public/a").status == 400)
            #expect(try await stage.server.get("/%5fauth/public/a").status == 400)
            #expect(try await stage.server.get("/_authx/public/a").status == 404)
            #expect(try await stage.server.get("http://api.example.com/_auth/mcp").status == 401)
        }
    }

    @Test func `other families have one path only`() async throws {
        try await ForwardAuthStage.run(.caddy) { stage async throws in
            for target in ["/_auth/", "/_auth/mcp", "/_AUTH", "/_auth2"] {
                #expect(try await stage.server.get(target).status == 404, "\(target)")
            }
            #expect(try await stage.server.get("/_auth?x", "X-Forwarded-Uri: /mcp").status == 400)
        }
    }
}
