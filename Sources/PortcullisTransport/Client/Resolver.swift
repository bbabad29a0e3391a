// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Looks host names up outside the event loops, because the system's resolver blocks its thread.
///
/// Equal questions share one look-up. Caches addresses for a short time, failures never. Limits the look-ups
/// that run and that wait; beyond the limits a look-up fails at once.
package final class Resolver: Sendable {
    package typealias Answer = Result<[ResolvedAddress], HTTPClientError>
    package typealias LookUp =
        @Sendable (_ host: String, _ port: Int) -> Result<[ResolvedAddress], SocketError>

    private struct Question: Hashable {
        let host: String
        let port: Int
    }

    private struct State {
        var cache: [Question: (addresses: [ResolvedAddress], until: MonotonicInstant)] = [:]
        var callbacks: [Question: [@Sendable (Answer) -> Void]] = [:]
        var queued: [Question] = []
        var runningCount = 0
    }

    private enum Step {
        case answer(Answer)
        case run, wait
    }

    /// The default for the most look-ups that run at the same time.
    package static let maximumRunningCount = 4
    /// The most look-ups that wait.
    package static let maximumQueuedCount = 64
    private static let maximumCacheCount = 256

    private let lookUp: LookUp
    private let runningCount: Int
    private let lifetime: Duration
    private let queue = DispatchQueue(label: "portcullis.resolver", attributes: .concurrent)
    private let state = Mutex(State())

    /// Makes a resolver that caches addresses for `lifetime`, and runs `runningCount` look-ups at a time.
    package init(
        lifetime: Duration = .seconds(30), runningCount: Int = maximumRunningCount, lookUp: LookUp? = nil
    ) {
        self.lifetime = lifetime
        self.runningCount = runningCount
        self.lookUp = lookUp ?? { Self.systemAddresses(host: $0, port: $1) }
    }

    private static func systemAddresses(host: String, port: Int) -> Result<[ResolvedAddress], SocketError> {
        Result { () throws(SocketError) in try SocketAddress.resolve(host: host, port: port) }
    }

    /// Looks up the addresses of an origin; answers at once if they are cached, otherwise on another thread.
    package func resolve(
        _ origin: Origin, now: MonotonicInstant, answer: @escaping @Sendable (Answer) -> Void
    ) {
        if let path = origin.unixPath {
            return answer(Self.answer(.success(ResolvedAddress(unixPath: path).map { [$0] } ?? [])))
        }
        // A literal address needs no look-up, and getaddrinfo does not block for it.
        guard origin.address == nil else { return answer(Self.answer(lookUp(origin.host, origin.port))) }
        let question = Question(host: origin.host, port: origin.port)
        let step = state.withLock { state -> Step in
            if let known = state.cache[question], known.until > now {
                return .answer(.success(known.addresses))
            }
            guard state.callbacks[question] == nil else {
                state.callbacks[question]?.append(answer)
                return .wait
            }
            guard state.runningCount < runningCount else {
                guard state.queued.count < Self.maximumQueuedCount else {
                    return .answer(.failure(.tooManyWaiting))
                }
                state.callbacks[question] = [answer]
                state.queued.append(question)
                return .wait
            }
            state.callbacks[question] = [answer]
            state.runningCount += 1
            return .run
        }
        switch step {
        case .answer(let known): answer(known)
        case .run: run(question)
        case .wait: break
        }
    }

    private func run(_ question: Question) {
        queue.async { [self] in
            let answer = Self.answer(lookUp(question.host, question.port))
            let (callbacks, next) = state.withLock { state in
                keep(answer, for: question, in: &state)
                let next = state.queued.isEmpty ? nil : state.queued.removeFirst()
                if next == nil { state.runningCount -= 1 }
                return (state.callbacks.removeValue(forKey: question) ?? [], next)
            }
            if let next { run(next) }
            for callback in callbacks { callback(answer) }
        }
    }

    private func keep(_ answer: Answer, for question: Question, in state: inout State) {
        guard case .success(let addresses) = answer else { return }
        if state.cache.count >= Self.maximumCacheCount { state.cache.removeAll() }
        state.cache[question] = (addresses, .now() + lifetime)
    }

    private static func answer(_ result: Result<[ResolvedAddress], SocketError>) -> Answer {
        switch result {
        case .success(let addresses):
            addresses.isEmpty ? .failure(.resolveFailed(EAI_NONAME)) : .success(addresses)
        case .failure(let error): .failure(.resolveFailed(error.code))
        }
    }
}
