// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport

/// Asks one authorization server whether tokens are good.
///
/// Requests with the same token share one call, which belongs to this actor and not to the request that caused it. So many
/// calls are under way at a time, and so many wait for their turn; while the server fails, nobody waits for it.
///
/// RFC 7662 §2.
actor IntrospectionClient {
    /// What the server says.
    enum Answer: Sendable {
        case active(JSONObject)
        case inactive
    }

    /// What befalls the calls, for the operator's log.
    enum Incident: Sendable {
        case failed(AuthorizationServerFault)
        case suspended(Duration)
        case resumed
    }

    /// How many calls to one server may be under way or wait for their turn.
    static let maximumCallCount = 1024

    typealias Outcome = Result<Answer, AuthorizationServerFault>

    /// Calls are shared within an epoch only: what was asked before tokens were invalidated answers nobody who comes after.
    private struct CallKey: Hashable {
        let digest: SHA256Digest
        let epoch: UInt64
    }

    private let endpoint: IntrospectionEndpoint
    private let uptime: @Sendable () -> MonotonicInstant
    private let report: @Sendable (Incident) -> Void
    private let maxConcurrentCallCount: Int
    private var calls: [CallKey: Task<Outcome, Never>] = [:]
    /// The calls that were begun for those who want a new answer, and those that will be when these have ended.
    private var newCalls: [SHA256Digest: Task<Outcome, Never>] = [:]
    private var nextCalls: [SHA256Digest: Task<Outcome, Never>] = [:]
    private var activeCount = 0
    private var line: [CheckedContinuation<Bool, Never>] = []
    private var breaker = CircuitBreaker()

    init(
        _ endpoint: IntrospectionEndpoint, maxConcurrentCallCount: Int,
        uptime: @escaping @Sendable () -> MonotonicInstant,
        reporting report: @escaping @Sendable (Incident) -> Void
    ) {
        self.endpoint = endpoint
        self.maxConcurrentCallCount = maxConcurrentCallCount
        self.uptime = uptime
        self.report = report
    }

    /// The answer for a token, whose characters and length were checked.
    func answer(for token: [UInt8], digest: SHA256Digest, epoch: UInt64) async -> Outcome {
        let key = CallKey(digest: digest, epoch: epoch)
        if let running = calls[key] { return await running.value }
        if let fault = obstacle { return .failure(fault) }
        let call = Task {
            defer { self.calls[key] = nil }
            return await self.perform(token)
        }
        calls[key] = call
        return await call.value
    }

    /// The answer to a question that is put from now on, since the answer to an earlier one may be older than a revocation.
    ///
    /// Who comes while such a call is under way shares the next one with all that do; so there are two of a token at most.
    func newAnswer(for token: [UInt8], digest: SHA256Digest) async -> Outcome {
        if let next = nextCalls[digest] { return await next.value }
        if let fault = obstacle { return .failure(fault) }
        let earlier = newCalls[digest]
        let call = Task {
            _ = await earlier?.value
            // From here on the question may have been put.
            self.newCalls[digest] = self.nextCalls.removeValue(forKey: digest)
            defer { self.newCalls[digest] = nil }
            return await self.perform(token)
        }
        nextCalls[digest] = call
        return await call.value
    }

    /// Why no call can be begun now, or nothing.
    private var obstacle: AuthorizationServerFault? {
        guard breaker.admits(at: uptime()) else { return .callsSuspended }
        let count = calls.count + newCalls.count + nextCalls.count
        return count < Self.maximumCallCount ? nil : .tooManyCalls
    }

    private func perform(_ token: [UInt8]) async -> Outcome {
        let deadline = uptime() + endpoint.timeout
        guard await takeTurn() else { return .failure(.callsSuspended) }
        defer { passTurn() }
        let now = uptime()
        guard now < deadline else { return .failure(.tooManyCalls) }
        guard let permit = breaker.admit(at: now) else { return .failure(.callsSuspended) }
        do throws(AuthorizationServerFault) {
            let answer = try await endpoint.ask(token, within: deadline - now)
            noteAnswer(permit)
            return .success(answer)
        } catch {
            note(error, permit)
            return .failure(error)
        }
    }

    /// What is no token of anybody's.
    private static let nobodysToken = Array("portcullis-self-check".utf8)

    /// Asks about a token that nobody has issued, to see whether the server answers this resource at all.
    ///
    /// RFC 7662 §2.2: of an unknown token it says that it is not active.
    nonisolated func probe() async throws(AuthorizationServerFault) {
        _ = try await endpoint.ask(Self.nobodysToken, within: endpoint.timeout)
    }

    // MARK: Turns

    /// Waits until fewer calls than the bound are under way.
    ///
    /// - Returns: Whether it is this call's turn; not if the calls were suspended meanwhile.
    private func takeTurn() async -> Bool {
        guard activeCount >= maxConcurrentCallCount else {
            activeCount += 1
            return true
        }
        return await withCheckedContinuation { line.append($0) }
    }

    private func passTurn() {
        if line.isEmpty {
            activeCount -= 1
        } else {
            line.removeFirst().resume(returning: true)
        }
    }

    // MARK: The server's health

    private func noteAnswer(_ permit: CircuitBreaker.Permit) {
        if breaker.succeeded(permit) { report(.resumed) }
    }

    private func note(_ fault: AuthorizationServerFault, _ permit: CircuitBreaker.Permit) {
        report(.failed(fault))
        guard fault.speaksOfServer else { return noteAnswer(permit) }
        guard let pause = breaker.failed(permit, at: uptime()) else { return }
        report(.suspended(pause))
        let waiting = line
        line = []
        for call in waiting { call.resume(returning: false) }
    }
}

extension AuthorizationServerFault {
    /// Whether the next call will very likely fare the same, whatever its token.
    fileprivate var speaksOfServer: Bool {
        switch self {
        case .status(429): true
        case .status(400..<500): false
        default: true
        }
    }
}
