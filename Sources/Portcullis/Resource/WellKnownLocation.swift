// SPDX-License-Identifier: MIT

/// The location of metadata: `/.well-known/oauth-protected-resource` between host and path.
///
/// RFC 9728 §3, §3.1.
package struct WellKnownLocation: Sendable, Hashable {
    /// The registered suffix, used unless an application defines its own.
    ///
    /// RFC 9728 §3.
    package static let suffix = "oauth-protected-resource"
    /// The registered path.
    ///
    /// RFC 9728 §3.
    package static let root = "/.well-known/" + suffix

    /// The whole URL, in the spelling of the identifier.
    package let url: String
    /// The path with normalized percent-encoding.
    package let path: String
    /// The query that requests must have, or `nil`.
    package let query: String?

    package init(of identifier: ResourceIdentifier, suffix: String = Self.suffix) {
        let root = "/.well-known/" + suffix
        let bytes = Array(identifier.text.utf8)
        let authority = bytes[..<identifier.url.authorityEnd]
        var rest = bytes[identifier.url.authorityEnd...]
        // RFC 9728 §3.1: a terminating slash directly after the host is removed before insertion.
        if rest.first == 0x2F, rest.count == 1 || rest[rest.startIndex + 1] == 0x3F {
            rest = rest.dropFirst()
        }
        url = String(decoding: authority + Array(root.utf8) + rest, as: UTF8.self)
        path = root + (identifier.path.utf8.count == 1 ? "" : identifier.path)
        query = identifier.query
    }

    /// The path without a final slash; locations are compared by it.
    package var pathWithoutSlash: String {
        path.utf8.last == 0x2F ? String(path.dropLast()) : path
    }

    /// Whether a request with this path and query is for the document.
    ///
    /// The path matches with or without a final slash, since clients request both; the query must match
    /// exactly.
    ///
    /// - Parameter requested: A path with normalized percent-encoding.
    ///
    /// RFC 9728 §3.1.
    package func matches(path requested: String, query requestedQuery: String?) -> Bool {
        let bare = requested.utf8.last == 0x2F ? requested.utf8.dropLast() : requested.utf8[...]
        return bare.elementsEqual(pathWithoutSlash.utf8) && matches(query: requestedQuery)
    }

    /// Whether a request with this unnormalized query is for the document, given a matching path.
    ///
    /// Any query is ignored if the identifier has none. RFC 9728 §3.1.
    package func matches(query requested: String?) -> Bool {
        guard let query else { return true }
        guard let normalised = try? HTTPURL.normalised((requested ?? "").utf8) else { return false }
        return normalised.utf8.elementsEqual(query.utf8)
    }

    /// Returns why an additional suffix is invalid, or `nil`.
    ///
    /// RFC 8615 §3.
    static func objection(toSuffix suffix: String) -> String? {
        let isName = suffix.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
            default: false
            }
        }
        guard isName, !suffix.isEmpty, suffix.utf8.first != 0x2E else {
            return
                "A well-known suffix is one segment of letters, digits, hyphens, dots and underscores (RFC "
                + "8615 §3)."
        }
        if suffix.utf8.elementsEqual(Self.suffix.utf8) {
            return "The document is always served under this suffix; remove it."
        }
        return ["oauth-authorization-server", "openid-configuration"].contains(suffix)
            ? "This suffix belongs to authorization servers (RFC 8414 §3)." : nil
    }
}
