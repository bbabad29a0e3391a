// SPDX-License-Identifier: MIT

internal import Dispatch
internal import PortcullisTransport
internal import Synchronization

/// Threads for handlers that block: serial queues, each with at most one piece of work at a time.
///
/// Serial queues, because Dispatch gives each of them a thread when it needs one; a concurrent queue would
/// share as many threads as there are cores, and blocking handlers would delay the others.
package final class BlockingPool: Sendable {
    /// The most handlers that run at the same time.
    package static let width = 64
    /// The most handlers that wait for a thread; the next is answered 503.
    package static let maxWaitingCount = 4096

    private struct State {
        var idle: [DispatchQueue]
        var waiting = FIFOQueue<@Sendable () -> Void>()
    }

    private let state: Mutex<State>

    package init() {
        state = Mutex(State(idle: (0..<Self.width).map { DispatchQueue(label: "portcullis.blocking.\($0)") }))
    }

    /// The handlers that wait for a thread, and the most that may.
    var waiting: (count: Int, capacity: Int) { (state.withLock { $0.waiting.count }, Self.maxWaitingCount) }

    /// Runs work on a thread that it may block, and waits for it.
    ///
    /// - Throws: The error of the work; ``Overload`` if too many handlers wait.
    package func run<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result
    {
        try await withCheckedThrowingContinuation { continuation in
            let accepted = submit { continuation.resume(with: Swift.Result { try work() }) }
            if !accepted { continuation.resume(throwing: Overload()) }
        }
    }

    /// Too many handlers wait for a thread.
    package struct Overload: Error {}

    private func submit(_ work: @escaping @Sendable () -> Void) -> Bool {
        let queue: DispatchQueue?? = state.withLock { state in
            if let queue = state.idle.popLast() { return queue }
            guard state.waiting.count < Self.maxWaitingCount else { return .none }
            state.waiting.append(work)
            return .some(nil)
        }
        guard let queue else { return false }
        queue?.async { self.work(work, on: queue) }
        return true
    }

    private func work(_ first: @Sendable () -> Void, on queue: DispatchQueue?) {
        first()
        while let next = nextOrIdle(queue) { next() }
    }

    private func nextOrIdle(_ queue: DispatchQueue?) -> (@Sendable () -> Void)? {
        state.withLock { state in
            if let next = state.waiting.popFirst() { return next }
            if let queue { state.idle.append(queue) }
            return nil
        }
    }
}

extension BlockingPool.Overload: CustomStringConvertible {
    /// A phrase for a log.
    package var description: String { "too many blocking handlers wait for a thread" }
}
