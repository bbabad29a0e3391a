// SPDX-License-Identifier: MIT

import PortcullisConfiguration
import Testing

@Suite("Configuration file: valid files that accept no token")
struct EffectTests {
    private func warnings(_ resource: String, _ more: String = "") throws -> [String] {
        try SampleFile.warnings(CrossCheckTests.resources(resource, more: more))
    }

    private static let key = """
        { "kty": "EC", "crv": "P-256", "kid": "one", "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", \
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA" }
        """

    @Test func `certificate-bound tokens without client certificates are a warning`() throws {
        let bound = SampleFile.resource(metadata: "\"tls_client_certificate_bound_access_tokens\": true")
        let tls = { (more: String) in
            "\"server\": { \"tls\": { \"certificate\": \"a\", \"private_key\": \"b\"\(more) } }"
        }
        for unseeing in ["", tls(""), "\"server\": { \"trusted_proxies\": [\"10.0.0.1\"] }"] {
            let found = try warnings(bound, unseeing)
            #expect(found.count == 1)
            #expect(
                found.first?.hasPrefix(
                    "$.resources[0].metadata.tls_client_certificate_bound_access_tokens: warning: is true, but the server"
                )
                    == true)
        }
        for seeing in [
            tls(", \"client_certificates\": \"request\""),
            "\"server\": { \"trusted_proxies\": [\"10.0.0.1\"], \"client_cert_field\": true }",
        ] {
            #expect(try warnings(bound, seeing) == [])
        }
    }

    @Test func `nonces without DPoP are a warning`() throws {
        let tokens = "\"tokens\": { \"dpop\": { \"nonce\": \"required\" } }"
        #expect(
            try warnings(SampleFile.resource(more: tokens)) == [
                "$.resources[0].tokens.dpop.nonce: warning: has no effect: DPoP is not accepted, since the "
                    + "metadata has no dpop_signing_alg_values_supported"
            ])
        for metadata in [
            "\"dpop_signing_alg_values_supported\": [\"ES256\"]",
            "\"dpop_bound_access_tokens_required\": true",
        ] {
            #expect(try warnings(SampleFile.resource(metadata: metadata, more: tokens)) == [])
        }
    }

    @Test(arguments: ["", "\"dpop_bound_access_tokens_required\": true, "])
    func `DPoP algorithms that cannot be verified are an error`(more: String) throws {
        let metadata = more + "\"dpop_signing_alg_values_supported\": [\"ES256K\"]"
        let text = CrossCheckTests.resources(SampleFile.resource(metadata: metadata))
        let file = try ConfigurationFile(parsing: Array(text.utf8))
        let error = #expect(throws: InvalidConfiguration.self) {
            try file.makeResources(relativeTo: "c.json", onEvent: { _ in })
        }
        #expect(
            error?.findings.map(\.path) == [
                "$.resources[0].metadata.dpop_signing_alg_values_supported[0]"
            ])
    }

    @Test func `an issuer without a usable key is a warning`() throws {
        let server =
            "\"authorization_servers\": [{ \"issuer\": \"https://as.example.com\", "
            + "\"jwks\": { \"keys\": [\(Self.key)] } }]"
        #expect(
            try warnings(SampleFile.resource(more: "\"tokens\": { \"algorithms\": [\"RS256\"] }"), server)
                == [
                    "$.resources[0].metadata.authorization_servers[0]: warning: has no key for any of tokens.algorithms, "
                        + "so every JWT from it is refused"
                ])
        #expect(
            try warnings(
                SampleFile.resource(more: "\"tokens\": { \"algorithms\": [\"RS256\", \"ES256\"] }"), server)
                == [])
    }

    @Test func `an issuer that cannot check the token format is a warning`() throws {
        let introspection =
            "\"introspection\": { \"endpoint\": \"https://b.example/i\", \"client_id\": \"a\", "
            + "\"client_secret\": \"b\" }"
        let servers = """
            "authorization_servers": [{ "issuer": "https://as.example.com" }, \
            { "issuer": "https://b.example", \(introspection) }]
            """
        let both = { (format: String) in
            """
            { "metadata": { "resource": "https://api.example.com/a",
              "authorization_servers": ["https://as.example.com", "https://b.example"] },
              "tokens": { "format": "\(format)" } }
            """
        }
        #expect(try warnings(both("any"), servers) == [])
        #expect(
            try warnings(both("jwt"), servers) == [
                "$.resources[0].metadata.authorization_servers[1]: warning: has neither keys nor discovery, "
                    + "so format \"jwt\" refuses all its tokens"
            ])
        #expect(
            try warnings(both("opaque"), servers) == [
                "$.resources[0].metadata.authorization_servers[0]: warning: has no introspection, so format "
                    + "\"opaque\" refuses all its tokens"
            ])
    }
}
