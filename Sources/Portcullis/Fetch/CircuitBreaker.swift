// SPDX-License-Identifier: MIT

import PortcullisTransport

/// Decides whether a server that has failed is asked again: not at all for a while, then once, then as before.
///
/// Pure. Without it every request would wait for its own timeout while the server is away, and a server that comes back would
/// be met by all of them at once.
struct CircuitBreaker: Sendable {
    /// How many failures in a row suspend the calls.
    static let failureLimit = 5
    /// The longest pause between two probes; the first is a second, and each is twice the one before.
    static let longestPause = Duration.seconds(30)

    /// Leave to make one call.
    struct Permit: Sendable {
        fileprivate let era: UInt64
    }

    private enum State: Sendable {
        case closed(failureCount: Int)
        case open(until: MonotonicInstant)
        case probing
    }

    private var state = State.closed(failureCount: 0)
    /// Counts the changes of state, so that calls from before one have no say after it.
    private var era: UInt64 = 0
    private var pauseCount = 0

    /// Whether a call may be made now; if calls are suspended and the pause is over, one may.
    mutating func admit(at now: MonotonicInstant) -> Permit? {
        switch state {
        case .closed: break
        case .open(let until) where now >= until: enter(.probing)
        case .open, .probing: return nil
        }
        return Permit(era: era)
    }

    /// Whether a call would be admitted.
    func admits(at now: MonotonicInstant) -> Bool {
        switch state {
        case .closed: true
        case .open(let until): now >= until
        case .probing: false
        }
    }

    /// Notes that the server has answered.
    ///
    /// - Returns: Whether calls were suspended until now.
    mutating func succeeded(_ permit: Permit) -> Bool {
        guard permit.era == era else { return false }
        pauseCount = 0
        if case .closed = state {
            state = .closed(failureCount: 0)
            return false
        }
        enter(.closed(failureCount: 0))
        return true
    }

    /// Notes that a call has failed.
    ///
    /// - Returns: The pause, if calls are suspended from now on.
    mutating func failed(_ permit: Permit, at now: MonotonicInstant) -> Duration? {
        guard permit.era == era else { return nil }
        if case .closed(let count) = state, count + 1 < Self.failureLimit {
            state = .closed(failureCount: count + 1)
            return nil
        }
        let pause = min(Duration.seconds(1 << pauseCount), Self.longestPause)
        pauseCount = min(pauseCount + 1, 5)
        enter(.open(until: now + pause))
        return pause
    }

    private mutating func enter(_ next: State) {
        era += 1
        state = next
    }
}
