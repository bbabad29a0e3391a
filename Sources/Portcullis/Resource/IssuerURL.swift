// SPDX-License-Identifier: MIT

/// What an issuer identifier has to look like.
///
/// RFC 8414 §2.
package enum IssuerURL {
    /// What is wrong with a text as an issuer identifier, or nothing.
    ///
    /// `http` is let through for loopback hosts; whether the issuer may really be used over it is its own setting.
    package static func objection(to text: String) -> String? {
        guard let url = try? HTTPURL(text), url.isSecure || url.isLoopback else {
            return "An issuer is an https URL; http is accepted for loopback addresses only (RFC 8414 §2)."
        }
        return url.query == nil && !url.hasFragment
            ? nil : "An issuer has neither a query nor a fragment (RFC 8414 §2)."
    }

    /// Whether the network may be asked at this URL: https, or http to this machine where that was allowed.
    package static func isFetchable(_ text: String, allowingInsecureLoopback: Bool) -> Bool {
        guard let url = try? HTTPURL(text), !url.hasFragment else { return false }
        return url.isSecure || (allowingInsecureLoopback && url.isLoopback)
    }
}
