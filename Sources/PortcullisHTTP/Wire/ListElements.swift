// SPDX-License-Identifier: MIT

/// The elements of a comma-separated field value, without the blanks around them, empty ones included.
///
/// Does not parse quoted strings: use it for lists whose elements contain none.
///
/// RFC 9110 §5.6.1.
package struct ListElements: Sequence, IteratorProtocol {
    private let bytes: [UInt8]
    private let end: Int
    private var position: Int?

    package init(in bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        end = range.upperBound
        position = range.lowerBound
    }

    package mutating func next() -> Range<Int>? {
        guard var start = position else { return nil }
        var stop = start
        while stop < end, bytes[stop] != 0x2C { stop += 1 }
        position = stop < end ? stop + 1 : nil
        while start < stop, FieldLine.isBlank(bytes[start]) { start += 1 }
        while stop > start, FieldLine.isBlank(bytes[stop - 1]) { stop -= 1 }
        return start..<stop
    }
}

extension [UInt8] {
    /// Whether the bytes of `range` are this ASCII text, letters in any case.
    ///
    /// `text` is in lower case.
    package func equalsIgnoringCase(_ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        // SAFETY: `text` is UTF-8 of exactly that many bytes, and is never freed.
        let expected = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        for (offset, byte) in expected.enumerated() {
            guard CharacterClass.lowercase(self[range.lowerBound + offset]) == byte else { return false }
        }
        return true
    }

    /// Whether the bytes of `range` are a token.
    ///
    /// RFC 9110 §5.6.2.
    package func isToken(_ range: Range<Int>) -> Bool {
        !range.isEmpty && self[range].allSatisfy(CharacterClass.isTokenCharacter)
    }
}
