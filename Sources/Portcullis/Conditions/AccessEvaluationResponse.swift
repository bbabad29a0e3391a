// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// The answer of a decision point.
///
/// OpenID AuthZEN Authorization API 1.0 §5.5, §6.2.
public struct AccessEvaluationResponse: Sendable, Hashable {
    /// Whether the access is permitted.
    public var decision: Bool
    /// The reasons, and what else the decision point says.
    public var context: JSONObject

    /// Makes an answer; by default without context.
    public init(decision: Bool, context: JSONObject = [:]) {
        self.decision = decision
        self.context = context
    }

    /// Permits.
    public static let permit = AccessEvaluationResponse(decision: true)

    /// Denies, with a reason for the operator.
    ///
    /// It appears in logs and explanations, never in the response.
    public static func deny(_ reason: String) -> AccessEvaluationResponse {
        AccessEvaluationResponse(decision: false, context: ["reason_admin": ["en": .string(reason)]])
    }

    /// Reads an answer; `nil` unless `decision` is a boolean, and `context` an object if it is there.
    public init?(_ json: JSONObject) {
        guard let decision = json["decision"]?.bool else { return nil }
        guard let context = json["context"], !context.isNull else {
            self.init(decision: decision)
            return
        }
        guard let object = context.object else { return nil }
        self.init(decision: decision, context: object)
    }

    /// The reason for the operator: `reason_admin`, a text or texts by language; `nil` if there is none.
    package var reason: String? {
        guard let reason = context["reason_admin"] else { return nil }
        return reason.string ?? reason.object?.members.lazy.compactMap { $0.value.string }.first
    }
}
