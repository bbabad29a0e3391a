// SPDX-License-Identifier: MIT

package import PortcullisJOSE
package import PortcullisTransport
import Synchronization

/// Asks one authorization server whether tokens are good.
///
/// Requests with the same token share one call, which belongs to this client and not to the request that caused it. So many
/// calls are under way at a time, and so many wait for their turn; while the server fails, nobody waits for it.
///
/// RFC 7662 §2.
package final class IntrospectionClient: Sendable {
    /// What the server says.
    package enum Answer: Sendable {
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

    package typealias Outcome = Result<Answer, AuthorizationServerFault>

    /// What came of a question.
    package struct Reply: Sendable {
        package let outcome: Outcome
        /// When it was put, or a little before: earlier than whoever shares the call has come.
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

    /// Asks about a token, whose characters and length were checked, and calls a closure once, on any thread.
    ///
    /// A question that may share no call that was begun already waits for the next one with all that came like it; so there are two
    /// calls about a token at most.
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

    /// Asks about a token that was not issued, to see whether the server answers this resource at all.
    ///
    /// RFC 7662 §2.2: of an unknown token it says that it is not active.
    func probe() async throws(AuthorizationServerFault) {
        let outcome = await withCheckedContinuation { waiting in
            endpoint.ask(Self.unissuedToken, within: endpoint.timeout) { waiting.resume(returning: $0) }
        }
        if case .failure(let fault) = outcome { throw fault }
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
