// SPDX-License-Identifier: MIT

/// The issuers of one authorization server with tenants: a URL with a variable for one path segment.
///
///     https://login.example.com/{tenant}/v2.0
///
/// A value of the variable is 1 to 64 ASCII letters, digits, dots, underscores and hyphens, and no dot
/// segment, so that it can neither change the path nor leave the host. RFC 8414 §2, RFC 3986 §5.2.4.
package struct IssuerPattern: Sendable, Hashable {
    /// The maximum length of a value.
    static let maximumValueByteCount = 64

    let text: String
    private let prefix: [UInt8]
    private let suffix: [UInt8]

    /// Whether a text is meant as a pattern: it contains a brace, which no URL does.
    package static func isPattern(_ text: String) -> Bool {
        func isBrace(_ byte: UInt8) -> Bool { byte == 0x7B || byte == 0x7D }
        // The text of nearly all strings lies in one piece, which is quicker to search.
        return text.utf8.withContiguousStorageIfAvailable { $0.contains(where: isBrace) }
            ?? text.utf8.contains(where: isBrace)
    }

    /// Returns `nil` unless the text is a valid pattern.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let open = bytes.firstIndex(of: 0x7B), let close = bytes.firstIndex(of: 0x7D),
            close > open + 1, bytes[(open + 1)..<close].allSatisfy(Self.isWordCharacter),
            !bytes[(close + 1)...].contains(where: { $0 == 0x7B || $0 == 0x7D })
        else { return nil }
        self.text = text
        prefix = Array(bytes[..<open])
        suffix = Array(bytes[(close + 1)...])
        // One whole segment of the path, and all else as in every issuer.
        guard prefix.last == 0x2F, suffix.first == nil || suffix.first == 0x2F,
            let url = try? HTTPURL(issuer(of: "x")), prefix.count > url.authorityEnd,
            IssuerURL.objection(to: issuer(of: "x")) == nil
        else { return nil }
    }

    /// The rule that a text breaks that is meant as a pattern, or `nil`.
    package static func objection(to text: String) -> String? {
        IssuerPattern(text) == nil
            ? "An issuer pattern is an https URL with one variable, such as {tenant}, as a whole path segment."
            : nil
    }

    /// Whether a text is a possible value.
    package static func isValue(_ text: some Collection<UInt8>) -> Bool {
        (1...maximumValueByteCount).contains(text.count)
            && text.allSatisfy { isWordCharacter($0) || $0 == 0x2D || $0 == 0x2E }
            && !text.elementsEqual([0x2E]) && !text.elementsEqual([0x2E, 0x2E])
    }

    /// Returns the value of the variable in an issuer, or `nil` if the pattern does not match.
    package func value(in issuer: String) -> String? {
        let bytes = issuer.utf8
        guard bytes.count > prefix.count + suffix.count, bytes.starts(with: prefix),
            bytes.suffix(suffix.count).elementsEqual(suffix)
        else { return nil }
        let value = bytes.dropFirst(prefix.count).dropLast(suffix.count)
        return Self.isValue(value) ? String(decoding: value, as: UTF8.self) : nil
    }

    /// Returns the issuer of a tenant.
    package func issuer(of value: String) -> String {
        String(decoding: prefix + Array(value.utf8) + suffix, as: UTF8.self)
    }

    private static func isWordCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
        default: false
        }
    }
}
