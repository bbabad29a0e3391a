// SPDX-License-Identifier: MIT

package import PortcullisJOSE
package import PortcullisTransport
import Synchronization

/// Introspects tokens at one authorization server.
///
/// Requests with the same token share one call, which belongs to this client and not to the request that
/// caused it. The numbers of concurrent and of queued calls are bounded; while the server fails, requests
/// fail at once.
///
/// RFC 7662 §2.
package final class IntrospectionClient: Sendable {
    /// The answer of the server.
    package enum Answer: Sendable {
        case active(JSONObject)
        case inactive

        /// The maximum memory of a cached answer, in bytes: there are thousands of them.
        private static let maximumKeptByteCount = 65_536

        /// Whether it is too large to be cached.
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

    /// The maximum number of calls, in flight or queued; a quarter more for tokens known to be valid.
    static let maximumCallCount = 1024

    package typealias Outcome = Result<Answer, AuthorizationServerFault>

    /// The result of a question.
    package struct Reply: Sendable {
        package let outcome: Outcome
        /// The time of the question or shortly before; earlier than requests that joined the call.
        package let askedAt: MonotonicInstant

        package init(outcome: Outcome, askedAt: MonotonicInstant) {
            self.outcome = outcome
            self.askedAt = askedAt
        }
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

    /// Introspects a token with checked characters and length, and calls a closure once, on any thread.
    ///
    /// A question for a fresh answer waits for the next call, together with all others like it; so there are
    /// at most two such calls about a token.
    func ask(_ question: IntrospectionQuestion, then tell: @escaping @Sendable (Reply) -> Void) {
        begin { state, now in
            switch question.sharing {
            case .within(let epoch): state.ask(question.token, question.digest, epoch, at: now, then: tell)
            case .none: state.askAnew(question.token, question.digest, at: now, then: tell)
            }
        }
    }

    /// A token that no authorization server has issued.
    private static let unissuedToken = Array("portcullis-self-check".utf8)

    /// Introspects an unissued token, to check that the server answers this resource.
    ///
    /// RFC 7662 §2.2: the answer for an unknown token is inactive.
    func probe() async throws(AuthorizationServerFault) {
        let outcome = await withCheckedContinuation { waiting in
            endpoint.ask(Self.unissuedToken, within: endpoint.timeout) { waiting.resume(returning: $0) }
        }
        if case .failure(let fault) = outcome { throw fault }
    }

    /// The number of calls in flight or queued, and the most that there may be.
    package var fill: (count: Int, capacity: Int) { state.withLock { $0.fill } }

    private func begin(
        _ enter: (inout IntrospectionCalls, MonotonicInstant) -> IntrospectionCalls.Consequences
    ) {
        let now = uptime()
        carryOut(state.withLock { enter(&$0, now) }, now)
    }

    /// Reports incidents, starts calls, and calls the waiters of finished ones.
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
