// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// Puts together what a request has, what it should have, and where it was refused.
struct ExplainedRequest {
    let findings: RequestFindings
    let decision: Result<AccessToken, Refusal>

    private var reading: RequestReading { findings.reading }
    private var requirement: AccessRequirement { findings.requirement }

    func steps() -> [Explanation.Step] {
        let relevant = GateStep.allCases.filter(isRelevant)
        let failed = findings.failure.map { GateStep($0, isIntrospected: !reading.isJWT) }
        var isOver = false
        return relevant.map { step in
            let outcome: Explanation.Step.Outcome = isOver ? .notReached : step == failed ? .failed : .passed
            if step == failed { isOver = true }
            let (expected, got) = texts(of: step, isFailed: step == failed)
            return Explanation.Step(
                name: step.name, clause: step.clause, outcome: outcome, expected: expected, got: got)
        }
    }

    // What was wrong is what the refusal itself says.
    private func texts(of step: GateStep, isFailed: Bool) -> (expected: String?, got: String?) {
        if isFailed, case .failure(let refusal) = decision, let finding = refusal.finding {
            return (finding.expected, finding.got)
        }
        return findings.findings(of: step)
    }

    // Steps that this request has nothing to do with are left out, unless it fails at them.
    private func isRelevant(_ step: GateStep) -> Bool {
        if let failure = findings.failure, GateStep(failure, isIntrospected: !reading.isJWT) == step {
            return true
        }
        switch step {
        case .document, .type, .algorithm, .issuer, .key, .signature: return reading.isJWT
        case .introspection: return !reading.isJWT && reading.token != nil
        case .proof: return reading.proofCount > 0
        case .authentication: return !requirement.acrValues.isEmpty || requirement.maxAge != nil
        case .details: return !requirement.authorizationDetails.isEmpty
        default: return true
        }
    }
}
