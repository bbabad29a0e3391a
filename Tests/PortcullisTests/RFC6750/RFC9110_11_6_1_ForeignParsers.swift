// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

/// How existing clients parse a challenge, each as strict or as lenient as its model.
enum ForeignParser: String, CaseIterable, Sendable {
    /// A strict grammar: a scheme, then parameters that are tokens or quoted-strings. After oauth4webapi.
    case strict
    /// The first match of a pattern without word boundaries, in the whole field. After the SDKs in TypeScript
    /// and Python.
    case search
    /// Splits at every comma and at the first equals sign, even inside quotes. After the SDK in C#.
    case commas
    /// Toggles at quotes and ignores escapes. After Visual Studio Code.
    case toggle

    /// The parameters that the client finds, or `nil` if it fails.
    func parameters(of field: String) -> [String: String]? {
        switch self {
        case .strict: Self.strictly(field)
        case .search: Self.searching(field)
        case .commas: Self.cutting(field)
        case .toggle: Self.toggling(field)
        }
    }

    private static func strictly(_ field: String) -> [String: String]? {
        guard let whole = field.wholeMatch(of: /([!#$%&'*+.^_`|~0-9A-Za-z-]+) +(.*)/) else { return nil }
        var rest = whole.2
        var found: [String: String] = [:]
        while let next = rest.prefixMatch(
            of: /([!#$%&'*+.^_`|~0-9A-Za-z-]+)="((?:[^"\\\u{00}-\u{1F}]|\\.)+)"(?:, |$)/)
        {
            guard found.updateValue(String(next.2), forKey: next.1.lowercased()) == nil else { return nil }
            rest = rest[next.range.upperBound...]
        }
        return rest.isEmpty && !field.hasSuffix(",") ? found : nil
    }

    private static func searching(_ field: String) -> [String: String]? {
        guard field.lowercased().hasPrefix("bearer "), !field.dropFirst(7).isEmpty else { return nil }
        var found: [String: String] = [:]
        for name in ["resource_metadata", "scope", "error"] {
            guard let range = field.firstRange(of: name + "=") else { continue }
            let value = field[range.upperBound...].prefixMatch(of: /(?:"([^"]+)"|([^\s,]+))/)
            found[name] = value.map { String($0.1 ?? $0.2 ?? "") }
        }
        return found
    }

    private static func cutting(_ field: String) -> [String: String]? {
        guard let space = field.firstIndex(of: " ") else { return nil }
        var found: [String: String] = [:]
        for part in field[space...].split(separator: ",") {
            guard let equals = part.firstIndex(of: "=") else { return nil }
            let name = part[..<equals].filter { $0 != " " }
            let value = part[part.index(after: equals)...]
            guard value.hasPrefix("\""), value.hasSuffix("\""), value.count > 2 else { return nil }
            found[name] = String(value.dropFirst().dropLast())
        }
        return found
    }

    private static func toggling(_ field: String) -> [String: String]? {
        guard field.hasPrefix("Bearer ") else { return nil }
        var found: [String: String] = [:]
        var isQuoted = false
        var parts = [""]
        for character in field.dropFirst(7) {
            if character == "\"" { isQuoted.toggle() }
            if character == "," && !isQuoted {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        for part in parts {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2 else { return nil }
            found[pair[0].filter { $0 != " " }] = pair[1].filter { $0 != "\"" }
        }
        return isQuoted ? nil : found
    }
}

@Suite("RFC 9110 §11.6.1 Challenges as clients read them")
struct RFC9110_11_6_1_ForeignParsers {
    static let challenger: Challenger = {
        var problems: [ConfigurationError.Problem] = []
        let parameters = ChallengeParameters(
            [("realm", "the notes"), ("authorization_uri", "https://as.example.com/a")], at: "$",
            problems: &problems)
        return Challenger(metadataURL: Scene.metadataURL, parameters: parameters)
    }()

    /// Every challenge for every reason, with and without scopes.
    static func challenges(_ reason: RefusalReason) -> [(scope: String?, challenge: Challenge)] {
        [AccessRequirement.anyValidToken, ["a:b", "c/d"]].flatMap { requirement in
            challenger.refusal(reason, requiring: requirement).challenges.map {
                (requirement == .anyValidToken || reason.namesNoScope ? nil : "a:b c/d", $0)
            }
        }
    }

    @Test(arguments: ForeignParser.allCases)
    func `every parser finds the same parameters`(parser: ForeignParser) throws {
        for reason in RefusalReason.allCases where reason.outcome.status != 503 {
            for (scope, challenge) in Self.challenges(reason) where challenge.scheme == .bearer {
                let found = try #require(parser.parameters(of: challenge.description), "\(challenge)")
                #expect(found["resource_metadata"] == Scene.metadataURL)
                #expect(found["scope"] == scope)
                // RFC 9396: without the opt-in, missing details are reported as a missing scope.
                #expect(found["error"] == challenge.parameters.first { $0.name == "error" }?.value)
                guard parser != .search else { continue }
                #expect(found["error_description"] == reason.publicDescription)
                #expect(found["realm"] == "the notes")
            }
        }
    }

    @Test(arguments: RefusalReason.allCases)
    func `RFC 6750 §3: a parameter occurs once, and a scheme is never without parameters`(
        reason: RefusalReason
    ) {
        for (_, challenge) in Self.challenges(reason) where reason.outcome.status != 503 {
            let names = challenge.parameters.map { $0.name.lowercased() }
            #expect(Set(names).count == names.count && !names.isEmpty)
            #expect(challenge.description.hasPrefix("\(challenge.scheme.rawValue) "))
            #expect(challenge.parameters.allSatisfy { Challenge.isQuotable($0.value) })
            #expect(!challenge.description.contains("\\") && !challenge.description.contains("=\"\""))
            #expect(!challenge.description.contains { $0.isNewline } && !challenge.description.hasSuffix(","))
        }
    }

    @Test(arguments: RefusalReason.allCases)
    func `RFC 9728 §5.1: the URL is absolute, https and quoted`(reason: RefusalReason) {
        for (_, challenge) in Self.challenges(reason) where reason.outcome.status != 503 {
            #expect(
                challenge.description.contains(
                    "resource_metadata=\"https://api.example.com/.well-known/oauth-protected-resource/notes\""
                ))
        }
    }
}

@Suite("RFC 9728 §2 Metadata as clients read it")
struct MetadataAsClientsReadIt {
    static let pages = [
        "resource", "jwks_uri", "resource_documentation", "resource_policy_uri", "resource_tos_uri",
    ]
    static let lists = [
        "authorization_servers", "scopes_supported", "bearer_methods_supported",
        "resource_signing_alg_values_supported", "authorization_details_types_supported",
        "dpop_signing_alg_values_supported",
    ]
    static let booleans = ["tls_client_certificate_bound_access_tokens", "dpop_bound_access_tokens_required"]

    /// The members for which the TypeScript SDK drops the whole document, or which other clients misread.
    static func objections(to document: JSONObject) -> [String] {
        var found = document.members.filter(\.value.isNull).map(\.name)
        for name in pages {
            guard let value = document[name] else { continue }
            if value.string.map({ (try? HTTPURL($0)) == nil }) ?? true { found.append(name) }
        }
        for name in lists {
            guard let value = document[name] else { continue }
            guard let texts = value.strings else {
                found.append(name)
                continue
            }
            if texts.isEmpty, name != "bearer_methods_supported" { found.append(name) }
        }
        for name in booleans where document[name].map({ $0.bool == nil }) ?? false { found.append(name) }
        for server in document["authorization_servers"]?.strings ?? [] where (try? HTTPURL(server)) == nil {
            found.append("authorization_servers")
        }
        return found
    }

    @Test(arguments: Fixture.names(in: "metadata/accepted"))
    func `the published metadata passes every client's schema`(name: String) throws {
        let json = try JSONValue.parse(Fixture.bytes("metadata/accepted/\(name).json"))
        let published = try JSONValue.parse(ProtectedResourceMetadata(json: json).json.serialized())
        let document = try #require(published.object)
        #expect(Self.objections(to: document) == [])
        #expect(document["resource"]?.string == json.object?["resource"]?.string)
    }

    @Test func `§3.2: a single value is a list too`() throws {
        var metadata = ProtectedResourceMetadata(resource: "https://h/p")
        metadata.authorizationServers = ["https://t.auth0.com/"]
        metadata.scopesSupported = ["a"]
        #expect(
            String(decoding: metadata.json.serialized(), as: UTF8.self)
                == #"{"resource":"https://h/p","authorization_servers":["https://t.auth0.com/"],"#
                + #""scopes_supported":["a"]}"#
        )
    }
}
