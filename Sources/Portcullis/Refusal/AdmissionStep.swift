// SPDX-License-Identifier: MIT

/// The steps of a decision, in order.
///
/// Their order is the order of the checks; it is defined only here.
/// `Admission+Steps.swift` implements each step; the table of ``RefusalReason`` lists why each may refuse.
package enum AdmissionStep: UInt8, CaseIterable, Sendable {
    // The request, before any look-up.
    case origin, certificateField, credentials, length, proofField
    // The token: from the cache …
    case memory
    // … or else a JWT, read and verified here …
    case characters, format, header, type, algorithm, payload, issuer, key, signature
    // … or introspected; in both cases its claims.
    case introspection, kind, claimValues, audience, times, claims
    // The client's proof of possession.
    case possession, freshness, proof
    // What the issuer has said of the token since.
    case status
    // The requirement of the route.
    case senderConstraint, authentication, scopes, details
    // The conditions of few routes; the others skip these steps.
    case operation, operationScopes, claimConditions, decision

    /// Whether the step is shown only if it refuses, or if a later step with the same name does not pass.
    var isPart: Bool {
        self == .length || self == .proofField || self == .payload || self == .kind
    }

    /// The name of the check.
    package var name: String { row.name }
    /// The clause that requires it.
    package var clause: String { row.clause }

    private var row: (name: String, clause: String) {
        switch self {
        case .origin: ("origin of the page", "RFC 6454 §7, MCP transports")
        case .certificateField: ("client certificate field", "RFC 9440 §2.2")
        case .credentials: ("credentials", "RFC 6750 §2, RFC 9449 §7.1")
        case .length: ("form of the token", "RFC 6750 §2.1")
        case .proofField: ("DPoP proof", "RFC 9449 §4.3")
        case .memory: ("memory of tokens", "RFC 7662 §4")
        case .characters: ("form of the token", "RFC 6750 §2.1")
        case .format: ("format of the token", "RFC 9068 §4, RFC 7662 §2")
        case .header: ("header and claims", "RFC 7515 §5.2, RFC 7519 §7.2")
        case .type: ("type", "RFC 9068 §4, RFC 8725 §3.11")
        case .algorithm: ("algorithm", "RFC 8725 §3.1")
        case .payload: ("header and claims", "RFC 7515 §5.2, RFC 7519 §7.2")
        case .issuer: ("issuer", "RFC 9068 §4")
        case .key: ("key", "RFC 7515 §4.1.4, RFC 7517 §4.5")
        case .signature: ("signature", "RFC 7515 §5.2")
        case .introspection: ("introspection", "RFC 7662 §2.2")
        case .kind: ("kind of token", "RFC 9068 §5, RFC 8725 §3.12")
        case .claimValues: ("values of claims", "RFC 8725 §3.12")
        case .audience: ("audience", "RFC 9068 §4, RFC 8707 §2")
        case .times: ("times", "RFC 7519 §4.1.4-§4.1.6")
        case .claims: ("claims", "RFC 9068 §2.2")
        case .possession: ("possession", "RFC 7800 §3.1, RFC 9449 §7, RFC 8705 §3")
        case .freshness: ("fresh introspection", "RFC 7662 §4")
        case .proof: ("DPoP proof", "RFC 9449 §4.3")
        case .status: ("status of the token", "draft-ietf-oauth-status-list §8.3")
        case .senderConstraint: ("sender constraint", "RFC 9700 §2.2.1")
        case .authentication: ("authentication of the user", "RFC 9470 §3")
        case .scopes: ("scopes", "RFC 6750 §3.1")
        case .details: ("authorization details", "RFC 9396 §9")
        case .operation: ("operation", "MCP 2026-07-28, SEP-2243")
        case .operationScopes: ("scopes of the operation", "RFC 6750 §3.1, SEP-2243")
        case .claimConditions: ("conditions on claims", "RFC 9068 §2.2.3, RFC 6750 §3.1")
        case .decision: ("decision of the app", "AuthZEN 1.0 §6")
        }
    }

    /// The step after this one, or `nil` after the last that every request takes.
    var next: AdmissionStep? {
        guard rawValue < AdmissionStep.details.rawValue else { return nil }
        // SAFETY: the cases are numbered from 0 without a gap, and this one is not the last. The failable
        // initializer is a call of its own, for each step of each request.
        return unsafeBitCast(rawValue + 1, to: AdmissionStep.self)
    }

    /// The step after this one for a route with conditions, once ``next`` is `nil`; `nil` after the last.
    var nextCondition: AdmissionStep? { AdmissionStep(rawValue: rawValue + 1) }
}
