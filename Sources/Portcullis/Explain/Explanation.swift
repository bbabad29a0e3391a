// SPDX-License-Identifier: MIT

/// What the gate does with one request, step by step: the record of a real admission.
///
/// Holds what the token says of itself where that decides, and neither the token nor a proof: of those a hash at most.
public struct Explanation: Sendable {
    /// One step of the gate.
    public struct Step: Sendable, Hashable {
        /// What came of a step.
        @nonexhaustive
        public enum Outcome: String, Sendable, Hashable {
            /// The request passed.
            case passed
            /// The token passed when it was checked, and is remembered.
            case remembered
            /// The request was refused here.
            case failed
            /// The request was refused before, and nothing was looked at.
            case notReached
            /// The request was refused before, and would pass here.
            case wouldPass
            /// The request was refused before, and would be refused here too.
            case wouldFail
            /// The request was refused before, and what this step needs is not known.
            case notJudged
        }

        /// What is checked.
        public let name: String
        /// The clause that wants it.
        public let clause: String
        /// What came of it.
        public let outcome: Outcome
        /// What would be right, where that can be said.
        public let expected: String?
        /// What the request has, where that can be said; text from outside, made printable.
        public let got: String?
        /// Why the request is refused here, or would be.
        public let reason: RefusalReason?
    }

    /// The steps, in the order in which they are taken.
    public let steps: [Step]
    /// The token, if the request is let in, or the refusal that the client gets.
    public let decision: Result<AccessToken, Refusal>

    /// The step at which the request was refused.
    public var failedStep: Step? { steps.first { $0.outcome == .failed } }
}
