// SPDX-License-Identifier: MIT

internal import Dispatch
internal import PortcullisTransport
internal import Synchronization

/// Lines on their way to where writing may take long: gathered by many threads, written by one.
///
/// Bounded: a line that finds no room is dropped and counted, and so is one that can't be written.
package final class LineQueue: Sendable {
    /// 1 MiB.
    package static let defaultMaxByteCount = 1_048_576
    /// How long lines are gathered before they are written together.
    private static let delay = DispatchTimeInterval.milliseconds(10)

    /// How often a loss is reported.
    private static let reportInterval = Duration.seconds(60)

    /// Why lines were lost.
    package enum LossReason: Sendable, Hashable {
        /// They came faster than they could be written.
        case queueFull
        /// The system refused to write them.
        case unwritable(LogFileError)
    }

    private struct State {
        var lines: [UInt8] = []
        /// Lines that found no room since the last that found some.
        var droppedCount = 0
        /// Lines that were not written since the last that were.
        var unwrittenCount = 0
        var lostCount = 0
        var isScheduled = false
        /// Lost lines that are in no report yet.
        var unreportedCount = 0
        var lossReason = LossReason.queueFull
        var reported: MonotonicInstant?

        mutating func lose(_ count: Int, _ reason: LossReason) {
            lostCount += count
            unreportedCount += count
            lossReason = reason
        }

        /// The lost lines that are to be reported, if it is time for a report.
        mutating func takeReport(isLast: Bool = false) -> (count: Int, reason: LossReason)? {
            guard unreportedCount > 0 else { return nil }
            let now = MonotonicInstant.now()
            if let reported, now < reported + LineQueue.reportInterval, !isLast { return nil }
            defer { unreportedCount = 0 }
            reported = now
            return (unreportedCount, lossReason)
        }
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "portcullis.log", qos: .utility)
    private let maxByteCount: Int
    private let write: @Sendable ([UInt8]) -> LogFile.Loss?
    private let appendDropped: @Sendable (_ count: Int, _ lines: inout [UInt8]) -> Void
    private let reportLoss: @Sendable (_ count: Int, _ reason: LossReason) -> Void

    /// Makes a queue.
    ///
    /// - Parameters:
    ///   - write: Takes whole lines and returns how many of them, the last ones, were lost; may hold its thread.
    ///   - appendDropped: Adds the line that says how many were dropped.
    ///   - reportLoss: Is called when lines are lost, at most once a minute, with the number of those since the last call.
    package init(
        maxByteCount: Int, write: @escaping @Sendable ([UInt8]) -> LogFile.Loss?,
        appendDropped: @escaping @Sendable (Int, inout [UInt8]) -> Void,
        reportLoss: @escaping @Sendable (Int, LossReason) -> Void
    ) {
        self.maxByteCount = maxByteCount
        self.write = write
        self.appendDropped = appendDropped
        self.reportLoss = reportLoss
    }

    /// Lines that found no room or could not be written.
    package var droppedLineCount: Int { state.withLock { $0.lostCount } }

    /// Adds the line that a closure appends, which has to be quick.
    package func add(_ append: (inout [UInt8]) -> Void) {
        let (schedules, report) = state.withLock { state -> (Bool, (count: Int, reason: LossReason)?) in
            guard state.lines.count < maxByteCount else {
                state.droppedCount += 1
                state.lose(1, .queueFull)
                return (false, state.takeReport())
            }
            append(&state.lines)
            defer { state.isScheduled = true }
            return (!state.isScheduled, nil)
        }
        if let report { reportLoss(report.count, report.reason) }
        if schedules { queue.asyncAfter(deadline: .now() + Self.delay) { self.drain() } }
    }

    private func drain() {
        // What was not written would have come before these lines, what found no room after them.
        let (lines, unwrittenCount, droppedCount) = state.withLock { state in
            var lines: [UInt8] = []
            if state.unwrittenCount > 0, !state.lines.isEmpty {
                appendDropped(state.unwrittenCount, &lines)
                lines += state.lines
                state.lines = []
            } else {
                swap(&lines, &state.lines)
            }
            if state.droppedCount > 0 { appendDropped(state.droppedCount, &lines) }
            defer {
                state.isScheduled = false
                if !lines.isEmpty { (state.unwrittenCount, state.droppedCount) = (0, 0) }
            }
            return (lines, state.unwrittenCount, state.droppedCount)
        }
        guard !lines.isEmpty, let loss = write(lines) else { return }
        // The lines about lost lines are no requests, and what they say is said again.
        var count = loss.unwrittenCount
        let losesFirst = unwrittenCount > 0 && count == lines.count { $0 == 0x0A }
        let losesLast = droppedCount > 0 && count > 0
        count += loss.tornCount - (losesFirst ? 1 : 0) - (losesLast ? 1 : 0)
        let report = state.withLock { state in
            state.lose(count, .unwritable(loss.error))
            state.unwrittenCount += count + (losesFirst ? unwrittenCount : 0) + (losesLast ? droppedCount : 0)
            return state.takeReport()
        }
        if let report { reportLoss(report.count, report.reason) }
    }

    /// Waits until everything that was added before is written, but not for ever: its reader may have stopped reading.
    package func flush(atMost limit: Duration) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let resume = Resumption(continuation)
            queue.async {
                self.drain()
                if let report = self.state.withLock({ $0.takeReport(isLast: true) }) {
                    self.reportLoss(report.count, report.reason)
                }
                resume()
            }
            DispatchQueue.global().asyncAfter(
                deadline: .now() + .nanoseconds(Int(clamping: limit.wholeNanoseconds))
            ) { resume() }
        }
    }
}

/// Resumes a continuation the first time it is called.
private final class Resumption: Sendable {
    private let waiter: Mutex<CheckedContinuation<Void, Never>?>

    init(_ continuation: CheckedContinuation<Void, Never>) {
        waiter = Mutex(continuation)
    }

    func callAsFunction() {
        waiter.withLock { waiter in
            defer { waiter = nil }
            return waiter
        }?.resume()
    }
}
