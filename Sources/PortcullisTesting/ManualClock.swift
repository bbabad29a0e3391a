// SPDX-License-Identifier: MIT

public import Portcullis
public import PortcullisJOSE
import PortcullisTransport
import Synchronization

/// A clock that advances only when a test moves it.
public final class ManualClock: Sendable {
    private struct State {
        var seconds: Double
        var elapsed: Duration = .seconds(1000)
    }

    private let state: Mutex<State>

    /// Creates a clock set to a time.
    ///
    /// Default 1800000000, which is Friday, 15 January 2027, 08:00:00 GMT.
    public init(at now: NumericDate = 1_800_000_000) {
        state = Mutex(State(seconds: now.seconds))
    }

    /// The clock's time.
    public var now: NumericDate {
        NumericDate(seconds: state.withLock { $0.seconds }) ?? 0
    }

    /// Moves the clock forward.
    public func advance(by duration: Duration) {
        let (seconds, attoseconds) = duration.components
        state.withLock {
            $0.seconds += Double(seconds) + Double(attoseconds) * 1e-18
            $0.elapsed += duration
        }
    }

    /// Sets the wall clock forward or back, as an operator does; the monotonic clock does not advance.
    public func set(to moment: NumericDate) {
        state.withLock { $0.seconds = moment.seconds }
    }

    /// A time source with both clocks of a resource, driven by this clock.
    public var time: TimeSource {
        TimeSource(
            now: { self.now },
            uptime: { MonotonicInstant(nanoseconds: 0) + self.state.withLock { $0.elapsed } })
    }
}
