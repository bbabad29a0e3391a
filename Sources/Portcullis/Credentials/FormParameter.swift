// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// The value of one parameter in a form or a query.
///
/// RFC 6750 §2.2, §2.3.
package enum FormParameter: Sendable, Hashable {
    case absent
    case repeated
    /// The value, decoded; perhaps empty.
    case value([UInt8])

    /// Finds a parameter, named with letters, digits and underscores, among `name=value` pairs.
    ///
    /// Reads each byte once, since this happens before any credential is checked.
    package init(_ name: StaticString, in bytes: ArraySlice<UInt8>) {
        let value = bytes.withUnsafeBytes { Self.value(of: name, in: $0) }
        switch value {
        case .absent: self = .absent
        case .repeated: self = .repeated
        case .found(let range):
            self = .value(
                Self.decoded(
                    bytes[(bytes.startIndex + range.lowerBound)..<(bytes.startIndex + range.upperBound)]))
        }
    }

    private enum Place {
        case absent
        case repeated
        case found(Range<Int>)
    }

    // SAFETY: `bytes` is only read, below its count, and does not escape; `name` is read below its own count.
    private static func value(of name: StaticString, in bytes: UnsafeRawBufferPointer) -> Place {
        let count = bytes.count
        let nameCount = name.utf8CodeUnitCount
        let expected = name.utf8Start
        var place = Place.absent
        var index = 0
        while index < count {
            // The name may be percent-encoded, wholly or in part; most are not.
            var matchedCount = 0
            while matchedCount < nameCount, index < count {
                let byte = bytes[index]
                if byte == expected[matchedCount] {
                    index += 1
                } else if byte == 0x25, escapedByte(at: index, in: bytes) == expected[matchedCount] {
                    index += 3
                } else {
                    break
                }
                matchedCount += 1
            }
            let isMatch =
                matchedCount == nameCount && (index == count || isSeparator(bytes[index]))
            if isMatch {
                guard case .absent = place else { return .repeated }
                if index < count, bytes[index] == 0x3D { index += 1 }
            }
            let start = index
            while index < count, bytes[index] != 0x26 { index += 1 }
            if isMatch { place = .found(start..<index) }
            index += 1
        }
        return place
    }

    /// Whether a byte ends a name: `&` or `=`.
    @inline(__always)
    private static func isSeparator(_ byte: UInt8) -> Bool { byte == 0x26 || byte == 0x3D }

    /// Decodes the percent-encoded byte at an index, or returns `nil`.
    private static func escapedByte(at index: Int, in bytes: UnsafeRawBufferPointer) -> UInt8? {
        guard index + 2 < bytes.count, let high = CharacterClass.hexadecimalValue(bytes[index + 1]),
            let low = CharacterClass.hexadecimalValue(bytes[index + 2])
        else { return nil }
        return high << 4 | low
    }

    /// Decodes `+` and percent-encoding; an invalid encoding stays, and is not valid in a token.
    package static func decoded(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte == 0x25, index + 2 < bytes.endIndex,
                let high = CharacterClass.hexadecimalValue(bytes[index + 1]),
                let low = CharacterClass.hexadecimalValue(bytes[index + 2])
            {
                output.append(high << 4 | low)
                index += 3
            } else {
                output.append(byte == 0x2B ? 0x20 : byte)
                index += 1
            }
        }
        return output
    }
}

extension RequestHead {
    /// The query of the target, without the question mark; empty if there is none.
    var queryBytes: ArraySlice<UInt8> {
        let target = bytes[targetRange]
        guard let mark = target.firstIndex(of: 0x3F) else { return [] }
        return target[(mark + 1)...]
    }

    /// Whether the content may hold a bearer token: a form, with a method that has content.
    ///
    /// RFC 6750 §2.2.
    var isForm: Bool {
        switch method {
        case .get, .head, .delete, .options, .trace, .connect: return false
        default: break
        }
        return hasFormContentType && find(.contentType)?.count == 1
    }

    /// Whether the first `Content-Type` is that of a form, in any case and with any parameters.
    package var hasFormContentType: Bool {
        guard let (range, _) = find(.contentType) else { return false }
        let value = bytes[range]
        let end = value.firstIndex { $0 == 0x3B || $0 == 0x20 || $0 == 0x09 } ?? value.endIndex
        let name: StaticString = "application/x-www-form-urlencoded"
        let type = value[..<end]
        return type.count == name.utf8CodeUnitCount
            && type.enumerated().allSatisfy {
                name.utf8Start[$0.offset] == CharacterClass.lowercase($0.element)
            }
    }
}
