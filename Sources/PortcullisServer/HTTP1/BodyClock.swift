// SPDX-License-Identifier: MIT

internal import PortcullisTransport

/// Measures the rate of a body: the time that its handler has waited, and the bytes received.
struct BodyClock {
    private var waited = Duration.zero
    private var waitingSince: MonotonicInstant?
    private var byteCount = 0

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
        let owed = Double(counted.wholeNanoseconds) / 1e9 * Double(limits.minBodyBytesPerSecond)
        return Double(byteCount) < owed
    }
}
