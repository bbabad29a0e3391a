// SPDX-License-Identifier: MIT

/// The syntax of issuer identifiers.
///
/// RFC 8414 §2.
package enum IssuerURL {
    /// Returns the problem of a text as an issuer identifier, or `nil`.
    ///
    /// `http` is accepted for loopback hosts; the issuer's own setting decides whether it may be used.
    package static func objection(to text: String) -> String? {
        guard let url = try? HTTPURL(text), url.isSecure || url.isLoopback else {
            return "An issuer is an https URL; http is accepted only for loopback addresses (RFC 8414 §2)."
        }
        return url.query == nil && !url.hasFragment
            ? nil : "An issuer must have neither query nor fragment (RFC 8414 §2)."
    }

    /// Whether this URL may be fetched: https, or http to a loopback host if allowed.
    package static func isFetchable(_ text: String, allowingInsecureLoopback: Bool) -> Bool {
        guard let url = try? HTTPURL(text), !url.hasFragment else { return false }
        return url.isSecure || (allowingInsecureLoopback && url.isLoopback)
    }
}
