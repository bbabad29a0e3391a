// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import Synchronization

/// One request in flight, and the caller that waits for its response.
///
/// Finishes exactly once, with whichever comes first: the response, a failure, cancellation, or the release
/// of the exchange.
final class Exchange: Sendable {
    typealias Outcome = Result<ReceivedResponse, HTTPClientError>

    private enum State {
        case new
        case waiting(CheckedContinuation<Outcome, Never>)
        case calling(@Sendable (Outcome) -> Void)
        case finishedEarly(Outcome)
        case finished
    }

    let origin: Origin
    let method: Method
    /// Head and body as sent.
    ///
    /// Never logged.
    let message: [UInt8]
    let deadline: MonotonicInstant
    let maxResponseByteCount: Int
    let isRepeatable: Bool
    /// Whether it has priority over other waiting exchanges: a `GET` fetches keys or metadata that many
    /// requests need, and is rare.
    var goesFirst: Bool { method == .get }
    private let repeated = Atomic<Bool>(false)
    private let state: Mutex<State>

    /// Makes an exchange that a task will wait for.
    convenience init(
        _ prepared: PreparedRequest, sending request: HTTPClient.Request, now: MonotonicInstant
    ) {
        self.init(
            prepared, message: prepared.message(with: request.body), deadline: now + request.deadline,
            maxResponseByteCount: request.maxResponseByteCount, isRepeatable: request.isRepeatable, .new)
    }

    /// Makes an exchange that passes its outcome to a closure, on any thread.
    convenience init(
        _ prepared: PreparedRequest, message: [UInt8], deadline: MonotonicInstant, maxResponseByteCount: Int,
        isRepeatable: Bool, then finish: @escaping @Sendable (Outcome) -> Void
    ) {
        self.init(
            prepared, message: message, deadline: deadline, maxResponseByteCount: maxResponseByteCount,
            isRepeatable: isRepeatable, .calling(finish))
    }

    private init(
        _ prepared: PreparedRequest, message: [UInt8], deadline: MonotonicInstant, maxResponseByteCount: Int,
        isRepeatable: Bool, _ state: State
    ) {
        origin = prepared.origin
        method = prepared.method
        self.message = message
        self.deadline = deadline
        self.maxResponseByteCount = max(0, maxResponseByteCount)
        self.isRepeatable = isRepeatable
        self.state = Mutex(state)
    }

    deinit {
        finish(.failure(.closed))
    }

    var isFinished: Bool {
        state.withLock {
            switch $0 {
            case .new, .waiting, .calling: false
            case .finishedEarly, .finished: true
            }
        }
    }

    /// Sets the continuation of the waiting task.
    ///
    /// Resumes it at once if the exchange is already finished.
    func begin(_ continuation: CheckedContinuation<Outcome, Never>) {
        let early: Outcome? = state.withLock {
            guard case .finishedEarly(let outcome) = $0 else {
                $0 = .waiting(continuation)
                return nil
            }
            $0 = .finished
            return outcome
        }
        if let early { continuation.resume(returning: early) }
    }

    /// Passes the outcome to the waiting task or closure.
    ///
    /// Only the first outcome counts.
    func finish(_ outcome: Outcome) {
        let before = state.withLock { state in
            let before = state
            switch state {
            case .new: state = .finishedEarly(outcome)
            case .waiting, .calling: state = .finished
            case .finishedEarly, .finished: break
            }
            return before
        }
        switch before {
        case .waiting(let continuation): continuation.resume(returning: outcome)
        case .calling(let finish): finish(outcome)
        case .new, .finishedEarly, .finished: break
        }
    }

    /// Whether the exchange may be sent a second time; true only once.
    func takeRepetition() -> Bool {
        !repeated.exchange(true, ordering: .relaxed)
    }
}
