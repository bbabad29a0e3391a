// SPDX-License-Identifier: MIT

/// Many deadlines at the cost of one array write each: a ring of slots, one for each tick.
///
/// A pure value: the caller passes time as ticks. An entry beyond the ring's length waits in the last slot
/// and is returned early; its owner checks the real deadline and inserts it again. Entries cannot be removed:
/// the owner ignores one that is obsolete.
package struct TimerWheel: Sendable {
    /// The length of a tick as a power of two in nanoseconds: 2^24 ns, about 17 ms.
    package static let tickShift: UInt64 = 24
    private static let slotCount = 1024

    private var slots: [[UInt64]]
    private var entryCount = 0
    private var currentTick: UInt64

    package init(at tick: UInt64) {
        slots = Array(repeating: [], count: Self.slotCount)
        currentTick = tick
    }

    /// The first tick that is not before the instant.
    package static func tick(notBefore instant: MonotonicInstant) -> UInt64 {
        (instant.nanoseconds &+ (1 << tickShift) &- 1) >> tickShift
    }

    /// The tick that has begun at the instant.
    package static func tick(at instant: MonotonicInstant) -> UInt64 {
        instant.nanoseconds >> tickShift
    }

    package var isEmpty: Bool { entryCount == 0 }

    /// Puts an entry into the slot of a tick, at least one ahead and at most the length of the ring.
    ///
    /// - Returns: The tick at which the entry will be returned.
    package mutating func insert(_ entry: UInt64, at tick: UInt64) -> UInt64 {
        let reachable = min(max(tick, currentTick + 1), currentTick + UInt64(Self.slotCount) - 1)
        slots[Int(reachable % UInt64(Self.slotCount))].append(entry)
        entryCount += 1
        return reachable
    }

    /// Advances to a tick and returns every entry that has become due.
    package mutating func advance(to tick: UInt64) -> [UInt64] {
        guard tick > currentTick else { return [] }
        guard entryCount > 0 else {
            currentTick = tick
            return []
        }
        var due: [UInt64] = []
        let steps = min(tick - currentTick, UInt64(Self.slotCount))
        for step in 1...steps {
            let slot = Int((currentTick + step) % UInt64(Self.slotCount))
            guard !slots[slot].isEmpty else { continue }
            due += slots[slot]
            slots[slot].removeAll(keepingCapacity: slots[slot].count <= 64)
        }
        currentTick = tick
        entryCount -= due.count
        return due
    }

    /// The first tick at which an entry is due, or `nil` if the wheel is empty.
    package var nextTick: UInt64? {
        guard entryCount > 0 else { return nil }
        for step in 1...UInt64(Self.slotCount)
        where !slots[Int((currentTick + step) % UInt64(Self.slotCount))].isEmpty {
            return currentTick + step
        }
        return nil
    }
}
