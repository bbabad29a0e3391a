// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("FWA-01, FWA-02 Declarations of forward authentication")
struct ForwardAuthDeclarations {
    private static func problems(
        trusting networks: [String] = ["127.0.0.1"], _ declare: (inout Routes) -> Void
    ) throws -> String {
        var routes = Routes()
        declare(&routes)
        var configuration = Server.Configuration()
        configuration.proxies = try TrustedProxies(networks)
        do throws(ConfigurationError) {
            _ = try Server(validating: routes, configuration: configuration)
            return ""
        } catch {
            return error.description
        }
    }

    @Test func `FWA-02 it needs trusted proxies`() throws {
        #expect(try Self.problems { $0.forwardAuth(at: "/_auth", for: .caddy) } == "")
        #expect(try Self.problems(trusting: ["unix"]) { $0.forwardAuth(at: "/_auth", for: .caddy) } == "")
        let problems = try Self.problems(trusting: []) { $0.forwardAuth(at: "/_auth", for: .caddy) }
        #expect(problems.contains("Forward authentication at /_auth needs trusted proxies"))
    }

    @Test func `FWA-02 routes that are replaced need them too`() async throws {
        try await withServer(RunningServer.Setup(), { $0.get("/") { _ in .ok } }) { server async throws in
            var routes = Routes()
            routes.forwardAuth(at: "/_auth", for: .nginx)
            let new = routes
            await #expect(throws: ConfigurationError.self) { try await server.replace(new) }
        }
    }

    @Test(arguments: [
        "", "/", "_auth", "/_auth/", "/a//b", "/a/../b", "/%61", "/a?b", "/{x}", "/a b", "/.well-known",
        "/.well-known/oauth-protected-resource/x",
    ])
    func `the path is normal and elsewhere than documents`(path: String) throws {
        let problems = try Self.problems { $0.forwardAuth(at: path, for: .nginx) }
        #expect(problems.contains("the path of forward authentication"))
    }

    @Test(arguments: ["", "X", "X-Forwarded-", "X-Original-", "x_y-", "X-A"])
    func `the prefix begins no other field`(prefix: String) throws {
        let problems = try Self.problems {
            $0.forwardAuth(at: "/_auth", for: .nginx, identityPrefix: prefix)
        }
        #expect(problems.contains("the prefix of the identity fields"))
    }

    @Test func `it is declared once, and hides no route`() throws {
        let twice = try Self.problems {
            $0.forwardAuth(at: "/a", for: .nginx)
            $0.forwardAuth(at: "/b", for: .caddy)
        }
        #expect(twice.contains("more than one path"))
        let declare: (String) -> (inout Routes) -> Void = { path in
            { routes in
                routes.forwardAuth(at: "/_auth", for: .caddy)
                routes.get(path) { _ in .ok }
            }
        }
        #expect(try Self.problems(declare("/_auth")).contains("the path /_auth is never reached"))
        #expect(try Self.problems(declare("/_auth/x")) == "")
        #expect(try Self.problems(declare("/{x}")) == "")
        let envoy = try Self.problems {
            $0.forwardAuth(at: "/_auth", for: .envoy)
            $0.get("/_auth/{x}") { _ in .ok }
        }
        #expect(envoy.contains("the path /_auth/{x} is never reached"))
    }

    @Test func `the path and the prefix are configurable, and a group's prefix counts`() async throws {
        var setup = RunningServer.Setup()
        let proxies = try TrustedProxies(["127.0.0.1"])
        setup.configure = { $0.proxies = proxies }
        let declare: (inout Routes) -> Void = { routes in
            routes.group("/gate") { group in
                group.forwardAuth(at: "/ask", for: .caddy, identityPrefix: "X-Auth-")
                group.get("/open") { _ in .ok }
            }
        }
        try await withServer(setup, declare) { server async throws in
            let reply = try await server.get(
                "/gate/ask", "X-Forwarded-Uri: /gate/open", "X-Forwarded-Method: GET", "X-Forwarded-Host: a")
            #expect(reply.status == 200)
            #expect(reply.all("x-auth-subject") == [""])
            #expect(reply.all("x-portcullis-subject").isEmpty)
        }
    }

    @Test func `direct requests are answered as ever`() async throws {
        try await ForwardAuthStage.run(.nginx) { stage async throws in
            #expect(try await stage.server.get("/mcp").status == 401)
            #expect(try await stage.server.get("/mcp", stage.token).text == "not run")
            #expect(try await stage.server.get("/public/a").text == "not run")
            #expect(try await stage.server.get("/unknown").status == 404)
            #expect(try await stage.server.get("/a/../b").status == 400)
        }
    }
}
