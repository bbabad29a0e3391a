// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// The weights that `Accept` gives to media types.
///
/// RFC 9110 §12.4.2, §12.5.1.
enum AcceptedType {
    /// The weight of a type in thousandths, by the most specific range that covers it; 0 if none does, and 1000
    /// without `Accept`.
    ///
    /// Parameters other than the weight are ignored: the server has one version of each type. A quoted comma in
    /// one of them ends its element.
    static func weight(_ type: StaticString, _ subtype: StaticString, in head: RequestHead) -> Int {
        var best: (precision: Int, weight: Int)?
        var isGiven = false
        for slot in head.slots where head.matches(slot, .accept) {
            isGiven = true
            for element in ListElements(in: head.bytes, slot.valueRange) where !element.isEmpty {
                let range = MediaRange(head.bytes[element])
                guard let precision = range.precision(for: type, subtype) else { continue }
                if let best, (best.precision, best.weight) >= (precision, range.weight) { continue }
                best = (precision, range.weight)
            }
        }
        return best?.weight ?? (isGiven ? 0 : 1000)
    }

    /// One element.
    private struct MediaRange {
        let type: [UInt8]
        let subtype: [UInt8]
        var weight = 1000

        init(_ element: ArraySlice<UInt8>) {
            let parts = element.split(separator: 0x3B, omittingEmptySubsequences: false)
                .map { part in part.filter { $0 != 0x20 && $0 != 0x09 } }
            let name = parts[0].split(separator: 0x2F, maxSplits: 1, omittingEmptySubsequences: false)
            type = Array(name[0])
            subtype = name.count == 2 ? Array(name[1]) : []
            for part in parts.dropFirst()
            where part.count > 2 && CharacterClass.lowercase(part[0]) == 0x71 && part[1] == 0x3D {
                weight = Self.thousandths(part.dropFirst(2))
            }
        }

        /// `0` or `1` with at most three decimals; 0 for anything else.
        private static func thousandths(_ text: ArraySlice<UInt8>) -> Int {
            guard let first = text.first, first == 0x30 || first == 0x31 else { return 0 }
            var decimals = text.dropFirst()
            guard decimals.isEmpty || decimals.popFirst() == 0x2E, decimals.count <= 3,
                decimals.allSatisfy(CharacterClass.isDigit)
            else { return 0 }
            let digits = decimals.map { Int($0 - 0x30) } + [0, 0, 0]
            return min(1000, Int(first - 0x30) * 1000 + digits[0] * 100 + digits[1] * 10 + digits[2])
        }

        /// 2 for the type itself, 1 for all subtypes, 0 for all types, `nil` if the range does not cover it.
        func precision(for type: StaticString, _ subtype: StaticString) -> Int? {
            let all = self.type == [0x2A] && self.subtype == [0x2A]
            if all { return 0 }
            guard self.type.equalsIgnoringCase(self.type.indices, type) else { return nil }
            if self.subtype == [0x2A] { return 1 }
            return self.subtype.equalsIgnoringCase(self.subtype.indices, subtype) ? 2 : nil
        }
    }
}
