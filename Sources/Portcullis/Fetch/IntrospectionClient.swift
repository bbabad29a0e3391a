// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport
import Synchronization

/// Asks one authorization server whether tokens are good.
///
/// Requests with the same token share one call, which belongs to this client and not to the request that caused it. So many
/// calls are under way at a time, and so many wait for their turn; while the server fails, nobody waits for it.
///
/// RFC 7662 §2.
final class IntrospectionClient: Sendable {
    /// What the server says.
    enum Answer: Sendable {
        case active(JSONObject)
        case inactive

        /// How much memory an answer may take that is remembered: there are thousands of them.
        private static let maximumKeptByteCount = 65_536

        /// Whether it is too large to be remembered.
        var isTooLargeToKeep: Bool {
            guard case .active(let members) = self else { return false }
            return members.takesMore(than: Self.maximumKeptByteCount)
        }
    }

    /// Call events, for the operator's log.
    enum Incident: Sendable {
        case failed(AuthorizationServerFault)
        case suspended(Duration)
        case resumed
    }

    /// How many calls to one server may be under way or wait for their turn; a quarter more about tokens known to be good.
    static let maximumCallCount = 1024

    typealias Outcome = Result<Answer, AuthorizationServerFault>

    /// What came of a question.
    struct Reply: Sendable {
        let outcome: Outcome
        /// When it was put, or a little before: earlier than whoever shares the call has come.
        let askedAt: MonotonicInstant
    }

    private let endpoint: IntrospectionEndpoint
    private let uptime: @Sendable () -> MonotonicInstant
    private let report: @Sendable (Incident) -> Void
    private let state: Mutex<IntrospectionCalls>

    init(
        _ endpoint: IntrospectionEndpoint, maxConcurrentCallCount: Int,
        uptime: @escaping @Sendable () -> MonotonicInstant,
        reporting report: @escaping @Sendable (Incident) -> Void
    ) {
        self.endpoint = endpoint
        self.uptime = uptime
        self.report = report
        state = Mutex(
            IntrospectionCalls(
                timeout: endpoint.timeout, maxConcurrentCount: maxConcurrentCallCount,
                maxCount: Self.maximumCallCount, unissuedToken: Self.unissuedToken))
    }

    /// The answer for a token, whose characters and length were checked.
    func answer(for token: [UInt8], digest: SHA256Digest, epoch: UInt64) async -> Reply {
        await withCheckedContinuation { continuation in
            ask(token, digest, epoch) { continuation.resume(returning: $0) }
        }
    }

    /// The answer to a question that is put from now on, since the answer to an earlier one may be older than a revocation.
    ///
    /// Who comes while such a call is under way shares the next one with all that do; so there are two of a token at most.
    func newAnswer(for token: [UInt8], digest: SHA256Digest) async -> Reply {
        await withCheckedContinuation { continuation in
            begin { state, now in
                state.askAnew(token, digest, at: now) { continuation.resume(returning: $0) }
            }
        }
    }

    /// Has a closure told the answer for a token, whose characters and length were checked.
    ///
    /// It is called once: on the event loop that this is called on, perhaps before it returns; elsewhere on any thread.
    func ask(
        _ token: [UInt8], _ digest: SHA256Digest, _ epoch: UInt64,
        then tell: @escaping @Sendable (Reply) -> Void
    ) {
        // A call may be answered on the loop of another request that shares it.
        guard let loop = EventLoop.current else {
            return begin { state, now in state.ask(token, digest, epoch, at: now, then: tell) }
        }
        begin { state, now in
            state.ask(token, digest, epoch, at: now) { reply in
                guard !loop.isCurrent else { return tell(reply) }
                loop.execute { tell(reply) }
            }
        }
    }

    /// A token that no authorization server has issued.
    private static let unissuedToken = Array("portcullis-self-check".utf8)

    /// Asks about a token that was not issued, to see whether the server answers this resource at all.
    ///
    /// RFC 7662 §2.2: of an unknown token it says that it is not active.
    func probe() async throws(AuthorizationServerFault) {
        _ = try await endpoint.ask(Self.unissuedToken, within: endpoint.timeout)
    }

    private func begin(
        _ enter: (inout IntrospectionCalls, MonotonicInstant) -> IntrospectionCalls.Consequences
    ) {
        let now = uptime()
        carryOut(state.withLock { enter(&$0, now) }, now)
    }

    /// Puts the questions whose turn it is, and tells those whose outcome is known.
    private func carryOut(_ consequences: IntrospectionCalls.Consequences, _ now: MonotonicInstant) {
        for incident in consequences.incidents { report(incident) }
        for call in consequences.started {
            endpoint.ask(call.token, within: call.deadline - now) { self.end(call, with: $0) }
        }
        for (tell, reply) in consequences.told { tell(reply) }
    }

    private func end(_ call: IntrospectionCalls.Started, with outcome: Outcome) {
        let now = uptime()
        carryOut(state.withLock { $0.end(call, with: outcome, at: now) }, now)
    }
}
