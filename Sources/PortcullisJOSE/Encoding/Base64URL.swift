// SPDX-License-Identifier: MIT

/// Base64url as JOSE uses it: no padding, no line breaks.
///
/// Decoding takes the canonical form only, so that no two texts stand for the same bytes.
///
/// RFC 4648 §5, §3.5; RFC 7515 §2.
package enum Base64URL {
    /// The bytes that `text` stands for, or nothing if it is not the canonical form of any.
    package static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        Base64Alphabet.urlSafe.decode(text)
    }

    /// The bytes that `text` stands for, or nothing if it is not the canonical form of any.
    package static func decode(_ text: [UInt8]) -> [UInt8]? {
        text.withUnsafeBytes { decode($0) }
    }

    /// The bytes that `text` stands for, or nothing if it is not the canonical form of any.
    package static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        text.withUnsafeBytes { decode($0) }
    }

    /// The bytes that `text` stands for, or nothing if it is not the canonical form of any.
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
    /// The bytes that `text` stands for, or nothing if it is not the canonical, padded form of any.
    package static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        // RFC 4648 §4: the last group is filled up to four characters; what lies before the padding decides how much.
        guard text.count.isMultiple(of: 4) else { return nil }
        let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
        return Base64Alphabet.standard.decode(UnsafeRawBufferPointer(rebasing: text.dropLast(padding)))
    }

    /// The bytes that `text` stands for, or nothing if it is not the canonical, padded form of any.
    package static func decode(_ text: [UInt8]) -> [UInt8]? {
        text.withUnsafeBytes { decode($0) }
    }

    /// The bytes that `text` stands for, or nothing if it is not the canonical, padded form of any.
    package static func decode(_ text: String) -> [UInt8]? {
        decode(Array(text.utf8))
    }

    /// The canonical, padded form of `bytes`.
    package static func encode(_ bytes: [UInt8]) -> String {
        Base64Alphabet.standard.encode(bytes, padded: true)
    }
}
