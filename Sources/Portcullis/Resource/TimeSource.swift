// SPDX-License-Identifier: MIT

public import PortcullisJOSE
public import PortcullisTransport

/// The clocks of the gate, replaceable so that tests need not wait.
public struct TimeSource: Sendable {
    /// The wall clock, for `exp`, `nbf` and `iat`.
    public let now: @Sendable () -> NumericDate
    /// The monotonic clock, for the age of keys and cached results.
    public let uptime: @Sendable () -> MonotonicInstant

    /// Makes a time source of two clocks.
    public init(
        now: @escaping @Sendable () -> NumericDate,
        uptime: @escaping @Sendable () -> MonotonicInstant
    ) {
        self.now = now
        self.uptime = uptime
    }

    /// The system's clocks.
    public static let system = TimeSource(now: systemTime, uptime: { MonotonicInstant.now() })

    private static let systemTime: @Sendable () -> NumericDate = {
        NumericDate(seconds: TimeOfDay.secondsSince1970()) ?? 0
    }
}
