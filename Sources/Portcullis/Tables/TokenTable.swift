// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport
import Synchronization

/// What is remembered of tokens that were seen before: a bounded table by the hash of the token.
///
/// Reading takes one short lock and never waits. When the table is full, one entry that was not used lately makes room
/// for each new one that is admitted.
final class TokenTable<Entry: Sendable>: Sendable {
    /// Which new entries push out another when the table is full.
    enum InsertionPolicy: Sendable {
        /// Every one.
        case always
        /// Those of tokens that come by again: what is used once would push out what is used often, for nothing.
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
        /// For how many slots the index has room.
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

    private let capacity: Int
    /// Open to the folders above for a look that knows the type of the entries.
    let state = Mutex(State())

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// How many entries there are.
    var count: Int { state.withLock { $0.slots.count } }

    subscript(digest: SHA256Digest) -> Entry? {
        state.withLock { state in
            guard let place = state.place(of: digest) else { return nil }
            if !state.slots[place].wasUsed { state.slots[place].wasUsed = true }
            return state.slots[place].entry
        }
    }

    func insert(_ entry: Entry, for digest: SHA256Digest, whenFull policy: InsertionPolicy = .always) {
        guard capacity > 0 else { return }
        // What makes room is let go after the lock, since it may be large.
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

    // The clock: the hand passes over what was used since it came by last, once.
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

    func remove(_ digest: SHA256Digest) {
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

    /// Removes the entries that a closure picks; it is called under the lock, for each of them.
    func removeAll(where isPicked: (Entry) -> Bool) {
        let removed: [Slot] = state.withLock { state in
            let all = state.slots
            var kept = State()
            for slot in all where !isPicked(slot.entry) { kept.append(slot, capacity: capacity) }
            state = kept
            return all
        }
        _ = removed
    }

    func removeAll() {
        let removed = state.withLock { state in
            let slots = state.slots
            state = State()
            return slots.count
        }
        _ = removed
    }
}

/// Which tokens came by lately, as far as a few bytes for each can tell.
///
/// A token is forgotten when another one takes its place. A wrong yes, one in 2³², does no harm: a token is remembered one
/// sight too early.
private struct TokenSightings {
    private var tags: [UInt32]

    /// At least as many places as a number of tokens.
    init(of count: Int) {
        var placeCount = 1
        while placeCount < count { placeCount *= 2 }
        tags = Array(repeating: 0, count: placeCount)
    }

    /// Whether the token was seen before; from now on it was.
    mutating func note(_ digest: SHA256Digest) -> Bool {
        let place = Int(truncatingIfNeeded: digest.prefix) & (tags.count - 1)
        let tag = UInt32(truncatingIfNeeded: digest.prefix >> 32)
        defer { tags[place] = tag }
        return tags[place] == tag
    }
}
