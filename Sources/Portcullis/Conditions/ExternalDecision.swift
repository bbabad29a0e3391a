// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisTransport
import Synchronization

/// A decision of the app about each request of a route, made after everything else has been checked.
///
///     let policy = ExternalDecision { question in
///         try await decisionPoint.evaluate(question.json).flatMap(AccessEvaluationResponse.init)
///     }
///     routes.delete("/{id}", requiring: AccessRequirement("notes:write").decided(by: policy)) { … }
///
/// A permit admits the request. A denial refuses it with 403 and `deniedByDecision`. No answer, an error, and
/// an answer that comes later than ``timeout`` refuse it with 503 and `decisionUnavailable`: nothing is
/// admitted by default. Nothing is remembered: each request asks.
///
/// The decision is asked in a task of its own, so it may wait for the network; the request waits at most for
/// ``timeout``. It must not block its thread. When the time is over, the task is cancelled, and its answer is
/// not used. A client's request for which a proof of possession was checked needs a new proof after a 503.
///
/// OpenID AuthZEN Authorization API 1.0.
public final class ExternalDecision: Sendable, Hashable {
    /// Answers a question; `nil` if there is no usable answer.
    public typealias Evaluate = @Sendable (AccessEvaluationRequest) async throws -> AccessEvaluationResponse?

    /// The longest time that a request waits: from 1 ms to 60 seconds.
    public let timeout: Duration
    private let evaluate: Evaluate

    /// Makes a decision.
    ///
    /// Traps if the timeout is less than a millisecond or more than a minute.
    ///
    /// - Parameters:
    ///   - timeout: How long a request waits for the answer. Default 2 seconds.
    ///   - file: The source file reported by a trap.
    ///   - line: The line reported by a trap.
    ///   - evaluate: Answers.
    public init(
        timeout: Duration = .seconds(2), file: StaticString = #fileID, line: UInt = #line,
        _ evaluate: @escaping Evaluate
    ) {
        endUnless(
            timeout >= .milliseconds(1) && timeout <= .seconds(60),
            "The timeout of a decision must be from a millisecond to a minute.", file: file, line: line)
        self.timeout = timeout
        self.evaluate = evaluate
    }

    /// Whether both are the same object.
    public static func == (first: ExternalDecision, second: ExternalDecision) -> Bool { first === second }

    /// Hashes the identity.
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }

    /// Asks, and returns `nil` if there is no answer in time.
    package func answer(to question: AccessEvaluationRequest) async -> AccessEvaluationResponse? {
        let race = Race()
        let (evaluate, timeout) = (evaluate, timeout)
        let asking = Task { race.end(try? await evaluate(question)) }
        let waiting = Task {
            guard (try? await Task.sleep(for: timeout)) != nil else { return }
            race.end(nil)
        }
        defer {
            asking.cancel()
            waiting.cancel()
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { race.wait($0) }
        } onCancel: {
            race.end(nil)
        }
    }

    /// Resumes once: with the answer, or with nothing when the time is over.
    private final class Race: Sendable {
        private enum State {
            case running
            case waiting(CheckedContinuation<AccessEvaluationResponse?, Never>)
            case ended(AccessEvaluationResponse?)
        }

        private let state = Mutex(State.running)

        func wait(_ continuation: CheckedContinuation<AccessEvaluationResponse?, Never>) {
            let known: AccessEvaluationResponse?? = state.withLock { state in
                if case .ended(let answer) = state { return .some(answer) }
                state = .waiting(continuation)
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }

        func end(_ answer: AccessEvaluationResponse?) {
            let continuation: CheckedContinuation<AccessEvaluationResponse?, Never>? = state.withLock {
                state in
                switch state {
                case .running:
                    state = .ended(answer)
                    return nil
                case .waiting(let continuation):
                    state = .ended(answer)
                    return continuation
                case .ended: return nil
                }
            }
            continuation?.resume(returning: answer)
        }
    }
}
