// SPDX-License-Identifier: MIT

public import PortcullisHTTP
import PortcullisJOSE

/// The answer to a request that may not use the resource, ready to be sent.
///
/// Neither the answer nor its description contains any part of the request; only ``finding`` contains claims.
///
/// RFC 6750 §3, RFC 9728 §5.1.
public struct Refusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// The status: 400, 401, 403 or 503.
    public let status: Status
    /// The challenges, one field line each, `Bearer` first.
    ///
    /// None with 503.
    public let challenges: [Challenge]
    /// Why, for logs and metrics.
    public let reason: RefusalReason
    /// The expected and the actual value; `nil` unless ``AuthorizationContext/describesRefusals`` is set.
    public internal(set) var finding: RefusalFinding?
    /// When to try again; only with 503.
    public let retryAfter: Duration?
    /// The nonce that the client's next proof must contain, or `nil`.
    ///
    /// RFC 9449 §8.
    public internal(set) var dpopNonce: String?
    /// The authorization details that the request needs, if the answer states them.
    public let authorizationDetails: [AuthorizationDetail]
    /// The name of the field with the client certificate, if the answer depends on it.
    ///
    /// RFC 9440 §2.4.
    var certificateFieldName: String?
    /// The error code and its text, as in the challenge.
    private let error: (code: String, text: String?)?

    package init(
        reason: RefusalReason, error: String?, challenges: [Challenge], retryAfter: Duration? = nil,
        authorizationDetails: [AuthorizationDetail] = []
    ) {
        status = Status(code: reason.outcome.status)
        self.reason = reason
        self.error = error.map { ($0, reason.publicDescription) }
        self.challenges = challenges
        self.retryAfter = retryAfter
        self.authorizationDetails = authorizationDetails
    }

    /// Whether both are the same answer.
    public static func == (first: Refusal, second: Refusal) -> Bool {
        first.reason == second.reason && first.head == second.head && first.body == second.body
    }

    /// Hashes the reason and the challenges.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(reason)
        hasher.combine(challenges)
    }

    /// The status and the fields: challenges, `Cache-Control: no-store`, and the type of any body.
    ///
    /// The same for `HEAD`, which gets no body. RFC 9110 §9.3.2, §11.6.1.
    public var head: ResponseHead {
        var fields = Fields()
        for challenge in challenges { fields.append(challenge.description, for: .wwwAuthenticate) }
        if let retryAfter { fields.append(String(Self.wholeSeconds(retryAfter)), for: .retryAfter) }
        if let dpopNonce { fields.append(dpopNonce, for: "DPoP-Nonce") }
        fields.append(.noStore)
        if let certificateFieldName { fields.append(certificateFieldName, for: .vary) }
        if error != nil { fields.append("application/json", for: .contentType) }
        return ResponseHead(status: status, fields: fields)
    }

    /// A JSON object with `error` and `error_description` as in the challenge; empty without an error code.
    public var body: [UInt8] {
        guard let error else { return [] }
        var object: JSONObject = ["error": .string(error.code)]
        object["error_description"] = error.text.map(JSONValue.string)
        if !authorizationDetails.isEmpty {
            object["authorization_details"] = .array(authorizationDetails.map { .object($0.json) })
        }
        return object.serialized()
    }

    /// The status and the reason.
    public var description: String { "\(status.code) \(reason.rawValue)" }

    // RFC 9110 §10.2.3: whole seconds; rounded up, so that no client retries too early.
    private static func wholeSeconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return max(1, attoseconds > 0 ? seconds + 1 : seconds)
    }
}
