// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// The records of a store: a queue in the order of their ends, and an index into it.
///
/// A queue suffices because every record is kept until the latest end that was asked for so far: ends differ by less
/// than a window, and keeping a record too long is harmless.
struct ReplayTable {
    static let capacities = 1...100_000_000

    /// 24 bytes.
    private struct Entry {
        var first: UInt64
        var second: UInt64
        /// Whole seconds since ``epoch``, rounded up.
        var until: UInt32
        var keyBucket: UInt16
    }

    /// A ring: `count` records from `head` on.
    private var entries: [Entry] = []
    private var head = 0
    private(set) var count = 0
    /// Open addressing with linear probing: 0 for a free place, else 1 more than a place in the ring.
    private var index: [UInt32] = []
    /// How many records each key has, by a hash of the key.
    private var keyCounts = [UInt32](repeating: 0, count: Self.keyBucketCount)
    /// Makes places unpredictable, so that nobody can pile records up in one region of the index.
    private let seeds: (UInt64, UInt64, UInt64)
    private var epoch: Double?
    private var latest: UInt32 = 0

    private static let keyBucketCount = 65_536
    private static let smallestSize = 64

    init() {
        let random = SecureRandom.bytes(24)
        let number = { (range: Range<Int>) in random[range].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } | 1 }
        seeds = (number(0..<8), number(8..<16), number(16..<24))
    }

    /// The bytes that hold records.
    var byteCount: Int {
        entries.count * MemoryLayout<Entry>.stride + index.count * MemoryLayout<UInt32>.stride
            + keyCounts.count * MemoryLayout<UInt32>.stride
    }

    mutating func insert(_ record: ReplayRecord, capacity: Int) -> ReplayVerdict {
        guard record.identifier.count >= 16, record.keyThumbprint.count >= 8 else { return .unavailable }
        let start = epoch ?? record.now.seconds
        epoch = start
        forget(before: record.now.seconds - start)
        var entry = Entry(
            first: Self.word(record.identifier, 0), second: Self.word(record.identifier, 8),
            until: 0, keyBucket: UInt16((Self.word(record.keyThumbprint, 0) &* seeds.2) >> 48))
        if find(entry) { return .replayed }
        guard count < capacity else { return .full }
        // One key may not take what is left for all others.
        if count >= (capacity + 1) / 2, keyCounts[Int(entry.keyBucket)] >= max(1, capacity / 8) {
            return .full
        }
        let end = (record.until.seconds - start).rounded(.up)
        latest = max(latest, UInt32(exactly: min(max(end, 0), Double(UInt32.max))) ?? .max)
        entry.until = latest
        if count == entries.count { grow(within: capacity) }
        append(entry)
        return .fresh
    }

    private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
        bytes[offset..<(offset + 8)].reduce(0) { $0 << 8 | UInt64($1) }
    }

    // MARK: The queue

    /// Forgets the records whose end lies before `now`, the oldest first.
    private mutating func forget(before now: Double) {
        while count > 0, Double(entries[head].until) < now {
            remove(head)
            keyCounts[Int(entries[head].keyBucket)] -= 1
            head = head + 1 == entries.count ? 0 : head + 1
            count -= 1
        }
    }

    private mutating func append(_ entry: Entry) {
        var place = head + count
        if place >= entries.count { place -= entries.count }
        entries[place] = entry
        count += 1
        keyCounts[Int(entry.keyBucket)] += 1
        link(place)
    }

    /// Doubles the ring, up to what is allowed, and builds the index anew.
    private mutating func grow(within capacity: Int) {
        let size = max(count + 1, min(capacity, max(Self.smallestSize, entries.count * 2)))
        var larger: [Entry] = []
        larger.reserveCapacity(size)
        for offset in 0..<count { larger.append(entries[(head + offset) % entries.count]) }
        let empty = Entry(first: 0, second: 0, until: 0, keyBucket: 0)
        larger.append(contentsOf: repeatElement(empty, count: size - count))
        entries = larger
        head = 0
        index = [UInt32](repeating: 0, count: size + size / 2 + 1)
        for place in 0..<count { link(place) }
    }

    // MARK: The index

    private func home(_ entry: Entry) -> Int {
        let mixed = (entry.first &* seeds.0) ^ (entry.second &* seeds.1)
        return Int(((mixed >> 32) &* UInt64(index.count)) >> 32)
    }

    private func next(_ slot: Int) -> Int {
        slot + 1 == index.count ? 0 : slot + 1
    }

    private func find(_ entry: Entry) -> Bool {
        guard !index.isEmpty else { return false }
        var slot = home(entry)
        while index[slot] != 0 {
            let other = entries[Int(index[slot]) - 1]
            if other.first == entry.first, other.second == entry.second { return true }
            slot = next(slot)
        }
        return false
    }

    private mutating func link(_ place: Int) {
        var slot = home(entries[place])
        while index[slot] != 0 { slot = next(slot) }
        index[slot] = UInt32(place + 1)
    }

    /// Takes a record out of the index, and moves those behind it so that none is cut off from its home.
    private mutating func remove(_ place: Int) {
        var free = home(entries[place])
        while index[free] != UInt32(place + 1) { free = next(free) }
        index[free] = 0
        var slot = next(free)
        while index[slot] != 0 {
            let home = home(entries[Int(index[slot]) - 1])
            // Whether `home` lies outside of the stretch from behind `free` to `slot`, which may wrap around.
            let isReachable = free < slot ? (home > free && home <= slot) : (home > free || home <= slot)
            if !isReachable {
                index[free] = index[slot]
                index[slot] = 0
                free = slot
            }
            slot = next(slot)
        }
    }
}
