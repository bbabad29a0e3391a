// SPDX-License-Identifier: MIT

/// Where the elements of an array are, by a hash of each: open addressing with linear probing.
///
/// The caller keeps the elements, mixes their hashes with a secret of its own, and says which of them is meant.
struct HashIndex: Sendable {
    /// 0 for a free cell, else 1 more than a place in the array.
    private var cells: [UInt32]

    /// Makes an index with room for so many elements.
    init(capacity: Int = 0) {
        cells = [UInt32](repeating: 0, count: capacity == 0 ? 0 : capacity + capacity / 2 + 1)
    }

    /// The bytes that it takes.
    var byteCount: Int { cells.count * MemoryLayout<UInt32>.stride }

    @inline(__always)
    private func home(_ hash: UInt64) -> Int {
        Int(((hash >> 32) &* UInt64(cells.count)) >> 32)
    }

    @inline(__always)
    private func next(_ cell: Int) -> Int {
        cell + 1 == cells.count ? 0 : cell + 1
    }

    /// The place of the element that is meant, or `nil`.
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

    /// Adds an element, for which there is room.
    mutating func insert(_ place: Int, _ hash: UInt64) {
        var cell = home(hash)
        while cells[cell] != 0 { cell = next(cell) }
        cells[cell] = UInt32(place + 1)
    }

    /// Notes that an element has moved to another place of the array.
    mutating func move(_ place: Int, to other: Int, _ hash: UInt64) {
        var cell = home(hash)
        while cells[cell] != UInt32(place + 1) { cell = next(cell) }
        cells[cell] = UInt32(other + 1)
    }

    /// Removes an element, and moves those behind it so that none is cut off from its home.
    mutating func remove(_ place: Int, _ hash: UInt64, hashOf hash_: (Int) -> UInt64) {
        var free = home(hash)
        while cells[free] != UInt32(place + 1) { free = next(free) }
        cells[free] = 0
        var cell = next(free)
        while cells[cell] != 0 {
            let home = home(hash_(Int(cells[cell]) - 1))
            // Whether `home` lies outside of the stretch from behind `free` to `cell`, which may wrap around.
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
