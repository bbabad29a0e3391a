// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport

/// The records of a store: a queue ordered by their ends, and an index into it.
///
/// A record is kept by elapsed time, so a jump of the wall clock neither drops it early nor keeps it for
/// long. A queue suffices because every record is kept until the latest end requested so far: ends differ by
/// less than a window, and keeping a record too long is harmless.
///
/// RFC 9449 §11.1.
struct ReplayTable {
    static let capacities = 1...100_000_000

    /// 28 bytes.
    private struct Entry {
        /// The identifier in 32-bit words, which reduces the record's alignment and size.
        private let words: (UInt32, UInt32, UInt32, UInt32)
        /// Whole seconds of elapsed time since ``origin``, rounded up.
        var end: UInt32
        /// The last second of the wall clock in which the proof could be accepted, since 1970, rounded up.
        let until: UInt32
        let keyBucket: UInt16

        init(first: UInt64, second: UInt64, until: UInt32, keyBucket: UInt16) {
            words = (
                UInt32(truncatingIfNeeded: first >> 32), UInt32(truncatingIfNeeded: first),
                UInt32(truncatingIfNeeded: second >> 32), UInt32(truncatingIfNeeded: second)
            )
            end = 0
            self.until = until
            self.keyBucket = keyBucket
        }

        var first: UInt64 { UInt64(words.0) << 32 | UInt64(words.1) }
        var second: UInt64 { UInt64(words.2) << 32 | UInt64(words.3) }

        func hasIdentifier(of other: Entry) -> Bool { words == other.words }
    }

    /// A ring buffer: `count` records from `head` on.
    private var entries: [Entry] = []
    private var head = 0
    private(set) var count = 0
    private var index = HashIndex()
    /// The number of records per key, by a hash of the key; empty while the table is so empty that no key
    /// is bounded, so that thousands of resources with a proof now and then need little memory.
    private var keyCounts: [UInt32] = []
    /// Makes index positions unpredictable, so that no attacker can fill one region of the index.
    private let seeds: (UInt64, UInt64, UInt64)
    private var origin: MonotonicInstant?
    private var latest: UInt32 = 0
    private var forgotten = ForgottenPeriods()

    private static let keyBucketCount = 65_536
    private static let smallestSize = 64
    /// Added to every record's lifetime, since the wall clock may run a little slower than the monotonic one.
    private static let slack = Duration.seconds(1)

    init() {
        let random = SecureRandom.bytes(24)
        let number = { (range: Range<Int>) in random[range].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } | 1 }
        seeds = (number(0..<8), number(8..<16), number(16..<24))
    }

    /// The memory of the records, in bytes.
    var byteCount: Int {
        entries.count * MemoryLayout<Entry>.stride + index.byteCount
            + keyCounts.count * MemoryLayout<UInt32>.stride
    }

    mutating func insert(_ record: ReplayRecord, capacity: Int, at uptime: MonotonicInstant) -> ReplayVerdict
    {
        guard record.identifier.count >= 16, record.keyThumbprint.count >= 8 else { return .unavailable }
        let origin = self.origin ?? uptime
        self.origin = origin
        forget(before: (uptime - origin) / .seconds(1), record.now)
        var entry = Entry(
            first: Self.word(record.identifier, 0), second: Self.word(record.identifier, 8),
            until: Self.wholeSeconds(record.until.seconds),
            keyBucket: UInt16((Self.word(record.keyThumbprint, 0) &* seeds.2) >> 48))
        if find(entry) || forgotten.contains(entry.until) { return .replayed }
        guard count < capacity else { return .full }
        // One key may not use up the room of all others.
        if count >= (capacity + 1) / 2 {
            countKeys()
            if keyCounts[Int(entry.keyBucket)] >= max(1, capacity / 8) { return .full }
        } else if count < capacity / 4, !keyCounts.isEmpty {
            keyCounts = []
        }
        latest = max(
            latest, Self.wholeSeconds((uptime - origin + record.lifetime + Self.slack) / .seconds(1)))
        entry.end = latest
        if count == entries.count { grow(within: capacity) }
        append(entry)
        return .fresh
    }

    private static func wholeSeconds(_ seconds: Double) -> UInt32 {
        UInt32(exactly: min(max(seconds.rounded(.up), 0), Double(UInt32.max))) ?? .max
    }

    private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
        bytes[offset..<(offset + 8)].reduce(0) { $0 << 8 | UInt64($1) }
    }

    // MARK: The queue

    /// Removes the records whose end lies before a moment of elapsed time, the oldest first.
    private mutating func forget(before elapsed: Double, _ now: NumericDate) {
        forgotten.drop(before: now)
        while count > 0, Double(entries[head].end) < elapsed {
            unlink(head)
            // The wall clock was set back meanwhile: by it, the proof could still be accepted.
            if now.seconds <= Double(entries[head].until) { forgotten.add(entries[head].until) }
            if !keyCounts.isEmpty { keyCounts[Int(entries[head].keyBucket)] -= 1 }
            head = head + 1 == entries.count ? 0 : head + 1
            count -= 1
        }
    }

    private mutating func append(_ entry: Entry) {
        var place = head + count
        if place >= entries.count { place -= entries.count }
        entries[place] = entry
        count += 1
        if !keyCounts.isEmpty { keyCounts[Int(entry.keyBucket)] += 1 }
        index.insert(place, hash(entry))
    }

    /// Counts the records of each key, unless they are counted already.
    private mutating func countKeys() {
        guard keyCounts.isEmpty else { return }
        keyCounts = [UInt32](repeating: 0, count: Self.keyBucketCount)
        for offset in 0..<count { keyCounts[Int(entries[(head + offset) % entries.count].keyBucket)] += 1 }
    }

    /// Doubles the ring, up to the capacity, and rebuilds the index.
    private mutating func grow(within capacity: Int) {
        let size = max(count + 1, min(capacity, max(Self.smallestSize, entries.count * 2)))
        var larger: [Entry] = []
        larger.reserveCapacity(size)
        for offset in 0..<count { larger.append(entries[(head + offset) % entries.count]) }
        let empty = Entry(first: 0, second: 0, until: 0, keyBucket: 0)
        larger.append(contentsOf: repeatElement(empty, count: size - count))
        entries = larger
        head = 0
        index = HashIndex(capacity: size)
        for place in 0..<count { index.insert(place, hash(entries[place])) }
    }

    // MARK: The index

    private func hash(_ entry: Entry) -> UInt64 { Self.hash(entry, seeds) }

    private static func hash(_ entry: Entry, _ seeds: (UInt64, UInt64, UInt64)) -> UInt64 {
        (entry.first &* seeds.0) ^ (entry.second &* seeds.1)
    }

    private mutating func unlink(_ place: Int) {
        let (entries, seeds) = (entries, seeds)
        index.remove(place, hash(entries[place])) { Self.hash(entries[$0], seeds) }
    }

    private func find(_ entry: Entry) -> Bool {
        index.find(hash(entry)) { entries[$0].hasIdentifier(of: entry) } != nil
    }
}
