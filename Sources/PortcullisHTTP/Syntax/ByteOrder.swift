// SPDX-License-Identifier: MIT

/// The sort order of tables of paths and segments: byte by byte, and a prefix before a longer path.
///
/// Hashing a path costs more than a few comparisons.
package enum ByteOrder {
    /// The index of a path in a sorted table of `count` entries, or `nil`.
    @inlinable @inline(__always)
    package static func index(
        of path: UnsafeRawBufferPointer, among count: Int, _ entry: (Int) -> [UInt8]
    ) -> Int? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            let order = entry(middle).withUnsafeBytes { compare(path, $0) }
            if order == 0 { return middle }
            if order < 0 { high = middle } else { low = middle + 1 }
        }
        return nil
    }

    /// The index of a path in a sorted table of `count` ranges of bytes, or `nil`.
    @inlinable @inline(__always)
    package static func index(
        of path: UnsafeRawBufferPointer, among count: Int, in bytes: [UInt8], _ range: (Int) -> Range<Int>
    ) -> Int? {
        bytes.withUnsafeBytes { bytes in
            var low = 0
            var high = count
            while low < high {
                let middle = (low + high) / 2
                let order = compare(path, UnsafeRawBufferPointer(rebasing: bytes[range(middle)]))
                if order == 0 { return middle }
                if order < 0 { high = middle } else { low = middle + 1 }
            }
            return nil
        }
    }

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
