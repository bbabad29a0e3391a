// SPDX-License-Identifier: MIT

import PortcullisTransport

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The exit status.
enum Outcome: Int32 {
    case success = 0
    /// The configuration is invalid, or the address cannot be bound.
    case failure = 1
    /// The command line is invalid.
    case misuse = 2
}

/// Ends the process at once.
///
/// `exit` would run OpenSSL's cleanup while other threads still close connections to authorization servers.
func exit(with outcome: Outcome) -> Never {
    _exit(outcome.rawValue)
}

/// Runs the work on other threads while the main thread waits, and then ends the process.
///
/// An asynchronous `main` would end the main thread, which reads the unwind tables of every library on its
/// stack: a third of a megabyte of memory that is never used again.
func exitAfter(_ work: @escaping @Sendable () async -> Outcome) -> Never {
    Task.detached { exit(with: await work()) }
    while true { pause() }
}

/// Writes unbuffered, so that each line is visible at once.
enum StandardOutput {
    static func write(_ text: String) { StandardDescriptors.writeAll(text, to: 1) }
}

enum StandardError {
    static func write(_ text: String) { StandardDescriptors.writeAll(text, to: 2) }
}

/// Raises the limit of open files to the maximum, since each connection needs one.
func raiseDescriptorLimit() {
    #if canImport(Glibc)
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        let resource = RLIMIT_NOFILE
    #endif
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
    #if canImport(Glibc)
        limit.rlim_cur = limit.rlim_max
    #else
        limit.rlim_cur = min(limit.rlim_max, rlim_t(OPEN_MAX))
    #endif
    _ = setrlimit(resource, &limit)
}

/// Calls `stop` on SIGTERM and SIGINT, and `hangUp` on SIGHUP, for as long as the result lives.
func handleSignals(
    stop: @escaping @Sendable () -> Void, hangUp: @escaping @Sendable () -> Void
) -> SignalHandlers {
    // A write to a closed pipe fails with EPIPE instead of ending the program.
    signal(SIGPIPE, SIG_IGN)
    // A write beyond the file size limit, such as to a log, fails with EFBIG.
    signal(SIGXFSZ, SIG_IGN)
    return SignalHandlers([(SIGTERM, stop), (SIGINT, stop), (SIGHUP, hangUp)], restoresDefaults: false)
}
