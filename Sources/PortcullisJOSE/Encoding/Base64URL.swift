// SPDX-License-Identifier: MIT

/// Base64url as JOSE uses it: no padding, no line breaks.
///
/// Decoding accepts only the canonical form, so that no two texts decode to the same bytes.
///
/// RFC 4648 §5, §3.5; RFC 7515 §2.
package enum Base64URL {
    /// Decodes `text`, or returns `nil` if it is not canonical.
    package static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        Base64Alphabet.urlSafe.decode(text)
    }

    /// Decodes `text`, or returns `nil` if it is not canonical.
    package static func decode(_ text: [UInt8]) -> [UInt8]? {
        text.withUnsafeBytes { decode($0) }
    }

    /// Decodes `text`, or returns `nil` if it is not canonical.
    package static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        text.withUnsafeBytes { decode($0) }
    }

    /// Decodes `text`, or returns `nil` if it is not canonical.
    package static func decode(_ text: String) -> [UInt8]? {
        decode(Array(text.utf8))
    }

    /// The canonical form of `bytes`.
    package static func encode(_ bytes: [UInt8]) -> String {
        Base64Alphabet.urlSafe.encode(bytes, padded: false)
    }
}

/// Base64 with padding.
///
/// RFC 4648 §4.
package enum Base64 {
    /// Decodes `text`, or returns `nil` if it is not canonical and padded.
    package static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        // RFC 4648 §4: padding fills the last group up to four characters.
        guard text.count.isMultiple(of: 4) else { return nil }
        let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
        return Base64Alphabet.standard.decode(UnsafeRawBufferPointer(rebasing: text.dropLast(padding)))
    }

    /// Decodes `text`, or returns `nil` if it is not canonical and padded.
    package static func decode(_ text: [UInt8]) -> [UInt8]? {
        text.withUnsafeBytes { decode($0) }
    }

    /// Decodes `text`, or returns `nil` if it is not canonical and padded.
    package static func decode(_ text: String) -> [UInt8]? {
        decode(Array(text.utf8))
    }

    /// The canonical, padded form of `bytes`.
    package static func encode(_ bytes: [UInt8]) -> String {
        Base64Alphabet.standard.encode(bytes, padded: true)
    }
}
