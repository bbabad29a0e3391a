// SPDX-License-Identifier: MIT

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// An instant of a monotonic clock, in nanoseconds from an arbitrary start.
///
/// For deadlines. `exp` uses the wall clock instead.
public struct MonotonicInstant: Sendable, Hashable, Comparable {
    /// Nanoseconds since the clock's start.
    public let nanoseconds: UInt64

    /// Makes an instant, for test clocks.
    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// The current instant.
    public static func now() -> MonotonicInstant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicInstant(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }

    /// The current instant to within a few milliseconds, at a fraction of the cost.
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

    /// The instant `duration` later.
    ///
    /// Negative durations count as zero; overflow gives the latest instant.
    public static func + (instant: MonotonicInstant, duration: Duration) -> MonotonicInstant {
        instant.advanced(byNanoseconds: duration.wholeNanoseconds)
    }

    /// The instant this many nanoseconds later; overflow gives ``distantFuture``.
    package func advanced(byNanoseconds count: UInt64) -> MonotonicInstant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(count)
        return overflow ? .distantFuture : MonotonicInstant(nanoseconds: sum)
    }

    /// The time from `earlier` to `later`; zero if `later` is earlier.
    public static func - (later: MonotonicInstant, earlier: MonotonicInstant) -> Duration {
        .nanoseconds(later > earlier ? Int64(clamping: later.nanoseconds - earlier.nanoseconds) : 0)
    }
}

extension Duration {
    /// The duration in nanoseconds, clamped to 64 bits; zero if negative.
    package var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = product.addingReportingOverflow(UInt64(attoseconds) / 1_000_000_000)
        return overflow || carry ? .max : sum
    }
}
