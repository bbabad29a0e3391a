// SPDX-License-Identifier: MIT

internal import PortcullisTransport

/// Measures the rate of a body: the time that its handler has waited, and the bytes received.
struct BodyClock {
    private var waited = Duration.zero
    private var waitingSince: MonotonicInstant?
    private var byteCount = 0
    /// The longest pause in nanoseconds, if the route has a limit of its own.
    var timeout: UInt64?
    /// The minimum rate, if the route has one of its own.
    var minBytesPerSecond: Int?

    mutating func beginWaiting(_ now: MonotonicInstant) {
        waitingSince = now
    }

    mutating func endWaiting(_ now: MonotonicInstant) {
        guard let waitingSince else { return }
        waited += now - waitingSince
        self.waitingSince = nil
    }

    mutating func received(_ count: Int) {
        byteCount += count
    }

    /// Whether the client is slower than the minimum rate, after the grace period.
    func isTooSlow(_ limits: Server.Limits) -> Bool {
        let counted = waited - limits.bodyRateGracePeriod
        guard counted > .zero else { return false }
        let rate = minBytesPerSecond ?? limits.minBodyBytesPerSecond
        let owed = Double(counted.wholeNanoseconds) / 1e9 * Double(rate)
        return Double(byteCount) < owed
    }
}
