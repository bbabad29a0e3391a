// SPDX-License-Identifier: MIT

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A moment of a clock that never goes back and does not know the date, in nanoseconds from an arbitrary start.
///
/// For deadlines. The seconds of `exp` come from another clock.
public struct MonotonicInstant: Sendable, Hashable, Comparable {
    /// Nanoseconds since the clock's start.
    public let nanoseconds: UInt64

    /// Makes an instant, for clocks of tests.
    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// The instant at which this is called.
    public static func now() -> MonotonicInstant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicInstant(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }

    /// An instant a few milliseconds ago at most, at a fraction of the price.
    package static func coarse() -> MonotonicInstant {
        #if canImport(Glibc)
            let clock = CLOCK_MONOTONIC_COARSE
        #else
            let clock = CLOCK_MONOTONIC_RAW_APPROX
        #endif
        var time = timespec()
        clock_gettime(clock, &time)
        return MonotonicInstant(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }

    /// Later than any deadline: no deadline at all.
    package static let distantFuture = MonotonicInstant(nanoseconds: .max)

    /// Orders instants by time.
    public static func < (first: MonotonicInstant, second: MonotonicInstant) -> Bool {
        first.nanoseconds < second.nanoseconds
    }

    /// The instant that lies `duration` later.
    ///
    /// Negative durations count as zero, and the end of time is the limit.
    public static func + (instant: MonotonicInstant, duration: Duration) -> MonotonicInstant {
        instant.advanced(byNanoseconds: duration.wholeNanoseconds)
    }

    /// The instant that lies so many nanoseconds later, at most the end of time.
    package func advanced(byNanoseconds count: UInt64) -> MonotonicInstant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(count)
        return overflow ? .distantFuture : MonotonicInstant(nanoseconds: sum)
    }

    /// The time from `earlier` to `later`, zero if they stand the other way round.
    public static func - (later: MonotonicInstant, earlier: MonotonicInstant) -> Duration {
        .nanoseconds(later > earlier ? Int64(clamping: later.nanoseconds - earlier.nanoseconds) : 0)
    }
}

extension Duration {
    /// The duration in nanoseconds, clamped to what 64 bits hold; zero for negative ones.
    package var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = product.addingReportingOverflow(UInt64(attoseconds) / 1_000_000_000)
        return overflow || carry ? .max : sum
    }
}
