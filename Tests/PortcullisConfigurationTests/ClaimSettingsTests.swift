// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import Testing

@Suite("Configuration file: claims of an issuer")
struct ClaimSettingsTests {
    private static func file(_ members: String, resource: String = SampleFile.resource()) -> String {
        SampleFile.with(
            authorizationServers: "[{ \"issuer\": \"https://as.example.com\", \(members) }]",
            resource: resource)
    }

    private static func settings(_ members: String) throws -> ClaimSettings {
        let file = try ConfigurationFile(parsing: Array(file(members).utf8))
        return try #require(file.authorizationServers.first).claims
    }

    @Test func `the defaults are the usual claims`() throws {
        let settings = try Self.settings("\"claims\": {}")
        #expect(settings.mapping.clientID.map(\.text) == ["/client_id"])
        #expect(settings.mapping.scopes == nil)
        #expect(settings.requiredValues.isEmpty)
        #expect(settings.audienceSource == nil)
    }

    @Test func `all keys are read`() throws {
        let settings = try Self.settings(
            """
            "claims": { "client_id": ["/client_id", "/azp"], "scopes": ["/realm_access/roles"] },
            "required_claim_values": { "/token_use": ["access", "x"], "/typ": "Bearer" },
            "audience_from": { "pointer": "/client_id", "values": ["4h57"] }
            """)
        #expect(settings.mapping.clientID.map(\.text) == ["/client_id", "/azp"])
        #expect(settings.mapping.scopes?.map(\.text) == ["/realm_access/roles"])
        #expect(settings.requiredValues.map(\.pointer.text) == ["/token_use", "/typ"])
        #expect(settings.requiredValues.map(\.values) == [["access", "x"], ["Bearer"]])
        #expect(settings.audienceSource?.pointer.text == "/client_id")
        #expect(settings.audienceSource?.values == ["4h57"])
    }

    private static let pointer =
        "must be a JSON pointer to a member, such as \"/realm_access/roles\" (RFC 6901)"
    private static let required = "\"required_claim_values\": { \"/a\": \"b\" }, "

    @Test(arguments: [
        (#""claims": []"#, "claims: must be an object"),
        (#""claims": {"x": 1}"#, "claims.x: unknown key; known here: client_id, scopes"),
        (#""claims": {"scopes": "/a"}"#, "claims.scopes: must be a list of JSON pointers"),
        (
            #""claims": {"scopes": []}"#,
            "claims.scopes: must have from 1 to 16 JSON pointers; leave it out for the default"
        ),
        (#""claims": {"client_id": ["azp"]}"#, "claims.client_id[0]: " + pointer),
        (#""claims": {"client_id": ["/a~"]}"#, "claims.client_id[0]: " + pointer),
        (
            #""claims": {"client_id": ["/a", "/a"]}"#,
            "claims.client_id[1]: given more than once; remove the repetition"
        ),
        (#""required_claim_values": ["/a"]"#, "required_claim_values: must be an object"),
        (#""required_claim_values": {"a": "b"}"#, "required_claim_values.a: the key " + pointer),
        (
            #""required_claim_values": {"/a": []}"#,
            "required_claim_values[\"/a\"]: must have from 1 to 1000 values"
        ),
        (
            #""required_claim_values": {"/a": 1}"#,
            "required_claim_values[\"/a\"]: must be a list of accepted values"
        ),
        (
            #""required_claim_values": {"/a": ""}"#,
            "required_claim_values[\"/a\"]: must be a list of accepted values"
        ),
        (
            #""required_claim_values": {"/a": ["b", ""]}"#,
            "required_claim_values[\"/a\"][1]: must be a string that is not empty"
        ),
        (
            required + #""audience_from": {"values": ["x"]}"#,
            "audience_from.pointer: missing; must be a JSON pointer to the claim that takes the place of aud"
        ),
        (
            required + #""audience_from": {"pointer": "/a"}"#,
            "audience_from.values: missing; must be the accepted values"
        ),
        (
            required + #""audience_from": {"pointer": "a", "values": ["x"]}"#,
            "audience_from.pointer: " + pointer
        ),
        (
            required + #""audience_from": {"pointer": "/a", "values": []}"#,
            "audience_from.values: must have from 1 to 1000 values"
        ),
        (
            required + #""audience_from": {"pointer": "/a", "values": ["x"], "x": 1}"#,
            "audience_from.x: unknown key; known here: pointer, values"
        ),
        (
            #""audience_from": {"pointer": "/a", "values": ["x"]}"#,
            "audience_from: needs required_claim_values, which must tell the issuer's access tokens from its ID tokens"
        ),
        (
            #""required_claim_values": {}, "audience_from": {"pointer": "/a", "values": ["x"]}"#,
            "audience_from: needs required_claim_values, which must tell the issuer's access tokens from its ID tokens"
        ),
    ])
    func `a mistake is reported at its place`(members: String, problem: String) {
        #expect(SampleFile.problems(Self.file(members)) == ["$.authorization_servers[0]." + problem])
    }

    @Test func `the number of required claims is bounded`() {
        let members = (0..<17).map { "\"/\($0)\": \"a\"" }.joined(separator: ", ")
        #expect(
            SampleFile.problems(Self.file("\"required_claim_values\": { \(members) }")) == [
                "$.authorization_servers[0].required_claim_values: must have at most 16 claims"
            ])
    }

    private static let source =
        required + "\"audience_from\": { \"pointer\": \"/client_id\", \"values\": [\"x\"] }"

    @Test(arguments: [
        ("scp", false), ("https://example.com/roles", false), ("realm_access.roles", true),
        ("/realm_access/roles", true),
    ])
    func `a path as the name of a scope claim is a warning`(name: String, isPath: Bool) throws {
        let resource = SampleFile.resource(more: "\"tokens\": {\"scope_claims\": [\"\(name)\"]}")
        let warnings = try SampleFile.warnings(Self.file("\"claims\": {}", resource: resource))
        let words = "scope_claims[0]: warning: is the name of a claim, not a path"
        #expect(warnings.contains { $0.contains(words) } == isPath)
    }

    @Test func `audience_from is a warning for each resource that it opens`() throws {
        #expect(
            try SampleFile.warnings(Self.file(Self.source)) == [
                "$.authorization_servers[0].audience_from: warning: opens $.resources[0] to tokens without "
                    + "aud: what these clients got for another API of the issuer works here too (RFC 8707 §2)."
            ])
        let both = SampleFile.resource() + ", " + SampleFile.resource("https://api.example.com/notes")
        #expect(try SampleFile.warnings(Self.file(Self.source, resource: both)).count == 2)
    }

    @Test func `audience_from is refused under the profile of MCP`() {
        let resource = SampleFile.resource(more: "\"profile\": \"mcp\"")
        #expect(
            SampleFile.problems(Self.file(Self.source, resource: resource)) == [
                "$.authorization_servers[0].audience_from: must not be given for an issuer of $.resources[0], "
                    + "whose profile is \"mcp\"; such a server accepts only tokens whose aud names it"
            ])
    }

    @Test func `the resources are made with these settings`() throws {
        let file = try ConfigurationFile(parsing: Array(Self.file(Self.source).utf8))
        let resources = try file.makeResources(relativeTo: "c.json", onEvent: { _ in })
        #expect(resources[0].warnings.contains { $0.contains("without aud") })
    }
}
