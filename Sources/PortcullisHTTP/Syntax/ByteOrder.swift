// SPDX-License-Identifier: MIT

/// The sort order of tables of paths and segments: byte by byte, and a prefix before a longer path.
package enum ByteOrder {
    /// Less than zero, zero or more, if `first` sorts before `second`, is equal to it, or sorts after it.
    @inlinable @inline(__always)
    package static func compare(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Int {
        let count = min(first.count, second.count)
        var index = 0
        // Equal paths are compared a word at a time; most others differ in their first bytes.
        while count - index >= 8,
            first.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                == second.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        { index += 8 }
        while index < count {
            if first[index] != second[index] { return Int(first[index]) - Int(second[index]) }
            index += 1
        }
        return first.count - second.count
    }
}
