// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// Describes the recorded trace of an admission.
struct ExplainedRequest {
    let trace: AdmissionTrace
    let findings: RequestFindings
    let refusal: Refusal?

    private var reading: RequestReading { findings.reading }
    private var requirement: AccessRequirement { findings.requirement }

    func steps() -> [Explanation.Step] {
        AdmissionStep.allCases.compactMap { step in
            guard let outcome = outcome(of: step) else { return nil }
            let (expected, got) = texts(of: step)
            return Explanation.Step(
                name: step.name, clause: step.clause, outcome: outcome, expected: expected, got: got,
                reason: trace.outcomes[step]?.reason)
        }
    }

    /// Returns the outcome of a step, or `nil` if it is not shown.
    private func outcome(of step: AdmissionStep) -> Explanation.Step.Outcome? {
        switch trace.outcomes[step] {
        case .passed: step.isPart ? nil : .passed
        case .remembered: step.isPart || !isRelevant(step) ? nil : .remembered
        case .refused: .failed
        case .wouldPass: step.isPart ? nil : .wouldPass
        case .wouldRefuse: .wouldFail
        case nil: isMissed(step) ? (trace.goesOn ? .notJudged : .notReached) : nil
        }
    }

    private func isMissed(_ step: AdmissionStep) -> Bool {
        guard let refused = trace.refusedStep, step > refused, !step.isPart, isRelevant(step) else {
            return false
        }
        return step.name != refused.name
    }

    // The refused step shows the texts of the refusal itself.
    private func texts(of step: AdmissionStep) -> (expected: String?, got: String?) {
        if step == trace.refusedStep, let finding = refusal?.finding {
            return (finding.expected, finding.got)
        }
        return findings.findings(of: step)
    }

    private func isRelevant(_ step: AdmissionStep) -> Bool {
        switch step {
        case .origin, .certificateField, .memory, .senderConstraint: false
        case .proofField, .proof: reading.proofCount > 0
        case .header, .type, .algorithm, .payload, .issuer, .key, .signature: reading.isJWT
        case .introspection: !reading.isJWT && reading.token != nil
        case .kind: reading.isJWT
        case .claimValues: !findings.requiredValues.isEmpty
        case .freshness: requirement.needsFreshIntrospection && reading.isJWT
        case .status: findings.hasStatus
        case .authentication: !requirement.acrValues.isEmpty || requirement.maxAge != nil
        case .details: !requirement.authorizationDetails.isEmpty
        case .operation: requirement.conditions?.operations != nil
        case .operationScopes: !findings.operationScopes.isEmpty
        case .claimConditions: requirement.conditions?.claims.isEmpty == false
        case .decision: requirement.conditions?.decision != nil
        default: true
        }
    }
}
