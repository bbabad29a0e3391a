// SPDX-License-Identifier: MIT

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The machine's wall clock, which may be set and may jump.
package enum TimeOfDay {
    /// Seconds since the beginning of 1970, without leap seconds.
    package static func secondsSince1970() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
