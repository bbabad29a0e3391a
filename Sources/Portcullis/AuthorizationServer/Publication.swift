// SPDX-License-Identifier: MIT

import PortcullisTransport
import Synchronization

/// A value loaded by an actor, readable without waiting.
///
/// The times and the generation are atomics, so that a request with a cached token takes no lock for them.
final class Publication<Value: Sendable>: Sendable {
    /// A value and its generation.
    struct Reading: Sendable {
        let value: Value
        let generation: UInt64
    }

    private let current: Mutex<Reading?>
    private let latest: Atomic<UInt64>
    private let freshUntil: Atomic<UInt64>
    private let usableUntil: Atomic<UInt64>
    /// The earliest time of the next load.
    private let nextAttempt: Atomic<UInt64>
    /// The earliest time of the next load that a token may cause; 0 during a load, which it may await.
    private let renewableFrom = Atomic<UInt64>(0)
    /// When the value was loaded; 0 for never.
    private let loadedAt: Atomic<UInt64>
    private let isRefreshRequested = Atomic(false)

    /// Starts without a value.
    init() {
        current = Mutex(nil)
        latest = Atomic(0)
        freshUntil = Atomic(0)
        usableUntil = Atomic(0)
        nextAttempt = Atomic(0)
        loadedAt = Atomic(0)
    }

    /// Starts with a value that never expires.
    init(fixed value: Value) {
        current = Mutex(Reading(value: value, generation: 1))
        latest = Atomic(1)
        freshUntil = Atomic(.max)
        usableUntil = Atomic(.max)
        nextAttempt = Atomic(.max)
        loadedAt = Atomic(0)
    }

    /// The number of different values so far.
    var generation: UInt64 { latest.load(ordering: .acquiring) }

    /// Returns the value, unless it is too old.
    func reading(at now: MonotonicInstant) -> Reading? {
        isUsable(at: now) ? current.withLock { $0 } : nil
    }

    func isUsable(at now: MonotonicInstant) -> Bool {
        now.nanoseconds < usableUntil.load(ordering: .relaxed)
    }

    func isFresh(at now: MonotonicInstant) -> Bool {
        now.nanoseconds < freshUntil.load(ordering: .relaxed)
    }

    func mayLoad(at now: MonotonicInstant) -> Bool {
        now.nanoseconds >= nextAttempt.load(ordering: .relaxed)
    }

    /// Whether a token may cause a load, or await the one in flight.
    func isRenewable(at now: MonotonicInstant) -> Bool {
        now.nanoseconds >= renewableFrom.load(ordering: .relaxed)
    }

    func setRenewable(from instant: MonotonicInstant) {
        renewableFrom.store(instant.nanoseconds, ordering: .relaxed)
    }

    /// Whether the caller must start a refresh: it is due, and no other caller has started it.
    func claimsRefresh(at now: MonotonicInstant) -> Bool {
        !isFresh(at: now) && mayLoad(at: now)
            && !isRefreshRequested.exchange(true, ordering: .acquiringAndReleasing)
    }

    func releaseRefresh() {
        isRefreshRequested.store(false, ordering: .releasing)
    }

    /// The time since the value was loaded; `nil` if none was, as for a fixed value.
    func age(at now: MonotonicInstant) -> Duration? {
        let loaded = loadedAt.load(ordering: .relaxed)
        return loaded == 0 ? nil : max(.zero, now - MonotonicInstant(nanoseconds: loaded))
    }

    /// Publishes a value; `isDifferent` starts a new generation.
    func publish(
        _ value: Value, isDifferent: Bool, loadedAt loaded: MonotonicInstant,
        freshUntil fresh: MonotonicInstant,
        usableUntil usable: MonotonicInstant
    ) {
        current.withLock { current in
            let generation = (current?.generation ?? 0) + (isDifferent ? 1 : 0)
            current = Reading(value: value, generation: generation)
            latest.store(generation, ordering: .releasing)
        }
        loadedAt.store(loaded.nanoseconds, ordering: .relaxed)
        freshUntil.store(fresh.nanoseconds, ordering: .relaxed)
        usableUntil.store(usable.nanoseconds, ordering: .relaxed)
        nextAttempt.store(0, ordering: .relaxed)
    }

    /// Takes over the value of another publication with its remaining lifetime; a refresh is due at once.
    func inherit(from other: Publication) {
        guard let reading = other.current.withLock({ $0 }) else { return }
        publish(
            reading.value, isDifferent: true,
            loadedAt: MonotonicInstant(nanoseconds: other.loadedAt.load(ordering: .relaxed)),
            freshUntil: MonotonicInstant(nanoseconds: 0),
            usableUntil: MonotonicInstant(nanoseconds: other.usableUntil.load(ordering: .relaxed)))
    }

    func postpone(until instant: MonotonicInstant) {
        nextAttempt.store(instant.nanoseconds, ordering: .relaxed)
    }
}
