// SPDX-License-Identifier: MIT

import PortcullisTransport
import Synchronization

/// What an actor has loaded, for reading without waiting.
///
/// The times and the generation are atomics, so that a request with a known token takes no lock for them.
final class Publication<Value: Sendable>: Sendable {
    /// A value, and which of the values so far it is.
    struct Reading: Sendable {
        let value: Value
        let generation: UInt64
    }

    private let current: Mutex<Reading?>
    private let latest: Atomic<UInt64>
    private let freshUntil: Atomic<UInt64>
    private let usableUntil: Atomic<UInt64>
    /// Before this time nothing is loaded again.
    private let nextAttempt: Atomic<UInt64>
    private let isRefreshRequested = Atomic(false)

    /// Starts without a value.
    init() {
        current = Mutex(nil)
        latest = Atomic(0)
        freshUntil = Atomic(0)
        usableUntil = Atomic(0)
        nextAttempt = Atomic(0)
    }

    /// Starts with a value that is good for ever.
    init(fixed value: Value) {
        current = Mutex(Reading(value: value, generation: 1))
        latest = Atomic(1)
        freshUntil = Atomic(.max)
        usableUntil = Atomic(.max)
        nextAttempt = Atomic(.max)
    }

    /// Counts the different values so far.
    var generation: UInt64 { latest.load(ordering: .acquiring) }

    /// The value, unless it is too old to be used.
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

    /// Whether the caller is the one to start a refresh in the background: it is due, and nobody else has started it.
    func claimsRefresh(at now: MonotonicInstant) -> Bool {
        !isFresh(at: now) && mayLoad(at: now)
            && !isRefreshRequested.exchange(true, ordering: .acquiringAndReleasing)
    }

    func releaseRefresh() {
        isRefreshRequested.store(false, ordering: .releasing)
    }

    /// Takes over a value; `isDifferent` says whether it is another than before.
    func publish(
        _ value: Value, isDifferent: Bool, freshUntil fresh: MonotonicInstant,
        usableUntil usable: MonotonicInstant
    ) {
        current.withLock { current in
            let generation = (current?.generation ?? 0) + (isDifferent ? 1 : 0)
            current = Reading(value: value, generation: generation)
            latest.store(generation, ordering: .releasing)
        }
        freshUntil.store(fresh.nanoseconds, ordering: .relaxed)
        usableUntil.store(usable.nanoseconds, ordering: .relaxed)
        nextAttempt.store(0, ordering: .relaxed)
    }

    /// Takes over what another publication of the same thing has, for as long as it may be used there; a refresh is due at once.
    func inherit(from other: Publication) {
        guard let reading = other.current.withLock({ $0 }) else { return }
        publish(
            reading.value, isDifferent: true, freshUntil: MonotonicInstant(nanoseconds: 0),
            usableUntil: MonotonicInstant(nanoseconds: other.usableUntil.load(ordering: .relaxed)))
    }

    func postpone(until instant: MonotonicInstant) {
        nextAttempt.store(instant.nanoseconds, ordering: .relaxed)
    }
}
