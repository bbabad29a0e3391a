// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// Builds the refusals of one resource, with their challenges.
///
/// RFC 6750 §3, RFC 9449 §7.1, §7.2, RFC 9470 §3, RFC 9728 §5.1.
package struct Challenger: Sendable, Hashable {
    /// The URL of the resource's metadata, derived from the identifier and never from the request.
    let metadataURL: String
    let parameters: ChallengeParameters
    /// Whether bearer tokens are accepted.
    let takesBearer: Bool
    /// The value of `algs`; `nil` if DPoP is not accepted.
    let dpopAlgorithms: String?
    /// Whether missing authorization details have their own error code.
    let namesAuthorizationDetails: Bool
    /// Which scopes are named, except where a token lacks something.
    let scope: ChallengeScope
    /// The value of `scope` under ``ChallengeScope/resource``.
    private let resourceScopes: String

    package init(
        metadataURL: String, parameters: ChallengeParameters = .none, takesBearer: Bool = true,
        dpopAlgorithms: [SignatureAlgorithm]? = nil, namesAuthorizationDetails: Bool = false,
        scope: ChallengeScope = .route, of resourceScopes: [Scope] = []
    ) {
        self.scope = scope
        self.resourceScopes =
            scope == .resource ? resourceScopes.map(\.name).joined(separator: " ") : ""
        self.metadataURL = metadataURL
        self.parameters = parameters
        self.takesBearer = takesBearer
        self.dpopAlgorithms = dpopAlgorithms.map { $0.map(\.rawValue).joined(separator: " ") }
        self.namesAuthorizationDetails = namesAuthorizationDetails
    }

    /// Builds the response for a reason, with challenges that state what the request needs.
    ///
    /// - Parameters:
    ///   - attempt: How the client presented its token: the challenge of that scheme carries the error.
    ///   - requirement: What the route needs.
    ///   - operationScopes: The additional scopes of the request's operation.
    package func refusal(
        _ reason: RefusalReason, answering attempt: Attempt = .with(.bearer),
        requiring requirement: AccessRequirement, with operationScopes: [Scope] = []
    ) -> Refusal {
        let error = errorCode(reason)
        let scope = scopeText(reason, requirement, operationScopes)
        let challenges =
            reason == .malformedClientCertificate
            ? []
            : schemes(reason, attempt).map { scheme in
                challenge(
                    scheme, error: carriesError(scheme, attempt) ? error : nil, reason, requirement, scope)
            }
        let includesDetails = namesAuthorizationDetails && reason == .insufficientAuthorizationDetails
        return Refusal(
            reason: reason, error: error, challenges: challenges,
            authorizationDetails: includesDetails ? requirement.authorizationDetails : [])
    }

    /// Builds the response while the authorization server is unreachable.
    ///
    /// It has no challenge, because clients would discard a valid token.
    package func unavailable(_ reason: RefusalReason, retryAfter: Duration) -> Refusal {
        Refusal(reason: reason, error: reason.outcome.error, challenges: [], retryAfter: retryAfter)
    }

    // No RFC defines an error code for authorization details; ours is used only if configured.
    private func errorCode(_ reason: RefusalReason) -> String? {
        reason == .insufficientAuthorizationDetails && !namesAuthorizationDetails
            ? RefusalReason.insufficientScope.outcome.error : reason.outcome.error
    }

    /// The schemes to challenge with, Bearer first, since some clients read only the first challenge.
    ///
    /// A valid but insufficient token, and one sent with DPoP, is challenged only in its own scheme:
    /// another scheme would not help.
    private func schemes(_ reason: RefusalReason, _ attempt: Attempt) -> [Challenge.Scheme] {
        if case .with(let used) = attempt, offers(used), reason.isAboutRequirement || used == .dpop {
            return [used]
        }
        return [.bearer, .dpop].filter(offers)
    }

    private func offers(_ scheme: Challenge.Scheme) -> Bool {
        scheme == .bearer ? takesBearer : dpopAlgorithms != nil
    }

    // RFC 9449 §7.2; if only DPoP is accepted, the DPoP challenge carries the error for a bearer token.
    private func carriesError(_ scheme: Challenge.Scheme, _ attempt: Attempt) -> Bool {
        switch attempt {
        case .none: false
        case .unclear: true
        case .with(let used): scheme == used || !offers(used)
        }
    }

    /// The value of `scope`; empty for none.
    private func scopeText(
        _ reason: RefusalReason, _ requirement: AccessRequirement, _ operationScopes: [Scope]
    ) -> String {
        switch reason {
        // No scope would help.
        case .claimConditionUnmet, .unlistedOperation: return ""
        default: break
        }
        if reason.outcome.status != 403, scope != .route { return resourceScopes }
        let scopes = requirement.scopes.challenged
        let others = operationScopes.filter { !scopes.contains($0) }
        return (scopes + others).map(\.name).joined(separator: " ")
    }

    // The order is fixed: algs, realm, resource_metadata, scope, acr_values, max_age, extra ones, error,
    // error_description.
    private func challenge(
        _ scheme: Challenge.Scheme, error: String?, _ reason: RefusalReason, _ requirement: AccessRequirement,
        _ scope: String
    ) -> Challenge {
        var list: [Challenge.Parameter] = []
        list.reserveCapacity(8 + parameters.extra.count)
        func add(_ name: String, _ value: String?) {
            // RFC 6750 §3: an empty parameter is left out.
            if let value, !value.isEmpty { list.append(.init(name: name, value: value)) }
        }
        if scheme == .dpop { add("algs", dpopAlgorithms) }
        add("realm", parameters.realm)
        add("resource_metadata", metadataURL)
        add("scope", scope)
        if error != nil, reason == .authenticationTooWeak || reason == .authenticationTooOld {
            add("acr_values", requirement.acrValues.joined(separator: " "))
            add("max_age", requirement.maxAgeText)
        }
        list += parameters.extra
        if let error {
            add("error", error)
            add("error_description", reason.publicDescription)
        }
        return Challenge(scheme: scheme, parameters: list)
    }
}
