// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisHTTP
import PortcullisJOSE
import Testing

/// The smallest valid file; each test changes a part of it.
enum SampleFile {
    static func with(
        server: String? = nil, authorizationServers: String? = nil, resource: String = resource(),
        more: String = ""
    ) -> String {
        var members: [String] = []
        if let server { members.append("\"server\": \(server)") }
        if let authorizationServers { members.append("\"authorization_servers\": \(authorizationServers)") }
        members.append("\"resources\": [\(resource)]")
        if !more.isEmpty { members.append(more) }
        return "{" + members.joined(separator: ", ") + "}"
    }

    static func resource(
        _ identifier: String = "https://api.example.com/photos", metadata: String = "", more: String = ""
    ) -> String {
        """
        { "metadata": { "resource": "\(identifier)", "authorization_servers": ["https://as.example.com"]\
        \(metadata.isEmpty ? "" : ", " + metadata) }\(more.isEmpty ? "" : ", " + more) }
        """
    }

    /// The errors of a file, one per line, without warnings and without what was found instead; empty for a
    /// valid file.
    static func problems(_ text: String) -> [String] {
        do throws(InvalidConfiguration) {
            _ = try ConfigurationFile(parsing: Array(text.utf8))
            return []
        } catch {
            return error.findings.filter { $0.severity == .error }.map { finding in
                String(
                    finding.description.prefix(
                        upTo: finding.description.firstRange(of: "; found ")?.lowerBound
                            ?? finding.description.endIndex))
            }
        }
    }

    static func warnings(_ text: String) throws -> [String] {
        try ConfigurationFile(parsing: Array(text.utf8)).warnings.map(\.description)
    }
}

@Suite("Configuration file")
struct ConfigurationFileTests {
    static let sample = """
        {
          "server": {
            "host": "127.0.0.1", "port": 0, "event_loops": 2,
            "limits": { "max_connections": 10000, "max_target_bytes": 8192, "max_header_bytes": 32768,
                        "max_header_fields": 100, "max_body_bytes": 1048576,
                        "header_timeout_seconds": 10, "body_timeout_seconds": 30,
                        "idle_timeout_seconds": 0.5, "write_timeout_seconds": 30 },
            "shutdown_grace_seconds": 1.5,
            "trusted_proxies": [], "forwarded": "none", "client_cert_field": false, "access_log": "none"
          },
          "authorization_servers": [
            { "issuer": "https://as.example.com", "discovery": true,
              "jwks_uri": "https://as.example.com/jwks",
              "introspection": { "endpoint": "https://as.example.com/introspect", "client_id": "rs",
                                 "client_secret": "s3cret", "client_auth": "client_secret_basic" },
              "ca_certificates": "ca.pem", "allow_insecure_loopback": false,
              "timeout_seconds": 5, "max_response_bytes": 1048576,
              "jwks_refresh_seconds": 600, "jwks_cooldown_seconds": 30, "jwks_stale_seconds": 3600 } ],
          "resources": [
            { "metadata": { "resource": "https://api.example.com/photos",
                            "authorization_servers": ["https://as.example.com"],
                            "scopes_supported": ["photos.read", "photos.write"],
                            "bearer_methods_supported": ["header"],
                            "resource_name": "Photos", "resource_name#it": "Foto",
                            "x-extension": { "a": [] } },
              "metadata_max_age_seconds": 300, "root_alias": true,
              "tokens": { "format": "any", "algorithms": ["ES256", "RS256"], "types": ["at+jwt", "JWT", ""],
                          "required_claims": ["sub", "client_id", "iat", "jti"],
                          "audiences": ["https://api.example.com/photos"], "leeway_seconds": 30,
                          "scope_claims": ["scope"], "scope_implies": { "photos.admin": ["photos.read"] },
                          "max_token_bytes": 16384, "verified_cache_entries": 0,
                          "introspection_cache_seconds": 30, "inactive_cache_seconds": 5,
                          "introspection_audience": "optional" },
              "challenge_parameters": { "realm": "photos" },
              "routes": [
                { "path": "/photos/{id}", "methods": ["GET"], "scopes": ["photos.read"],
                  "respond": "principal" } ] } ],
          "public_routes": [
            { "path": "/hello", "methods": ["GET"], "respond": { "text": "Hello, world" } },
            { "path": "/echo", "methods": ["POST", "PUT"], "respond": "echo" },
            { "path": "/lines", "respond": { "stream": 3 } },
            { "path": "/sleep", "respond": { "sleep_seconds": 0.2 } },
            { "path": "/block", "respond": { "block_seconds": 1 } } ]
        }
        """

