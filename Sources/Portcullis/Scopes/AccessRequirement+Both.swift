// SPDX-License-Identifier: MIT

extension AccessRequirement {
    /// Requires what both require.
    ///
    /// `nil` if no requirement says that: one challenge must name everything that is missing, so two
    /// alternatives of scopes, different rules for operations, two decisions and classes of authentication
    /// without a common one do not go together. ``validTokenOrNone`` requires nothing.
    ///
    /// RFC 6750 §3.1, RFC 9470 §3.
    package func and(_ other: AccessRequirement) -> AccessRequirement? {
        if other == .validTokenOrNone || other == self { return self }
        if self == .validTokenOrNone { return other }
        guard !mayLackToken, !other.mayLackToken, let scopes = scopes.and(other.scopes),
            let acrValues = Self.common(acrValues, other.acrValues)
        else { return nil }
        let maxAge = [maxAge, other.maxAge].compactMap { $0 }.min()
        let details =
            authorizationDetails + other.authorizationDetails.filter { !authorizationDetails.contains($0) }
        var both = AccessRequirement(scopes).authenticated(by: acrValues, within: maxAge).covering(details)
        if needsSenderConstraint || other.needsSenderConstraint { both = both.senderConstrained() }
        if needsFreshIntrospection || other.needsFreshIntrospection { both = both.freshlyIntrospected() }
        guard let first = conditions, let second = other.conditions else {
            both.conditions = conditions ?? other.conditions
            return both
        }
        guard let conditions = first.and(second) else { return nil }
        both.conditions = conditions
        return both
    }

    /// The values that both lists allow, an empty one any; `nil` if there are none.
    private static func common(_ first: [String], _ second: [String]) -> [String]? {
        if first.isEmpty || second.isEmpty { return first + second }
        let common = first.filter { second.contains($0) }
        return common.isEmpty ? nil : common
    }
}

extension RouteConditions {
    /// The conditions of both; `nil` if they can't be one.
    fileprivate func and(_ other: RouteConditions) -> RouteConditions? {
        let all = claims + other.claims.filter { !claims.contains($0) }
        guard all.count <= ClaimCondition.maximumCount,
            operations == nil || other.operations == nil || operations == other.operations,
            decision == nil || other.decision == nil || decision == other.decision
        else { return nil }
        return RouteConditions(
            claims: all, operations: operations ?? other.operations, decision: decision ?? other.decision)
    }
}
