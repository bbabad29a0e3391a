// SPDX-License-Identifier: MIT

/// The character classes of HTTP and OAuth, as bit tables.
package enum CharacterClass {
    /// `tchar`.
    ///
    /// RFC 9110 §5.6.2.
    @inline(__always)
    package static func isTokenCharacter(_ byte: UInt8) -> Bool {
        byte < 128 && contains(byte, tokenLow, tokenHigh)
    }

    /// Whether a field value may contain the byte between its ends: HTAB, SP, VCHAR and obs-text.
    ///
    /// RFC 9110 §5.5.
    @inline(__always)
    package static func isFieldValueCharacter(_ byte: UInt8) -> Bool {
        byte >= 0x20 ? byte != 0x7F : byte == 0x09
    }

    /// Whether a request target may contain the byte: VCHAR without `"`, `<`, `>`, `\`, `^`, `` ` ``, `{`,
    /// `|`, `}`, and without `#`, because a fragment is never sent.
    ///
    /// Clients send more; see ``isRawPathCharacter(_:)`` and ``isRawQueryCharacter(_:)``.
    ///
    /// RFC 9112 §3.2, RFC 3986 §2.
    @inline(__always)
    package static func isTargetCharacter(_ byte: UInt8) -> Bool {
        // Most are small letters.
        byte &- 0x61 < 26 || (byte < 128 && contains(byte, targetLow, targetHigh))
    }

    /// Whether a path or query may contain the byte as it is: a target character, but no bracket, which RFC 3986
    /// allows only around the address of a host.
    ///
    /// RFC 3986 §3.2.2, §3.3, §3.4.
    @inline(__always)
    package static func isPlainTargetCharacter(_ byte: UInt8) -> Bool {
        // Most are small letters.
        byte &- 0x61 < 26 || (byte < 128 && contains(byte, targetLow, plainTargetHigh))
    }

    /// Whether browsers and other clients send the byte raw in a path, although RFC 3986 requires encoding:
    /// `[`, `]`, `^`, `|`.
    ///
    /// It means the same as its percent-encoding. URL Standard §1.3, the path percent-encode set; older
    /// editions of it leave `^` raw too.
    @inline(__always)
    package static func isRawPathCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x5B, 0x5D, 0x5E, 0x7C: true
        default: false
        }
    }

    /// Whether browsers send the byte raw in a query, although RFC 3986 requires encoding: `[`, `\`, `]`,
    /// `^`, `` ` ``, `{`, `|`, `}`.
    ///
    /// URL Standard §1.3, the query percent-encode set.
    @inline(__always)
    package static func isRawQueryCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x5B...0x5E, 0x60, 0x7B...0x7D: true
        default: false
        }
    }

    /// Whether the byte is a letter, digit or mark of `token68`, the `=` at its end excluded.
    ///
    /// RFC 9110 §11.2.
    @inline(__always)
    package static func isToken68Character(_ byte: UInt8) -> Bool {
        byte < 128 && contains(byte, token68Low, token68High)
    }

    /// Whether an OAuth `scope-token` may contain the byte.
    ///
    /// RFC 6749 §3.3.
    package static func isScopeCharacter(_ byte: UInt8) -> Bool {
        byte == 0x21 || (0x23...0x5B).contains(byte) || (0x5D...0x7E).contains(byte)
    }

    @inline(__always)
    package static func isDigit(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10
    }

    /// The value of a hexadecimal digit, or `nil` for another byte.
    @inline(__always)
    package static func hexadecimalValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    @inline(__always)
    package static func lowercase(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }

    @inline(__always)
    private static func contains(_ byte: UInt8, _ low: UInt64, _ high: UInt64) -> Bool {
        (byte < 64 ? low >> UInt64(byte) : high >> UInt64(byte & 63)) & 1 == 1
    }

    private static let tokenLow: UInt64 = 0x03FF_6CFA_0000_0000
    private static let tokenHigh: UInt64 = 0x57FF_FFFF_C7FF_FFFE
    private static let targetLow: UInt64 = 0xAFFF_FFF2_0000_0000
    private static let targetHigh: UInt64 = 0x47FF_FFFE_AFFF_FFFF
    private static let plainTargetHigh: UInt64 = 0x47FF_FFFE_87FF_FFFF
    private static let token68Low: UInt64 = 0x03FF_E800_0000_0000
    private static let token68High: UInt64 = 0x47FF_FFFE_87FF_FFFE
}
