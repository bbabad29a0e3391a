// SPDX-License-Identifier: MIT

/// Checks the contents of an IP literal's brackets.
///
/// RFC 3986 §3.2.2.
package enum IPLiteral {
    /// `IPv6address`: eight groups of up to four hexadecimal digits, at most one `::`; the last two groups
    /// may be written as IPv4.
    ///
    /// Rejects a zone identifier: it has no meaning on another machine.
    package static func isIPv6(_ bytes: ArraySlice<UInt8>) -> Bool {
        var groupCount = 0
        var isCompressed = false
        var index = bytes.startIndex
        if bytes.starts(with: [0x3A, 0x3A]) {
            isCompressed = true
            index += 2
        }
        while index < bytes.endIndex {
            let rest = bytes[index...]
            let digitCount = rest.prefix { CharacterClass.hexadecimalValue($0) != nil }.count
            let next = index + digitCount
            if next < bytes.endIndex, bytes[next] == 0x2E {
                guard isIPv4(rest) else { return false }
                groupCount += 2
                break
            }
            guard (1...4).contains(digitCount) else { return false }
            groupCount += 1
            guard next < bytes.endIndex else { break }
            guard bytes[next] == 0x3A, next + 1 < bytes.endIndex else { return false }
            index = next + 1
            guard bytes[index] == 0x3A else { continue }
            guard !isCompressed else { return false }
            isCompressed = true
            index += 1
        }
        return isCompressed ? groupCount <= 7 : groupCount == 8
    }

    /// `IPv4address`: four numbers up to 255 without leading zeros.
    package static func isIPv4(_ bytes: ArraySlice<UInt8>) -> Bool {
        let parts = bytes.split(separator: 0x2E, omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                guard (1...3).contains(part.count), part.allSatisfy(CharacterClass.isDigit) else {
                    return false
                }
                guard part.count == 1 || part.first != 0x30 else { return false }
                return part.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 255
            }
    }

    /// `IPvFuture`: `"v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )`.
    package static func isFuture(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first, CharacterClass.lowercase(first) == 0x76 else { return false }
        let version = bytes.dropFirst().prefix { CharacterClass.hexadecimalValue($0) != nil }
        let rest = bytes[version.endIndex...]
        guard !version.isEmpty, rest.first == 0x2E, rest.count > 1 else { return false }
        return rest.dropFirst().allSatisfy { byte in
            CharacterClass.isTargetCharacter(byte)
                && ![0x25, 0x2C, 0x2F, 0x3F, 0x40, 0x5B, 0x5D].contains(byte)
        }
    }
}
