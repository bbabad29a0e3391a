// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisJOSE
import PortcullisServer
import Testing

@Suite("Configuration file: how metadata is published")
struct PublishingTests {
    static func problems(_ members: String) -> [String] {
        SampleFile.problems(SampleFile.with(resource: SampleFile.resource(more: members)))
    }

    @Test(arguments: [
        (
            #""signed_metadata": {}"#,
            "signed_metadata.private_key: missing; must be the file with the private key, a JWK"
        ),
        (
            #""signed_metadata": {"private_key": "a"}"#,
            "signed_metadata.algorithm: missing; must be the algorithm to sign with, such as \"ES256\""
        ),
        (
            #""signed_metadata": {"private_key": "a", "algorithm": "ES256", "lifetime_seconds": 1}"#,
            "signed_metadata.lifetime_seconds: must be a number of seconds from 60 to 31536000"
        ),
        (
            #""signed_metadata": {"private_key": "a", "algorithm": "ES256", "key": 1}"#,
            "signed_metadata.key: unknown key; known here: private_key, algorithm, issuer, lifetime_seconds, published_keys, accept_jwt"
        ),
        (#""profile": "strict""#, "profile: must be one of \"general\", \"mcp\""),
        (#""link_field": 1"#, "link_field: must be true or false"),
    ])
    func `each problem names its place`(members: String, problem: String) {
        let place = "$.resources[0]."
        let found = Self.problems(members)
        #expect(found.contains { $0.hasPrefix(place + problem) }, "\(found)")
    }

    @Test(arguments: ["none", "HS256", "es256", ""])
    func `RFC 9728 §2.2: metadata is signed with an asymmetric algorithm`(name: String) {
        let members = #""signed_metadata": {"private_key": "a", "algorithm": "\#(name)"}"#
        #expect(
            Self.problems(members).contains {
                $0.hasPrefix("$.resources[0].signed_metadata.algorithm: must be")
            })
    }

    @Test func `a file with every key is read`() throws {
        let members = """
            "signed_metadata": {"private_key": "rs.jwk", "algorithm": "EdDSA",
                                "issuer": "https://trust.example", "lifetime_seconds": 600,
                                "published_keys": ["next.jwk"], "accept_jwt": true},
            "additional_well_known_suffixes": ["x-protected-resource"],
            "metadata_url": "https://api.example.com/about",
            "link_field": true, "authorization_server_mirror": true, "profile": "mcp",
            "cors": {"allowed_origins": ["https://app.example.com"]}
            """
        let text = SampleFile.with(
            resource: SampleFile.resource(more: members),
            more: #""self_check": {"policy": "require", "ca_certificates": "ca.pem"}"#)
        let file = try ConfigurationFile(parsing: Array(text.utf8))
        let publishing = try #require(file.resources.first).publishing
        #expect(publishing.additionalSuffixes == ["x-protected-resource"])
        #expect(publishing.metadataURL == "https://api.example.com/about")
        #expect(publishing.hasLinkField && publishing.mirrorsAuthorizationServer)
        let signing = try #require(publishing.signing)
        #expect(signing.algorithm == .eddsa && signing.issuer == "https://trust.example")
        #expect(
            signing.lifetime == .seconds(600) && signing.publishedKeys == ["next.jwk"]
                && signing.answersAcceptedJWT)
        #expect(file.resources[0].profile == .mcp(allowedOrigins: ["https://app.example.com"]))
        #expect(file.selfCheck.policy == .require && file.selfCheck.certificateAuthorities == "ca.pem")
    }

    @Test func `MCP transports 2025-11-25: an MCP server names each allowed origin`() {
        let found = Self.problems(#""profile": "mcp", "cors": {"allowed_origins": ["*"]}"#)
        #expect(
            found == [
                "$.resources[0].cors.allowed_origins: must list each origin, since an MCP server accepts only "
                    + "listed origins"
            ])
    }

    @Test func `problems that only the library finds name their place in the file`() throws {
        let members =
            #""additional_well_known_suffixes": ["a/b"], "metadata_url": "http://h/m", "profile": "mcp""#
        let file = try ConfigurationFile(
            parsing: Array(SampleFile.with(resource: SampleFile.resource(more: members)).utf8))
        do {
            _ = try file.makeResources(relativeTo: "c.json", onEvent: { _ in })
            Issue.record("it must not pass")
        } catch {
            let paths = error.findings.filter { $0.severity == .error }.map(\.path)
            #expect(
                paths == ["$.resources[0].additional_well_known_suffixes[0]", "$.resources[0].metadata_url"])
        }
    }
}
