// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport

// The one place where a reason becomes a response. RFC 6750 §3.

extension Admission {
    /// Makes the answer for a reason that the current step throws.
    mutating func refuse(
        _ reason: RefusalReason, _ head: RequestHead, _ requirement: AccessRequirement,
        _ context: AuthorizationContext
    ) -> Refusal {
        let refused = step
        trace?.noteRefusal(refused, reason)
        var refusal = resource.answer(
            to: reason, attempt, requiring: requirement,
            with: gate.operation(of: head, requirement)?.scopes ?? [], context)
        if context.describesRefusals {
            refusal.finding = resource.finding(
                for: reason, at: step, of: head, requiring: requirement, context, form: form.bytes,
                introspected: (step == .freshness ? confirmation : validation)?.answer)
            if let denial = verdict?.response?.reason, reason == .deniedByDecision {
                refusal.finding = RefusalFinding(
                    expected: "a permit", got: "a denial: \(FindingWords.printable(denial))")
            }
        }
        rememberRefusal(reason, refusal.finding)
        return refusal
    }

    /// Caches the rejection of an introspected token.
    private borrowing func rememberRefusal(_ reason: RefusalReason, _ finding: RefusalFinding?) {
        guard let digest = presented?.digest else { return }
        if step == .freshness, let confirmation {
            let end = confirmation.arrival + gate.rejectionLifetime
            let rejected = RejectedToken(
                reason: reason, askedAt: confirmation.arrival, until: end, finding: nil)
            gate.remember(rejected, digest, confirmation.epoch)
        } else if let validation, step > .memory, step < .possession {
            let end = min(
                validation.moment + gate.rejectionLifetime, validation.answerEnds ?? .distantFuture)
            let rejected = RejectedToken(
                reason: reason, askedAt: validation.moment, until: end, finding: finding)
            gate.remember(rejected, digest, validation.epoch)
        }
    }
}

extension AdmissionStep: Comparable {
    package static func < (first: AdmissionStep, second: AdmissionStep) -> Bool {
        first.rawValue < second.rawValue
    }
}

extension Gate {
    /// Caches a token that passed all checks.
    func remember(
        _ verified: VerifiedToken, _ digest: SHA256Digest, _ arrival: MonotonicInstant, _ epoch: UInt64
    ) {
        // A token that is not remembered takes the place of what was remembered: it is the later word.
        guard arrival < verified.terms.usableUntil else { return self.verified.remove(digest) }
        // Verifying a signature again costs less than a slot in use; asking the issuer again costs more.
        let policy: TokenTable<VerifiedToken>.InsertionPolicy = verified.keys == nil ? .always : .onSecondUse
        remember(
            since: epoch, { $0.verified.insert(verified, for: digest, whenFull: policy) },
            else: { $0.verified.remove(digest) })
        // If two answers arrive out of order, the one requested later counts.
        if let rejected = rejected[digest], rejected.askedAt >= arrival { self.verified.remove(digest) }
    }

    /// Caches a rejected token, if its reason is worth caching.
    func remember(_ rejected: RejectedToken, _ digest: SHA256Digest, _ epoch: UInt64) {
        guard rejected.reason.isWorthRemembering(format: validator.format) else { return }
        remember(
            since: epoch, { $0.rejected.insert(rejected, for: digest) }, else: { $0.rejected.remove(digest) })
        // A rejected token is no longer valid either; removed last, since an older answer may insert it
        // meanwhile.
        verified.remove(digest)
    }
}

extension ProtectedResource {
    /// Returns the answer to every request without an `Authorization` field, or `nil`.
    ///
    /// `nil` if other parts of the request matter: tokens in forms and queries, origins that may not call,
    /// and fields that tell the operation; and if some request needs no token. Not for requests of a trusted
    /// proxy that forwards certificates. Where nonces are required, the caller replaces
    /// ``Refusal/dpopNonce`` with the current ``nonce`` in each answer.
    package func refusalWithoutCredentials(requiring requirement: AccessRequirement) -> Refusal? {
        guard gate.presentation.isFieldOnly, gate.originCheck == nil,
            !requirement.mayLackToken, requirement.conditions?.operations == nil
        else { return nil }
        var refusal = answer(
            to: .missingCredentials, .none, requiring: requirement, with: [], AuthorizationContext())
        refusal.finding = gate.absence
        return refusal
    }

    fileprivate func answer(
        to reason: RefusalReason, _ attempt: Attempt, requiring requirement: AccessRequirement,
        with operationScopes: [Scope], _ context: AuthorizationContext
    ) -> Refusal {
        // No token would help, so there is no challenge.
        var refusal: Refusal
        if reason == .forbiddenOrigin || reason == .deniedByDecision {
            refusal = Refusal(reason: reason, error: reason.outcome.error, challenges: [])
        } else if reason.outcome.status == 503 {
            refusal = gate.challenger.unavailable(reason, retryAfter: Self.retryAfter)
        } else {
            refusal = gate.challenger.refusal(
                reason, answering: attempt, requiring: requirement, with: operationScopes)
        }
        // RFC 9449 §8.2: the client has a nonce for its first proof, whatever is wrong with this request.
        refusal.dpopNonce = nonce
        if reason != .forbiddenOrigin {
            refusal.certificateFieldName = context.clientCertificate.field?.name.spelling
        }
        return refusal
    }

    /// `Retry-After` while the validity of a token can't be determined.
    private static let retryAfter = Duration.seconds(5)
}

extension RefusalReason {
    /// Whether the refusal is cached: a few seconds later, the same token would be refused for the same reason.
    func isWorthRemembering(format: TokenPolicy.Format) -> Bool {
        switch row.memory {
        case .never: false
        case .always: true
        case .ofOpaqueTokens: format == .opaque
        }
    }
}
