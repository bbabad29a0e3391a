// SPDX-License-Identifier: MIT

import PortcullisJOSE

// A token is accepted for another name of this API, never for another API. RFC 9068 §4, RFC 8707 §2.

extension Diagnosis {
    var audienceRepair: Repair {
        let audience = audience
        guard !audience.isEmpty else { return isJWT ? absentAudience : absentFromAnswer }
        if let other = audience.first(where: isNameOfThisAPI) {
            guard !rules.isMCP else {
                return .unsound(
                    "The audience of the token is spelled \(FindingWords.printable(other)), and an MCP server accepts "
                        + "its own identifier alone: the client asks with resource=\(rules.resource.text) (RFC 8707 §2)."
                )
            }
            return .settings([.audiences(rules.audiences + [other])])
        }
        if let client = audience.first(where: clients.contains) {
            return .unsound(
                "The audience of the token is the client \(FindingWords.printable(client)) itself, not this API: the "
                    + "client asks the server for a token with resource=\(rules.resource.text) (RFC 8707 §2)."
            )
        }
        let names = FindingWords.printable(audience.joined(separator: ", "))
        if let registered = audience.first(where: { $0.utf8.starts(with: Self.registeredName.utf8) }) {
            return .unsound(
                "The token is for the API that its server calls \(FindingWords.printable(registered)), and nothing "
                    + "shows that this is it. Give this API the identifier \(rules.resource.text) at the server "
                    + "(in Entra ID: Application ID URI), and have the client ask for it with "
                    + "resource=\(rules.resource.text) (RFC 8707 §2); or, if it is this API's own registration, add "
                    + "it to tokens.audiences.")
        }
        return .unsound(
            "The token is for \(names). If it were accepted here, that API could use it here too. The client must ask "
                + "for a token with resource=\(rules.resource.text) (RFC 8707 §2).")
    }

    /// Whether an audience is this API by another name.
    private func isNameOfThisAPI(_ audience: String) -> Bool {
        if rules.audiences.contains(where: { IdentifierSpelling.areAlike($0, audience) }) { return true }
        return isRegisteredName(audience) || isEntraApplication(audience)
    }

    /// The scheme by which servers name the APIs that are registered with them.
    private static let registeredName = "api://"

    // A name that anyone can register says nothing by itself: it must be this API's, or that of a server whose
    // tokens are all for one API, as `api://default` of Okta's server `default`.
    private func isRegisteredName(_ audience: String) -> Bool {
        guard audience.utf8.starts(with: Self.registeredName.utf8) else { return false }
        let name = String(audience.dropFirst(Self.registeredName.count))
        let resource = rules.resource.url
        let path = resource.path.split(separator: "/")
        let own = [resource.host + (path.isEmpty ? "" : resource.path)] + path.suffix(1).map(String.init)
        if own.contains(where: { IdentifierSpelling.areAlike($0, name) }) { return true }
        guard let issuer = try? HTTPURL(issuerName) else { return false }
        let servers = issuer.path.split(separator: "/")
        return servers.count == 2 && servers[0] == "oauth2" && CodePoints.equal(String(servers[1]), name)
    }

    // Entra ID names an API by a URI of this scheme, or in its second version by an identifier of its own.
    // Scopes are defined by the API that the token is for, so the token must have what the route needs.
    private func isEntraApplication(_ audience: String) -> Bool {
        guard ["1.0", "2.0"].contains(string("ver") ?? ""), value(["tid"]) != nil,
            audience.utf8.starts(with: Self.registeredName.utf8)
                || string("ver") == "2.0" && IdentifierSpelling.isUUID(audience),
            !clients.contains(audience), !audience.hasSuffix("-0000-0000-c000-000000000000")
        else { return false }
        return !rules.requirement.scopes.scopes.isEmpty && satisfyingScopes != nil
    }

    // RFC 9068 §2.2.
    private var absentAudience: Repair {
        let ask =
            "have the server name this API in aud, for example for a request with resource=\(rules.resource.text) "
            + "(RFC 9068 §2.2, RFC 8707 §2)."
        guard !rules.isMCP else {
            return .unsound(
                "The token names no audience, and an MCP server needs its own identifier there: " + ask)
        }
        guard let kind = Self.accessTokenMarks.first(where: { string($0.claim) == $0.value }),
            let client = Self.clientClaims.first(where: { string($0) != nil }), let name = string(client)
        else {
            return .unsound(
                "The token names no audience, and no claim ties it to this API and its clients: " + ask)
        }
        return .settings([
            .requiredClaimValue(
                pointer: ClaimPointer.text([kind.claim]), values: [kind.value], issuer: issuerName),
            .audienceFrom(pointer: ClaimPointer.text([client]), values: [name], issuer: issuerName),
        ])
    }

    /// The claims with which servers tell access tokens from their other JWTs.
    private static let accessTokenMarks: [(claim: String, value: String)] = [
        ("token_use", "access"), ("token_use", "access_token"), ("token_type", "access_token"),
        ("token_type", "access"), ("typ", "Bearer"),
    ]

    // RFC 7662 §2.2.
    private var absentFromAnswer: Repair {
        guard rules.isMCP else { return .settings([.optionalIntrospectionAudience]) }
        return .unsound(
            "The introspection answer names no audience, which an MCP server needs: have the authorization server "
                + "put this API into aud (RFC 7662 §2.2).")
    }
}

/// Comparisons of identifiers that people spell in several ways.
enum IdentifierSpelling {
    /// Whether two URLs differ only in case and in a slash at the end.
    static func areAlike(_ first: String, _ second: String) -> Bool {
        normalized(first) == normalized(second)
    }

    private static func normalized(_ text: String) -> [UInt8] {
        var bytes = Array(ASCII.lowercased(text).utf8)
        if bytes.last == 0x2F { bytes.removeLast() }
        return bytes
    }

    /// Whether a text has the form of a UUID.
    ///
    /// RFC 9562 §4.
    static func isUUID(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: 0x2D, omittingEmptySubsequences: false)
        return parts.map(\.count) == [8, 4, 4, 4, 12]
            && parts.joined().allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
            }
    }
}
