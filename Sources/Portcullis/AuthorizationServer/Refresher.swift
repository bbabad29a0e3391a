// SPDX-License-Identifier: MIT

import PortcullisTransport

/// Keeps one thing of an authorization server at hand: its keys, or its metadata.
///
/// Loads are single-flight and belong to this actor, not to the request that caused them: a client that goes away takes
/// nothing with it. A failure keeps the last good value for its stale time, and is tried again after 1, 2, 4, … seconds.
actor Refresher<Value: Sendable> {
    /// How long a value is fresh, how long it is used beyond that, and the longest pause between attempts.
    struct Timing: Sendable {
        let freshness: Duration
        let staleness: Duration
        let cooldown: Duration
    }

    /// What was loaded.
    ///
    /// Equal fingerprints mean that nothing has changed.
    struct Loaded: Sendable {
        let value: Value
        let fingerprint: [UInt8]
    }

    typealias Load = @Sendable () async throws(AuthorizationServerFault) -> Loaded

    nonisolated let publication: Publication<Value>
    private let timing: Timing
    private let uptime: @Sendable () -> MonotonicInstant
    private let load: Load
    private let report: @Sendable (AuthorizationServerFault) -> Void
    private let announce: @Sendable (Value) -> Void

    private var inFlight: Task<Void, Never>?
    private var fingerprint: [UInt8]?
    private var lastAttempt: MonotonicInstant?
    private var failureCount = 0
    private(set) var lastFault: AuthorizationServerFault?

    init(
        timing: Timing, uptime: @escaping @Sendable () -> MonotonicInstant,
        reporting report: @escaping @Sendable (AuthorizationServerFault) -> Void,
        announcing announce: @escaping @Sendable (Value) -> Void, load: @escaping Load
    ) {
        publication = Publication()
        self.timing = timing
        self.uptime = uptime
        self.report = report
        self.announce = announce
        self.load = load
    }

    /// Starts a refresh that is due, and does not wait for it.
    nonisolated func refreshInBackground(at now: MonotonicInstant) {
        guard publication.claimsRefresh(at: now) else { return }
        Task { await refreshAsClaimed() }
    }

    private func refreshAsClaimed() async {
        await loadOnce()
        publication.releaseRefresh()
    }

    /// The value: at once if there is a usable one, else after loading it, unless the last failure was just now.
    func reading() async -> Publication<Value>.Reading? {
        let now = uptime()
        if let reading = publication.reading(at: now) {
            refreshInBackground(at: now)
            return reading
        }
        await loadUnlessPostponed()
        return publication.reading(at: uptime())
    }

    /// The value after a refresh if one is due; the old one if that fails.
    func freshReading() async -> Publication<Value>.Reading? {
        if !publication.isFresh(at: uptime()) { await loadUnlessPostponed() }
        return publication.reading(at: uptime())
    }

    /// What came of the wish for a newer value.
    enum Renewal: Sendable {
        /// There is a newer one, or there is none newer.
        case current
        /// It could not be had.
        case failed
    }

    /// Looks for a newer value than that of a generation, at most once per cool-down.
    func renew(after generation: UInt64) async -> Renewal {
        // State may have moved on while this call waited for its turn.
        if publication.generation != generation { return .current }
        if inFlight == nil, let lastAttempt, uptime() - lastAttempt < timing.cooldown {
            return failureCount == 0 ? .current : .failed
        }
        await loadOnce()
        return failureCount == 0 ? .current : .failed
    }

    private func loadUnlessPostponed() async {
        if inFlight == nil, !publication.mayLoad(at: uptime()) { return }
        await loadOnce()
    }

    private func loadOnce() async {
        if let inFlight { return await inFlight.value }
        lastAttempt = uptime()
        let task = Task { await self.perform() }
        inFlight = task
        await task.value
    }

    private func perform() async {
        do throws(AuthorizationServerFault) {
            accept(try await load())
        } catch {
            note(error)
        }
        inFlight = nil
    }

    private func accept(_ loaded: Loaded) {
        let now = uptime()
        failureCount = 0
        lastFault = nil
        let isDifferent = fingerprint != loaded.fingerprint
        fingerprint = loaded.fingerprint
        publication.publish(
            loaded.value, isDifferent: isDifferent, freshUntil: now + timing.freshness,
            usableUntil: now + timing.freshness + timing.staleness)
        if isDifferent { announce(loaded.value) }
    }

    private func note(_ fault: AuthorizationServerFault) {
        failureCount = min(failureCount + 1, 32)
        lastFault = fault
        let pause = Duration.seconds(1 << (failureCount - 1))
        publication.postpone(until: uptime() + min(pause, timing.cooldown))
        report(fault)
    }
}
