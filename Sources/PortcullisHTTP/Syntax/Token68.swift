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
        for index in 0..<end where !CharacterClass.isToken68Character(bytes[index]) { return false }
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
}
