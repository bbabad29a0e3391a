// SPDX-License-Identifier: MIT

/// The steps of one decision, recorded from a real admission.
///
/// Contains claims of the token if they matter, but neither the token nor a proof: of those at most a hash.
public struct Explanation: Sendable {
    /// One step of the gate.
    public struct Step: Sendable, Hashable {
        /// The outcome of a step.
        @nonexhaustive
        public enum Outcome: String, Sendable, Hashable {
            /// The request passed.
            case passed
            /// The token passed when it was checked, and is cached.
            case remembered
            /// The request was refused here.
            case failed
            /// The request was refused before, and this step was not taken.
            case notReached
            /// The request was refused before, and would pass here.
            case wouldPass
            /// The request was refused before, and would be refused here too.
            case wouldFail
            /// The request was refused before, and the inputs of this step are unknown.
            case notJudged
        }

        /// The name of the check.
        public let name: String
        /// The clause that requires it.
        public let clause: String
        /// The outcome.
        public let outcome: Outcome
        /// The expected value, or `nil`.
        public let expected: String?
        /// The request's value, or `nil`; untrusted text, made printable.
        public let got: String?
        /// The reason for which the request is, or would be, refused here.
        public let reason: RefusalReason?
    }

    /// The steps, in order.
    public let steps: [Step]
    /// The token, if the request is admitted, or the refusal that the client gets.
    ///
    /// The token is `nil` if the request passes without one.
    public let decision: Result<AccessToken?, Refusal>
    /// Why the token is refused, for advice.
    package let diagnosis: Diagnosis

    /// The step at which the request was refused.
    public var failedStep: Step? { steps.first { $0.outcome == .failed } }
}
