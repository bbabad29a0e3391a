// SPDX-License-Identifier: MIT

/// The form that bearer tokens have: one or more letters, digits and `-._~+/`, then any number of `=`.
///
/// RFC 9110 §11.2, RFC 6750 §2.1.
package enum Token68 {
    /// Whether all of `bytes` is one `token68`.
    package static func matches(_ bytes: some Collection<UInt8>) -> Bool {
        var index = bytes.startIndex
        while index < bytes.endIndex, CharacterClass.isToken68Character(bytes[index]) {
            bytes.formIndex(after: &index)
        }
        guard index > bytes.startIndex else { return false }
        while index < bytes.endIndex, bytes[index] == 0x3D { bytes.formIndex(after: &index) }
        return index == bytes.endIndex
    }
}
