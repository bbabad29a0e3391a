// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisJOSE
import Testing

/// What a key of the file accepts beyond its default.
struct RelaxedKey: Sendable, CustomTestStringConvertible {
    /// What the profile of MCP makes of it.
    enum UnderMCP: Sendable {
        /// The MCP specification forbids it: the file is an error.
        case error
        /// The MCP specification says nothing of it: a warning, as without the profile.
        case warning
    }

    /// The object and the key, as the reference of the file writes them.
    let object: String
    let key: String
    /// The value.
    let value: JSONValue
    /// The path of the finding, if it is not the key's.
    var place: String?
    /// Words of the consequence.
    let consequence: String
    let underMCP: UnderMCP
    /// Other members that the value needs, by object.
    var with: [(object: String, key: String, value: JSONValue)] = []

    var testDescription: String { "\(object).\(key)" }
}

@Suite("Each setting that accepts more than its default")
struct RelaxationTests {
    private static let server = "$.server"
    private static let issuer = "$.authorization_servers[]"
    private static let claims = "$.authorization_servers[].claims"
    private static let introspection = "$.authorization_servers[].introspection"
    private static let source = "$.authorization_servers[].audience_from"
    private static let resource = "$.resources[]"
    private static let metadata = "$.resources[].metadata"
    private static let tokens = "$.resources[].tokens"
    private static let dpop = "$.resources[].tokens.dpop"
    private static let route = "$.resources[].routes[]"

    private static let proofs = [
        (object: metadata, key: "dpop_signing_alg_values_supported", value: ["ES256"] as JSONValue)
    ]
    private static let introspects = [
        (
            object: issuer, key: "introspection",
            value: [
                "endpoint": "https://as.example.com/i", "client_id": "rs", "client_secret": "s3cret",
            ] as JSONValue
        )
    ]

    static let relaxed: [RelaxedKey] = [
        RelaxedKey(
            object: server, key: "private_addresses", value: "allow",
            consequence: "services of its own network",
            underMCP: .warning),
        RelaxedKey(
            object: issuer, key: "algorithms", value: ["EdDSA"], consequence: "leaves the curve open",
            underMCP: .warning),
        RelaxedKey(
            object: issuer, key: "allow_insecure_loopback", value: true, consequence: "can issue tokens",
            underMCP: .warning),
        RelaxedKey(
            object: issuer, key: "audience_from", value: ["pointer": "/client_id", "values": ["c"]],
            consequence: "another API of the issuer", underMCP: .error,
            with: [(issuer, "required_claim_values", ["/token_use": ["access"]])]),
        RelaxedKey(
            object: issuer, key: "status_list", value: ["fail_open": true],
            place: "$.authorization_servers[0].status_list.fail_open",
            consequence: "withdrawn tokens good until they expire", underMCP: .warning),
        RelaxedKey(
            object: issuer, key: "claims", value: ["scopes": ["/scope", "/realm_access/roles"]],
            place: "$.authorization_servers[0].claims.scopes", consequence: "whatever it was granted",
            underMCP: .warning),
        RelaxedKey(
            object: introspection, key: "assertion_audience", value: "https://as.example.com/token",
            consequence: "could use an assertion at another", underMCP: .warning,
            with: [
                (
                    issuer, "introspection",
                    [
                        "endpoint": "https://as.example.com/i", "client_id": "rs",
                        "client_auth": "private_key_jwt", "private_key": "client.jwk",
                        "assertion_audience": "https://as.example.com/token",
                    ]
                )
            ]),
        RelaxedKey(
            object: resource, key: "trusted_issuers", value: ["https://other.example"],
            place: "$.resources[0].trusted_issuers[0]", consequence: "its tokens are accepted",
            underMCP: .warning),
        RelaxedKey(
            object: resource, key: "trusted_issuers", value: ["https://as.example.com/{tenant}/v2.0"],
            place: "$.resources[0].trusted_issuers[0]",
            consequence: "anyone who can open a tenant there can issue tokens", underMCP: .warning,
            with: [
                (
                    "$", "authorization_servers",
                    [
                        ["issuer": "https://as.example.com"],
                        ["issuer": "https://as.example.com/{tenant}/v2.0"],
                    ]
                )
            ]),
        RelaxedKey(
            object: metadata, key: "bearer_methods_supported", value: ["header", "query"],
            consequence: "logs and browsers keep", underMCP: .error),
        RelaxedKey(
            object: metadata, key: "bearer_methods_supported", value: ["header", "body"],
            consequence: "any web page can send", underMCP: .error),
        RelaxedKey(
            object: tokens, key: "algorithms", value: ["ES256", "EdDSA"],
            consequence: "leaves the curve open",
            underMCP: .warning),
        RelaxedKey(
            object: tokens, key: "types", value: ["at+jwt", "JWT"],
            consequence: "only their audience and claims", underMCP: .warning),
        RelaxedKey(
            object: tokens, key: "types", value: ["at+jwt", ""],
            consequence: "only their audience and claims", underMCP: .warning),
        RelaxedKey(
            object: tokens, key: "required_claims", value: ["sub"],
            consequence: "without client_id, iat, jti",
            underMCP: .warning),
        RelaxedKey(
            object: tokens, key: "audiences", value: ["https://api.example.com/photos", "api://photos"],
            consequence: "opens this one", underMCP: .error),
        RelaxedKey(
            object: tokens, key: "leeway_seconds", value: 300,
            consequence: "for 300 s after they have expired",
            underMCP: .warning),
        RelaxedKey(
            object: tokens, key: "scope_claims", value: ["scope", "permissions"],
            consequence: "whatever it was granted", underMCP: .warning),
        RelaxedKey(
            object: tokens, key: "introspection_audience", value: "optional",
            consequence: "any API of the server", underMCP: .error, with: introspects),
        RelaxedKey(
            object: dpop, key: "proof_max_age_seconds", value: 301, consequence: "for 301 s",
            underMCP: .error,
            with: proofs),
        RelaxedKey(
            object: dpop, key: "proof_max_age_seconds", value: 3600, consequence: "for 3600 s",
            underMCP: .error, with: proofs),
    ]

