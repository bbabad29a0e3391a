// SPDX-License-Identifier: MIT

public import PortcullisHTTP
import PortcullisTransport
import Synchronization

// START HERE: the way of one request through the gate, in five steps.

extension ProtectedResource {
    /// Decides whether a request may use this resource, and with which token.
    ///
    /// Checks, in this order: the form of the credentials, the token, the scopes. Does not check whose data is asked for;
    /// that is the handler's decision.
    ///
    /// May wait for the issuer's keys or for introspection, each exchange at most ``TrustedIssuer/timeout`` (default 5
    /// seconds). A token that was verified before costs neither a wait nor a signature check.
    ///
    /// - Parameter requirement: The scopes that the token must carry; `.none` still demands a valid token.
    /// - Throws: ``Refusal``, ready to be sent: 400, 401, 403, or 503 while the authorization server can't be asked.
    ///
    /// RFC 6750 §3, RFC 9068 §4, RFC 7662 §2, RFC 9728 §5.1.
    public func authorize(
        _ head: RequestHead, requiring requirement: ScopeRequirement = .none
    ) async throws(Refusal) -> AccessToken {
        do throws(RefusalReason) {
            let presented = try present(head)
            var token = try recall(presented)
            if token == nil {
                try checkCharacters(presented, of: head)
                token = try await validate(presented, of: head)
            }
            guard let token else { throw .malformedToken }
            try permit(token, requirement)
            return token
        } catch {
            throw refuse(error, requiring: requirement)
        }
    }

    /// What can be said about a request at once.
    package enum ImmediateDecision: Sendable {
        case authorized(AccessToken)
        case refused(Refusal)
        /// Only ``ProtectedResource/authorize(_:requiring:)`` can tell: the token was not seen before.
        case mustWait
    }

    /// Decides at once about requests whose token was verified before, and about those that can't have one.
    ///
    /// Never suspends, checks no signature, and makes no text of the header: what a request with a known token costs.
    package func authorizeImmediately(
        _ head: RequestHead, requiring requirement: ScopeRequirement = .none
    ) -> ImmediateDecision {
        do throws(RefusalReason) {
            let presented = try present(head)
            guard let token = try recall(presented) else {
                try checkCharacters(presented, of: head)
                return .mustWait
            }
            try permit(token, requirement)
            return .authorized(token)
        } catch {
            return .refused(refuse(error, requiring: requirement))
        }
    }

    // 1. Present: the credentials out of the request. RFC 6750 §2.1.
    private func present(_ head: borrowing RequestHead) throws(RefusalReason) -> PresentedToken {
        if let check = gate.originCheck { try check.judge(head) }
        switch Credentials(of: head) {
        case .absent(let reason), .malformed(let reason): throw reason
        case .bearer(let range):
            guard range.count <= gate.maxTokenByteCount else { throw .tokenTooLong }
            return PresentedToken(range: range, in: head.bytes)
        }
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

    // … or checked now. RFC 9068 §4, RFC 7662 §2.
    private func validate(
        _ presented: PresentedToken, of head: RequestHead
    ) async throws(RefusalReason) -> AccessToken {
        let arrival = gate.validator.time.uptime()
        let epoch = gate.epoch.load(ordering: .sequentiallyConsistent)
        let digest = presented.digest
        do throws(RefusalReason) {
            let verified = try await gate.validator.validate(
                Array(head.bytes[presented.range]), digest: digest, epoch: epoch)
            if arrival < verified.usableUntil {
                gate.remember(
                    since: epoch, { $0.verified.insert(verified, for: digest) },
                    else: { $0.verified.remove(digest) })
            }
            return verified.token
        } catch {
            if error.isWorthRemembering(format: gate.validator.format) {
                let rejected = RejectedToken(reason: error, until: arrival + gate.rejectionLifetime)
                gate.remember(
                    since: epoch, { $0.rejected.insert(rejected, for: digest) },
                    else: { $0.rejected.remove(digest) })
            }
            throw error
        }
    }

    // RFC 6750 §2.1. Needed only for tokens that were not verified before.
    private func checkCharacters(_ presented: PresentedToken, of head: borrowing RequestHead)
        throws(RefusalReason)
    {
        let isToken = head.bytes.withUnsafeBytes {
            Credentials.isToken68(UnsafeRawBufferPointer(rebasing: $0[presented.range]))
        }
        guard isToken else { throw .malformedToken }
    }

    // 3. Possess: tokens that are bound to a key have been refused by now, since no proof of it is taken yet. RFC 7800 §3.1.

    // 4. Permit: the scopes. RFC 6750 §3.1.
    private func permit(_ token: AccessToken, _ requirement: ScopeRequirement) throws(RefusalReason) {
        guard token.carries(requirement) else { throw .insufficientScope }
    }

    // 5. Refuse: the one place where a reason becomes a response. RFC 6750 §3.
    private func refuse(_ reason: RefusalReason, requiring requirement: ScopeRequirement) -> Refusal {
        switch reason {
        // No token would help, so nobody is asked for one.
        case .forbiddenOrigin: Refusal(reason: reason, challenges: [])
        case .keysUnavailable, .introspectionUnavailable:
            gate.challenger.unavailable(reason, retryAfter: Self.retryAfter)
        default:
            gate.challenger.refusal(reason, requiring: requirement)
        }
    }

    /// When a client should come back while the authorization server can't be asked.
    private static let retryAfter = Duration.seconds(5)
}
