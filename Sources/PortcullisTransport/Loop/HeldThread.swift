// SPDX-License-Identifier: MIT

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Blocks the thread on purpose, as an example of what must not run on an event loop.
package enum HeldThread {
    /// Sleeps without releasing the thread.
    package static func sleep(for duration: Duration) {
        let nanoseconds = duration.wholeNanoseconds
        var wanted = timespec(
            tv_sec: time_t(clamping: nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        var remaining = timespec()
        while nanosleep(&wanted, &remaining) != 0, errno == EINTR { wanted = remaining }
    }
}
