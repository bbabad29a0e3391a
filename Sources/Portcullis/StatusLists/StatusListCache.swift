// SPDX-License-Identifier: MIT

import PortcullisTransport
import Synchronization

/// The status lists of one trusted issuer.
///
/// Holds at most ``maxListCount`` lists, which together take at most ``StatusListPolicy/maxMemoryByteCount``
/// bytes. A list that no token has used for a day is dropped; one in use makes room for no other.
final class StatusListCache: Sendable {
    /// The maximum number of lists; tokens of further ones get 503.
    static let maxListCount = 64
    /// How long a list is kept, and refreshed, after its last use.
    static let idleLimit = Duration.seconds(86_400)
    /// After this time without use, a list makes room for another one.
    static let evictableAfter = Duration.seconds(600)

    /// Changes with each list that is loaded or dropped.
    let version = Atomic<UInt64>(1)
    /// The first end of a list's use, in nanoseconds.
    let firstEnd = Atomic<UInt64>(.max)
    let policy: StatusListPolicy
    let uptime: @Sendable () -> MonotonicInstant
    let unpacking = StatusListUnpacking()
    let refusalReports = ReportInterval()
    let state = Mutex(State())

    /// One list, or the attempts to load it.
    struct Entry {
        var list: StatusList?
        var end = MonotonicInstant(nanoseconds: 0)
        /// When the list is refreshed in the background.
        var due: MonotonicInstant
        /// The earliest time of the next fetch.
        var nextAttempt: MonotonicInstant
        var lastUse: MonotonicInstant
        var failureCount = 0
        var isLoading = false
        var waiting: [@Sendable () -> Void] = []
        /// Weak, since it owns this table, or is owned by the tokens that use the list.
        weak var source: (any StatusListSource)?

        init(_ source: any StatusListSource, at now: MonotonicInstant) {
            self.source = source
            due = now
            nextAttempt = now
            lastUse = now
        }
    }

    struct State {
        var entries: [StatusListKey: Entry] = [:]
        var byteCount = 0
        var hasTimer = false
    }

    init(_ policy: StatusListPolicy, uptime: @escaping @Sendable () -> MonotonicInstant) {
        self.policy = policy
        self.uptime = uptime
    }

    /// What is known of one place.
    enum Reading: Sendable, Hashable {
        case value(UInt8)
        /// The list has no such place; it may have grown if it was not fetched just now.
        case outOfRange(mayHaveGrown: Bool)
        /// There is no such list, or it is too old.
        case unknown
    }

    /// Reads one place of a list.
    func look(_ key: StatusListKey, _ index: Int, at now: MonotonicInstant) -> Reading {
        state.withLock { state in
            if now.nanoseconds >= firstEnd.load(ordering: .relaxed) { dropEndedLists(&state, at: now) }
            guard let list = state.entries[key]?.list else { return .unknown }
            state.entries[key]?.lastUse = now
            if let value = list[index] { return .value(value) }
            return .outOfRange(mayHaveGrown: now >= state.entries[key]?.nextAttempt ?? now)
        }
    }

    /// The number of lists, and the memory that they take in bytes.
    var fill: (count: Int, byteCount: Int) {
        state.withLock { ($0.entries.count, $0.byteCount) }
    }

    // MARK: Changes, under the lock

    /// Stores a list; `false` if there is no room for it.
    func store(
        _ list: StatusList, until end: MonotonicInstant, for key: StatusListKey, _ state: inout State,
        at now: MonotonicInstant
    ) -> Bool {
        let added = list.bytes.count - (state.entries[key]?.list?.bytes.count ?? 0)
        while state.byteCount + added > StatusListPolicy.maxMemoryByteCount {
            guard evictOne(&state, at: now, except: key, withList: true) else { return false }
        }
        state.byteCount += added
        state.entries[key]?.list = list
        state.entries[key]?.end = end
        publishChange(&state)
        return true
    }

    /// Drops an idle list, or an attempt to load one; `false` if there is none.
    func evictOne(
        _ state: inout State, at now: MonotonicInstant, except kept: StatusListKey? = nil,
        withList needsList: Bool = false
    ) -> Bool {
        let idle = state.entries.filter { key, entry in
            key != kept && !entry.isLoading && now - entry.lastUse >= Self.evictableAfter
                && (!needsList || entry.list != nil)
        }
        guard let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return false }
        remove(oldest.key, &state)
        return true
    }

    func remove(_ key: StatusListKey, _ state: inout State) {
        guard let entry = state.entries.removeValue(forKey: key) else { return }
        state.byteCount -= entry.list?.bytes.count ?? 0
        if entry.list != nil { publishChange(&state) }
    }

    private func dropEndedLists(_ state: inout State, at now: MonotonicInstant) {
        for (key, entry) in state.entries where entry.list != nil && entry.end <= now {
            state.byteCount -= entry.list?.bytes.count ?? 0
            state.entries[key]?.list = nil
        }
        publishChange(&state)
    }

    // Tokens that were good in an earlier version look again.
    private func publishChange(_ state: inout State) {
        let ends = state.entries.values.filter { $0.list != nil }.map(\.end.nanoseconds)
        firstEnd.store(ends.min() ?? .max, ordering: .relaxed)
        version.add(1, ordering: .releasing)
    }
}
