// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisJOSE
import Testing

@Suite("Configuration file: algorithms, tenants and addresses of issuers")
struct IssuerSettingsTests {
    static let pattern = "https://login.example.com/{tenant}/v2.0"

    private func file(_ entry: String, resource: String = SampleFile.resource()) throws -> ConfigurationFile {
        let text = SampleFile.with(authorizationServers: "[\(entry)]", resource: resource)
        return try ConfigurationFile(parsing: Array(text.utf8))
    }

    private func problems(_ entry: String, resource: String = SampleFile.resource()) -> [String] {
        SampleFile.problems(SampleFile.with(authorizationServers: "[\(entry)]", resource: resource))
    }

    /// A resource that trusts the pattern, with these members in its metadata.
    private static func trusting(_ metadata: String = "") -> String {
        """
        {"metadata": {"resource": "https://api.example.com/photos"\(metadata)},
         "trusted_issuers": ["\(pattern)"]}
        """
    }

    @Test func `algorithms of an issuer are read and passed on`() throws {
        let file = try file(#"{"issuer": "https://as.example.com", "algorithms": ["RS256", "ES256"]}"#)
        #expect(file.authorizationServers[0].algorithms == [.rs256, .es256])
        #expect(
            try self.file(#"{"issuer": "https://as.example.com"}"#).authorizationServers[0].algorithms == nil)
        _ = try file.makeResources(relativeTo: "c.json", onEvent: { _ in })
    }

    @Test(arguments: [
        (#""algorithms": []"#, "algorithms: must not be empty; leave it out to accept those of the resource"),
        (#""algorithms": "RS256""#, "algorithms: must be a list of JWS algorithms"),
        (
            #""tenants": ["a"]"#,
            "tenants: needs an issuer with a variable, such as https://login.example.com/{tenant}/v2.0"
        ),
        (
            #""max_tenants": 5"#,
            "max_tenants: needs an issuer with a variable, such as https://login.example.com/{tenant}/v2.0"
        ),
    ])
    func `a wrong value of an issuer is reported`(member: String, problem: String) {
        #expect(
            problems("{\"issuer\": \"https://as.example.com\", \(member)}") == [
                "$.authorization_servers[0]." + problem
            ])
    }

    @Test func `none and HMAC are no algorithms of an issuer`() {
        for name in ["none", "HS256", "rs256"] {
            let found = problems("{\"issuer\": \"https://as.example.com\", \"algorithms\": [\"\(name)\"]}")
            #expect(
                found.first?.hasPrefix("$.authorization_servers[0].algorithms[0]: must be one of") == true)
        }
    }

    @Test(arguments: [
        (#""tenants": []"#, "tenants: must not be empty; leave it out to accept every tenant"),
        (
            #""tenants": ["a", "a/b"]"#,
            "tenants[1]: must be 1 to 64 letters, digits, dots, underscores and hyphens, and no dot segment"
        ),
        (
            #""tenants": [".."]"#,
            "tenants[0]: must be 1 to 64 letters, digits, dots, underscores and hyphens, and no dot segment"
        ),
        (#""max_tenants": 0"#, "max_tenants: must be a whole number from 1 to 10000"),
        (
            #""introspection": {"client_id": "a", "client_secret": "b"}"#,
            "introspection: must not be given for a pattern; an opaque token names no tenant"
        ),
    ])
    func `a wrong value of a pattern is reported`(member: String, problem: String) {
        let entry = "{\"issuer\": \"\(Self.pattern)\", \(member)}"
        #expect(problems(entry, resource: Self.trusting()).contains("$.authorization_servers[0]." + problem))
    }

    @Test(arguments: [
        "https://{tenant}.example.com/", "https://as.example.com/x{tenant}", "https://as.example.com/{a}/{b}",
        "https://as.example.com/{}", "https://as.example.com/{tenant", "https://as.example.com/tenant}",
        "https://as.example.com/?t={tenant}", "http://as.example.com/{tenant}", "{tenant}",
        "https://as.example.com/{te nant}", "https://as.example.com{tenant}",
    ])
    func `a malformed pattern is reported`(issuer: String) {
        let found = problems("{\"issuer\": \"\(issuer)\"}")
        #expect(found.first?.hasPrefix("$.authorization_servers[0].issuer: ") == true)
    }

    @Test func `a pattern is trusted with its settings, and not published`() throws {
        let entry = """
            {"issuer": "\(Self.pattern)", "tenants": ["a", "b"], "max_tenants": 7, "algorithms": ["RS256"]}
            """
        let file = try file(entry, resource: Self.trusting())
        #expect(file.warnings.map(\.path) == ["$.resources[0].metadata"])
        #expect(file.authorizationServers[0].tenants == ["a", "b"])
        #expect(file.authorizationServers[0].maxTenantCount == 7)
        let resources = try file.makeResources(relativeTo: "c.json", onEvent: { _ in })
        #expect(resources[0].metadata.authorizationServers == [])
        #expect(!resources[0].warnings.contains { $0.contains("tenant") })
    }

    @Test func `a pattern without an entry has the defaults, with a warning`() throws {
        let text = SampleFile.with(resource: Self.trusting())
        let file = try ConfigurationFile(parsing: Array(text.utf8))
        let found = file.warnings.filter { $0.path == "$.resources[0].trusted_issuers[0]" }
        #expect(found.count == 1 && found.allSatisfy(\.isSaidAtStart))
        #expect(found.first?.message.hasPrefix("trusts every tenant") == true)
        let resources = try file.makeResources(relativeTo: "c.json", onEvent: { _ in })
        #expect(resources[0].warnings.contains { $0.hasPrefix("Every tenant of \(Self.pattern) is trusted") })
    }

    @Test func `a pattern in the metadata is an error`() {
        let resource = """
            {"metadata": {"resource": "https://api.example.com/photos",
                          "authorization_servers": ["\(Self.pattern)"]}}
            """
        #expect(
            SampleFile.problems(SampleFile.with(resource: resource)).contains(
                "$.resources[0].metadata.authorization_servers[0]: must be an issuer; a pattern is for "
                    + "trusted_issuers, and clients need the URL of one authorization server"))
    }

    @Test func `a listed tenant has the pattern's settings, unless it has an entry of its own`() throws {
        let listed = Self.trusting(
            ", \"authorization_servers\": [\"http://127.0.0.1:9/a\"]"
        ).replacing(Self.pattern, with: "http://127.0.0.1:9/{tenant}")
        let pattern = #"{"issuer": "http://127.0.0.1:9/{tenant}", "allow_insecure_loopback": true"#
        let covered = try file(pattern + #", "tenants": ["a"]}"#, resource: listed)
        #expect(covered.resources[0].issuers.map(\.issuer) == ["http://127.0.0.1:9/{tenant}"])
        let made = try covered.makeResources(relativeTo: "c.json", onEvent: { _ in })
        #expect(made[0].metadata.authorizationServers == ["http://127.0.0.1:9/a"])
        #expect(problems(pattern + #", "tenants": ["b"]}"#, resource: listed).count == 1)
        let own = try file(
            pattern + #"}, {"issuer": "http://127.0.0.1:9/a", "allow_insecure_loopback": true}"#,
            resource: listed)
        #expect(own.resources[0].issuers.count == 2)
    }

    @Test(arguments: PrivateAddressPolicy.allCases)
    func `private_addresses is read`(policy: PrivateAddressPolicy) throws {
        let text = SampleFile.with(server: "{\"private_addresses\": \"\(policy.rawValue)\"}")
        let file = try ConfigurationFile(parsing: Array(text.utf8))
        #expect(file.server.privateAddresses == policy)
        #expect(
            try ConfigurationFile(parsing: Array(SampleFile.with().utf8)).server.privateAddresses == .same)
        #expect(
            SampleFile.problems(SampleFile.with(server: "{\"private_addresses\": true}")) == [
                #"$.server.private_addresses: must be one of "same", "allow", "refuse""#
            ])
    }
}
