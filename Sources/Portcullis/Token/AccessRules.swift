// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport

/// Decides for one resource whether a valid token meets a requirement, and builds its refusals.
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

    /// The time by which tokens are judged.
    var now: NumericDate { time.now() }
    /// The time by which status lists are judged.
    var uptime: MonotonicInstant { time.uptime() }

    /// Returns the remaining lifetime of a token, including leeway; zero once it has expired.
    ///
    /// RFC 7519 §4.1.4.
    func remainingTime(until expiry: NumericDate) -> Duration {
        let seconds = expiry.adding(leeway).seconds - time.now().seconds
        // The bound is longer than any response, and short enough for a timer.
        return .seconds(min(max(seconds, 0), 1e9))
    }

    /// Checks a token in one step, and returns whether the step applies to the requirement.
    ///
    /// RFC 9470 §3, RFC 6750 §3.1: an insufficient authentication is reported before a missing scope.
    @inline(__always)
    func judge(
        _ step: AdmissionStep, _ token: AccessToken.Storage, _ requirement: AccessRequirement
    ) throws(RefusalReason) -> Bool {
        switch step {
        case .senderConstraint:
            guard requirement.needsSenderConstraint else { return false }
            // RFC 9700 §2.2.1: possession was proven before; this only checks that the token is bound.
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

    /// Returns the first requirement that a token does not meet, as a reason, or `nil`.
    func shortcoming(of token: AccessToken.Storage, for requirement: AccessRequirement) -> RefusalReason? {
        var step: AdmissionStep? = .senderConstraint
        do throws(RefusalReason) {
            while let current = step {
                _ = try judge(current, token, requirement)
                step = current.next
            }
            let claims = requirement.conditions?.claims ?? []
            return claims.allSatisfy { $0.isMet(by: token.claims) } ? nil : .claimConditionUnmet
        } catch {
            return error
        }
    }

    private func checkAuthentication(
        _ token: AccessToken.Storage, _ requirement: AccessRequirement
    ) throws(RefusalReason) {
        if !requirement.acrValues.isEmpty {
            // RFC 9470 §6: compared exactly, since the values have no known order.
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

    /// Returns the authorization details of a token that are for this resource and of a known type.
    func details(of token: AccessToken.Storage) -> [AuthorizationDetail] {
        AuthorizationDetail.granted(token.claims["authorization_details"], at: resource).filter { detail in
            evaluators.contains { $0.type.utf8.elementsEqual(detail.type.utf8) }
        }
    }
}
