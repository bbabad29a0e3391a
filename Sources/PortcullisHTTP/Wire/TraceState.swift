// SPDX-License-Identifier: MIT

/// The `tracestate` of a request: entries of several tracing systems.
///
/// W3C Trace Context §3.3.
enum TraceState {
    private static let field: FieldName = "tracestate"
    private static let maxMemberCount = 32
    /// Longer entries are the first to be left out.
    ///
    /// Trace Context §3.3.1.5.
    private static let longMemberByteCount = 128

    /// The fields of a request joined in order, cut to whole entries; empty if one of them is malformed.
    static func joined(_ head: RequestHead) -> String {
        var members: [ArraySlice<UInt8>] = []
        for slot in head.slots where head.matches(slot, field) {
            for range in ListElements(in: head.bytes, slot.valueRange) where !range.isEmpty {
                guard members.count < maxMemberCount, isMember(head.bytes[range]) else { return "" }
                members.append(head.bytes[range])
            }
        }
        // Trace Context §3.3.1.3: a key is given once.
        guard Set(members.map { Array($0.prefix { $0 != 0x3D }) }).count == members.count else { return "" }
        return text(of: members)
    }

    private static func text(of members: [ArraySlice<UInt8>]) -> String {
        var kept = members
        func byteCount() -> Int { kept.reduce(-1) { $0 + $1.count + 1 } }
        while byteCount() > TraceContext.maxStateByteCount {
            let place = kept.lastIndex { $0.count > longMemberByteCount } ?? kept.index(before: kept.endIndex)
            kept.remove(at: place)
        }
        return String(decoding: Array(kept.joined(separator: [0x2C])), as: UTF8.self)
    }

    /// `key "=" value`.
    private static func isMember(_ member: ArraySlice<UInt8>) -> Bool {
        let key = member.prefix { $0 != 0x3D }
        let value = member[key.endIndex...].dropFirst()
        guard let first = key.first, isLetterOrDigit(first), key.count <= 256, key.allSatisfy(isKeyCharacter)
        else { return false }
        guard let last = value.last, last != 0x20, value.count <= 256 else { return false }
        return value.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x2C && $0 != 0x3D }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || CharacterClass.isDigit(byte)
    }

    private static func isKeyCharacter(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) || [0x5F, 0x2D, 0x2A, 0x2F, 0x40].contains(byte)
    }
}
