// SPDX-License-Identifier: MIT

internal import PortcullisTransport

/// Notices handlers that keep the thread of an event loop, and says so.
///
/// Looks at a coarse clock before and after, which costs less than the request's own bookkeeping.
struct Watchdog {
    /// From this time on a handler delays others noticeably.
    static let thresholdNanoseconds: UInt64 = 100_000_000
    /// The log is told at most once in this time, for each loop; metrics count all.
    private static let logInterval = Duration.seconds(1)

    private var lastHold = MonotonicInstant(nanoseconds: 0)
    private var lastLine = MonotonicInstant(nanoseconds: 0)
    private var lastAnswer = MonotonicInstant(nanoseconds: 0)
    private var lastAnswered: CompiledRoute?

    /// A handler that may wait has ended with an answer.
    mutating func answered(_ route: CompiledRoute) {
        lastAnswered = route
        lastAnswer = .coarse()
    }

    /// The route of a handler that has ended within the last so many nanoseconds.
    func answered(within nanoseconds: UInt64) -> CompiledRoute? {
        isWithin(nanoseconds, lastAnswer) ? lastAnswered : nil
    }

    /// Whether a hold was noticed within the last so many nanoseconds: it was the same one.
    func hasNoticed(within nanoseconds: UInt64) -> Bool {
        isWithin(nanoseconds, lastHold)
    }

    private func isWithin(_ nanoseconds: UInt64, _ instant: MonotonicInstant) -> Bool {
        instant.advanced(byNanoseconds: nanoseconds) > .coarse()
    }

    /// Takes note of a hold, and says whether the log should be told.
    mutating func notice() -> Bool {
        let now = MonotonicInstant.coarse()
        lastHold = now
        guard now - lastLine >= Self.logInterval else { return false }
        lastLine = now
        return true
    }
}

extension LoopContext {
    /// Runs a handler that returns at once, or should.
    @inline(__always)
    func watching<Result>(_ route: CompiledRoute, _ handle: () -> Result) -> Result {
        let start = MonotonicInstant.coarse().nanoseconds
        let result = handle()
        let held = MonotonicInstant.coarse().nanoseconds &- start
        if held > Watchdog.thresholdNanoseconds { noticeHold(route.name, held) }
        return result
    }

    /// Has the loop tell of jobs, the pieces of handlers that may wait, that kept its thread.
    func watchJobs() {
        loop.watchJobs(longerThan: Watchdog.thresholdNanoseconds) { held in self.jobHeld(held) }
    }

    /// A job does not say whose it is: of the handler that has just ended, else of one that has not.
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
            "warning: the handler of \(name) held its event loop for \(nanoseconds / 1_000_000) ms, while other "
                + "connections waited; what holds its thread belongs into a blocking route")
    }
}
