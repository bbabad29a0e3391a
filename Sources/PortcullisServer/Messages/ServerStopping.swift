// SPDX-License-Identifier: MIT

internal import Synchronization

/// The moment when a server begins to stop, for handlers and streams that would go on for long.
///
///     routes.get("/events") { request in
///         .stream(contentType: "text/plain") { writer in
///             while !request.stopping.hasBegun { try await writer.write(await nextEvent()) }
///         }
///     }
///
/// From then on the server accepts no connection, and cuts what has not ended after
/// ``Server/Configuration/shutdownGracePeriod``. Find it in ``Request/stopping``.
public final class ServerStopping: Sendable {
    private struct State {
        var hasBegun = false
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var lastWaiter = 0
    }

    private let state = Mutex(State())

    init() {}

    /// Whether the server is stopping, or has stopped.
    public var hasBegun: Bool { state.withLock { $0.hasBegun } }

    /// Waits until the server begins to stop, or until this task is cancelled.
    public func untilBegun() async {
        let waiter = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.hasBegun || Task.isCancelled { return true }
                    state.waiters[waiter] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: waiter) }?.resume()
        }
    }

    /// The server begins to stop.
    func begin() {
        let waiters = state.withLock { state in
            state.hasBegun = true
            defer { state.waiters = [:] }
            return state.waiters.values.map { $0 }
        }
        for waiter in waiters { waiter.resume() }
    }

    /// The server runs again.
    func reset() {
        state.withLock { $0.hasBegun = false }
    }
}
