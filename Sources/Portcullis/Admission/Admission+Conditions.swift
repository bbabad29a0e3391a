// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

// The steps of routes that demand more than scopes, user authentication and authorization details; and the
// requests that pass without a token. None of this is reached by a request with a known token for another
// route.

extension AccessRequirement {
    /// The step after another one, or `nil` after the last.
    func step(after step: AdmissionStep) -> AdmissionStep? {
        step.next ?? (conditions == nil ? nil : step.nextCondition)
    }
}

extension RefusalReason {
    /// Whether the request has no credentials that the resource takes.
    var isLackOfCredentials: Bool { self == .missingCredentials || self == .unsupportedScheme }

    init(_ fault: OperationFault) {
        self =
            switch fault {
            case .ambiguous: .ambiguousOperation
            case .malformed: .malformedOperation
            case .unversioned: .unversionedOperation
            case .missing: .missingOperation
            case .unlisted: .unlistedOperation
            }
    }
}

extension Gate {
    /// Whether operations count only where the server behind is obliged to compare fields and body.
    ///
    /// MCP 2026-07-28, SEP-2243.
    var needsRevision: Bool { originCheck != nil }

    /// The operation of a request if it can be told, whatever else is wrong with the request.
    func operation(of head: RequestHead, _ requirement: AccessRequirement) -> RequestOperation? {
        guard let operations = requirement.conditions?.operations else { return nil }
        return try? operations.operation(of: head, needsRevision: needsRevision)
    }
}

extension Admission {
    /// Whether a request without credentials passes; notes the steps that it has taken.
    mutating func passesWithoutToken(_ head: RequestHead, _ requirement: AccessRequirement) -> Bool {
        guard let conditions = requirement.conditions, conditions.mayLackToken else {
            return false
        }
        if !conditions.isTokenOptional {
            guard gate.operation(of: head, requirement)?.isTokenOptional == true else { return false }
            trace?.note(.operation, .passed)
        }
        trace?.note(.credentials, .passed)
        return true
    }

    /// Takes one of the steps from `operation` on.
    mutating func checkCondition(
        _ step: AdmissionStep, _ head: RequestHead, _ requirement: AccessRequirement
    ) throws(RefusalReason) -> Turn {
        guard let conditions = requirement.conditions else { return .irrelevant }
        switch step {
        case .operation:
            guard let operations = conditions.operations else { return .irrelevant }
            do throws(OperationFault) {
                _ = try operations.operation(of: head, needsRevision: gate.needsRevision)
            } catch {
                throw RefusalReason(error)
            }
        case .operationScopes:
            guard let scopes = gate.operation(of: head, requirement)?.scopes, !scopes.isEmpty else {
                return .irrelevant
            }
            guard let token else { throw .missingCredentials }
            guard scopes.allSatisfy(token.storage.granted.contains) else { throw .insufficientScope }
        case .claimConditions:
            guard !conditions.claims.isEmpty else { return .irrelevant }
            guard let token else { throw .missingCredentials }
            guard conditions.claims.allSatisfy({ $0.isMet(by: token.claims) }) else {
                throw .claimConditionUnmet
            }
        default:
            guard let decision = conditions.decision else { return .irrelevant }
            return try decide(decision, head)
        }
        return .passed
    }

    // AuthZEN 1.0 §6: nothing but a permit admits.
    private mutating func decide(
        _ decision: ExternalDecision, _ head: RequestHead
    ) throws(RefusalReason) -> Turn {
        guard let token else { throw .missingCredentials }
        guard let verdict else {
            return lack(
                .decision(
                    DecisionQuestion(decision: decision, request: AccessEvaluationRequest(head, token))))
        }
        guard let response = verdict.response else { throw .decisionUnavailable }
        guard response.decision else { throw .deniedByDecision }
        return .passed
    }
}

extension AccessEvaluationRequest {
    /// The question about a request with a valid token.
    ///
    /// The subject is the user, or else the client, with the issuer, the client, the scopes and the claims of
    /// its token; the action is the method; the resource is the path, with the resource's identifier.
    init(_ head: RequestHead, _ token: AccessToken) {
        var properties: JSONObject = [
            "issuer": .string(token.issuer), "scopes": .array(token.scopes.map { .string($0.name) }),
        ]
        properties["client_id"] = token.clientID.map(JSONValue.string)
        properties["claims"] = .object(token.claims)
        // The path that routes are found by. Another host program may read a path that has two readings.
        let path = (try? RequestTarget(head)).flatMap { try? RequestPath(head.bytes, $0.path) }?.text
        self.init(
            subject: Entity(
                type: token.subject == nil ? "client" : "user", id: token.subject ?? token.clientID ?? "",
                properties: properties),
            action: Action(name: head.method.name),
            resource: Entity(
                type: "route", id: path ?? head.target, properties: ["resource": .string(token.resource.text)]
            ))
    }
}
