// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import Testing

@Suite("Configuration file: conflicts between keys")
struct CrossCheckTests {
    static func resources(_ resources: String..., more: String = "") -> String {
        "{\"resources\": [\(resources.joined(separator: ", "))]\(more.isEmpty ? "" : ", " + more)}"
    }

    @Test(arguments: [
        ("https://api.example.com/a", "https://api.example.com/a"),
        ("https://api.example.com/a", "https://API.example.com:443/%61"),
    ])
    func `identifiers that are equal after normalisation are refused`(first: String, second: String) {
        let text = Self.resources(SampleFile.resource(first), SampleFile.resource(second))
        #expect(
            SampleFile.problems(text) == [
                "$.resources[1].metadata.resource: is the same as $.resources[0].metadata.resource; "
                    + "must be unique"
            ])
    }

    @Test(arguments: [
        ("https://api.example.com/a", "https://api.example.com/a/"),
        ("https://api.example.com", "https://api.example.com/"),
    ])
    func `identifiers that differ only by a trailing slash are refused`(first: String, second: String) {
        let text = Self.resources(SampleFile.resource(first), SampleFile.resource(second))
        #expect(
            SampleFile.problems(text) == [
                "$.resources[1].metadata.resource: differs from $.resources[0].metadata.resource only by a "
                    + "trailing slash; must differ in more"
            ])
    }

    @Test(arguments: [
        "https://api.example.com/A", "https://api.example.com/a/b", "https://other.example.com/a",
    ])
    func `identifiers of different resources are accepted`(second: String) {
        let text = Self.resources(
            SampleFile.resource("https://api.example.com/a"), SampleFile.resource(second))
        #expect(SampleFile.problems(text) == [])
    }

    @Test func `each authority has at most one root alias`() {
        let alias = "\"root_alias\": true"
        let text = Self.resources(
            SampleFile.resource("https://api.example.com/a", more: alias),
            SampleFile.resource("https://api.example.com/b", more: alias),
            SampleFile.resource("https://other.example.com/b", more: alias))
        #expect(
            SampleFile.problems(text) == [
                "$.resources[1].root_alias: is taken by $.resources[0], whose document is at the root of the same "
                    + "authority; must be false"
            ])
    }

    @Test func `the root alias does not replace the document of a resource at the root`() {
        let text = Self.resources(
            SampleFile.resource("https://api.example.com/a", more: "\"root_alias\": true"),
            SampleFile.resource("https://api.example.com"))
        #expect(SampleFile.problems(text).map { $0.prefix(30) } == ["$.resources[0].root_alias: is "])
    }

    @Test func `an issuer has one entry`() {
        let entry = #"{"issuer": "https://as.example.com"}"#
        #expect(
            SampleFile.problems(SampleFile.with(authorizationServers: "[\(entry), \(entry)]"))
                == ["$.authorization_servers[1].issuer: has more than one entry; remove the others"])
    }

    @Test func `issuers are compared byte by byte`() throws {
        let entry = #"[{"issuer": "https://as.example.com/"}]"#
        let file = try ConfigurationFile(parsing: Array(SampleFile.with(authorizationServers: entry).utf8))
        #expect(
            file.authorizationServers.map(\.issuer) == ["https://as.example.com/", "https://as.example.com"])
        #expect(
            file.warnings.map(\.description) == [
                #"$.resources[0].metadata.authorization_servers[0]: warning: "https://as.example.com" has no "#
                    + #"entry, but $.authorization_servers[0].issuer is "https://as.example.com/"; one of them "#
                    + "is probably mistyped"
            ])
    }

    @Test(arguments: [
        ("https://as.example.com", "https://as.example.con", true),
        ("https://a.example", "https://a.exmaple", true),
        ("https://AS.example.com", "https://as.example.com", true),
        ("https://as.example.com", "https://as.example.org", false),
        ("https://as.example.com", "https://login.example.com", false),
        (String(repeating: "a", count: 600), String(repeating: "a", count: 600), false),
    ])
    func `two changed characters are a slip`(first: String, second: String, isSimilar: Bool) {
        #expect(Spelling.areSimilar(Array(first.utf8), Array(second.utf8)) == isSimilar)
    }

    @Test func `metadata without authorization servers requires trusted_issuers`() {
        let bare = #"{"metadata": {"resource": "https://api.example.com/photos"}}"#
        #expect(
            SampleFile.problems(SampleFile.with(resource: bare)) == [
                "$.resources[0].trusted_issuers: missing; must list issuers, since the metadata has no authorization_servers"
            ])
        let trusting = """
            {"metadata": {"resource": "https://api.example.com/photos"},
             "trusted_issuers": ["https://as.example.com"]}
            """
        #expect(SampleFile.problems(SampleFile.with(resource: trusting)) == [])
    }

    @Test func `issuers may be trusted beside the list, and a repetition is a warning`() throws {
        let beside = SampleFile.resource(
            more: "\"trusted_issuers\": [\"https://as.example.com\", \"https://sts.example.com/t/\"]")
        let file = try ConfigurationFile(parsing: Array(SampleFile.with(resource: beside).utf8))
        #expect(
            file.resources[0].issuers.map(\.issuer) == [
                "https://as.example.com", "https://sts.example.com/t/",
            ])
        #expect(file.resources[0].metadata.authorizationServers == ["https://as.example.com"])
        #expect(
            file.warnings.map(\.description) == [
                "$.resources[0].trusted_issuers[0]: warning: is in metadata.authorization_servers too; leave "
                    + "it out here",
                "$.resources[0].trusted_issuers[1]: warning: is not in metadata.authorization_servers: its "
                    + "tokens are accepted, but no client finds it",
            ])
    }

    @Test func `a listed issuer on loopback needs an entry that allows http`() {
        let resource = """
            {"metadata": {"resource": "https://api.example.com/a",
                          "authorization_servers": ["http://127.0.0.1:9"]}}
            """
        #expect(
            SampleFile.problems(SampleFile.with(resource: resource)) == [
                "$.resources[0].metadata.authorization_servers[0]: must be an https URL, or set "
                    + "\"allow_insecure_loopback\": true in the issuer's entry"
            ])
        let entry = #"[{"issuer": "http://127.0.0.1:9", "allow_insecure_loopback": true}]"#
        #expect(SampleFile.problems(SampleFile.with(authorizationServers: entry, resource: resource)) == [])
    }

    @Test func `at most one issuer introspects for a resource`() {
        let introspection = #""introspection": {"client_id": "a", "client_secret": "b"}"#
        let servers = """
            [{"issuer": "https://a.example.com", \(introspection)},
             {"issuer": "https://b.example.com", \(introspection)}]
            """
        let resource = """
            {"metadata": {"resource": "https://api.example.com/a",
             "authorization_servers": ["https://a.example.com", "https://b.example.com"]}}
            """
        #expect(
            SampleFile.problems(SampleFile.with(authorizationServers: servers, resource: resource)) == [
                "$.resources[0].metadata.authorization_servers: must list at most one issuer with "
                    + "introspection: an opaque token does not name its issuer"
            ])
    }

    @Test func `a route belongs to the resource with the longest path`() {
        let route = #""routes": [{"path": "/a/b/c", "respond": "echo"}]"#
        let text = Self.resources(
            SampleFile.resource("https://api.example.com/a", more: route),
            SampleFile.resource("https://api.example.com/a/b"))
        #expect(
            SampleFile.problems(text) == [
                "$.resources[0].routes[0].path: belongs to $.resources[1], whose path is longer; move it there"
            ])
    }

    @Test func `the same path and method twice is refused`() {
        let routes = """
            "routes": [{"path": "/photos/{a}", "respond": "echo"},
            {"path": "/photos/{b}", "methods": ["POST", "GET"], "respond": "echo"},
             {"path": "/photos/{c}", "methods": ["PUT"], "respond": "echo"}]
            """
        #expect(
            SampleFile.problems(SampleFile.with(resource: SampleFile.resource(more: routes))) == [
                "$.resources[0].routes[1].path: has the same path and method as $.resources[0].routes[0]; "
                    + "remove one of them"
            ])
    }

    @Test(arguments: ["/photos/{rest...}", "/photos/public/{rest...}"])
    func `a public catch-all below a resource is refused`(path: String) {
        let more = "\"public_routes\": [{\"path\": \"\(path)\", \"respond\": \"echo\"}]"
        #expect(
            SampleFile.problems(SampleFile.with(more: more)) == [
                "$.public_routes[0].path: must not match every path below $.resources[0]; list the public "
                    + "paths, or move it elsewhere"
            ])
    }

    @Test func `a public catch-all outside the resources is accepted`() throws {
        let more = #""public_routes": [{"path": "/{rest...}", "respond": "echo"}]"#
        #expect(try SampleFile.warnings(SampleFile.with(more: more)) == [])
    }

    @Test func `a public route below a resource is a warning`() throws {
        let more = #""public_routes": [{"path": "/photos/logo", "respond": "echo"}]"#
        #expect(
            try SampleFile.warnings(SampleFile.with(more: more)) == [
                "$.public_routes[0].path: warning: lies below $.resources[0] but needs no token"
            ])
    }

    @Test func `no public route answers with the principal`() {
        let more = #""public_routes": [{"path": "/me", "respond": "principal"}]"#
        #expect(
            SampleFile.problems(SampleFile.with(more: more)) == [
                "$.public_routes[0].respond: must not be \"principal\": a public route has no token to describe"
            ])
    }

    @Test func `an http identifier on loopback is a warning`() throws {
        let text = SampleFile.with(resource: SampleFile.resource("http://127.0.0.1:8080/photos"))
        #expect(
            try SampleFile.warnings(text).map { $0.hasPrefix("$.resources[0].metadata: warning: ") } == [true]
        )
    }

    @Test func `audiences without the identifier are a warning`() throws {
        let text = SampleFile.with(resource: SampleFile.resource(more: #""tokens": {"audiences": ["api"]}"#))
        #expect(
            try SampleFile.warnings(text) == [
                "$.resources[0].tokens.audiences: warning: does not include the resource identifier, for "
                    + "which clients request tokens",
                "$.resources[0].tokens.audiences: warning: Tokens for another audience than the resource are "
                    + "accepted: a token that a client gave to another API of that name opens this one "
                    + "(RFC 8707 §2).",
            ])
    }
}
