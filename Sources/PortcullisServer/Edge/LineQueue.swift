// SPDX-License-Identifier: MIT

internal import Dispatch
internal import PortcullisTransport
internal import Synchronization

/// Lines on their way to where writing may take long: gathered by many threads, written by one.
///
/// Bounded: a line that finds no room is dropped and counted.
package final class LineQueue: Sendable {
    /// 1 MiB.
    package static let defaultMaxByteCount = 1_048_576
    /// How long lines are gathered before they are written together.
    private static let delay = DispatchTimeInterval.milliseconds(10)

    private struct State {
        var lines: [UInt8] = []
        /// Lines that were dropped since the last that were written.
        var droppedCount = 0
        var allDroppedCount = 0
        var isScheduled = false
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "portcullis.log", qos: .utility)
    private let maxByteCount: Int
    private let write: @Sendable ([UInt8]) -> Void
    private let appendDropped: @Sendable (_ count: Int, _ lines: inout [UInt8]) -> Void

    /// Makes a queue.
    ///
    /// - Parameters:
    ///   - write: Takes whole lines; may hold its thread.
    ///   - appendDropped: Adds the line that says how many were dropped.
    package init(
        maxByteCount: Int, write: @escaping @Sendable ([UInt8]) -> Void,
        appendDropped: @escaping @Sendable (Int, inout [UInt8]) -> Void
    ) {
        self.maxByteCount = maxByteCount
        self.write = write
        self.appendDropped = appendDropped
    }

    package var droppedLineCount: Int { state.withLock { $0.allDroppedCount } }

    /// Adds the line that a closure appends, which has to be quick.
    package func add(_ append: (inout [UInt8]) -> Void) {
        let schedules = state.withLock { state in
            guard state.lines.count < maxByteCount else {
                state.droppedCount += 1
                state.allDroppedCount += 1
                return false
            }
            append(&state.lines)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if schedules { queue.asyncAfter(deadline: .now() + Self.delay) { self.drain() } }
    }

    private func drain() {
        let lines = state.withLock { state in
            var lines: [UInt8] = []
            swap(&lines, &state.lines)
            state.isScheduled = false
            if state.droppedCount > 0 {
                appendDropped(state.droppedCount, &lines)
                state.droppedCount = 0
            }
            return lines
        }
        if !lines.isEmpty { write(lines) }
    }

    /// Waits until everything that was added before is written, but not for ever: its reader may have stopped reading.
    package func flush(atMost limit: Duration) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let resume = Resumption(continuation)
            queue.async {
                self.drain()
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
