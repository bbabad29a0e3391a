// SPDX-License-Identifier: MIT

public import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport
import Synchronization

// START HERE: the way of one request through the gate, in five steps.

extension ProtectedResource {
    /// Decides whether a request may use this resource, and with which token.
    ///
    /// Checks, in this order: the form of the credentials, the token, the possession of what it is bound to, the
    /// authentication behind it, the scopes, the authorization details. Does not check whose data is asked for; that is
    /// the handler's decision. What the answer has to carry is added by ``complete(_:status:answering:in:)``.
    ///
    /// May wait for the issuer's keys or for introspection, each exchange at most ``TrustedIssuer/timeout`` (default 5
    /// seconds), and for a replay store. A token that was verified before costs neither a wait nor a signature check,
    /// but for that of a DPoP proof, and where the requirement is ``AccessRequirement/freshlyIntrospected()``.
    ///
    /// - Parameters:
    ///   - requirement: What the token must carry; `.none` still demands a valid token.
    ///   - context: What is known of the request besides its head.
    /// - Throws: ``Refusal``, ready to be sent: 400, 401, 403, or 503 while the authorization server can't be asked.
    ///
    /// RFC 6750 §3, RFC 9068 §4, RFC 7662 §2, RFC 9449 §7, RFC 8705 §3, RFC 9470 §3, RFC 9728 §5.1.
    public func authorize(
        _ head: RequestHead, requiring requirement: AccessRequirement = .none,
        in context: GateContext = GateContext()
    ) async throws(Refusal) -> AccessToken {
        var attempt = Attempt.none
        var notes = ValidationNotes()
        do throws(RefusalReason) {
            let presented = try present(head, context, &attempt)
            let proof = try locateProof(presented, of: head)
            let isAskedAnew = requirement.needsFreshIntrospection
            let token: AccessToken
            // What the issuer has said of a token before is not what it says now.
            if let known = try recall(presented), !isAskedAnew || known.format == .jwt {
                token = known
            } else {
                try checkCharacters(presented, of: head)
                if let verified = try validateAtOnce(presented, of: head) {
                    token = verified
                } else {
                    token = try await validate(presented, of: head, context, anew: isAskedAnew, &notes)
                }
            }
            try checkBinding(of: token, presented, head, context)
            if isAskedAnew, token.format == .jwt { try await confirm(token, presented, of: head) }
            if let proof { try await prove(proof, of: head, token, presented) }
            try permit(token, requirement)
            return token
        } catch {
            throw refuse(error, of: head, attempt, requiring: requirement, context, notes)
        }
    }

    /// What can be said about a request without waiting.
    package enum ImmediateDecision: Sendable {
        case authorized(AccessToken)
        case refused(Refusal)
        /// A signature has to be checked: ``ProtectedResource/authorizeImmediately(_:requiring:in:effort:)`` can tell with
        /// all the effort it takes.
        case mustVerify(PresentedToken)
        /// The issuer has to be asked about the token, and nothing else.
        case mustAsk(PendingAuthorization)
        /// Only ``ProtectedResource/authorize(_:requiring:in:)`` can tell: the issuer has to be asked anew, or a cache that is
        /// shared, or keys fetched, or a store of proofs; or the token may stand in the content; or the answer will need to be
        /// completed, with a nonce for one.
        case mustWait
    }

    /// How much may be done at once.
    package enum Effort: Sendable {
        /// Nothing that takes much longer than reading the request.
        case little
        /// Signatures are checked too, which takes some tens of microseconds.
        ///
        /// Comes with what the request presented when it was looked at with little effort, if it was.
        case all(PresentedToken?)

        var isLittle: Bool { if case .little = self { true } else { false } }
        var earlier: PresentedToken? { if case .all(let presented) = self { presented } else { nil } }
    }

