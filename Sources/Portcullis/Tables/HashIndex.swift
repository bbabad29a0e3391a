// SPDX-License-Identifier: MIT

/// A hash index into an array: open addressing with linear probing.
///
/// The caller stores the elements, mixes their hashes with a secret of its own, and compares elements.
struct HashIndex: Sendable {
    /// 0 for a free cell, else the array index plus 1.
    private var cells: [UInt32]

    /// Makes an index with room for the given number of elements.
    init(capacity: Int = 0) {
        cells = [UInt32](repeating: 0, count: capacity == 0 ? 0 : capacity + capacity / 2 + 1)
    }

    /// The memory used, in bytes.
    var byteCount: Int { cells.count * MemoryLayout<UInt32>.stride }

    @inline(__always)
    private func home(_ hash: UInt64) -> Int {
        Int(((hash >> 32) &* UInt64(cells.count)) >> 32)
    }

    @inline(__always)
    private func next(_ cell: Int) -> Int {
        cell + 1 == cells.count ? 0 : cell + 1
    }

    /// Returns the array index of the matching element, or `nil`.
    @inline(__always)
    func find(_ hash: UInt64, where isMeant: (Int) -> Bool) -> Int? {
        guard !cells.isEmpty else { return nil }
        var cell = home(hash)
        while cells[cell] != 0 {
            let place = Int(cells[cell]) - 1
            if isMeant(place) { return place }
            cell = next(cell)
        }
        return nil
    }

    /// Adds an element; there must be room.
    mutating func insert(_ place: Int, _ hash: UInt64) {
        var cell = home(hash)
        while cells[cell] != 0 { cell = next(cell) }
        cells[cell] = UInt32(place + 1)
    }

    /// Records that an element has moved to another array index.
    mutating func move(_ place: Int, to other: Int, _ hash: UInt64) {
        var cell = home(hash)
        while cells[cell] != UInt32(place + 1) { cell = next(cell) }
        cells[cell] = UInt32(other + 1)
    }

    /// Removes an element, and moves those after it so that they stay reachable from their home cell.
    mutating func remove(_ place: Int, _ hash: UInt64, hashOf hash_: (Int) -> UInt64) {
        var free = home(hash)
        while cells[free] != UInt32(place + 1) { free = next(free) }
        cells[free] = 0
        var cell = next(free)
        while cells[cell] != 0 {
            let home = home(hash_(Int(cells[cell]) - 1))
            // Whether `home` lies in the range after `free` up to `cell`, which may wrap around.
            let isReachable = free < cell ? (home > free && home <= cell) : (home > free || home <= cell)
            if !isReachable {
                cells[free] = cells[cell]
                cells[cell] = 0
                free = cell
            }
            cell = next(cell)
        }
    }
}
