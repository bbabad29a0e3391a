// SPDX-License-Identifier: MIT

import Dispatch
import PortcullisTransport

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How the program ends.
enum Outcome: Int32 {
    case success = 0
    /// The configuration is wrong, or the address can't be had.
    case failure = 1
    /// Wrong words on the command line.
    case misuse = 2
}

/// Ends the process at once.
///
/// An ordinary `exit` has OpenSSL tidy up, under the hands of threads that are still closing connections to authorization servers.
func exit(with outcome: Outcome) -> Never {
    _exit(outcome.rawValue)
}

/// Does the work on other threads while this one, the first of the process, waits, and then ends the process.
///
/// An asynchronous `main` would do the same, but ends the first thread on the way, for which the tables of every library on its
/// stack are read: a third of a megabyte that nobody needs again.
func exitAfter(_ work: @escaping @Sendable () async -> Outcome) -> Never {
    Task.detached { exit(with: await work()) }
    while true { pause() }
}

/// Unbuffered, so that a line can be seen as soon as it is written.
enum StandardOutput {
    static func write(_ text: String) { StandardDescriptors.writeAll(text, to: 1) }
}

enum StandardError {
    static func write(_ text: String) { StandardDescriptors.writeAll(text, to: 2) }
}

/// Lets the program have as many files open as the system allows it, since each connection is one.
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

/// The signals that the program answers.
///
/// The library leaves them alone.
final class SignalHandlers {
    private let sources: [any DispatchSourceSignal]

    /// Calls `stop` on SIGTERM and SIGINT, and `hangUp` on SIGHUP, for as long as this object lives.
    init(stop: @escaping @Sendable () -> Void, hangUp: @escaping @Sendable () -> Void) {
        // Writing to a reader that has gone is an error of the write, not the end of the program.
        signal(SIGPIPE, SIG_IGN)
        // So is writing to a log that has reached the largest size of a file.
        signal(SIGXFSZ, SIG_IGN)
        let queue = DispatchQueue(label: "signals")
        func source(_ number: Int32, _ handle: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler(handler: handle)
            source.activate()
            return source
        }
        sources = [source(SIGTERM, stop), source(SIGINT, stop), source(SIGHUP, hangUp)]
    }

    deinit {
        for source in sources { source.cancel() }
    }
}
