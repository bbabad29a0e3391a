// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// How one resource decides whether a valid token is enough for a request, and what it says if not.
///
/// Shared by all tokens of the resource.
final class AccessRules: Sendable {
    let challenger: Challenger
    private let resource: ResourceIdentifier
    private let time: TimeSource
    private let leeway: Duration
    private let evaluators: [AuthorizationDetailEvaluator]

    init(_ policy: TokenPolicy, metadata: ProtectedResourceMetadata, challenger: Challenger, time: TimeSource)
    {
        self.challenger = challenger
        self.time = time
        resource = metadata.resource
        leeway = policy.leeway
        // RFC 9396 §5: a type that the resource does not know grants nothing.
        evaluators = metadata.authorizationDetailsTypesSupported.map { type in
            policy.authorizationDetailEvaluators.first { $0.type.utf8.elementsEqual(type.utf8) }
                ?? .memberwise(type: type)
        }
    }

    /// How long a token may still be used, leeway included; zero once it has expired.
    ///
    /// RFC 7519 §4.1.4.
    func remainingTime(until expiry: NumericDate) -> Duration {
        let seconds = expiry.adding(leeway).seconds - time.now().seconds
        // Longer than any answer lasts, and still a number that can be slept for.
        return .seconds(min(max(seconds, 0), 1e9))
    }

    /// Whether a step has anything to do with a requirement; what it is about is met.
    ///
    /// RFC 9470 §3, RFC 6750 §3.1: an authentication that does not suffice is told before a scope that is missing.
    @inline(__always)
    func judge(
        _ step: AdmissionStep, _ token: AccessToken.Storage, _ requirement: AccessRequirement
    ) throws(RefusalReason) -> Bool {
        switch step {
        case .senderConstraint:
            guard requirement.needsSenderConstraint else { return false }
            // RFC 9700 §2.2.1: what the token is bound to was proven before; here it only counts whether it is bound at all.
            if token.binding == .none { throw .unboundToken }
        case .authentication:
            guard !requirement.acrValues.isEmpty || requirement.maxAge != nil else { return false }
            try checkAuthentication(token, requirement)
        case .scopes:
            guard requirement.scopes.isSatisfied(by: token.granted) else { throw .insufficientScope }
        default:
            guard !requirement.authorizationDetails.isEmpty else { return false }
            guard covers(token, requirement.authorizationDetails) else {
                throw .insufficientAuthorizationDetails
            }
        }
        return true
    }

    /// What a token lacks for a request, or `nil`.
    func shortcoming(of token: AccessToken.Storage, for requirement: AccessRequirement) -> RefusalReason? {
        var step: AdmissionStep? = .senderConstraint
        do throws(RefusalReason) {
            while let current = step {
                _ = try judge(current, token, requirement)
                step = current.next
            }
            return nil
        } catch {
            return error
        }
    }

    private func checkAuthentication(
        _ token: AccessToken.Storage, _ requirement: AccessRequirement
    ) throws(RefusalReason) {
        if !requirement.acrValues.isEmpty {
            // RFC 9470 §6: exact, since nothing is known of an order among the values.
            let acr = token.claims["acr"]?.string ?? ""
            let isStrong = requirement.acrValues.contains { $0.utf8.elementsEqual(acr.utf8) }
            if !isStrong { throw .authenticationTooWeak }
        }
        guard let maxAge = requirement.maxAge else { return }
        guard let number = token.claims["auth_time"]?.number, let moment = NumericDate(number),
            time.now() <= moment.adding(maxAge).adding(leeway)
        else { throw .authenticationTooOld }
    }

    private func covers(_ token: AccessToken.Storage, _ needed: [AuthorizationDetail]) -> Bool {
        let granted = AuthorizationDetail.granted(token.claims["authorization_details"], at: resource)
        return needed.allSatisfy { needed in
            let type = needed.type.utf8
            guard let evaluator = evaluators.first(where: { $0.type.utf8.elementsEqual(type) }) else {
                return false
            }
            return granted.contains {
                $0.type.utf8.elementsEqual(type) && evaluator.covers($0, needed)
            }
        }
    }

    /// Whether the authorization details of a token grant nothing here because they are malformed.
    ///
    /// RFC 9396 §9.1.
    func findsMalformedDetails(in token: AccessToken.Storage) -> Bool {
        !evaluators.isEmpty && AuthorizationDetail.isMalformed(token.claims["authorization_details"])
    }

    /// The authorization details of a token that count here and whose type is known.
    func details(of token: AccessToken.Storage) -> [AuthorizationDetail] {
        AuthorizationDetail.granted(token.claims["authorization_details"], at: resource).filter { detail in
            evaluators.contains { $0.type.utf8.elementsEqual(detail.type.utf8) }
        }
    }
}
