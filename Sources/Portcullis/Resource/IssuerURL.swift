// SPDX-License-Identifier: MIT

/// The syntax of issuer identifiers.
///
/// RFC 8414 §2.
package enum IssuerURL {
    /// Returns the problem of a text as an issuer identifier, or `nil`.
    ///
    /// `http` is accepted for loopback hosts; the issuer's own setting decides whether it may be used.
    package static func objection(to text: String) -> String? {
        if isPlain(text) { return nil }
        guard let url = try? HTTPURL(text), url.isSecure || url.isLoopback else {
            return "An issuer is an https URL; http is accepted only for loopback addresses (RFC 8414 §2)."
        }
        return url.query == nil && !url.hasFragment
            ? nil : "An issuer must have neither query nor fragment (RFC 8414 §2)."
    }

    /// Whether this URL may be fetched: https, or http to a loopback host if allowed.
    package static func isFetchable(_ text: String, allowingInsecureLoopback: Bool) -> Bool {
        if isPlain(text) { return true }
        guard let url = try? HTTPURL(text), !url.hasFragment else { return false }
        return url.isSecure || (allowingInsecureLoopback && url.isLoopback)
    }

    /// Whether a text is an https URL of a name and a path without port and special characters, as most are.
    ///
    /// Costs no allocation: a configuration may name hundreds of thousands.
    package static func isPlain(_ text: String) -> Bool {
        // The text of nearly all strings lies in one piece, which is quicker to read.
        text.utf8.withContiguousStorageIfAvailable { isPlain($0) } ?? isPlain(Array(text.utf8))
    }

    private static func isPlain(_ bytes: some RandomAccessCollection<UInt8>) -> Bool {
        guard bytes.starts(with: scheme) else { return false }
        let rest = bytes.dropFirst(scheme.count)
        let host = rest.prefix { $0 != 0x2F }
        return !host.isEmpty && host.allSatisfy(isPlain)
            && rest[host.endIndex...].allSatisfy { isPlain($0) || $0 == 0x2F }
    }

    private static let scheme = Array("https://".utf8)

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }
}
