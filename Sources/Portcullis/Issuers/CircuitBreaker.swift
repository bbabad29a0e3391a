// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport

/// Suspends calls to a failing server: no calls for a while, then one probe, then calls as before.
///
/// A value without I/O. Without it, every request would wait for its own timeout while the server is down,
/// and a recovering server would receive all of them at once.
///
/// Unauthenticated clients choose the tokens that are introspected, and some tokens make some servers fail.
/// Therefore each token counts once. If only unknown tokens failed, a probe with a token of our own choice
/// decides whether calls are suspended.
struct CircuitBreaker: Sendable {
    /// The number of tokens that must fail in a row before calls may be suspended.
    static let failureLimit = 5
    /// For this long after a successful probe, failures of unknown tokens start no other probe.
    static let trustTime = Duration.seconds(1)
    /// The maximum pause between two probes; the first pause is a second, and each is twice the one before.
    static let longestPause = Duration.seconds(30)

    /// The permission to make one call.
    struct Permit: Sendable {
        fileprivate let generation: UInt64
    }

    /// What to do with a new call.
    enum CallDecision: Sendable {
        /// Make the call when its turn comes.
        case admitted
        /// Wait for the probe in flight.
        case afterProbe
        /// Start a probe and wait for it: the pause is over.
        case afterNewProbe
        /// Fail at once: calls are suspended.
        case refused
    }

    /// The consequence of a failure.
    enum Consequence: Sendable {
        case none
        /// Start a probe.
        case probe
        /// Calls are suspended for this long.
        case suspended(Duration)
    }

    /// What the failure of a call indicates.
    enum Evidence: Sendable {
        /// A fault of the server, whatever the token: the network failed, or the token is known to be valid.
        case ofServer
        /// Perhaps the server fails only for this token.
        case ofToken
    }

    private enum State: Sendable {
        case closed
        /// Closed for tokens known to be valid; other calls wait for a probe.
        case suspected
        case open(until: MonotonicInstant)
        case probing
    }

    /// The failures since the last success.
    private struct Failures: Sendable {
        /// Failures independent of the token count each time, even for the same token.
        var serverFailureCount = 0
        var suspects: Set<UInt64> = []

        var isEmpty: Bool { serverFailureCount == 0 && suspects.isEmpty }
        var reachLimit: Bool { serverFailureCount + suspects.count >= CircuitBreaker.failureLimit }

        mutating func add(_ digest: SHA256Digest, _ evidence: Evidence) {
            switch evidence {
            case .ofServer: serverFailureCount += 1
            // Within the trust time there may be more suspects than the limit; these are not stored.
            case .ofToken where suspects.count < CircuitBreaker.failureLimit: suspects.insert(digest.prefix)
            case .ofToken: break
            }
        }
    }

    private var state = State.closed
    /// Counts the changes of state, so that calls started before a change have no effect after it.
    private var generation: UInt64 = 0
    private var pauseCount = 0
    private var failures = Failures()
    private var trustedUntil = MonotonicInstant(nanoseconds: 0)

    var permit: Permit { Permit(generation: generation) }

    /// Returns what to do with a new call.
    ///
    /// - Parameter isKnown: Whether its token is known to be valid.
    func decision(isKnown: Bool, at now: MonotonicInstant) -> CallDecision {
        switch state {
        case .closed: .admitted
        case .suspected: isKnown ? .admitted : .afterProbe
        case .open(let until): now >= until ? .afterNewProbe : .refused
        case .probing: .refused
        }
    }

    /// Whether queued calls may be started.
    func starts(isKnown: Bool) -> Bool {
        switch state {
        case .closed: true
        case .suspected: isKnown
        case .open, .probing: false
        }
    }

    /// Records the start of a probe after the pause.
    mutating func beginProbing() {
        enter(.probing)
    }

    /// Records that the server answered.
    ///
    /// - Returns: Whether calls were suspended until now.
    mutating func succeeded(_ permit: Permit, isProbe: Bool = false, at now: MonotonicInstant) -> Bool {
        guard permit.generation == generation else { return false }
        pauseCount = 0
        switch state {
        case .closed: if !failures.isEmpty { failures = Failures() }
        case .suspected where isProbe:
            trustedUntil = now + Self.trustTime
            enter(.closed)
        case .suspected: break
        case .open, .probing:
            enter(.closed)
            return true
        }
        return false
    }

    /// Records the failure of a call with this token.
    mutating func failed(
        _ permit: Permit, about digest: SHA256Digest, _ evidence: Evidence, isProbe: Bool = false,
        at now: MonotonicInstant
    ) -> Consequence {
        guard permit.generation == generation else { return .none }
        switch state {
        case .closed:
            failures.add(digest, evidence)
            guard failures.reachLimit else { return .none }
            if failures.serverFailureCount > 0 { return suspend(at: now) }
            guard now >= trustedUntil else { return .none }
            enter(.suspected)
            return .probe
        case .suspected where !isProbe:
            if case .ofServer = evidence { return suspend(at: now) }
            return .none
        case .suspected, .open, .probing: return suspend(at: now)
        }
    }

    private mutating func suspend(at now: MonotonicInstant) -> Consequence {
        let pause = min(Duration.seconds(1 << pauseCount), Self.longestPause)
        pauseCount = min(pauseCount + 1, 5)
        enter(.open(until: now + pause))
        return .suspended(pause)
    }

    private mutating func enter(_ next: State) {
        generation += 1
        state = next
        failures = Failures()
    }
}
