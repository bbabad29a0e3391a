// SPDX-License-Identifier: MIT

package import PortcullisJOSE

/// Why a token is refused, with everything that advice depends on.
///
/// A value without I/O: the same diagnosis gives the same advice.
package struct Diagnosis: Sendable {
    /// The reasons of all steps that refuse the token, in the order of the steps.
    package var reasons: [RefusalReason]
    package var rules: DeclaredRules
    /// Whether the token is checked as a JWT.
    package var isJWT = true
    /// The header of a JWT, if it is readable.
    package var header: JSONObject?
    /// The claims, verified or not, or the members of an introspection answer.
    package var claims: JSONObject?
    /// The length of the token.
    package var tokenByteCount = 0
    /// Why a JWT could not be taken apart.
    package var problem: JOSEError?
    /// The claims of a wrong type, in words; `nil` if there are none.
    var claimObjection: String?
    /// Whether the issuer's metadata has an introspection endpoint; `nil` if that is unknown.
    package var publishesIntrospection: Bool?

    package init(_ reasons: [RefusalReason], by rules: DeclaredRules) {
        self.reasons = reasons
        self.rules = rules
    }

    /// The settings that repair one reason.
    enum Repair {
        case settings([SuggestedSetting])
        case unsound(String)
    }

    /// What would make the token acceptable, or `nil` without a reason to refuse it.
    ///
    /// - Parameter others: Issuers that the operator has configured, but that the resource does not trust.
    package func suggestion(knowing others: [String] = []) -> Suggestion? {
        guard let first = reasons.first else { return nil }
        if let why = objectionToKind { return .unsound(why) }
        var settings: [SuggestedSetting] = []
        for reason in reasons {
            switch repair(of: reason, knowing: others) {
            case .settings(let found): settings += found.filter { !settings.contains($0) }
            case .unsound(let why): return .unsound(why)
            }
        }
        // Settings of an issuer need to know which one it is.
        let isUnknown = settings.contains { $0.issuer == "" }
        return settings.isEmpty || isUnknown ? .unsound(first.remedy) : .settings(settings)
    }

    // MARK: The claims

    /// The value at a path of members, or `nil` if it is absent or null.
    func value(_ path: [String]) -> JSONValue? {
        guard let first = path.first, let claims else { return nil }
        let value = path.dropFirst().reduce(claims[first]) { $0?.object?[$1] }
        return value?.isNull == true ? nil : value
    }

    func string(_ name: String) -> String? { value([name])?.string }

    /// The claims in which servers name the client that a token was issued to.
    static let clientClaims = ["client_id", "azp", "cid", "appid", "clientId"]

    /// The identifiers of the client in the token.
    var clients: [String] { Self.clientClaims.compactMap(string) }

    /// The issuer whose settings apply to the token: the pattern of a tenant, any other as the token spells
    /// it; empty if the token names none and several are trusted.
    var issuerName: String {
        if let name = string("iss") { return rules.nameOfSettings(forIssuer: name) }
        let candidates = isJWT ? rules.issuers : rules.issuers.filter(\.introspects)
        return candidates.count == 1 ? candidates[0].name : ""
    }

    var audience: [String] {
        guard let value = value(["aud"]) else { return [] }
        return value.string.map { [$0] } ?? value.strings ?? []
    }

    // MARK: Other kinds of JWT

    /// Why the JWT is of a kind that no setting should accept, or `nil`.
    ///
    /// RFC 9068 §5, RFC 8725 §3.12.
    private var objectionToKind: String? {
        guard isJWT else { return nil }
        if let type = header?["typ"]?.string,
            TokenPolicy.foreignTypes.contains(MediaType.normalized(type))
        {
            return
                "A JWT of type \(FindingWords.printable(type)) is not an access token, and no setting accepts "
                + "it: the client sends its access token (RFC 8725 §3.12)."
        }
        let isForClient = !clients.isEmpty && audience.allSatisfy(clients.contains) && !audience.isEmpty
        let isIdentity =
            value(["at_hash"]) != nil || value(["c_hash"]) != nil || string("token_use") == "id"
            || string("typ") == "ID" || value(["nonce"]) != nil && isForClient
        if isIdentity {
            return
                "This is an ID token, which is for the client alone: the client sends its access token instead "
                + "(RFC 9068 §5)."
        }
        if let kind = string("typ"), ["Refresh", "Offline"].contains(kind) {
            return
                "This is a refresh token, which is for the authorization server alone: the client sends its "
                + "access token instead (RFC 6749 §1.5)."
        }
        return nil
    }
}

/// JSON pointers to claims.
enum ClaimPointer {
    /// The pointer to a path of members.
    ///
    /// RFC 6901 §3.
    static func text(_ path: [String]) -> String {
        path.map { name in
            var text = "/"
            for character in name.unicodeScalars {
                switch character {
                case "~": text += "~0"
                case "/": text += "~1"
                default: text.unicodeScalars.append(character)
                }
            }
            return text
        }.joined()
    }
}
