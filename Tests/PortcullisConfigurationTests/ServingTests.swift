// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisServer
import Testing

@Suite("Configuration file: the server that it makes")
struct ServingTests {
    static func file(_ text: String) throws -> ConfigurationFile {
        try ConfigurationFile(parsing: Array(text.utf8))
    }

    @Test func `resources and routes make a server`() throws {
        let routes = """
            "routes": [{"path": "/photos", "respond": "principal"},
            {"path": "/photos/{id}", "respond": "echo"},
            {"path": "/photos/a/{rest...}", "methods": ["POST"], "respond": {"block_seconds": 1}},
            {"path": "/photos/%7Ealice", "respond": {"sleep_seconds": 1}},
            {"path": "/photos/", "respond": {"text": "a slash makes it another path"}}]
            """
        let file = try Self.file(
            SampleFile.with(
                resource: SampleFile.resource(more: routes),
                more: #""public_routes": [{"path": "/{rest...}", "respond": {"text": "x"}}]"#))
        let resources = try file.makeResources(relativeTo: "c.json", onEvent: { _ in })
        #expect(resources.map(\.identifier.text) == ["https://api.example.com/photos"])
        var declared = Routes()
        file.declare(&declared, guarding: resources)
        _ = try Server(validating: declared, configuration: file.makeServerConfiguration(log: { _ in }))
    }

    @Test func `limits become the server's`() throws {
        let file = try Self.file(
            SampleFile.with(
                server: """
                    {"event_loops": 3, "shutdown_grace_seconds": 0.25,
                     "limits": {"max_connections": 7, "max_body_bytes": 9, "write_timeout_seconds": 0.5}}
                    """))
        let configuration = file.makeServerConfiguration(log: { _ in })
        #expect(configuration.eventLoopCount == 3)
        #expect(configuration.shutdownGracePeriod == .milliseconds(250))
        #expect(configuration.limits.maxConnectionCount == 7)
        #expect(configuration.limits.maxBodyByteCount == 9)
        #expect(configuration.limits.writeTimeout == .milliseconds(500))
    }

    @Test func `the defaults of the file are those of the library`() throws {
        let configuration = try Self.file(SampleFile.with()).makeServerConfiguration(log: { _ in })
        #expect(configuration.limits == Server.Limits())
        #expect(configuration.eventLoopCount == nil)
        #expect(configuration.shutdownGracePeriod == Server.Configuration().shutdownGracePeriod)
    }

    @Test func `missing certificates are reported before the server listens`() throws {
        let servers = #"[{"issuer": "https://as.example.com", "ca_certificates": "absent.pem"}]"#
        let file = try Self.file(SampleFile.with(authorizationServers: servers))
        do {
            _ = try file.makeResources(relativeTo: "/nowhere/c.json", onEvent: { _ in })
            Issue.record("it must not pass")
        } catch {
            #expect(
                error.findings.map(\.description) == [
                    "$.authorization_servers[0].ca_certificates: /nowhere/absent.pem cannot be opened: No such "
                        + "file or directory"
                ])
        }
    }
}

@Suite("Configuration file: the server's edge")
struct EdgeSettingsTests {
    private static func configuration(_ server: String) throws -> Server.Configuration {
        try ConfigurationFile(parsing: Array(SampleFile.with(server: server).utf8))
            .makeServerConfiguration(log: { _ in })
    }

    @Test func `by default no peer is trusted, nothing is logged, and requests have no IDs`() throws {
        let made = try Self.configuration("{}")
        #expect(made.proxies == .none)
        #expect(made.assignsRequestIDs == nil)
        #expect(try ConfigurationFile(parsing: Array(SampleFile.with().utf8)).server.accessLog == nil)
    }

    @Test func `trusted proxies and their fields are applied`() throws {
        let made = try Self.configuration(
            #"{"trusted_proxies": ["10.0.0.0/8", "::1", "unix"], "forwarded": "x-forwarded", "#
                + #""proxy_protocol": true, "request_ids": true}"#
        )
        #expect(
            try made.proxies
                == TrustedProxies(
                    ["10.0.0.0/8", "::1", "unix"], forwarded: .xForwarded, usesProxyProtocol: true))
        #expect(made.assignsRequestIDs == true)
    }

    @Test func `forwarded fields without trusted proxies, and network bits without effect, are warnings`()
        throws
    {
        #expect(
            try SampleFile.warnings(SampleFile.with(server: #"{"forwarded": "forwarded"}"#)) == [
                "$.server.forwarded: warning: has no effect, since trusted_proxies names no proxy"
            ])
        #expect(
            try SampleFile.warnings(SampleFile.with(server: #"{"trusted_proxies": ["10.0.0.1/8"]}"#)) == [
                "$.server.trusted_proxies[0]: warning: has bits set after its prefix; they are ignored"
            ])
    }

    @Test func `allowed origins are applied, and origins that no browser sends are refused one by one`()
        throws
    {
        func cors(_ origins: String) -> String {
            SampleFile.with(
                resource: SampleFile.resource(more: #""cors": {"allowed_origins": \#(origins)}"#))
        }
        let file = try ConfigurationFile(parsing: Array(cors(#"["https://app.example.com"]"#).utf8))
        #expect(try file.resources[0].cors == CORSPolicy(allowing: ["https://app.example.com"]))
        #expect(try ConfigurationFile(parsing: Array(cors(#"["*"]"#).utf8)).resources[0].cors == .anyOrigin)
        #expect(try ConfigurationFile(parsing: Array(cors("[]").utf8)).resources[0].cors == nil)
        #expect(
            SampleFile.problems(cors(#"["https://app.example.com/", "*", "https://a.example:443"]"#)) == [
                "$.resources[0].cors.allowed_origins[0]: must be an origin as browsers send it: scheme, host in lower case, "
                    + "optional port, and no path",
                "$.resources[0].cors.allowed_origins[1]: is given with other origins; \"*\" must be the only one",
                "$.resources[0].cors.allowed_origins[2]: names the scheme's default port; browsers leave it out",
            ])
    }

    @Test(arguments: [("text", AccessLog.Format.text), ("json", .json)])
    func `an access log has a format, and a file relative to the configuration's folder`(
        word: String, format: AccessLog.Format
    ) throws {
        let file = try ConfigurationFile(
            parsing: Array(
                SampleFile.with(server: #"{"access_log": "\#(word)", "access_log_file": "no/such/log"}"#).utf8
            ))
        #expect(file.server.accessLog == format)
        #expect(throws: InvalidConfiguration.self) { try file.makeAccessLog(relativeTo: "/tmp/config.json") }
    }
}
