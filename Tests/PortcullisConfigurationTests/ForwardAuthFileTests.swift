// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisServer
import Testing

@Suite("Configuration file: forward_auth")
struct ForwardAuthFileTests {
    private static func file(
        _ object: String, proxies: String = "\"127.0.0.1\"", resource: String = "https://api.example.com/mcp",
        route: String = "/public"
    ) throws -> ConfigurationFile {
        let text = """
            {"server":{"trusted_proxies":[\(proxies)]},
            "resources":[{"metadata":{"resource":"\(resource)",
            "authorization_servers":["https://as.example.com"]}}],
            "public_routes":[{"path":"\(route)","respond":"echo"}],
            "forward_auth":\(object)}
            """
        return try ConfigurationFile(parsing: Array(text.utf8))
    }

    private static func errors(_ make: () throws -> ConfigurationFile) -> [String] {
        do {
            _ = try make()
            return []
        } catch let error as InvalidConfiguration {
            return error.findings.filter { $0.severity == .error }.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    @Test func `the family alone is enough`() throws {
        let settings = try #require(try Self.file("{\"family\":\"caddy\"}").forwardAuth)
        #expect(settings.path == "/_auth" && settings.family == .caddy)
        #expect(settings.identityPrefix == "X-Portcullis-")
        let other = "{\"path\":\"/a/b\",\"family\":\"nginx\",\"identity_prefix\":\"X-Auth-\"}"
        let all = try #require(try Self.file(other).forwardAuth)
        #expect(all.path == "/a/b" && all.family == .nginx && all.identityPrefix == "X-Auth-")
    }

    @Test func `FWA-02 without trusted proxies it is an error`() {
        #expect(
            Self.errors { try Self.file("{\"family\":\"caddy\"}", proxies: "") } == [
                "$.forward_auth: needs server.trusted_proxies with the address of the proxy; every other peer "
                    + "gets 404"
            ])
    }

    @Test(arguments: [
        ("{}", "$.forward_auth.family: missing; must be the kind of proxy that asks: \"nginx\", \"traefik\""),
        (
            "{\"family\":\"apache\"}",
            "$.forward_auth.family: must be one of \"nginx\", \"traefik\", \"caddy\""
        ),
        ("{\"family\":\"nginx\",\"path\":\"_auth\"}", "$.forward_auth.path: must begin with a slash"),
        (
            "{\"family\":\"nginx\",\"path\":\"/a//b\"}",
            "$.forward_auth.path: must be a path in its normal form"
        ),
        (
            "{\"family\":\"nginx\",\"path\":\"/.well-known/oauth-protected-resource\"}",
            "$.forward_auth.path: must be elsewhere"
        ),
        (
            "{\"family\":\"nginx\",\"identity_prefix\":\"X_A-\"}",
            "$.forward_auth.identity_prefix: must be letters, digits and hyphens"
        ),
        ("{\"family\":\"nginx\",\"header\":\"x\"}", "$.forward_auth.header: unknown key"),
    ])
    func `FWA-01 wrong settings are errors`(object: String, expected: String) {
        let errors = Self.errors { try Self.file(object) }
        #expect(errors.count == 1)
        #expect(errors.first?.hasPrefix(expected) == true, "\(errors)")
    }

    @Test func `routes and resources that it would hide are errors`() {
        let hidden = ": is never reached: forward_auth has its path"
        let object = "{\"family\":\"caddy\",\"path\":\"/public\"}"
        #expect(Self.errors { try Self.file(object) } == ["$.public_routes[0].path" + hidden])
        #expect(Self.errors { try Self.file(object, route: "/public/x") } == [])
        let envoy = "{\"family\":\"envoy\",\"path\":\"/_auth\"}"
        #expect(
            Self.errors { try Self.file(envoy, route: "/_auth/x") } == ["$.public_routes[0].path" + hidden])
        #expect(
            Self.errors { try Self.file(envoy, resource: "https://api.example.com/_auth/mcp") }
                == ["$.resources[0].metadata.resource" + hidden])
    }

    @Test func `the declaration is that of the file`() throws {
        let file = try Self.file("{\"family\":\"caddy\"}")
        var routes = Routes()
        file.declare(&routes, guarding: [])
        var configuration = Server.Configuration()
        #expect(throws: ConfigurationError.self) {
            try Server(validating: routes, configuration: configuration)
        }
        configuration.proxies = file.server.proxies
        #expect(throws: Never.self) { try Server(validating: routes, configuration: configuration) }
    }
}
