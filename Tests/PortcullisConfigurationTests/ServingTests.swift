// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisServer
import Testing

@Suite("Configuration file: what becomes of it")
struct ServingTests {
    static func file(_ text: String) throws -> ConfigurationFile {
        try ConfigurationFile(parsing: Array(text.utf8))
    }

    @Test func `resources and routes make a server`() throws {
        let routes = """
            "routes": [{"path": "/photos", "respond": "principal"}, {"path": "/photos/{id}", "respond": "echo"},
            {"path": "/photos/a/{rest...}", "methods": ["POST"], "respond": {"block_seconds": 1}},
            {"path": "/photos/%7Ealice", "respond": {"sleep_seconds": 1}},
            {"path": "/photos/", "respond": {"text": "a slash makes it another path"}}]
            """
        let file = try Self.file(
            SampleFile.with(
                resource: SampleFile.resource(more: routes),
                more: #""public_routes": [{"path": "/{rest...}", "respond": {"text": "x"}}]"#))
        let resources = try file.makeResources(besides: "c.json", onEvent: { _ in })
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

    @Test func `certificates that are not there are a problem before anything listens`() throws {
        let servers = #"[{"issuer": "https://as.example.com", "ca_certificates": "absent.pem"}]"#
        let file = try Self.file(SampleFile.with(authorizationServers: servers))
        do {
            _ = try file.makeResources(besides: "/nowhere/c.json", onEvent: { _ in })
            Issue.record("it must not pass")
        } catch {
            #expect(
                error.findings.map(\.description) == [
                    "$.authorization_servers[0].ca_certificates: certificates cannot be read; must be a file of "
                        + "certificates in PEM"
                ])
        }
    }
}