    /// Decides at once about requests whose token was verified before or can be, and about those that can't have one.
    ///
    /// Never suspends, and makes no text of the header. With little effort, checks no signature.
    package func authorizeImmediately(
        _ head: RequestHead, requiring requirement: AccessRequirement = .none,
        in context: GateContext = GateContext(), effort: Effort = .little
    ) -> ImmediateDecision {
        guard gate.presentation.isFieldOnly, !requirement.needsFreshIntrospection,
            !completesAnswers(in: context)
        else { return .mustWait }
        var attempt = Attempt.none
        do throws(RefusalReason) {
            let presented = try present(head, context, &attempt, effort.earlier)
            if presented.scheme == .dpop, gate.dpop?.isImmediate == false { return .mustWait }
            let proof = try locateProof(presented, of: head)
            let token: AccessToken
            if let known = try recall(presented) {
                token = known
            } else {
                try checkCharacters(presented, of: head)
                guard gate.validator.isCheckedAsJWT(shaped: presented.isShapedAsJWS(in: head)) else {
                    return pending(presented, of: head, requiring: requirement, context)
                }
                if effort.isLittle { return .mustVerify(presented) }
                guard let verified = try validateAtOnce(presented, of: head) else { return .mustWait }
                token = verified
            }
            try checkBinding(of: token, presented, head, context)
            if let proof {
                if effort.isLittle { return .mustVerify(presented) }
                try proveAtOnce(proof, of: head, token, presented)
            }
            try permit(token, requirement)
            return .authorized(token)
        } catch {
            return .refused(refuse(error, of: head, attempt, requiring: requirement, context))
        }
    }

    /// Whether requests may cost the check of a signature, of a token or of a proof.
    package var verifiesSignatures: Bool { gate.validator.format != .opaque || gate.dpop != nil }

    /// The answer to every request without an `Authorization` field, unless a trusted proxy vouches for certificates.
    ///
    /// Nothing where more than that field decides: tokens in forms and queries, and web pages that may not call.
    package func refusalWithoutCredentials(requiring requirement: AccessRequirement) -> Refusal? {
        guard gate.presentation.isFieldOnly, gate.originCheck == nil else { return nil }
        var refusal = answer(to: .missingCredentials, .none, requiring: requirement, GateContext())
        refusal.finding = gate.absence
        return refusal
    }

    // 1. Present: the credentials out of the request. RFC 6750 §2, RFC 9449 §7.1.
    private func present(
        _ head: borrowing RequestHead, _ context: borrowing GateContext, _ attempt: inout Attempt,
        _ earlier: PresentedToken? = nil
    ) throws(RefusalReason) -> PresentedToken {
        if let check = gate.originCheck { try check.judge(head) }
        if case .trustedField = context.clientCertificate { _ = try ClientCertificate.field(of: head) }
        let presented = try gate.presentation.read(head, context, &attempt, earlier)
        guard presented.byteCount <= gate.maxTokenByteCount else { throw .tokenTooLong }
        return presented
    }

    // 2. Validate: known from before …
    private func recall(_ presented: PresentedToken) throws(RefusalReason) -> AccessToken? {
        let time = gate.validator.time
        if let known = gate.verified[presented.digest] {
            if known.isUsable(at: time.now(), uptime: time.uptime()) { return known.token }
            gate.verified.remove(presented.digest)
        } else if let known = gate.rejected[presented.digest], time.uptime() < known.until {
            throw known.reason
        }
        return nil
    }

    // … or checked now with what is at hand: a refusal is as cheap to find again as it would be to remember …
    private func validateAtOnce(_ presented: PresentedToken, of head: RequestHead) throws(RefusalReason)
        -> AccessToken?
    {
        let arrival = gate.validator.time.uptime()
        let epoch = gate.epoch.load(ordering: .sequentiallyConsistent)
        let verified = try gate.validator.validateAtOnce(presented.bytes(in: head))
        guard let verified else { return nil }
        remember(verified, presented.digest, arrival, epoch)
        return verified.token
    }

    // … or with the help of the issuer. RFC 9068 §4, RFC 7662 §2.
    private func validate(
        _ presented: PresentedToken, of head: RequestHead, _ context: GateContext, anew isAskedAnew: Bool,
        _ notes: inout ValidationNotes
    ) async throws(RefusalReason) -> AccessToken {
        let arrival = gate.validator.time.uptime()
        let epoch = gate.epoch.load(ordering: .sequentiallyConsistent)
        let digest = presented.digest
        do throws(RefusalReason) {
            let verified = try await gate.validator.validate(
                presented.bytes(in: head), digest: digest, epoch: epoch, anew: isAskedAnew, &notes)
            remember(verified, digest, min(arrival, notes.askedAt ?? arrival), epoch)
            return verified.token
        } catch {
            let moment = min(arrival, notes.askedAt ?? arrival)
            remember(error, of: presented, head, context, moment, epoch, &notes)
            throw error
        }
    }

