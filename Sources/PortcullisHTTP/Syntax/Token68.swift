// SPDX-License-Identifier: MIT

/// The forms that tokens have.
///
/// Asked for all of a token at once: a call into this module for each of its bytes would cost a microsecond.
package enum Token68 {
    /// Whether bytes are one or more letters, digits and `-._~+/`, then any number of `=`.
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

    /// Whether bytes are three parts of base64url, none of them empty, with dots between.
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
                // token68 has three marks that base64url has not.
                guard CharacterClass.isToken68Character(byte), byte != 0x2B, byte != 0x2F, byte != 0x7E else {
                    return false
                }
                partLength += 1
            }
        }
        return dotCount == 2 && partLength > 0
    }

    // Eight bytes at a time. Each of them is below 0x80, so that no sum leaves its byte.

    private static let wordByteCount = 8
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// Whether `CharacterClass.isToken68Character` is true of each byte.
    @inline(__always)
    private static func areToken68(_ word: UInt64) -> Bool {
        guard word & highBits == 0 else { return false }
        // A letter is one after its bit of case is set, and what is none does not become one.
        let letters = between(0x61, 0x7A, word | ones &* 0x20)
        // `-`, `.`, `/` and the digits lie one behind the other.
        let digits = between(0x2D, 0x39, word)
        let marks = equal(0x2B, word) | equal(0x5F, word) | equal(0x7E, word)
        return (letters | digits | marks) & highBits == highBits
    }

    /// The high bit of each byte that is one of these.
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
