// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9728 §2 Metadata")
struct RFC9728_2_Metadata {
    @Test(arguments: Fixture.names(in: "metadata/accepted"))
    func `a document that the RFC allows is accepted`(name: String) throws {
        let json = try JSONValue.parse(Fixture.bytes("metadata/accepted/\(name).json"))
        #expect(throws: Never.self) { try ProtectedResourceMetadata(json: json) }
    }

    @Test(arguments: Fixture.names(in: "metadata/refused"))
    func `a document that the RFC forbids is refused, with the path of the member`(name: String) throws {
        let json = try JSONValue.parse(Fixture.bytes("metadata/refused/\(name).json"))
        let found = problems { () throws(ConfigurationError) in
            _ = try ProtectedResourceMetadata(json: json, at: "$.metadata")
        }
        #expect(!found.isEmpty)
        let member = String(name.prefix { $0 != "-" })
        if !["document", "extension"].contains(member) {
            #expect(found.allSatisfy { ($0.path ?? "").hasPrefix("$.metadata.\(member)") })
        }
    }

    @Test func `every problem is reported at once`() {
        let json: JSONValue = [
            "resource": "https://h/", "jwks_uri": 1, "scopes_supported": ["a b", "c"],
            "tls_client_certificate_bound_access_tokens": "true",
        ]
        let found = problems { () throws(ConfigurationError) in _ = try ProtectedResourceMetadata(json: json)
        }
        #expect(
            found.map(\.path) == [
                "$.jwks_uri", "$.scopes_supported[0]", "$.tls_client_certificate_bound_access_tokens",
            ])
    }

    @Test func `every member is preserved, extensions and languages unchanged`() throws {
        let json = try JSONValue.parse(Fixture.bytes("metadata/accepted/every-member.json"))
        #expect(try JSONValue.object(ProtectedResourceMetadata(json: json).json) == json)
    }

    @Test func `numbers of extensions keep their spelling`() throws {
        let json = try JSONValue.parse(Array(#"{"resource":"https://h/p","x":1.50e0,"y":[{"z":null}]}"#.utf8))
        let body = try ProtectedResourceMetadata(json: json).json.serialized()
        #expect(
            String(decoding: body, as: UTF8.self)
                == #"{"resource":"https://h/p","x":1.50e0,"y":[{"z":null}]}"#)
    }

    @Test func `§3.2: members without values are left out`() throws {
        let body = ProtectedResourceMetadata(resource: "https://h/p").json.serialized()
        #expect(String(decoding: body, as: UTF8.self) == #"{"resource":"https://h/p"}"#)
        let json = try JSONValue.parse(Fixture.bytes("metadata/accepted/empty-lists-are-absent.json"))
        #expect(try ProtectedResourceMetadata(json: json).json.members.map(\.name) == ["resource"])
    }

    @Test func `an empty list of bearer methods has a meaning and is kept`() throws {
        let json: JSONValue = ["resource": "https://h/p", "bearer_methods_supported": []]
        #expect(try JSONValue.object(ProtectedResourceMetadata(json: json).json) == json)
    }

    @Test func `the same metadata gives the same bytes, in any order`() throws {
        let first: JSONValue = [
            "resource": "https://h/p", "resource_name": "n", "scopes_supported": ["b", "a"],
        ]
        let second: JSONValue = [
            "scopes_supported": ["b", "a"], "resource_name": "n", "resource": "https://h/p",
        ]
        #expect(
            try ProtectedResourceMetadata(json: first).json.serialized()
                == ProtectedResourceMetadata(json: second).json.serialized())
    }

    @Test func `a document without authorization servers is a warning`() throws {
        let warned = try JSONValue.parse(Fixture.bytes("metadata/warn-no-authz.json"))
        let warnings = try ProtectedResourceMetadata(json: warned).findings(at: "$").warnings
        #expect(warnings.contains { $0.contains("authorization_servers") })
        let passed = try JSONValue.parse(Fixture.bytes("metadata/pass.json"))
        #expect(try ProtectedResourceMetadata(json: passed).findings(at: "$").warnings.isEmpty)
    }

    @Test(
        arguments: [
            ("query", ["resource": "https://h/p?t=1"]), ("http", ["resource": "http://localhost/p"]),
            ("*", ["resource": "https://h/p", "scopes_supported": ["*"]]),
            ("offline_access", ["resource": "https://h/p", "scopes_supported": ["offline_access"]]),
            ("upper-case", ["resource": "https://API.example.com/p"]),
            ("upper-case", ["resource": "HTTPS://api.example.com/p"]),
            ("slash", ["resource": "https://api.example.com/p/"]),
            ("comma", ["resource": "https://h/p", "scopes_supported": ["rating=G,PG-13"]]),
            ("none without", ["resource": "https://h/p", "resource_name#it": "n"]),
            ("registry", ["resource": "https://h/p", "resource_name": "n", "resource_name#PT-br": "n"]),
            ("token_endpoint", ["resource": "https://h/p", "token_endpoint": "https://as/token"]),
        ] as [(String, JSONValue)])
    func `valid but unwise metadata is a warning`(word: String, json: JSONValue) throws {
        let warnings = try ProtectedResourceMetadata(json: json).findings(at: "$").warnings
        #expect(warnings.contains { $0.contains(word) })
    }

    @Test func `MCP 2025-06-18: an identifier in canonical form is no warning`() throws {
        let json: JSONValue = [
            "resource": "https://mcp.example.com/MCP", "authorization_servers": ["https://as.example.com"],
        ]
        #expect(try ProtectedResourceMetadata(json: json).findings(at: "$").warnings.isEmpty)
    }

    @Test(arguments: ["none", "None", "NONE"])
    func `RFC 9728 §2: none is not a signing algorithm, in any case`(name: String) {
        for member in ["resource_signing_alg_values_supported", "dpop_signing_alg_values_supported"] {
            let json: JSONValue = .object(["resource": "https://h/p", member: [.string(name)]])
            let found = problems { () throws(ConfigurationError) in
                _ = try ProtectedResourceMetadata(json: json)
            }
            #expect(found.map(\.path) == ["$.\(member)[0]"])
        }
    }

    @Test func `the order of authorization servers is kept`() throws {
        let names = ["https://z.example", "https://a.example", "https://m.example/t"]
        let issuers = names.map { TestIssuer($0) }
        var metadata = ProtectedResourceMetadata(resource: "https://h/p")
        metadata.authorizationServers = names
        let resource = try ProtectedResource(
            validating: .init(metadata, trusting: issuers.reversed().map(\.trusted)))
        let json = try JSONValue.parse(resource.metadataDocument.body)
        #expect(json.object?["authorization_servers"]?.strings == names)
    }

    @Test func `a document that clients would truncate is refused`() throws {
        let issuer = TestIssuer("https://as.example.com")
        func make(_ count: Int) -> [ConfigurationError.Problem] {
            var metadata = ProtectedResourceMetadata(resource: "https://h/p")
            metadata.authorizationServers = [issuer.issuer]
            metadata.extensions["x"] = .string(String(repeating: "x", count: count))
            return problems { () throws(ConfigurationError) in
                _ = try ProtectedResource(validating: .init(metadata, trusting: [issuer.trusted]))
            }
        }
        #expect(make(1_000_000).isEmpty)
        #expect(make(1_048_576).map(\.path) == ["metadata"])
    }
}
