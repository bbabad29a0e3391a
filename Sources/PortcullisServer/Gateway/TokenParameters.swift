// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// Removes access tokens from queries and forms; all other bytes stay.
///
/// RFC 6750 §2.2, §2.3.
enum TokenParameters {
    private static let name = Array("access_token".utf8)

    /// A query or form without its `access_token` parameters; `nil` if it has none.
    static func removed(from text: ArraySlice<UInt8>) -> [UInt8]? {
        let parts = text.split(separator: 0x26, omittingEmptySubsequences: false)
        guard parts.contains(where: isToken) else { return nil }
        return Array(parts.filter { !isToken($0) }.joined(separator: [0x26]))
    }

    /// Whether a parameter has the name, in any spelling that a form decoder reads as it.
    private static func isToken(_ part: ArraySlice<UInt8>) -> Bool {
        var index = part.startIndex
        var matched = 0
        while index < part.endIndex, part[index] != 0x3D {
            var byte = part[index]
            if byte == 0x25, index + 2 < part.endIndex,
                let high = CharacterClass.hexadecimalValue(part[index + 1]),
                let low = CharacterClass.hexadecimalValue(part[index + 2])
            {
                byte = high << 4 | low
                index += 2
            }
            guard matched < name.count, byte == name[matched] else { return false }
            matched += 1
            index += 1
        }
        return matched == name.count
    }
}
