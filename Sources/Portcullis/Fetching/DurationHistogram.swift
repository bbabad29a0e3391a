// SPDX-License-Identifier: MIT

import PortcullisTransport

/// Counts durations by upper bounds.
package struct DurationHistogram: Sendable, Hashable {
    /// The upper bounds, in microseconds.
    package let bounds: [UInt64]
    /// One for each bound, and one for durations above all bounds.
    package private(set) var buckets: [UInt64]
    package private(set) var sumNanoseconds: UInt64 = 0

    /// The bounds of `http.server.request.duration`, from 5 ms to 10 s.
    ///
    /// OpenTelemetry semantic conventions, HTTP metrics.
    package static let requestBounds: [UInt64] = [
        5000, 10_000, 25_000, 50_000, 75_000, 100_000, 250_000, 500_000, 750_000, 1_000_000, 2_500_000,
        5_000_000, 7_500_000, 10_000_000,
    ]

    package init(bounds: [UInt64] = requestBounds) {
        self.bounds = bounds
        buckets = [UInt64](repeating: 0, count: bounds.count + 1)
    }

    package var count: UInt64 { buckets.reduce(0, +) }

    package mutating func add(_ duration: Duration) {
        let nanoseconds = duration.wholeNanoseconds
        let index = bounds.firstIndex { nanoseconds <= $0 * 1000 } ?? bounds.count
        buckets[index] += 1
        sumNanoseconds &+= nanoseconds
    }

    /// Adds a histogram with the same bounds.
    package mutating func add(_ other: DurationHistogram) {
        for index in buckets.indices { buckets[index] += other.buckets[index] }
        sumNanoseconds &+= other.sumNanoseconds
    }
}
