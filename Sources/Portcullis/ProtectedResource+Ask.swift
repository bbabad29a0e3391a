// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisTransport
import Synchronization

/// A request that waits for its issuer to be asked about its token.
///
/// The way on from ``ProtectedResource/authorizeImmediately(_:requiring:in:effort:)`` that takes no task.
///
/// RFC 7662 §2.
package struct PendingAuthorization: Sendable {
    fileprivate let resource: ProtectedResource
    fileprivate let connection: IssuerConnection
    fileprivate let client: IntrospectionClient
    fileprivate let presented: PresentedToken
    fileprivate let head: RequestHead
    fileprivate let requirement: AccessRequirement
    fileprivate let context: GateContext

    /// Asks the issuer, and has a closure told the decision.
    ///
    /// It is called once: on the event loop that this is called on, perhaps before it returns; elsewhere on any thread. May take as
    /// long as ``TrustedIssuer/timeout``, and can't be cancelled: others may wait for the same answer.
    package func ask(_ decide: @escaping @Sendable (Result<AccessToken, Refusal>) -> Void) {
        let gate = resource.gate
        let arrival = gate.validator.time.uptime()
        let epoch = gate.epoch.load(ordering: .sequentiallyConsistent)
        client.ask(presented.bytes(in: head), presented.digest, epoch) { reply in
            // The question may be another's, and older.
            decide(decision(on: reply.outcome, min(arrival, reply.askedAt), epoch))
        }
    }

    private func decision(
        on outcome: IntrospectionClient.Outcome, _ moment: MonotonicInstant, _ epoch: UInt64
    ) -> Result<AccessToken, Refusal> {
        var notes = ValidationNotes()
        do throws(RefusalReason) {
            let token = try token(from: outcome, moment, epoch, &notes)
            try resource.checkBinding(of: token, presented, head, context)
            try resource.permit(token, requirement)
            return .success(token)
        } catch {
            return .failure(
                resource.refuse(
                    error, of: head, .with(presented.scheme), requiring: requirement, context, notes))
        }
    }

    private func token(
        from outcome: IntrospectionClient.Outcome, _ moment: MonotonicInstant, _ epoch: UInt64,
        _ notes: inout ValidationNotes
    ) throws(RefusalReason) -> AccessToken {
        do throws(RefusalReason) {
            let verified = try resource.gate.validator.accept(
                outcome, of: connection, askedAt: moment, &notes)
            resource.remember(verified, presented.digest, moment, epoch)
            return verified.token
        } catch {
            resource.remember(error, of: presented, head, context, moment, epoch, &notes)
            throw error
        }
    }
}

extension ProtectedResource {
    /// What is left to be done for a token that nobody knows and that is not read here.
    func pending(
        _ presented: PresentedToken, of head: RequestHead, requiring requirement: AccessRequirement,
        _ context: GateContext
    ) -> ImmediateDecision {
        // A proof is looked at once the token is known, and may have to wait for a store.
        guard presented.scheme == .bearer, let (connection, client) = gate.validator.introspection else {
            return .mustWait
        }
        return .mustAsk(
            PendingAuthorization(
                resource: self, connection: connection, client: client, presented: presented, head: head,
                requirement: requirement, context: context))
    }
}
