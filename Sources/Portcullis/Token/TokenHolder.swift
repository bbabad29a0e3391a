// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// A user or a client of one issuer: what to store with data, to find the data of the same one again.
///
/// A subject is unique within its issuer only, and a client may have the identifier that is some user's
/// subject: values of different issuers or kinds are never equal. Compared byte for byte.
///
/// draft-ietf-oauth-rfc8725bis §3.8, RFC 9700 §4.15, RFC 7519 §4.1.2.
public struct TokenHolder: Sendable, Hashable {
    /// Whom a token speaks for.
    public enum Kind: String, Sendable, Hashable {
        /// A user, who has authorized the client.
        case user
        /// The client itself.
        case client
    }

    /// The issuer that names the user or client.
    public let issuer: String
    /// Whether it is a user or a client.
    public let kind: Kind
    /// The subject of a user, or the identifier of a client.
    public let name: String

    init?(_ token: AccessToken) {
        issuer = token.issuer
        if let client = token.clientID, token.subject.map({ CodePoints.equal($0, client) }) ?? true {
            kind = .client
            name = client
        } else if let subject = token.subject {
            kind = .user
            name = subject
        } else {
            return nil
        }
    }

    /// Compares byte for byte.
    public static func == (first: TokenHolder, second: TokenHolder) -> Bool {
        first.kind == second.kind && CodePoints.equal(first.issuer, second.issuer)
            && CodePoints.equal(first.name, second.name)
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        hasher.combine(ExactText(issuer))
        hasher.combine(ExactText(name))
    }
}
