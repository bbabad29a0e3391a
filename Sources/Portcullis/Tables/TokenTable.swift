// SPDX-License-Identifier: MIT

package import PortcullisJOSE
import PortcullisTransport
import Synchronization

/// A bounded cache of results by the hash of the token.
///
/// Reading takes one short lock and never waits. If the table is full, each admitted entry evicts one that
/// was not used lately. A large table consists of parts with a lock each, so that no growth, eviction or
/// removal takes longer than in a small one.
package final class TokenTable<Entry: Sendable>: Sendable {
    /// Which new entries push out another when the table is full.
    package enum InsertionPolicy: Sendable {
        /// Every one.
        case always
        /// Those of tokens seen before: a token used once must not evict one that is used often.
        case onSecondUse
    }

    struct Slot {
        var digest: SHA256Digest
        var entry: Entry
        var wasUsed: Bool
    }

    struct State {
        var index = HashIndex()
        var slots: [Slot] = []
        /// The number of slots that the index has room for.
        var room = 0
        var hand = 0
        fileprivate var sightings: TokenSightings?
        /// Makes places unpredictable.
        let seed = UInt64.random(in: .min ... .max) | 1

        func hash(_ digest: SHA256Digest) -> UInt64 { digest.prefix &* seed }

        @inline(__always)
        func place(of digest: SHA256Digest) -> Int? {
            index.find(hash(digest)) { slots[$0].digest == digest }
        }

        mutating func append(_ slot: Slot, capacity: Int) {
            if slots.count == room {
                room = min(max(64, room * 2), capacity)
                index = HashIndex(capacity: room)
                for place in slots.indices { index.insert(place, hash(slots[place].digest)) }
            }
            index.insert(slots.count, hash(slot.digest))
            slots.append(slot)
        }

        mutating func unlink(_ place: Int) {
            let (slots, seed) = (slots, seed)
            index.remove(place, hash(slots[place].digest)) { slots[$0].digest.prefix &* seed }
        }
    }

    /// The maximum number of entries of a table, or of each part of a larger one: the most that grow, or are
    /// looked through, under one lock.
    static var maxPartCapacity: Int { 16_384 }

    let capacity: Int
    /// The parts of a large table, a power of two; empty in a small one.
    let parts: [TokenTable]
    private let partSeed = UInt64.random(in: .min ... .max) | 1
    /// Open to the folders above for a look that knows the type of the entries.
    let state = Mutex(State())

    package init(capacity: Int) {
        var count = 1
        while capacity > count * Self.maxPartCapacity { count *= 2 }
        let share = (capacity + count - 1) / count
        parts = count == 1 ? [] : (0..<count).map { _ in TokenTable(capacity: share) }
        self.capacity = capacity
    }

    /// The part of a large table in which a digest belongs.
    func part(of digest: SHA256Digest) -> TokenTable {
        parts[Int(truncatingIfNeeded: (digest.prefix &* partSeed) >> 32) & (parts.count - 1)]
    }

    /// The number of entries.
    package var count: Int {
        parts.isEmpty ? state.withLock { $0.slots.count } : parts.reduce(0) { $0 + $1.count }
    }

    package subscript(digest: SHA256Digest) -> Entry? {
        guard parts.isEmpty else { return part(of: digest)[digest] }
        return state.withLock { state in
            guard let place = state.place(of: digest) else { return nil }
            if !state.slots[place].wasUsed { state.slots[place].wasUsed = true }
            return state.slots[place].entry
        }
    }

    package func insert(
        _ entry: Entry, for digest: SHA256Digest, whenFull policy: InsertionPolicy = .always
    ) {
        guard capacity > 0 else { return }
        guard parts.isEmpty else { return part(of: digest).insert(entry, for: digest, whenFull: policy) }
        // The evicted entry is released after the lock, since it may be large.
        let evicted: Entry? = state.withLock { state in
            if let place = state.place(of: digest) {
                let old = state.slots[place].entry
                state.slots[place].entry = entry
                return old
            }
            let slot = Slot(digest: digest, entry: entry, wasUsed: false)
            guard state.slots.count >= capacity else {
                state.append(slot, capacity: capacity)
                return nil
            }
            if policy == .onSecondUse, !isSeenAgain(digest, in: &state) { return nil }
            return Self.replace(with: slot, in: &state)
        }
        _ = evicted
    }

    private func isSeenAgain(_ digest: SHA256Digest, in state: inout State) -> Bool {
        if state.sightings == nil { state.sightings = TokenSightings(of: capacity) }
        return state.sightings?.note(digest) ?? false
    }

    // The clock algorithm: the hand skips an entry that was used since its last pass, once.
    private static func replace(with slot: Slot, in state: inout State) -> Entry {
        while state.slots[state.hand].wasUsed {
            state.slots[state.hand].wasUsed = false
            state.hand = (state.hand + 1) % state.slots.count
        }
        let old = state.slots[state.hand]
        state.unlink(state.hand)
        state.index.insert(state.hand, state.hash(slot.digest))
        state.slots[state.hand] = slot
        state.hand = (state.hand + 1) % state.slots.count
        return old.entry
    }

    package func remove(_ digest: SHA256Digest) {
        guard parts.isEmpty else { return part(of: digest).remove(digest) }
        let removed: Entry? = state.withLock { state in
            guard let place = state.place(of: digest) else { return nil }
            state.unlink(place)
            let last = state.slots.removeLast()
            guard place < state.slots.count else {
                state.hand = 0
                return last.entry
            }
            let old = state.slots[place].entry
            state.index.move(state.slots.count, to: place, state.hash(last.digest))
            state.slots[place] = last
            if state.hand >= state.slots.count { state.hand = 0 }
            return old
        }
        _ = removed
    }

    /// Removes the entries for which a closure returns `true`; it is called under the lock.
    package func removeAll(where isPicked: (Entry) -> Bool) {
        for part in parts { part.removeAll(where: isPicked) }
        let removed: [Slot] = state.withLock { state in
            let all = state.slots
            var kept = State()
            for slot in all where !isPicked(slot.entry) { kept.append(slot, capacity: capacity) }
            state = kept
            return all
        }
        _ = removed
    }

    package func removeAll() {
        for part in parts { part.removeAll() }
        // The entries are released after the lock.
        let removed: [Slot] = state.withLock { state in
            let slots = state.slots
            state = State()
            return slots
        }
        _ = removed
    }
}

/// Remembers approximately, in four bytes each, which tokens were seen lately.
///
/// A token is forgotten when another one takes its slot. A false positive, one in 2³², is harmless: a token
/// is cached at its first use.
private struct TokenSightings {
    private var tags: [UInt32]

    /// Makes room for at least this number of tokens.
    init(of count: Int) {
        var placeCount = 1
        while placeCount < count { placeCount *= 2 }
        tags = Array(repeating: 0, count: placeCount)
    }

    /// Records the token, and returns whether it was seen before.
    mutating func note(_ digest: SHA256Digest) -> Bool {
        let place = Int(truncatingIfNeeded: digest.prefix) & (tags.count - 1)
        let tag = UInt32(truncatingIfNeeded: digest.prefix >> 32)
        defer { tags[place] = tag }
        return tags[place] == tag
    }
}
