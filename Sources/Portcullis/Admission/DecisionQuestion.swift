// SPDX-License-Identifier: MIT

/// The app's decision, and the question for it.
package struct DecisionQuestion: Sendable {
    let decision: ExternalDecision
    let request: AccessEvaluationRequest

    /// Asks, and waits for at most ``ExternalDecision/timeout``.
    func answer() async -> DecisionVerdict {
        DecisionVerdict(await decision.answer(to: request))
    }
}

/// The answer of the app's decision.
package final class DecisionVerdict: Sendable {
    /// `nil` if there was none in time.
    let response: AccessEvaluationResponse?

    package init(_ response: AccessEvaluationResponse?) {
        self.response = response
    }
}
