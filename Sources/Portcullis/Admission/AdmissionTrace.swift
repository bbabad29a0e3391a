// SPDX-License-Identifier: MIT

/// What each step of an admission has found.
struct AdmissionTrace: Sendable {
    /// What became of a step.
    enum Outcome: Sendable, Hashable {
        case passed
        /// The token passed it before, and is remembered.
        case remembered
        case refused(RefusalReason)
        /// Judged after the refusal, which alone decides.
        case wouldPass
        case wouldRefuse(RefusalReason)

        var reason: RefusalReason? {
            switch self {
            case .refused(let reason), .wouldRefuse(let reason): reason
            case .passed, .remembered, .wouldPass: nil
            }
        }
    }

    /// Whether the steps behind a refusal are judged too.
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
        // A token that is remembered as refused is refused by the step that did so.
        let step = step == .memory ? reason.step(isIntrospected: true) : step
        outcomes[step] = .refused(reason)
        refusedStep = step
    }
}
