// SPDX-License-Identifier: MIT

/// The sort order of tables of paths and segments: byte by byte, and a prefix before a longer path.
package enum ByteOrder {
    /// Less than zero, zero or more, if `first` sorts before `second`, is equal to it, or sorts after it.
    @inlinable @inline(__always)
    package static func compare(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Int {
        let count = min(first.count, second.count)
        var index = 0
        while count - index >= 8 {
            let words = (word(first, index, UInt64.self), word(second, index, UInt64.self))
            if words.0 != words.1 { return words.0 < words.1 ? -1 : 1 }
            index += 8
        }
        if count - index >= 4 {
            let words = (word(first, index, UInt32.self), word(second, index, UInt32.self))
            if words.0 != words.1 { return words.0 < words.1 ? -1 : 1 }
            index += 4
        }
        while index < count {
            if first[index] != second[index] { return Int(first[index]) - Int(second[index]) }
            index += 1
        }
        return first.count - second.count
    }

    /// Several bytes as a number with the same order.
    @inlinable @inline(__always)
    static func word<Word: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _ offset: Int, _ type: Word.Type
    ) -> Word {
        Word(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
    }
}
