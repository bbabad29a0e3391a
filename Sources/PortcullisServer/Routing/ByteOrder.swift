// SPDX-License-Identifier: MIT

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The sort order of tables of paths and segments: byte by byte, and a prefix before a longer path.
///
/// Hashing a path costs more than a few comparisons.
enum ByteOrder {
    /// The index of a path in a sorted table of `count` entries, or `nil`.
    @inline(__always)
    static func index(
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

    /// Less than zero, zero or more, if `first` sorts before `second`, is equal to it, or sorts after it.
    @inline(__always)
    static func compare(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Int {
        let difference = first.count - second.count
        guard let start = first.baseAddress, let other = second.baseAddress else { return difference }
        // Most differ in their first byte.
        if !first.isEmpty, !second.isEmpty, first[0] != second[0] { return Int(first[0]) - Int(second[0]) }
        let order = memcmp(start, other, min(first.count, second.count))
        return order == 0 ? difference : Int(order)
    }
}
