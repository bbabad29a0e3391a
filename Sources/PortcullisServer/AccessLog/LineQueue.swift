// SPDX-License-Identifier: MIT

internal import Dispatch
internal import PortcullisTransport
internal import Synchronization

/// A queue of lines: many threads add lines, and one thread writes them, which may block.
///
/// Bounded: drops and counts lines beyond the limit, and lines that can't be written.
package final class LineQueue: Sendable {
    /// 1 MiB.
    package static let defaultMaxByteCount = 1_048_576
    /// How long lines are collected before they are written together.
    private static let delay = DispatchTimeInterval.milliseconds(10)

    /// The minimum time between two reports of lost lines.
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
        /// Lines dropped because the queue was full, since the last line that was added.
        var droppedCount = 0
        /// Lines that could not be written since the last successful write.
        var unwrittenCount = 0
        var lostCount = 0
        var isScheduled = false
        /// Lost lines that have not been reported.
        var unreportedCount = 0
        var lossReason = LossReason.queueFull
        var reported: MonotonicInstant?

        mutating func lose(_ count: Int, _ reason: LossReason) {
            lostCount += count
            unreportedCount += count
            lossReason = reason
        }

        /// The lost lines to report, if it is time for a report.
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

    /// Creates a queue.
    ///
    /// - Parameters:
    ///   - write: Writes whole lines, and returns how many were lost, or `nil`; may block its thread.
    ///   - appendDropped: Appends the line with the number of dropped lines.
    ///   - reportLoss: Called when lines are lost, at most once a minute, with their number since the last
    ///     call.
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

    /// The number of lines dropped so far, because the queue was full or they could not be written.
    package var droppedLineCount: Int { state.withLock { $0.lostCount } }

    /// Adds the line that a closure appends; the closure must be quick.
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
        // Report lines that could not be written before these lines, and lines dropped because the queue was
        // full after them.
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
        // A line that reports lost lines is not a request: do not count it, but report its number again.
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

    /// Waits until all lines added before are written, for at most `limit`: the reader may have stopped.
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
