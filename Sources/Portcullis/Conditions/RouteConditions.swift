// SPDX-License-Identifier: MIT

/// The demands of a route that few routes have, in an object of their own: a requirement without them carries
/// one empty reference.
package final class RouteConditions: Sendable, Hashable {
    /// Whether a request without credentials passes.
    package let isTokenOptional: Bool
    package let claims: [ClaimCondition]
    package let operations: OperationRules?
    package let decision: ExternalDecision?

    package init(
        isTokenOptional: Bool = false, claims: [ClaimCondition] = [], operations: OperationRules? = nil,
        decision: ExternalDecision? = nil
    ) {
        self.isTokenOptional = isTokenOptional
        self.claims = claims
        self.operations = operations
        self.decision = decision
    }

    /// Whether some request passes without credentials.
    package var mayLackToken: Bool { isTokenOptional || operations?.haveOptionalToken == true }

    /// Whether both have the same conditions.
    package static func == (first: RouteConditions, second: RouteConditions) -> Bool {
        first === second
            || first.isTokenOptional == second.isTokenOptional && first.claims == second.claims
                && first.operations == second.operations && first.decision == second.decision
    }

    /// Hashes the conditions.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(isTokenOptional)
        hasher.combine(claims)
        hasher.combine(operations)
        hasher.combine(decision)
    }
}
