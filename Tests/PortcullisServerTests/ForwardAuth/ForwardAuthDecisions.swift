// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("FWA-07 to FWA-17 The same decision as for a direct request", .timeLimit(.minutes(1)))
struct ForwardAuthDecisions {
    private static let names = [
        "Subject", "Client", "Scopes", "Issuer", "Resource", "Expires", "Actor", "Subject-Base64",
        "Client-Base64", "Actor-Base64",
    ].map { "X-Portcullis-" + $0 }

    @Test(arguments: ForwardAuthFamily.allCases)
    func `FWA-07 paths and methods without a route are refused`(family: ForwardAuthFamily) async throws {
        try await ForwardAuthStage.run(family) { stage async throws in
            #expect(try await stage.ask("/unknown").status == 403)
            #expect(try await stage.ask("/unknown", "GET", stage.token).status == 403)
            #expect(try await stage.ask("/mcp/unregistered").status == 401)
            #expect(try await stage.ask("/mcp/unregistered", "GET", stage.token).status == family.mapped(404))
            let method = try await stage.ask("/mcp/write", "POST", stage.token)
            #expect(method.status == family.mapped(405))
            #expect(method["allow"] == "GET, HEAD")
            #expect(try await stage.ask("/public/a", "DELETE").status == family.mapped(405))
            #expect(try await stage.ask("/public/a", "TRACE").status == family.mapped(405))
            #expect(try await stage.ask("/mcp", "TRACE").status == 401)
            #expect(try await stage.ask("/mcp", "TRACE", stage.token).status == family.mapped(405))
            #expect(try await stage.ask("/public/a", "get").status == family.mapped(405))
            #expect(
                try await stage.ask("/.well-known/oauth-protected-resource/mcp", "POST").status
                    == family.mapped(405))
        }
    }

    @Test(arguments: ForwardAuthFamily.allCases)
    func `FWA-12, FWA-13 what passes is 200 without content and with every identity field`(
        family: ForwardAuthFamily
    ) async throws {
        try await ForwardAuthStage.run(family) { stage async throws in
            for (target, fields) in [
                ("/mcp", [stage.token]), ("/public/a", []), ("/public/a", [stage.token]),
            ] {
                let reply = try await stage.server.exchange(
                    stage.carrier(target, "GET", fields + ["X-Portcullis-Subject: admin"]))
                #expect(reply.status == 200)
                #expect(reply.body.isEmpty)
                #expect(reply["content-type"] == nil)
                #expect(reply.all("cache-control") == ["no-store"])
                for name in Self.names { #expect(reply.all(name).count == 1, "\(family) \(name)") }
                let isGuarded = target == "/mcp"
                #expect(reply["x-portcullis-subject"] == (isGuarded ? "user-1" : ""))
                #expect(reply["x-portcullis-client"] == (isGuarded ? "client-1" : ""))
                #expect(reply["x-portcullis-scopes"] == (isGuarded ? "tools:read" : ""))
                #expect(reply["x-portcullis-resource"] == (isGuarded ? ForwardAuthStage.identifier : ""))
                #expect(reply["x-portcullis-actor"] == "")
                #expect(reply.all("x-portcullis-status").isEmpty)
            }
        }
    }

    @Test func `FWA-13 another spelling of an identity field is refused`() async throws {
        try await ForwardAuthStage.run(.caddy) { stage async throws in
            for name in [
                "X_Portcullis_Subject", "x-portcullis_subject", "X.Portcullis.Subject", "X-Portcullis-A!",
            ] {
                #expect(try await stage.ask("/public/a", "GET", name + ": admin").status == 400, "\(name)")
            }
            #expect(try await stage.ask("/public/a", "GET", "X_Portcullisx: a").status == 200)
        }
    }

    @Test func `FWA-14 values that are not visible ASCII are in base64url`() async throws {
        try await ForwardAuthStage.run { stage async throws in
            let token = stage.site.issuer.mint(
                audience: ForwardAuthStage.identifier, scope: "tools:read tools:write",
                subject: "Cem Özdemir\r\nX: y", claims: ["act": .object(["sub": "agent 7"])])
            let reply = try await stage.ask("/mcp", "GET", "Authorization: Bearer \(token)")
            #expect(reply["x-portcullis-subject"] == "")
            #expect(
                reply["x-portcullis-subject-base64"]
                    == Base64URL.encode(Array("Cem Özdemir\r\nX: y".utf8)))
            #expect(reply["x-portcullis-actor-base64"] == Base64URL.encode(Array("agent 7".utf8)))
            #expect(reply["x-portcullis-scopes"] == "tools:read tools:write")
            #expect(reply["x"] == nil)
        }
    }

    @Test(arguments: ForwardAuthFamily.allCases)
    func `FWA-08 the told method counts, whatever the carrier's is`(family: ForwardAuthFamily) async throws {
        try await ForwardAuthStage.run(family) { stage async throws in
            #expect(try await stage.ask("/mcp", "POST", stage.token).status == 200)
            #expect(try await stage.ask("/mcp", "DELETE", stage.token).status == family.mapped(405))
            #expect(try await stage.ask("/mcp", "HEAD", stage.token).status == 200)
            guard family != .envoy else { return }
            for method in ["GET", "HEAD", "POST", "OPTIONS", "DELETE", "PROPFIND", "TRACE"] {
                let carrier = stage.carrier("/mcp", "PUT", [stage.token])
                let line = carrier.prefix { $0 != " " }
                let reply = try await stage.server.client().exchange(method + carrier.dropFirst(line.count))
                #expect(reply.status == 200, "\(family) \(method)")
            }
        }
    }

    @Test func `FWA-15 a refusal has its challenges`() async throws {
        for family in ForwardAuthFamily.allCases {
            try await ForwardAuthStage.run(family) { stage async throws in
                let none = try await stage.ask("/mcp")
                let challenge =
                    "Bearer resource_metadata=\"https://api.example.com/.well-known/oauth-protected-resource/mcp\""
                #expect(none.status == 401)
                #expect(none.all("www-authenticate") == [challenge + ", scope=\"tools:read\""])
                #expect(none.all("cache-control") == ["no-store"])
                let narrow = try await stage.ask("/mcp/write", "GET", stage.token)
                #expect(narrow.status == 403)
                #expect(
                    narrow["www-authenticate"]?.contains(
                        "scope=\"tools:write\", error=\"insufficient_scope\"") == true)
                let twice = try await stage.ask("/mcp", "GET", stage.token, stage.token)
                #expect(twice.status == family.mapped(400))
                #expect(twice["www-authenticate"]?.contains("invalid_request") == true)
                let expected = family == .nginx ? ["401", "403", "400"] : []
                #expect([none, narrow, twice].flatMap { $0.all("x-portcullis-status") } == expected)
                for reply in [none, narrow, twice] where family == .nginx {
                    #expect(reply["x-portcullis-challenge-1"] == reply["www-authenticate"])
                }
            }
        }
    }

    @Test func `FWA-17 nothing but a token opens a path`() async throws {
        try await ForwardAuthStage.run(.nginx) { stage async throws in
            for agent in ["kube-probe/1.30", "GoogleHC/1.0", "ELB-HealthChecker/2.0", "curl"] {
                #expect(try await stage.ask("/mcp", "GET", "User-Agent: \(agent)").status == 401)
            }
            for target in ["/mcp/healthz", "/mcp/ping", "/mcp?health", "/mcp/.well-known/x", "/mcp/a.json"] {
                #expect(try await stage.ask(target).status == 401, "\(target)")
            }
            #expect(try await stage.ask("/mcp?access_token=x").status == 401)
        }
    }

    @Test func `FWA-16 a preflight passes only under a CORS policy that allows its origin`() async throws {
        let preflight = ["Access-Control-Request-Method: POST"]
        for family in ForwardAuthFamily.allCases {
            try await ForwardAuthStage.run(family) { stage async throws in
                let reply = try await stage.server.exchange(
                    stage.carrier("/mcp", "OPTIONS", preflight + ["Origin: https://app.example.com"]))
                #expect(reply.status == 401, "\(family)")
            }
            let policy = try CORSPolicy(allowing: ["https://app.example.com"])
            try await ForwardAuthStage.run(family, .init(block: { $0.cors = policy })) { stage async throws in
                func status(_ method: String, _ origin: String) async throws -> Int {
                    try await stage.server.exchange(
                        stage.carrier("/mcp", method, preflight + ["Origin: " + origin])
                    ).status
                }
                #expect(try await status("OPTIONS", "https://app.example.com") == 200)
                #expect(try await status("OPTIONS", "https://evil.example.com") == 401)
                #expect(try await status("POST", "https://app.example.com") == 401)
                // The policy lets the page read the refusal.
                let refused = try await stage.ask("/mcp", "GET", "Origin: https://app.example.com")
                #expect(refused["access-control-allow-origin"] == "https://app.example.com")
            }
        }
    }

    @Test func `metadata documents pass without a token`() async throws {
        try await ForwardAuthStage.run(.traefik) { stage async throws in
            for method in ["GET", "HEAD", "OPTIONS"] {
                let reply = try await stage.ask("/.well-known/oauth-protected-resource/mcp", method)
                #expect(reply.status == 200)
                #expect(reply.body.isEmpty)
            }
        }
    }

    @Test func `middleware decides too, and cannot let a request pass by itself`() async throws {
        struct Door: NonWaitingMiddleware {
            func intercept(_ request: inout Request) -> Interception {
                switch request.query {
                case "teapot": .respond(Response(status: 418))
                case "cached": .respond(.text("from a cache"))
                case "late": .proceedThenFinish { $0 = Response(status: .forbidden) }
                case "replaced": .proceedThenFinish { $0 = .ok }
                default: .proceed
                }
            }
        }
        try await ForwardAuthStage.run(.caddy, .init(block: { $0.use(Door()) })) { stage async throws in
            #expect(try await stage.ask("/mcp", "GET", stage.token).status == 200)
            #expect(try await stage.ask("/mcp?teapot", "GET", stage.token).status == 418)
            #expect(try await stage.ask("/mcp?cached", "GET", stage.token).status == 403)
            #expect(try await stage.ask("/mcp?late", "GET", stage.token).status == 403)
            #expect(try await stage.ask("/mcp?replaced", "GET", stage.token).status == 403)
            #expect(try await stage.ask("/mcp?cached").status == 401)
        }
    }

    @Test func `questions on one connection are answered in order`() async throws {
        try await ForwardAuthStage.run(.nginx) { stage async throws in
            let client = try stage.server.client()
            let targets = ["/mcp", "/public/../mcp", "/public/a", "/unknown"]
            try await client.send(targets.map { stage.carrier($0) }.joined())
            var statuses: [Int] = []
            for _ in targets { statuses.append(try await client.reply().status) }
            #expect(statuses == [401, 403, 200, 403])
        }
    }
}
