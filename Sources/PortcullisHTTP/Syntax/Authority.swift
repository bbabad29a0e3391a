// SPDX-License-Identifier: MIT

/// `uri-host [ ":" port ]`: the value of `Host`, or the authority of an absolute target.
///
/// Stricter than the grammar: rejects an empty host, a comma (two joined `Host` fields look like that) and
/// user information. Does not check whether a registered name is a domain name.
///
/// RFC 3986 §3.2.2, §3.2.3, RFC 9110 §7.2.
package struct Authority: Sendable, Hashable {
    /// The range of the host, with the brackets of an IP literal.
    package let host: Range<Int>
    /// The port, or `nil` if it is absent or empty.
    package let port: UInt16?

    /// Parses the bytes of `range`, or returns `nil` if they are not an authority.
    package init?(_ bytes: [UInt8], _ range: Range<Int>) {
        guard let hostEnd = Self.endOfHost(bytes, range), hostEnd > range.lowerBound else { return nil }
        host = range.lowerBound..<hostEnd
        guard hostEnd < range.upperBound else {
            port = nil
            return
        }
        guard bytes[hostEnd] == 0x3A else { return nil }
        var number = 0
        for index in (hostEnd + 1)..<range.upperBound {
            guard CharacterClass.isDigit(bytes[index]) else { return nil }
            number = number * 10 + Int(bytes[index] - 0x30)
            guard number <= UInt16.max else { return nil }
        }
        port = hostEnd + 1 < range.upperBound ? UInt16(number) : nil
    }

    private static func endOfHost(_ bytes: [UInt8], _ range: Range<Int>) -> Int? {
        guard !range.isEmpty else { return nil }
        guard bytes[range.lowerBound] != 0x5B else {
            guard let close = bytes[range].firstIndex(of: 0x5D) else { return nil }
            let literal = bytes[(range.lowerBound + 1)..<close]
            return IPLiteral.isIPv6(literal) || IPLiteral.isFuture(literal) ? close + 1 : nil
        }
        var index = range.lowerBound
        while index < range.upperBound, bytes[index] != 0x3A {
            if bytes[index] == 0x25 {
                guard index + 2 < range.upperBound, CharacterClass.hexadecimalValue(bytes[index + 1]) != nil,
                    CharacterClass.hexadecimalValue(bytes[index + 2]) != nil
                else { return nil }
                index += 3
            } else {
                guard isNameCharacter(bytes[index]) else { return nil }
                index += 1
            }
        }
        return index
    }

    /// `unreserved` and `sub-delims` without the comma.
    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
        case 0x21, 0x24, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x2B, 0x3B, 0x3D: true
        default: false
        }
    }
}
