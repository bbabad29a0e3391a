// SPDX-License-Identifier: MIT

/// Paths or segments in one piece of memory, found by binary search.
///
/// Hashing a path costs more than a few comparisons. A lookup neither allocates nor retains.
package struct ByteTable: Sendable {
    /// Entry `i` lies between bounds `i` and `i + 1`.
    private var bounds: [UInt32] = [0]
    private var bytes: [UInt8] = []

    /// Makes an empty table.
    package init() {}

    /// Makes a table of entries, which keep their order.
    package init(_ entries: some Sequence<[UInt8]>) {
        for entry in entries { append(entry) }
    }

    /// Adds an entry.
    ///
    /// All entries together have at most 4 GiB.
    package mutating func append(_ entry: [UInt8]) {
        bytes += entry
        bounds.append(UInt32(bytes.count))
    }

    /// Returns unused memory.
    package mutating func trim() {
        bounds = bounds.map { $0 }
        bytes = bytes.map { $0 }
    }

    /// Returns the index of an entry in a part of the table that is sorted by ``ByteOrder``, or `nil`.
    package func index(of text: UnsafeRawBufferPointer, in part: Range<Int>) -> Int? {
        // The pointers below are not checked in release builds.
        precondition(part.isEmpty || part.lowerBound >= 0 && part.upperBound < bounds.count)
        return bounds.withUnsafeBufferPointer { bounds in
            bytes.withUnsafeBytes { bytes in
                var low = part.lowerBound
                var high = part.upperBound
                while low < high {
                    let middle = (low + high) / 2
                    let entry = Int(bounds[middle])..<Int(bounds[middle + 1])
                    let order = ByteOrder.compare(text, UnsafeRawBufferPointer(rebasing: bytes[entry]))
                    if order == 0 { return middle }
                    if order < 0 { high = middle } else { low = middle + 1 }
                }
                return nil
            }
        }
    }
}