    /// The other keys, each with the reason why it accepts no token that its default refuses.
    static let strict: [String: [String: String]] = [
        issuer: [
            "issuer": "names the issuer", "tenants": "restricts a pattern", "max_tenants": "a bound",
            "discovery": "where keys come from", "jwks_uri": "where keys come from",
            "jwks": "where keys come from", "introspection": "asks the issuer",
            "ca_certificates": "replaces the trusted CAs", "timeout_seconds": "a bound",
            "max_response_bytes": "a bound", "jwks_refresh_seconds": "how late a change of keys is noticed",
            "jwks_cooldown_seconds": "a bound", "jwks_stale_seconds": "how long an outage is bridged",
            "required_claim_values": "demands more",
        ],
        claims: [
            "client_id": "the same demand, met by another claim of the issuer",
            "scopes": "a relaxation, in the row of claims",
        ],
        source: ["pointer": "in the row of audience_from", "values": "in the row of audience_from"],
        introspection: [
            "endpoint": "where to ask", "client_auth": "how we authenticate", "client_id": "who asks",
            "client_secret": "how we authenticate", "private_key": "how we authenticate",
            "client_certificate": "how we authenticate", "client_private_key": "how we authenticate",
            "bearer_token": "how we authenticate", "signed_response": "demands more",
            "assertion_type": "what we send, not what we accept",
        ],
        tokens: [
            "format": "which of two checks is made", "scope_implies": "what a granted scope means",
            "max_token_bytes": "a bound", "verified_cache_entries": "a bound",
            "introspection_cache_seconds": "how late a revocation is noticed",
            "inactive_cache_seconds": "how late an activation is noticed",
            "insufficient_authorization_details": "words of an answer", "dpop": "has rows of its own",
        ],
        dpop: [
            "nonce": "demands more", "nonce_lifetime_seconds": "how long our own nonces are fresh",
            "nonce_keys": "who makes nonces", "nonce_keys_file": "who makes nonces",
            "replay_cache_entries": "a bound", "refuse_htu_query": "demands more",
            "refuse_stray_proofs": "demands more",
            "proof_max_future_seconds": "a relaxation, which has a test of its own",
        ],
    ]

    /// A file with some members set; the defaults without any.
    static func file(
        _ members: [(object: String, key: String, value: JSONValue)], isMCP: Bool = false
    ) -> JSONObject {
        var file: JSONObject = [
            "authorization_servers": [["issuer": "https://as.example.com"]],
            "resources": [
                [
                    "metadata": [
                        "resource": "https://api.example.com/photos",
                        "authorization_servers": ["https://as.example.com"],
                    ]
                ]
            ],
        ]
        let all = members + (isMCP ? [(resource, "profile", "mcp")] : [])
        for (object, key, value) in all {
            let path = object.split(separator: ".").dropFirst().map(String.init)
            file = set(key, value, at: path[...], in: .object(file)).object ?? file
        }
        return file
    }

    private static func set(
        _ key: String, _ value: JSONValue, at path: ArraySlice<String>, in place: JSONValue
    ) -> JSONValue {
        var object = place.object ?? [:]
        guard let step = path.first else {
            object[key] = value
            return .object(object)
        }
        let name = step.replacing("[]", with: "")
        if name == step {
            object[name] = set(key, value, at: path.dropFirst(), in: object[name] ?? .object([:]))
        } else {
            var elements = object[name]?.array ?? [.object([:])]
            elements[0] = set(key, value, at: path.dropFirst(), in: elements[0])
            object[name] = .array(elements)
        }
        return .object(object)
    }

    private static func members(_ row: RelaxedKey) -> [(object: String, key: String, value: JSONValue)] {
        let own = (object: row.object, key: row.key, value: row.value)
        return row.with + (row.object == introspection ? [] : [own])
    }

    private static func place(_ row: RelaxedKey) -> String {
        row.place ?? row.object.replacing("[]", with: "[0]") + "." + row.key
    }

