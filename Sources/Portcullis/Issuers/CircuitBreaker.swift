// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport

/// Decides whether a server that has failed is asked again: not at all for a while, then once, then as before.
///
/// Pure. Without it every request would wait for its own timeout while the server is away, and a server that comes back would
/// be met by all of them at once.
///
/// Callers without credentials choose the tokens that a server is asked about, and some tokens make some servers fail. So a token counts
/// once; and unless the network or a token known to be good has failed too, a probe with a token of our own choice decides before the
/// calls are suspended.
struct CircuitBreaker: Sendable {
    /// How many tokens have to fail in a row before the calls may be suspended.
    static let failureLimit = 5
    /// For so long no further probe is made after one that found the server well.
    static let trustTime = Duration.seconds(1)
    /// The longest pause between two probes; the first is a second, and each is twice the one before.
    static let longestPause = Duration.seconds(30)

    /// Leave to make one call.
    struct Permit: Sendable {
        fileprivate let era: UInt64
    }

    /// What a call may do that would be made now.
    enum CallDecision: Sendable {
        /// Go ahead, when it is its turn.
        case admitted
        /// Wait for the probe that is under way.
        case afterProbe
        /// Wait for a probe that has to be made now: the pause is over.
        case afterNewProbe
        /// Nothing: calls are suspended.
        case refused
    }

    /// What follows from a failure.
    enum Consequence: Sendable {
        case none
        /// A probe has to be made now.
        case probe
        /// Calls are suspended for this long.
        case suspended(Duration)
    }

    /// Whose token a call was about, and what its failure tells.
    enum Evidence: Sendable {
        /// The server, whatever the token: the network failed, or a token that is known to be good.
        case ofServer
        /// Perhaps only the token.
        case ofToken
    }

    private enum State: Sendable {
        case closed
        /// As closed, but for tokens that are not known to be good.
        case suspected
        case open(until: MonotonicInstant)
        case probing
    }

    /// The failures since the last answer.
    private struct Failures: Sendable {
        /// Those that have nothing to do with the token count however often a client comes with the same one.
        var ofServerCount = 0
        var suspects: Set<UInt64> = []

        var isEmpty: Bool { ofServerCount == 0 && suspects.isEmpty }
        var areEnough: Bool { ofServerCount + suspects.count >= CircuitBreaker.failureLimit }

        mutating func add(_ digest: SHA256Digest, _ evidence: Evidence) {
            switch evidence {
            case .ofServer: ofServerCount += 1
            // A probe that found the server well may have left more than enough.
            case .ofToken where suspects.count < CircuitBreaker.failureLimit: suspects.insert(digest.prefix)
            case .ofToken: break
            }
        }
    }

    private var state = State.closed
    /// Counts the changes of state, so that calls from before one have no say after it.
    private var era: UInt64 = 0
    private var pauseCount = 0
    private var failures = Failures()
    private var trustedUntil = MonotonicInstant(nanoseconds: 0)

    var permit: Permit { Permit(era: era) }

    /// What a call may do.
    ///
    /// - Parameter isKnown: Whether its token is known to be good.
    func decision(isKnown: Bool, at now: MonotonicInstant) -> CallDecision {
        switch state {
        case .closed: .admitted
        case .suspected: isKnown ? .admitted : .afterProbe
        case .open(let until): now >= until ? .afterNewProbe : .refused
        case .probing: .refused
        }
    }

    /// Whether calls may be started whose turn it is.
    func starts(isKnown: Bool) -> Bool {
        switch state {
        case .closed: true
        case .suspected: isKnown
        case .open, .probing: false
        }
    }

    /// Notes that a probe is made although the pause is over.
    mutating func beginProbing() {
        enter(.probing)
    }

    /// Notes that the server has answered.
    ///
    /// - Returns: Whether calls were suspended until now.
    mutating func succeeded(_ permit: Permit, isProbe: Bool = false, at now: MonotonicInstant) -> Bool {
        guard permit.era == era else { return false }
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

    /// Notes that a call has failed that was about the token of a digest.
    mutating func failed(
        _ permit: Permit, about digest: SHA256Digest, _ evidence: Evidence, isProbe: Bool = false,
        at now: MonotonicInstant
    ) -> Consequence {
        guard permit.era == era else { return .none }
        switch state {
        case .closed:
            failures.add(digest, evidence)
            guard failures.areEnough else { return .none }
            if failures.ofServerCount > 0 { return suspend(at: now) }
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
        era += 1
        state = next
        failures = Failures()
    }
}
