// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import Synchronization

/// One request on its way, and whoever waits for its answer.
///
/// The waiting task is resumed once, whichever comes first: the answer, a failure, cancellation, or nobody's being left to answer.
final class Exchange: Sendable {
    typealias Outcome = Result<HTTPClient.Response, HTTPClientError>

    private enum State {
        case new
        case waiting(CheckedContinuation<Outcome, Never>)
        case finishedEarly(Outcome)
        case finished
    }

    /// The fields that the client sets itself, or that would change what it and the server agree on.
    private static let reservedFields: Set<FieldName> = [
        .host, .contentLength, .connection, .transferEncoding, .trailer, .expect, .keepAlive, "TE", "Upgrade",
        "Proxy-Connection",
    ]

    let origin: Origin
    let method: Method
    /// Head and body as they are sent.
    ///
    /// Never logged.
    let message: [UInt8]
    let deadline: MonotonicInstant
    let maxResponseByteCount: Int
    let isRepeatable: Bool
    private let repeated = Atomic<Bool>(false)
    private let state = Mutex<State>(.new)

    init(_ request: HTTPClient.Request, now: MonotonicInstant) throws(HTTPClientError) {
        let url = try RequestURL(request.url)
        guard request.method != .connect else { throw .invalidMethod }
        var fields = Fields()
        for (name, value) in request.fields {
            guard !Self.reservedFields.contains(name) else { throw .reservedField }
            guard Fields.isValid(value) else { throw .invalidField }
            fields.append(value, for: name)
        }
        var message: [UInt8] = []
        message.reserveCapacity(512 + request.body.count)
        do throws(MalformedMessage) {
            try HeadSerializer.appendRequest(
                method: request.method, target: url.target, host: url.authority, fields: fields,
                bodyByteCount: request.body.count, to: &message)
        } catch {
            throw error == .invalidMethod ? .invalidMethod : .invalidURL
        }
        message += request.body
        origin = url.origin
        method = request.method
        self.message = message
        deadline = now + request.deadline
        maxResponseByteCount = max(0, request.maxResponseByteCount)
        isRepeatable = request.isRepeatable
    }

    deinit {
        finish(.failure(.closed))
    }

    var isFinished: Bool {
        state.withLock {
            switch $0 {
            case .new, .waiting: false
            case .finishedEarly, .finished: true
            }
        }
    }

    /// Takes the task that waits.
    ///
    /// If the exchange is finished already, it is resumed at once.
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

    /// Hands the outcome to the waiting task.
    ///
    /// Only the first outcome counts.
    func finish(_ outcome: Outcome) {
        let waiting: CheckedContinuation<Outcome, Never>? = state.withLock {
            switch $0 {
            case .new:
                $0 = .finishedEarly(outcome)
                return nil
            case .waiting(let continuation):
                $0 = .finished
                return continuation
            case .finishedEarly, .finished:
                return nil
            }
        }
        waiting?.resume(returning: outcome)
    }

    /// Whether the exchange may be sent a second time; true only once.
    func takeRepetition() -> Bool {
        !repeated.exchange(true, ordering: .relaxed)
    }
}
