// SPDX-License-Identifier: MIT

/// Checks the syntax of tokens.
///
/// Checks a whole token in one call: one call into this module for each byte would cost a microsecond.
package enum Token68 {
    /// Whether the bytes are one or more letters, digits and `-._~+/`, then any number of `=`.
    ///
    /// RFC 9110 §11.2, RFC 6750 §2.1.
    package static func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var end = bytes.count
        while end > 0, bytes[end - 1] == 0x3D { end -= 1 }
        guard end > 0 else { return false }
        var index = 0
        while index + wordByteCount <= end {
            guard areToken68(word(bytes, index)) else { return false }
            index += wordByteCount
        }
        for index in index..<end where !CharacterClass.isToken68Character(bytes[index]) { return false }
        return true
    }

    /// Whether the bytes are three non-empty parts of base64url separated by dots.
    ///
    /// RFC 7515 §7.1, RFC 4648 §5.
    package static func isShapedAsJWS(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var dotCount = 0
        var partLength = 0
        for byte in bytes {
            if byte == 0x2E {
                guard partLength > 0 else { return false }
                dotCount += 1
                partLength = 0
            } else {
                // token68 allows three marks that base64url does not.
                guard CharacterClass.isToken68Character(byte), byte != 0x2B, byte != 0x2F, byte != 0x7E else {
                    return false
                }
                partLength += 1
            }
        }
        return dotCount == 2 && partLength > 0
    }

    // Eight bytes at a time. Each byte is below 0x80, so no sum carries into the next byte.

    private static let wordByteCount = 8
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// Whether `CharacterClass.isToken68Character` is true of each byte.
    @inline(__always)
    private static func areToken68(_ word: UInt64) -> Bool {
        guard word & highBits == 0 else { return false }
        // Setting the case bit maps letters to lower case and turns no other byte into a letter.
        let letters = between(0x61, 0x7A, word | ones &* 0x20)
        // `-`, `.`, `/` and the digits are consecutive.
        let digits = between(0x2D, 0x39, word)
        let marks = equal(0x2B, word) | equal(0x5F, word) | equal(0x7E, word)
        return (letters | digits | marks) & highBits == highBits
    }

    /// Sets the high bit of each byte from `first` to `last`.
    @inline(__always)
    private static func between(_ first: UInt64, _ last: UInt64, _ word: UInt64) -> UInt64 {
        (word &+ ones &* (0x80 - first)) & ~(word &+ ones &* (0x7F - last))
    }

    @inline(__always)
    private static func equal(_ byte: UInt64, _ word: UInt64) -> UInt64 {
        ~((word ^ ones &* byte) &+ ones &* 0x7F)
    }

    // SAFETY: the caller has checked that eight bytes follow `index`; the load takes any alignment.
    @inline(__always)
    private static func word(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> UInt64 {
        bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
    }
}
