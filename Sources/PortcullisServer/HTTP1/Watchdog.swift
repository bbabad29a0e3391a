// SPDX-License-Identifier: MIT

internal import PortcullisTransport

/// Detects and reports handlers that block the thread of an event loop.
///
/// Reads a coarse clock before and after, which costs less than the request's own bookkeeping.
struct Watchdog {
    /// A handler that blocks for longer delays other connections noticeably.
    static let thresholdNanoseconds: UInt64 = 100_000_000
    /// Logs at most once in this time for each loop; metrics count every hold.
    private static let logInterval = Duration.seconds(1)

    private var lastHold = MonotonicInstant(nanoseconds: 0)
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

    /// Whether a hold was recorded within this many nanoseconds, which then is the same hold.
    func hasNoticed(within nanoseconds: UInt64) -> Bool {
        isWithin(nanoseconds, lastHold)
    }

    private func isWithin(_ nanoseconds: UInt64, _ instant: MonotonicInstant) -> Bool {
        instant.advanced(byNanoseconds: nanoseconds) > .coarse()
    }

    /// Records a hold, and returns whether to log it.
    mutating func notice() -> Bool {
        let now = MonotonicInstant.coarse()
        lastHold = now
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
        let held = MonotonicInstant.coarse().nanoseconds &- start
        if held > Watchdog.thresholdNanoseconds { noticeHold(route.name, held) }
        return result
    }

    /// Watches for jobs of asynchronous handlers that block the loop's thread.
    func watchJobs() {
        loop.watchJobs(longerThan: Watchdog.thresholdNanoseconds) { held in self.jobHeld(held) }
    }

    /// A job does not name its handler: assume the handler that has just returned, otherwise the running
    /// ones.
    private func jobHeld(_ nanoseconds: UInt64) {
        guard !watchdog.hasNoticed(within: nanoseconds) else { return }
        if let route = watchdog.answered(within: nanoseconds) { return noticeHold(route.name, nanoseconds) }
        let names = Set(taskRoutes.map(\.name)).sorted()
        noticeHold(names.isEmpty ? "unknown" : names.prefix(4).joined(separator: ", "), nanoseconds)
    }

    private func noticeHold(_ name: String, _ nanoseconds: UInt64) {
        recorder?.record(.loopHeld(route: name, .nanoseconds(Int64(clamping: nanoseconds))))
        guard watchdog.notice() else { return }
        core.log(
            "warning: the handler of \(name) held its event loop for \(nanoseconds / 1_000_000) ms and "
                + "delayed other connections; declare a handler that blocks in a blocking route")
    }
}
