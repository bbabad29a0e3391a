// SPDX-License-Identifier: MIT

/// What a finding's code stands for; a code never gets another meaning.
package struct CheckRule: Sendable, Hashable {
    /// The code of its findings.
    package let code: String
    /// The level that a violation usually has.
    package let level: Finding.Level
    /// The rule as a sentence.
    package let title: String
    /// The clause that requires it, or the source of the convention.
    package let clause: String
    /// What a client does where the rule is broken.
    package let consequence: String
    /// How to mend it.
    package let remedy: String

    init(
        _ code: String, _ level: Finding.Level, _ title: String, clause: String, client consequence: String,
        mend remedy: String
    ) {
        self.code = code
        self.level = level
        self.title = title
        self.clause = clause
        self.consequence = consequence
        self.remedy = remedy
    }

    /// All rules, in the order of a client's requests.
    package static let all: [CheckRule] =
        [
            challengeRules, metadataRules, agreementRules, serverRules, announcementRules, probeRules,
            mcpRules,
            transportRules, clientDocumentRules, tokenRules, gatewayRules, suppressionRules,
        ].flatMap { $0 }

    private static let byCode = Dictionary(
        uniqueKeysWithValues: all.enumerated().map { ($0.element.code, $0.offset) })

    /// The rule with a code.
    package static func named(_ code: String) -> CheckRule {
        index(of: code).map { all[$0] }
            ?? CheckRule(code, .note, code, clause: "", client: "", mend: "")
    }

    /// The position of a code in ``all``, or `nil` if there is no such rule.
    package static func index(of code: String) -> Int? { byCode[code] }

    /// The URL of the clause.
    package var url: String { ClauseURL.url(of: clause) }
}

/// Finds the URL of a clause.
enum ClauseURL {
    private static let others = [
        "MCP": "https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization",
        "Fetch": "https://fetch.spec.whatwg.org/#http-cors-protocol",
        "OpenID": "https://openid.net/specs/openid-connect-discovery-1_0.html",
        "Entra": "https://learn.microsoft.com/entra/identity-platform/reference-error-codes",
        "draft-ietf-oauth-client-id-metadata-document":
            "https://datatracker.ietf.org/doc/draft-ietf-oauth-client-id-metadata-document/",
        "draft-ietf-oauth-rfc8725bis": "https://datatracker.ietf.org/doc/draft-ietf-oauth-rfc8725bis/",
    ]

    /// The URL of a clause such as `RFC 9728 §5.1`, or that of the RFCs if the clause is unknown.
    static func url(of clause: String) -> String {
        let words = clause.split { $0 == " " || $0 == "," }
        guard let first = words.first else { return "https://www.rfc-editor.org/" }
        if first == "RFC", words.count > 1 {
            let base = "https://www.rfc-editor.org/rfc/rfc\(words[1])"
            guard words.count > 2, words[2].first == "§" else { return base }
            return base + "#section-" + words[2].dropFirst()
        }
        return others[String(first)] ?? "https://www.rfc-editor.org/"
    }
}
