// SPDX-License-Identifier: MIT

import PortcullisTransport

/// Loads and refreshes one document of an authorization server: its keys or its metadata.
///
/// Loads are single-flight and belong to this actor, not to the request that caused them: a client that
/// disconnects cancels nothing. After a failure the last valid value is used for its stale time, and the load
/// is retried after 1, 2, 4, … seconds.
actor Refresher<Value: Sendable> {
    /// How long a value is fresh, how long it is used after that, and the longest pause between attempts.
    struct Timing: Sendable {
        let freshness: Duration
        let staleness: Duration
        let cooldown: Duration
    }

    /// A loaded value.
    ///
    /// Equal fingerprints mean that nothing has changed.
    struct Loaded: Sendable {
        let value: Value
        let fingerprint: [UInt8]
        /// Whether a better value may be had soon: then this one is fresh for the cool-down only.
        var isProvisional = false
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

    /// Starts a refresh if it is due, without waiting for it.
    nonisolated func refreshInBackground(at now: MonotonicInstant) {
        guard publication.claimsRefresh(at: now) else { return }
        Task { await refreshAsClaimed() }
    }

    private func refreshAsClaimed() async {
        await loadOnce()
        publication.releaseRefresh()
    }

    /// Returns a usable value at once, else after loading it, unless the last failure was just now.
    func reading() async -> Publication<Value>.Reading? {
        let now = uptime()
        if let reading = publication.reading(at: now) {
            refreshInBackground(at: now)
            return reading
        }
        await loadUnlessPostponed()
        return publication.reading(at: uptime())
    }

    /// Returns the value after a refresh if one is due; the old one if that fails.
    func freshReading() async -> Publication<Value>.Reading? {
        if !publication.isFresh(at: uptime()) { await loadUnlessPostponed() }
        return publication.reading(at: uptime())
    }

    /// The outcome of a renewal.
    enum Renewal: Sendable {
        /// The value is the newest available.
        case current
        /// Loading failed.
        case failed
    }

    /// Loads a newer value than that of a generation, at most once per cool-down.
    func renew(after generation: UInt64) async -> Renewal {
        // Another call may have renewed the value while this one waited for its turn.
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
        let begun = uptime()
        lastAttempt = begun
        publication.setRenewable(from: MonotonicInstant(nanoseconds: 0))
        let task = Task { await self.perform(begunAt: begun) }
        inFlight = task
        await task.value
    }

    private func perform(begunAt begun: MonotonicInstant) async {
        do throws(AuthorizationServerFault) {
            accept(try await load())
        } catch {
            note(error)
        }
        publication.setRenewable(from: begun + timing.cooldown)
        inFlight = nil
    }

    private func accept(_ loaded: Loaded) {
        let now = uptime()
        failureCount = 0
        lastFault = nil
        let isDifferent = fingerprint != loaded.fingerprint
        fingerprint = loaded.fingerprint
        let freshness = loaded.isProvisional ? min(timing.cooldown, timing.freshness) : timing.freshness
        publication.publish(
            loaded.value, isDifferent: isDifferent, loadedAt: now, freshUntil: now + freshness,
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