    @Test func `the documented sample decodes`() throws {
        let file = try ConfigurationFile(parsing: Array(Self.sample.utf8))
        // Each relaxation is said, with its consequence.
        #expect(
            file.warnings.map(\.path) == [
                "$.resources[0].tokens.types", "$.resources[0].tokens.introspection_audience",
            ])
        #expect(file.warnings.allSatisfy { $0.isSaidAtStart && $0.message.contains("(RFC ") })
        #expect(file.server.port == 0)
        #expect(file.server.eventLoopCount == 2)
        #expect(file.server.limits.idleTimeout == .milliseconds(500))
        #expect(file.server.shutdownGrace == .milliseconds(1_500))
        let server = try #require(file.authorizationServers.first)
        #expect(server.usesDiscovery)
        #expect(server.introspection?.authentication == .clientSecretBasic(id: "rs", secret: "s3cret"))
        #expect(server.certificateAuthorities == "ca.pem")
        let resource = try #require(file.resources.first)
        #expect(resource.metadata.resourceName.variants.map(\.text) == ["Foto"])
        #expect(resource.isRootAlias)
        #expect(resource.tokens.algorithms == [.es256, .rs256])
        #expect(resource.tokens.types == ["at+jwt", "JWT", ""])
        #expect(resource.tokens.scopeImplications == ["photos.admin": ["photos.read"]])
        #expect(resource.tokens.introspectionAudience == .optional)
        #expect(resource.routes.map(\.scopes) == [["photos.read"]])
        #expect(
            file.publicRoutes.map(\.answer) == [
                .text("Hello, world"), .echo, .stream(lineCount: 3), .sleep(.milliseconds(200)),
                .block(.seconds(1)),
            ])
        #expect(file.publicRoutes.map(\.methods) == [[.get], [.post, .put], [.get], [.get], [.get]])
    }

    @Test func `everything but resources has a default`() throws {
        let file = try ConfigurationFile(parsing: Array(SampleFile.with().utf8))
        #expect(file.warnings == [])
        #expect(file.server == ServerSettings())
        #expect(file.server.port == 8080)
        #expect(file.resources.first?.tokens == TokenSettings())
    }

    @Test func `a listed issuer without an entry uses discovery over https`() throws {
        let file = try ConfigurationFile(parsing: Array(SampleFile.with().utf8))
        #expect(file.authorizationServers.map(\.issuer) == ["https://as.example.com"])
        #expect(file.authorizationServers.first?.usesDiscovery == true)
        #expect(file.authorizationServers.first?.allowsInsecureLoopback == false)
    }

    @Test func `discovery is off where keys are configured, unless it is switched on`() throws {
        let keys = #"[{"issuer": "https://as.example.com", "jwks_uri": "https://as.example.com/keys"}]"#
        let file = try ConfigurationFile(parsing: Array(SampleFile.with(authorizationServers: keys).utf8))
        #expect(file.authorizationServers.first?.usesDiscovery == false)
    }

    @Test func `one run reports all problems`() {
        let text = SampleFile.with(
            server: #"{"prot": 1, "port": 70000, "host": ""}"#,
            resource: SampleFile.resource(
                more: #""root_alias": "yes", "routes": [{"path": "/x", "respond": "no"}]"#))
        #expect(
            SampleFile.problems(text) == [
                "$.server.host: must be a string that is not empty",
                "$.server.port: must be a whole number from 0 to 65535",
                "$.server.prot: unknown key; known here: host, port, unix_socket_mode, unix_socket_owner, event_loops, tls, limits, "
                    + "shutdown_grace_seconds, "
                    + "private_addresses, trusted_proxies, forwarded, proxy_protocol, client_cert_field, client_cert_format, client_cert_name, "
                    + "traces, metrics_names, access_log, access_log_file, request_ids, "
                    + "problem_details, outbound_proxy, user_agent",
                "$.resources[0].root_alias: must be true or false",
                "$.resources[0].routes[0].respond: must be \"principal\", \"echo\", {\"text\": …}, {\"stream\": N}, {\"events\": N}, "
                    + "{\"sleep_seconds\": S}, {\"block_seconds\": S} or {\"proxy\": URL}",
            ])
    }

    @Test(arguments: [
        ("", "$: must be JSON: an empty document, at line 1, column 1"),
        ("[]", "$: must be an object"),
        ("{}", "$.resources: missing; must be the list of protected resources"),
        (#"{"resources": []}"#, "$.resources: must not be empty; list at least one protected resource"),
        (#"{"resources": [1]}"#, "$.resources[0]: must be an object"),
        (
            "{\n \"a\": 1,\n \"a\": 2}",
            "$: must be JSON: the key \"a\" given more than once in its object, at line 3, column 2"
        ),
    ])
    func `a file that is not a configuration has one problem`(text: String, problem: String) {
        #expect(SampleFile.problems(text) == [problem])
    }

    @Test func `a name in a path is escaped for printing`() {
        #expect(
            SampleFile.problems(SampleFile.with(server: #"{"a b\u0007\"": 1}"#)).first?
                .hasPrefix(#"$.server["a b\u{7}\""]: unknown key"#) == true)
    }

    @Test func `no problem repeats a value of the file`() {
        let text = SampleFile.with(
            authorizationServers: #"[{"issuer": "s3cret", "jwks_uri": "s3cret", "introspection": "s3cret"}]"#)
        #expect(!SampleFile.problems(text).joined().contains("s3cret"))
        #expect(!SampleFile.problems(text).isEmpty)
    }

    @Test func `a missing file is one problem`() {
        #expect(throws: InvalidConfiguration.self) { try ConfigurationFile(path: "/nowhere/at/all.json") }
    }

    @Test func `file names are relative to the file`() {
        #expect(ConfigurationFile.resolve("ca.pem", relativeTo: "/etc/p/c.json") == "/etc/p/ca.pem")
        #expect(ConfigurationFile.resolve("/ca.pem", relativeTo: "/etc/p/c.json") == "/ca.pem")
        #expect(ConfigurationFile.resolve("ca.pem", relativeTo: "c.json") == "ca.pem")
    }
}
