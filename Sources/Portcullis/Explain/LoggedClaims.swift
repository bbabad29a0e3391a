// SPDX-License-Identifier: MIT

import PortcullisJOSE

// The texts of findings from which advice about a line of a log is made, and their parsing.

/// Texts about claims.
enum LoggedClaims {
    static let absentFromAnswer = "none in the introspection answer"
    private static let absent = "none"
    private static let missingWord = "without "
    private static let clientWord = " names the client"

    /// Describes an absent audience, with the claims that may stand for it.
    static func absent(of others: [(name: String, value: String)]) -> String {
        others.reduce(absent) { "\($0), \($1.name) \($1.value)" }
    }

    /// Describes missing claims, and another claim than `client_id` that names the client.
    static func missing(_ names: [String], client: String?) -> String {
        let text = missingWord + names.joined(separator: ", ")
        guard names.contains("client_id"), let client else { return text }
        return "\(text); \(client)\(clientWord)"
    }

    /// Parses the text about an audience.
    static func parseAudience(_ text: String) -> (claims: JSONObject, isIntrospected: Bool) {
        if text == absentFromAnswer { return (JSONObject(), true) }
        let parts = text.split(separator: ", ").map { String($0) }
        guard parts.first == absent else {
            return (["aud": .array(parts.map(JSONValue.string))], false)
        }
        var claims = JSONObject()
        for part in parts.dropFirst() {
            let pair = part.split(separator: " ", maxSplits: 1)
            if pair.count == 2 { claims[String(pair[0])] = .string(String(pair[1])) }
        }
        return (claims, false)
    }

    /// Parses the text about missing claims.
    static func parseMissing(_ text: String) -> (missing: [String], client: String?) {
        let parts = text.split(separator: "; ")
        let client = parts.dropFirst().first { $0.hasSuffix(clientWord) }.map {
            String($0.dropLast(clientWord.count))
        }
        let names =
            parts.first.flatMap {
                $0.hasPrefix(missingWord) ? String($0.dropFirst(missingWord.count)) : nil
            } ?? ""
        return (names.isEmpty ? [] : names.split(separator: ", ").map { String($0) }, client)
    }
}

extension Diagnosis {
    /// The diagnosis of a refused request from its line in an access log.
    ///
    /// Knows only what the line says about the step that refused.
    ///
    /// - Parameter rules: What the resource declares. What the line tells of it takes precedence.
    package init(logged reason: RefusalReason, expected: String, got: String, by rules: DeclaredRules) {
        self.init([reason], by: rules)
        Self.readers[reason]?(&self, expected, got == "none" ? nil : got)
    }

    private typealias Reader = @Sendable (inout Diagnosis, _ expected: String, _ got: String?) -> Void

    /// How to read the texts about a reason; for the others advice needs no values.
    private static let readers: [RefusalReason: Reader] = [
        .unsupportedTokenType: { diagnosis, expected, got in
            diagnosis.rules.tokens.acceptedTypes = list(expected)
            diagnosis.header = JSONObject()
            diagnosis.header?["typ"] = got.map(JSONValue.string)
        },
        .unsupportedAlgorithm: { diagnosis, expected, got in
            diagnosis.rules.tokens.algorithms = list(expected).compactMap(SignatureAlgorithm.init(rawValue:))
            diagnosis.header = ["alg": .string(got ?? "none")]
        },
        .unknownIssuer: { diagnosis, expected, got in
            if diagnosis.rules.issuers.isEmpty {
                diagnosis.rules.issuers = list(expected).map(DeclaredRules.Issuer.init)
            }
            diagnosis.claims = JSONObject()
            diagnosis.claims?["iss"] = got.map(JSONValue.string)
        },
        .audienceMismatch: { diagnosis, expected, got in
            diagnosis.rules.tokens.audiences = expected.split(separator: " or ").map { String($0) }
            let parsed = LoggedClaims.parseAudience(got ?? "none")
            diagnosis.claims = parsed.claims
            diagnosis.isJWT = !parsed.isIntrospected
        },
        .missingClaim: { diagnosis, expected, got in
            let (missing, client) = LoggedClaims.parseMissing(got ?? "")
            diagnosis.rules.tokens.requiredClaims = list(expected)
            var claims = JSONObject()
            for name in list(expected) + ["exp"] where !missing.contains(name) { claims[name] = "" }
            if let client { claims[client] = "" }
            diagnosis.claims = claims
        },
        .insufficientScope: { diagnosis, expected, got in
            let scopes = expected.split(separator: " ").compactMap { Scope(token: String($0)) }
            diagnosis.rules.requirement = .all(of: scopes)
            diagnosis.claims = ScopeHint.claims(in: got)
        },
        .malformedJWT: { diagnosis, _, got in
            let known: [JOSEError] = [.wrongPartCount, .malformedBase64URL, .encryptedToken]
            diagnosis.problem = known.first { $0.phrase == got }
        },
        .malformedClaims: { diagnosis, _, got in diagnosis.claimObjection = got },
        .introspectionUnavailable: { diagnosis, _, got in
            diagnosis.claimObjection = got == "no usable answer" ? nil : got
        },
        .unsupportedTokenFormat: { diagnosis, _, got in diagnosis.isJWT = got != nil },
        .tokenTooLong: { diagnosis, _, got in
            diagnosis.tokenByteCount = got.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
        },
    ]

    private static func list(_ text: String) -> [String] { text.split(separator: ", ").map { String($0) } }
}
