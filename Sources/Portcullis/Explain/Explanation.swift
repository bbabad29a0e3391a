// SPDX-License-Identifier: MIT

/// What the gate does with one request, step by step, for whoever has to find out why.
///
/// Holds what the token says of itself where that decides, and neither the token nor a proof: of those a hash at most.
public struct Explanation: Sendable {
    /// One step of the gate.
    public struct Step: Sendable, Hashable {
        /// What came of a step.
        public enum Outcome: String, Sendable, Hashable {
            /// The request may go on.
            case passed
            /// The request was refused here.
            case failed
            /// The request was refused before.
            case notReached
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
    }

    /// The steps, in the order in which they are taken.
    public let steps: [Step]
    /// The token, if the request is let in, or the refusal that the client gets.
    public let decision: Result<AccessToken, Refusal>

    /// The step at which the request was refused.
    public var failedStep: Step? { steps.first { $0.outcome == .failed } }
}

extension RefusalReason {
    /// The step of the gate that refuses for this reason, and the clause that wants it.
    ///
    /// - Parameter isIntrospected: Whether the token was one to ask its issuer about.
    package func step(isIntrospected: Bool) -> (name: String, clause: String) {
        let step = GateStep(self, isIntrospected: isIntrospected)
        return (step.name, step.clause)
    }
}

/// The steps of the gate, in their order.
enum GateStep: CaseIterable {
    case credentials, form, format, document, type, algorithm, issuer, key, signature, introspection,
        audience, times
    case claims, possession, proof, authentication, scopes, details

    var name: String {
        switch self {
        case .credentials: "credentials"
        case .form: "form of the token"
        case .format: "format of the token"
        case .document: "header and claims"
        case .type: "type"
        case .algorithm: "algorithm"
        case .issuer: "issuer"
        case .key: "key"
        case .signature: "signature"
        case .introspection: "introspection"
        case .audience: "audience"
        case .times: "times"
        case .claims: "claims"
        case .possession: "possession"
        case .proof: "DPoP proof"
        case .authentication: "authentication of the user"
        case .scopes: "scopes"
        case .details: "authorization details"
        }
    }

    var clause: String {
        switch self {
        case .credentials: "RFC 6750 §2, RFC 9449 §7.1"
        case .form: "RFC 6750 §2.1"
        case .format: "RFC 9068 §4, RFC 7662 §2"
        case .document: "RFC 7515 §5.2, RFC 7519 §7.2"
        case .type: "RFC 9068 §4, RFC 8725 §3.11"
        case .algorithm: "RFC 8725 §3.1"
        case .issuer: "RFC 9068 §4"
        case .key: "RFC 7515 §4.1.4, RFC 7517 §4.5"
        case .signature: "RFC 7515 §5.2"
        case .introspection: "RFC 7662 §2.2"
        case .audience: "RFC 9068 §4, RFC 8707 §2"
        case .times: "RFC 7519 §4.1.4-§4.1.6"
        case .claims: "RFC 9068 §2.2"
        case .possession: "RFC 7800 §3.1, RFC 9449 §7, RFC 8705 §3"
        case .proof: "RFC 9449 §4.3"
        case .authentication: "RFC 9470 §3"
        case .scopes: "RFC 6750 §3.1"
        case .details: "RFC 9396 §9"
        }
    }

    /// The step that refuses for a reason.
    init(_ reason: RefusalReason, isIntrospected: Bool) {
        switch reason {
        case .missingCredentials, .unsupportedScheme, .emptyCredentials, .repeatedCredentials,
            .severalMethods, .forbiddenOrigin:
            self = .credentials
        case .malformedToken, .tokenTooLong: self = .form
        case .unsupportedTokenFormat: self = .format
        case .malformedJWT: self = .document
        case .unsupportedTokenType: self = isIntrospected ? .introspection : .type
        case .unsupportedAlgorithm: self = .algorithm
        case .unknownIssuer: self = isIntrospected ? .introspection : .issuer
        case .unknownKey, .ambiguousKey, .keysUnavailable: self = .key
        case .invalidSignature: self = .signature
        case .inactiveToken, .introspectionUnavailable: self = .introspection
        case .audienceMismatch: self = .audience
        case .expired, .notYetValid, .issuedInTheFuture: self = .times
        case .malformedClaims, .missingClaim: self = .claims
        case .unprovenPossession, .boundTokenAsBearer, .unboundToken, .missingClientCertificate,
            .clientCertificateMismatch, .malformedClientCertificate:
            self = .possession
        case .missingProof, .repeatedProof, .malformedProof, .unsupportedProofAlgorithm, .proofMethodMismatch,
            .proofTargetMismatch, .proofOutsideWindow, .proofTokenMismatch, .invalidProofSignature,
            .proofKeyMismatch, .missingNonce, .staleNonce, .replayedProof, .replayStoreFull,
            .replayStoreUnavailable:
            self = .proof
        case .authenticationTooWeak, .authenticationTooOld: self = .authentication
        case .insufficientScope: self = .scopes
        case .insufficientAuthorizationDetails: self = .details
        }
    }
}
