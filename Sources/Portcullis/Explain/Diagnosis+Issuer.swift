// SPDX-License-Identifier: MIT

import PortcullisJOSE

// An issuer is trusted if the operator named it, or if it is the same one by another spelling. RFC 9068 §4.

extension Diagnosis {
    func issuer(knowing others: [String]) -> Repair {
        guard let name = string("iss") else {
            return .unsound(
                "The token names no issuer, so its key cannot be found: configure the server to put iss into its "
                    + "tokens (RFC 9068 §2.2).")
        }
        if let same = rules.issuers.first(where: { IdentifierSpelling.areAlike($0.name, name) }) {
            return .settings([.issuerSpelling(from: same.name, to: name)])
        }
        if others.contains(where: { CodePoints.equal($0, name) }) {
            return .settings([.additionalIssuer(name)])
        }
        if let sibling = rules.issuers.first(where: { KnownServers.areSiblings($0.name, name) }) {
            return .settings([.additionalIssuer(name), .sharedKeys(issuer: name, with: sibling.name)])
        }
        let shown = FindingWords.printable(name)
        return .unsound(
            "The token is from \(shown), which is no authorization server of this resource: the client uses one "
                + "that is listed, or the operator lists this one if it is meant (RFC 9728 §7.6).")
    }
}

/// Facts about servers that neither their tokens nor the settings tell.
enum KnownServers {
    /// Whether an issuer is known to have no introspection endpoint for APIs.
    static func lacksIntrospection(_ issuer: String) -> Bool {
        guard let url = try? HTTPURL(issuer) else { return false }
        return url.host == "accounts.google.com" || isEntra(url.host)
            || url.host.hasPrefix("cognito-idp.")
    }

    /// Whether two issuers are the two names of one Entra ID tenant: that of v1 tokens and that of v2 tokens.
    static func areSiblings(_ first: String, _ second: String) -> Bool {
        guard let one = try? HTTPURL(first), let two = try? HTTPURL(second), isEntra(one.host),
            isEntra(two.host),
            let tenant = Self.tenant(one), let other = Self.tenant(two)
        else { return false }
        return tenant == other && one.scheme == "https" && two.scheme == "https"
    }

    private static func isEntra(_ host: String) -> Bool {
        [
            "login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn",
            "sts.windows.net", "sts.chinacloudapi.cn",
        ].contains(host)
    }

    private static func tenant(_ url: HTTPURL) -> String? {
        let first = url.path.utf8.split(separator: 0x2F).first.map { String(decoding: $0, as: UTF8.self) }
        return first.flatMap { IdentifierSpelling.isUUID($0) ? ASCII.lowercased($0) : nil }
    }
}
