// SPDX-License-Identifier: MIT

import PortcullisHTTP

extension AccessRequirement {
    /// A token or none: a request without credentials passes, and one with credentials if they are valid.
    ///
    /// A scheme that the resource does not accept is no credential. Only for
    /// `Routes.optionallyProtect(_:_:)`, whose handlers receive `AccessToken?`, for gates that are made with
    /// it, and for ``ProtectedResource/authorizeOptionally(_:requiring:in:)``. Whatever is added to it
    /// demands a token again.
    ///
    /// RFC 6750 §3.1.
    public static let validTokenOrNone: AccessRequirement = {
        var requirement = AccessRequirement.anyValidToken
        requirement.conditions = RouteConditions(isTokenOptional: true)
        return requirement
    }()

    /// Adds conditions on claims, all of which the token must meet.
    ///
    /// See ``holding(_:file:line:)-([ClaimCondition],_,_)``.
    public func holding(
        _ claims: ClaimCondition..., file: StaticString = #fileID, line: UInt = #line
    ) -> AccessRequirement {
        holding(claims, file: file, line: line)
    }

    /// Adds conditions on claims, all of which the token must meet; otherwise 403 with `insufficient_scope`
    /// and without `scope`, since no scope would help.
    ///
    /// Judged after the scopes. Traps on more than ``ClaimCondition/maximumCount``.
    ///
    /// RFC 6750 §3.1.
    public func holding(
        _ claims: [ClaimCondition], file: StaticString = #fileID, line: UInt = #line
    ) -> AccessRequirement {
        guard !claims.isEmpty else { return self }
        let all = (conditions?.claims ?? []) + claims
        endUnless(
            all.count <= ClaimCondition.maximumCount,
            "A requirement has at most \(ClaimCondition.maximumCount) conditions on claims.", file: file,
            line: line)
        return changed(claims: all)
    }

    /// Distinguishes the operations behind one URL by the exact values of fields.
    ///
    /// See ``distinguishing(_:others:file:line:)-([RequestOperation],_,_,_)``.
    public func distinguishing(
        _ operations: RequestOperation..., others: OtherOperations = .refused,
        file: StaticString = #fileID, line: UInt = #line
    ) -> AccessRequirement {
        distinguishing(operations, others: others, file: file, line: line)
    }

    /// Distinguishes the operations behind one URL by the exact values of fields, each with its own scopes.
    ///
    /// The first operation whose fields a request has counts. A field that an operation names and that comes
    /// twice makes the request malformed. Judged after the token; challenges name the scopes of the route and
    /// of the operation. Under ``ResourceProfile/mcp(allowedOrigins:)`` a request with an operation names one
    /// `MCP-Protocol-Version` of 2026-07-28 or later, otherwise it gets 400.
    ///
    /// The gate does not read the body: see ``RequestOperation``. Replaces the operations that were declared
    /// before. Traps if an operation is never reached because of an earlier one, and beyond
    /// 1024 operations and 16 different fields.
    ///
    /// MCP 2026-07-28, SEP-2243.
    public func distinguishing(
        _ operations: [RequestOperation], others: OtherOperations = .refused,
        file: StaticString = #fileID, line: UInt = #line
    ) -> AccessRequirement {
        endUnless(!operations.isEmpty, "Operations must be listed.", file: file, line: line)
        endUnless(
            operations.count <= OperationRules.maximumCount
                && OperationRules.names(of: operations).count <= OperationRules.maximumFieldCount,
            "A route has at most \(OperationRules.maximumCount) operations, which name at most "
                + "\(OperationRules.maximumFieldCount) different fields.", file: file, line: line)
        if let hidden = OperationRules.hidden(in: operations) {
            endForMistake(
                "Operation \(hidden.index) is never reached: every request for it is one for operation "
                    + "\(hidden.by). List the one with more fields first.", file: file, line: line)
        }
        return changed(operations: OperationRules(operations, others: others))
    }

    /// Adds a decision of the app, which is asked last.
    ///
    /// Replaces the decision that was added before.
    public func decided(by decision: ExternalDecision) -> AccessRequirement { changed(decision: decision) }

    private func changed(
        claims: [ClaimCondition]? = nil, operations: OperationRules? = nil, decision: ExternalDecision? = nil
    ) -> AccessRequirement {
        var requirement = self
        requirement.conditions = RouteConditions(
            claims: claims ?? conditions?.claims ?? [], operations: operations ?? conditions?.operations,
            decision: decision ?? conditions?.decision)
        return requirement
    }

    /// The same, without leave to come without a token.
    var needingToken: AccessRequirement {
        guard let conditions, conditions.isTokenOptional else { return self }
        var requirement = self
        requirement.conditions = nil
        return requirement
    }

    /// Whether some request passes without credentials.
    package var mayLackToken: Bool { conditions?.mayLackToken ?? false }

    /// Whether it demands more of a token than that it is valid.
    package var demandsMoreThanToken: Bool {
        self != .anyValidToken && self != .validTokenOrNone
    }

    /// All scopes that some request may need.
    package var allScopes: [Scope] {
        scopes.scopes + (conditions?.operations?.operations.flatMap(\.scopes) ?? [])
    }
}
