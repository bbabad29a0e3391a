// SPDX-License-Identifier: MIT

public import PortcullisJOSE
public import PortcullisTransport

/// Where the gate learns what time it is, so that tests need not wait.
public struct TimeSource: Sendable {
    /// The time of day, which `exp`, `nbf` and `iat` are compared with.
    public let now: @Sendable () -> NumericDate
    /// A time that never goes back, for the age of keys and of cached results.
    public let uptime: @Sendable () -> MonotonicInstant

    /// Makes a source of these two.
    public init(
        now: @escaping @Sendable () -> NumericDate,
        uptime: @escaping @Sendable () -> MonotonicInstant
    ) {
        self.now = now
        self.uptime = uptime
    }

    /// The machine's own clocks.
    public static let system = TimeSource(now: systemTime, uptime: { MonotonicInstant.now() })

    private static let systemTime: @Sendable () -> NumericDate = {
        NumericDate(seconds: TimeOfDay.secondsSince1970()) ?? 0
    }
}
