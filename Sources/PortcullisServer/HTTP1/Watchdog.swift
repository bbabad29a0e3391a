// SPDX-License-Identifier: MIT

internal import PortcullisTransport

/// Detects and reports handlers that block the thread of an event loop.
///
/// Reads a coarse clock before and after a handler, which costs less than the rest of a request's overhead.
struct Watchdog {
    /// A handler that blocks for longer delays other connections noticeably.
    static let thresholdNanoseconds: UInt64 = 100_000_000
    /// Logs at most once in this time for each loop; metrics count every incident.
    private static let logInterval = Duration.seconds(1)

    private var lastBlock = MonotonicInstant(nanoseconds: 0)
    private var lastLine = MonotonicInstant(nanoseconds: 0)
    private var lastAnswer = MonotonicInstant(nanoseconds: 0)
    private var lastAnswered: CompiledRoute?

    /// An asynchronous handler has returned a response.
    mutating func answered(_ route: CompiledRoute) {
        lastAnswered = route
        lastAnswer = .coarse()
    }

    /// The route of a handler that has returned within this many nanoseconds.
    func answered(within nanoseconds: UInt64) -> CompiledRoute? {
        isWithin(nanoseconds, lastAnswer) ? lastAnswered : nil
    }

    /// Whether a blocked loop was recorded within this many nanoseconds; then it is the same incident.
    func hasNoticed(within nanoseconds: UInt64) -> Bool {
        isWithin(nanoseconds, lastBlock)
    }

    private func isWithin(_ nanoseconds: UInt64, _ instant: MonotonicInstant) -> Bool {
        instant.advanced(byNanoseconds: nanoseconds) > .coarse()
    }

    /// Records that the loop was blocked, and returns whether to log it.
    mutating func notice() -> Bool {
        let now = MonotonicInstant.coarse()
        lastBlock = now
        guard now - lastLine >= Self.logInterval else { return false }
        lastLine = now
        return true
    }
}

extension LoopContext {
    /// Runs a handler that should return at once.
    @inline(__always)
    func watching<Result>(_ route: CompiledRoute, _ handle: () -> Result) -> Result {
        let start = MonotonicInstant.coarse().nanoseconds
        let result = handle()
        let blocked = MonotonicInstant.coarse().nanoseconds &- start
        if blocked > Watchdog.thresholdNanoseconds { recordBlock(route.name, blocked) }
        return result
    }

    /// Watches for jobs of asynchronous handlers that block the loop's thread.
    func watchJobs() {
        loop.watchJobs(longerThan: Watchdog.thresholdNanoseconds) { self.jobBlocked($0) }
    }

    /// A job does not name its handler: assume the handler that has just returned, otherwise the running
    /// ones.
    private func jobBlocked(_ nanoseconds: UInt64) {
        guard !watchdog.hasNoticed(within: nanoseconds) else { return }
        if let route = watchdog.answered(within: nanoseconds) { return recordBlock(route.name, nanoseconds) }
        let names = Set(taskRoutes.map(\.name)).sorted()
        recordBlock(names.isEmpty ? "unknown" : names.prefix(4).joined(separator: ", "), nanoseconds)
    }

    private func recordBlock(_ name: String, _ nanoseconds: UInt64) {
        recorder?.record(.loopHeld(route: name, .nanoseconds(Int64(clamping: nanoseconds))))
        guard watchdog.notice() else { return }
        core.log(
            .warning(
                "the handler of \(name) blocked its event loop for \(nanoseconds / 1_000_000) ms and delayed "
                    + "other connections; declare a handler that blocks inside Routes.blocking",
                ["route": name]))
    }
}