    /// Remembers that an issuer has spoken against a token, and notes what there is to say of it.
    func remember(
        _ reason: RefusalReason, of presented: PresentedToken, _ head: RequestHead, _ context: GateContext,
        _ arrival: MonotonicInstant, _ epoch: UInt64, _ notes: inout ValidationNotes
    ) {
        if context.describesRefusals {
            notes.finding = finding(for: reason, of: head, requiring: .none, context, notes)
        }
        let end = min(arrival + gate.rejectionLifetime, notes.answerEnds ?? .distantFuture)
        let rejected = RejectedToken(reason: reason, askedAt: arrival, until: end, finding: notes.finding)
        remember(rejected, presented.digest, epoch)
    }

    // … who may be asked once more, where the request wants to know what is so now. RFC 7662 §4.
    private func confirm(
        _ token: AccessToken, _ presented: PresentedToken, of head: RequestHead
    ) async throws(RefusalReason) {
        let arrival = gate.validator.time.uptime()
        let epoch = gate.epoch.load(ordering: .sequentiallyConsistent)
        do throws(RefusalReason) {
            try await gate.validator.confirm(
                presented.bytes(in: head), digest: presented.digest, issuedBy: token.issuer)
        } catch {
            let rejected = RejectedToken(
                reason: error, askedAt: arrival, until: arrival + gate.rejectionLifetime, finding: nil)
            remember(rejected, presented.digest, epoch)
            throw error
        }
    }

    func remember(
        _ verified: VerifiedToken, _ digest: SHA256Digest, _ arrival: MonotonicInstant, _ epoch: UInt64
    ) {
        gate.reportDetails(of: verified.token)
        // What is not remembered takes the place of what was: it is the later word.
        guard arrival < verified.usableUntil else { return gate.verified.remove(digest) }
        // Another signature costs less than a place that somebody else uses; another question to the issuer costs more.
        let admission: TokenTable<VerifiedToken>.Admission = verified.keys == nil ? .always : .atSecondSight
        gate.remember(
            since: epoch, { $0.verified.insert(verified, for: digest, whenFull: admission) },
            else: { $0.verified.remove(digest) })
        // Of two answers that overtake each other the one that was asked for later counts.
        if let rejected = gate.rejected[digest], rejected.askedAt >= arrival { gate.verified.remove(digest) }
    }

    private func remember(_ rejected: RejectedToken, _ digest: SHA256Digest, _ epoch: UInt64) {
        guard rejected.reason.isWorthRemembering(format: gate.validator.format) else { return }
        gate.remember(
            since: epoch, { $0.rejected.insert(rejected, for: digest) }, else: { $0.rejected.remove(digest) })
        // What the issuer has taken back is no longer known as good either; removed last, since an older answer may come by.
        gate.verified.remove(digest)
    }

    // RFC 6750 §2.1. Needed only for tokens that were not verified before.
    private func checkCharacters(_ presented: PresentedToken, of head: borrowing RequestHead)
        throws(RefusalReason)
    {
        guard presented.isToken68(in: head) else { throw .malformedToken }
    }

    // 4. Permit: authentication, scopes, details. RFC 9470 §3, RFC 6750 §3.1, RFC 9396 §9.
    func permit(_ token: AccessToken, _ requirement: AccessRequirement) throws(RefusalReason) {
        if let reason = gate.rules.shortcoming(of: token.storage, for: requirement) { throw reason }
    }

    // 5. Refuse: the one place where a reason becomes a response. RFC 6750 §3.
    func refuse(
        _ reason: RefusalReason, of head: RequestHead, _ attempt: Attempt,
        requiring requirement: AccessRequirement, _ context: GateContext,
        _ notes: ValidationNotes = ValidationNotes()
    ) -> Refusal {
        var refusal = answer(to: reason, attempt, requiring: requirement, context)
        if context.describesRefusals {
            refusal.finding =
                notes.finding ?? finding(for: reason, of: head, requiring: requirement, context, notes)
        }
        return refusal
    }

    private func answer(
        to reason: RefusalReason, _ attempt: Attempt, requiring requirement: AccessRequirement,
        _ context: GateContext
    ) -> Refusal {
        // No token would help, so nobody is asked for one.
        if reason == .forbiddenOrigin {
            return Refusal(reason: reason, error: reason.outcome.error, challenges: [])
        }
        var refusal =
            reason.outcome.status == 503
            ? gate.challenger.unavailable(reason, retryAfter: Self.retryAfter)
            : gate.challenger.refusal(reason, answering: attempt, requiring: requirement)
        if attempt == .with(.dpop), reason.isToldWithNonce { refusal.dpopNonce = nonce }
        if case .trustedField = context.clientCertificate { refusal.variesByClientCertificate = true }
        return refusal
    }

    /// When a client should come back while nobody can say whether its token is good.
    private static let retryAfter = Duration.seconds(5)
}
