// SPDX-License-Identifier: MIT

/// The outcomes of an admission's steps.
struct AdmissionTrace: Sendable {
    /// The outcome of a step.
    enum Outcome: Sendable, Hashable {
        case passed
        /// A cached token has already passed the step.
        case remembered
        case refused(RefusalReason)
        /// Evaluated after the refusal; does not change the decision.
        case wouldPass
        case wouldRefuse(RefusalReason)

        var reason: RefusalReason? {
            switch self {
            case .refused(let reason), .wouldRefuse(let reason): reason
            case .passed, .remembered, .wouldPass: nil
            }
        }
    }

    /// Whether the steps after a refusal are evaluated too.
    let goesOn: Bool
    private(set) var outcomes: [AdmissionStep: Outcome] = [:]
    /// The step at which the request was refused, if it was.
    private(set) var refusedStep: AdmissionStep?

    init(goesOn: Bool) {
        self.goesOn = goesOn
    }

    mutating func note(_ step: AdmissionStep, _ outcome: Outcome) {
        outcomes[step] = outcome
    }

    mutating func noteRemembered() {
        for step in AdmissionStep.allCases where step > .memory && step < .possession {
            outcomes[step] = .remembered
        }
    }

    mutating func noteRefusal(_ step: AdmissionStep, _ reason: RefusalReason) {
        // A cached rejection is attributed to the step that rejected the token first.
        let step = step == .memory ? reason.step(isIntrospected: true) : step
        outcomes[step] = .refused(reason)
        refusedStep = step
    }
}