    /// What a server logs when it starts with the file.
    private static func linesAtStart(_ file: ConfigurationFile) throws -> [String] {
        let resources = try file.makeResources(relativeTo: "/c.json", onEvent: { _ in })
        return file.warnings.filter { !$0.isSaidAtStart }.map(\.description) + resources.flatMap(\.warnings)
    }

    @Test(arguments: relaxed)
    func `it is a warning at its key and at start, with its consequence`(row: RelaxedKey) throws {
        let file = try ConfigurationFile(.object(Self.file(Self.members(row))))
        let found = file.warnings.filter {
            $0.path == Self.place(row) && $0.message.contains(row.consequence)
        }
        #expect(found.count == 1, "\(file.warnings)")
        // A key that is read from a file cannot be made here.
        guard row.key != "assertion_audience" else { return }
        let lines = try Self.linesAtStart(file).filter { $0.contains(row.consequence) }
        #expect(lines.count == 1, "\(lines)")
    }

    @Test(arguments: relaxed)
    func `the profile of MCP allows what the MCP specification does not forbid`(row: RelaxedKey) throws {
        var problems: [Finding] = []
        do throws(InvalidConfiguration) {
            let file = try ConfigurationFile(.object(Self.file(Self.members(row), isMCP: true)))
            if row.key != "assertion_audience" {
                _ = try file.makeResources(relativeTo: "/c.json", onEvent: { _ in })
            }
        } catch {
            problems = error.findings.filter { $0.severity == .error }
        }
        switch row.underMCP {
        case .error: #expect(problems.map(\.path) == [Self.place(row)], "\(problems)")
        case .warning: #expect(problems.isEmpty, "\(problems)")
        }
    }

    @Test(arguments: [false, true]) func `the defaults are no relaxation`(isMCP: Bool) throws {
        let file = try ConfigurationFile(.object(Self.file([], isMCP: isMCP)))
        #expect(try file.warnings == [] && Self.linesAtStart(file) == [])
    }

    @Test func `values within the defaults are no relaxation`() throws {
        // With the key in the file, nothing is fetched.
        let key: JSONValue = [
            "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        ]
        let members: [(object: String, key: String, value: JSONValue)] = [
            (Self.server, "private_addresses", "refuse"), (Self.issuer, "algorithms", ["Ed25519", "ES256"]),
            (Self.issuer, "allow_insecure_loopback", true), (Self.issuer, "jwks", ["keys": [key]]),
            (Self.issuer, "claims", ["client_id": ["/azp"], "scopes": ["/scp", "/scope"]]),
            (Self.metadata, "bearer_methods_supported", ["header"]),
            (Self.tokens, "types", ["application/at+jwt"]), (Self.tokens, "leeway_seconds", 30),
            (Self.tokens, "required_claims", ["sub", "client_id", "iat", "jti", "acr"]),
            (Self.tokens, "audiences", ["https://api.example.com/photos"]),
            (Self.tokens, "scope_claims", ["scp", "scope", "scopes"]),
            (Self.metadata, "dpop_signing_alg_values_supported", ["ES256"]),
            (Self.dpop, "proof_max_age_seconds", 60), (Self.dpop, "proof_max_future_seconds", 5),
        ]
        let file = try ConfigurationFile(.object(Self.file(members)))
        #expect(try file.warnings == [] && Self.linesAtStart(file) == [])
    }

    @Test func `SEP-1932: the windows of MCP are its defaults`() throws {
        let future: (object: String, key: String, value: JSONValue) = (
            Self.dpop, "proof_max_future_seconds", 300
        )
        let age: (object: String, key: String, value: JSONValue) = (Self.dpop, "proof_max_age_seconds", 300)
        let general = try ConfigurationFile(.object(Self.file(Self.proofs + [future, age])))
        #expect(
            general.warnings.map(\.path) == [
                "$.resources[0].tokens.dpop.proof_max_age_seconds",
                "$.resources[0].tokens.dpop.proof_max_future_seconds",
            ])
        #expect(try Self.linesAtStart(general).count == 2)
        let mcp = try ConfigurationFile(.object(Self.file(Self.proofs + [future, age], isMCP: true)))
        #expect(try mcp.warnings == [] && Self.linesAtStart(mcp) == [])
        // Without DPoP the windows have no effect.
        #expect(try ConfigurationFile(.object(Self.file([future, age]))).warnings == [])
    }

    @Test(arguments: strict.keys.sorted())
    func `each key that concerns tokens has a row, or a reason`(object: String) throws {
        let file = Self.file([(object, "unknown_key", 1)])
        let error = #expect(throws: InvalidConfiguration.self) { try ConfigurationFile(.object(file)) }
        let words = "unknown key; known here: "
        let message = try #require(
            error?.findings.first { $0.path.hasSuffix(".unknown_key") && $0.message.hasPrefix(words) }?
                .message)
        let known = Set(message.dropFirst(words.count).split(separator: ", ").map(String.init))
        let listed = Set(Self.relaxed.filter { $0.object == object }.map(\.key))
            .union((Self.strict[object] ?? [:]).keys)
        #expect(known == listed, "\(known.symmetricDifference(listed))")
    }
}
