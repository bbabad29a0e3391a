// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// What a form or a query says for one name.
///
/// RFC 6750 §2.2, §2.3.
enum FormParameter: Sendable, Hashable {
    case absent
    case repeated
    /// The value, decoded; perhaps empty.
    case value([UInt8])

    /// Looks for a name among `name=value` pairs with `&` between them.
    init(_ name: StaticString, in bytes: ArraySlice<UInt8>) {
        var found = FormParameter.absent
        var rest = bytes
        while !rest.isEmpty {
            let end = rest.firstIndex(of: 0x26) ?? rest.endIndex
            let pair = rest[..<end]
            rest = end < rest.endIndex ? rest[(end + 1)...] : rest[end...]
            let equals = pair.firstIndex(of: 0x3D) ?? pair.endIndex
            guard Self.spells(pair[..<equals], name) else { continue }
            guard case .absent = found else {
                self = .repeated
                return
            }
            found = .value(equals < pair.endIndex ? Self.decoded(pair[(equals + 1)...]) : [])
        }
        self = found
    }

    // The name may be percent-encoded, wholly or in part; most are not.
    private static func spells(_ bytes: ArraySlice<UInt8>, _ name: StaticString) -> Bool {
        let isPlain = !bytes.contains { $0 == 0x25 || $0 == 0x2B }
        let decoded = isPlain ? bytes : decoded(bytes)[...]
        guard decoded.count == name.utf8CodeUnitCount else { return false }
        return decoded.enumerated().allSatisfy { name.utf8Start[$0.offset] == $0.element }
    }

    /// Decodes `+` and percent-encoding; what is no percent-encoding stays, and makes no token.
    static func decoded(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
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
        guard let (range, count) = find(.contentType), count == 1 else { return false }
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
