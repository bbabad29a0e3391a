// SPDX-License-Identifier: MIT

/// Why a request was refused: a closed list for logs and metrics, never sent to the client as it is.
///
/// RFC 6750 §3.1.
@nonexhaustive
public enum RefusalReason: String, Sendable, Hashable, CaseIterable {
    /// No `Authorization` field.
    case missingCredentials
    /// An `Authorization` field with a scheme that the resource does not take.
    case unsupportedScheme
    /// A scheme with no token behind it.
    case emptyCredentials
    /// More than one `Authorization` field, or more than one token in a form or query.
    case repeatedCredentials
    /// Tokens in more than one place of the request. RFC 6750 §2.
    case severalMethods
    /// Characters that no token has. RFC 6750 §2.1.
    case malformedToken
    /// More bytes than ``TokenPolicy/maxTokenByteCount``.
    case tokenTooLong
    /// Not a compact JWS with a header and claims that this package reads. RFC 7515 §7.1.
    case malformedJWT
    /// A token format that the resource does not take.
    case unsupportedTokenFormat
    /// A `typ` that is not accepted. RFC 9068 §4.
    case unsupportedTokenType
    /// An `alg` that is not accepted. RFC 8725 §3.1.
    case unsupportedAlgorithm
    /// An issuer that the resource does not trust.
    case unknownIssuer
    /// No key of the issuer fits the token's `kid` and `alg`.
    case unknownKey
    /// The token names no key and several fit.
    case ambiguousKey
    /// The signature does not verify.
    case invalidSignature
    /// A claim is not of the type that its definition wants.
    case malformedClaims
    /// A claim that the resource requires is not there.
    case missingClaim
    /// The audience does not hold this resource.
    case audienceMismatch
    /// `exp` has passed.
    case expired
    /// `nbf` has not been reached.
    case notYetValid
    /// `iat` lies in the future.
    case issuedInTheFuture
    /// The token is bound in a way that is malformed or that nobody here can check. RFC 7800 §3.1.
    case unprovenPossession
    /// The token is bound to a key, and came as a bearer token. RFC 9449 §7.2.
    case boundTokenAsBearer
    /// The token is not bound to a key, and came in the scheme DPoP, or to a resource that takes no other.
    case unboundToken
    /// A proof beside a bearer token, where ``DPoPPolicy/refusesStrayProofs`` says so.
    case strayProof
    /// The scheme DPoP without a proof. RFC 9449 §4.3.
    case missingProof
    /// More than one proof.
    case repeatedProof
    /// A proof that is no JWT of its form: `typ`, `jwk` or a claim is absent or wrong. RFC 9449 §4.2.
    case malformedProof
    /// An `alg` of the proof that is not accepted.
    case unsupportedProofAlgorithm
    /// `htm` is another method.
    case proofMethodMismatch
    /// `htu` is another URI.
    case proofTargetMismatch
    /// `iat` of the proof is too old, or too far in the future.
    case proofOutsideWindow
    /// `ath` is the hash of another token.
    case proofTokenMismatch
    /// The signature of the proof does not verify.
    case invalidProofSignature
    /// The proof is by another key than the one that the token is bound to. RFC 9449 §6.1.
    case proofKeyMismatch
    /// The proof has no nonce, and the resource asks for one. RFC 9449 §9.
    case missingNonce
    /// The nonce of the proof is none of ours, or too old.
    case staleNonce
    /// The proof was used before. RFC 9449 §11.1.
    case replayedProof
    /// There is no room to remember the proof.
    case replayStoreFull
    /// Nobody knows whether the proof was used before.
    case replayStoreUnavailable
    /// The token is bound to a certificate, and the client has presented none. RFC 8705 §3.
    case missingClientCertificate
    /// The token is bound to another certificate than the client's.
    case clientCertificateMismatch
    /// A trusted proxy has sent a `Client-Cert` field that is none. RFC 9440 §2.2.
    case malformedClientCertificate
    /// The authorization server says that the token is not active. RFC 7662 §2.2.
    case inactiveToken
    /// The user's authentication is of none of the classes that the request needs. RFC 9470 §3.
    case authenticationTooWeak
    /// The user's authentication is too long ago, or nobody knows how long. RFC 9470 §3.
    case authenticationTooOld
    /// The token lacks a scope that the request needs.
    case insufficientScope
    /// A web page of an origin that may not call. Only under ``ResourceProfile/mcp(allowedOrigins:)``.
    case forbiddenOrigin
    /// The token lacks authorization details that the request needs. RFC 9396 §9.
    case insufficientAuthorizationDetails
    /// The keys of the issuer can't be had.
    case keysUnavailable
    /// The introspection endpoint can't be reached, or errs.
    case introspectionUnavailable
}

extension RefusalReason {
    /// The status and the error code that the client gets.
    ///
    /// RFC 6750 §3.1.
    package var outcome: (status: Int, error: String?) {
        switch self {
        case .missingCredentials, .unsupportedScheme: (401, nil)
        case .forbiddenOrigin: (403, "forbidden_origin")
        case .emptyCredentials, .repeatedCredentials, .severalMethods, .strayProof: (400, "invalid_request")
        case .malformedClientCertificate: (400, nil)
        case .missingProof, .repeatedProof, .malformedProof, .unsupportedProofAlgorithm,
            .proofMethodMismatch, .proofTargetMismatch, .proofOutsideWindow, .proofTokenMismatch,
            .invalidProofSignature, .replayedProof:
            (401, "invalid_dpop_proof")
        case .missingNonce, .staleNonce: (401, "use_dpop_nonce")
        case .authenticationTooWeak, .authenticationTooOld: (401, "insufficient_user_authentication")
        case .insufficientScope: (403, "insufficient_scope")
        case .insufficientAuthorizationDetails: (403, "insufficient_authorization_details")
        case .keysUnavailable, .introspectionUnavailable, .replayStoreFull, .replayStoreUnavailable:
            (503, "temporarily_unavailable")
        default: (401, "invalid_token")
        }
    }

    /// The text that the client gets: fixed, without quote, backslash, comma and equals sign.
    ///
    /// Says no more than the client can use; which key, issuer or claim it was stays in the log. RFC 6750 §3.
    package var publicDescription: String? {
        switch self {
        case .missingCredentials, .unsupportedScheme, .keysUnavailable, .introspectionUnavailable,
            .replayStoreFull, .replayStoreUnavailable, .malformedClientCertificate:
            nil
        case .emptyCredentials: "The access token is missing"
        case .repeatedCredentials, .severalMethods: "More than one method was used to send the access token"
        case .malformedToken, .tokenTooLong, .malformedJWT, .malformedClaims, .missingClaim:
            "The access token is malformed"
        case .audienceMismatch: "The access token is not intended for this resource"
        case .expired: "The access token expired"
        case .notYetValid, .issuedInTheFuture: "The access token is not valid yet"
        case .inactiveToken: "The access token is not active"
        case .unprovenPossession: "The access token is bound to a key that was not proven"
        case .forbiddenOrigin: "Pages of this origin may not call the resource"
        case .boundTokenAsBearer: "The access token is bound to a key and needs the DPoP scheme"
        case .unboundToken: "The access token is not bound to a key"
        case .strayProof: "A DPoP proof was sent with a bearer token"
        case .missingProof: "The DPoP proof is missing"
        case .repeatedProof: "More than one DPoP proof was sent"
        case .malformedProof, .unsupportedProofAlgorithm, .invalidProofSignature:
            "The DPoP proof is malformed or not signed as it must be"
        case .proofMethodMismatch, .proofTargetMismatch, .proofTokenMismatch:
            "The DPoP proof is for another request"
        case .proofOutsideWindow: "The DPoP proof is not of this moment"
        case .proofKeyMismatch: "The access token is bound to another key"
        case .missingNonce, .staleNonce: "A nonce is required in the DPoP proof"
        case .replayedProof: "The DPoP proof was used before"
        case .missingClientCertificate, .clientCertificateMismatch:
            "The access token is bound to a client certificate"
        case .authenticationTooWeak, .authenticationTooOld:
            "A stronger or more recent authentication is required"
        case .insufficientScope: "The access token lacks a required scope"
        case .insufficientAuthorizationDetails: "The access token lacks required authorization details"
        default: "The access token is not acceptable"
        }
    }
}

extension RefusalReason {
    /// Whether the answer is about a proof that was good, or wants a nonce alone, so that it hands one out.
    ///
    /// RFC 9449 §8.2.
    var isToldWithNonce: Bool {
        switch self {
        case .missingNonce, .staleNonce, .authenticationTooWeak, .authenticationTooOld, .insufficientScope,
            .insufficientAuthorizationDetails:
            true
        default: false
        }
    }

    /// Whether the token is good and only not enough, so that no other scheme would help.
    var isAboutRequirement: Bool {
        switch self {
        case .authenticationTooWeak, .authenticationTooOld, .insufficientScope,
            .insufficientAuthorizationDetails:
            true
        default: false
        }
    }

    /// Whether the same token would be refused for the same reason in a few seconds, after asking its issuer again.
    ///
    /// What a JWT is refused for costs no call to find out again.
    func isWorthRemembering(format: TokenPolicy.Format) -> Bool {
        switch self {
        case .inactiveToken: true
        case .audienceMismatch, .expired, .unprovenPossession, .unsupportedTokenType, .unknownIssuer:
            format == .opaque
        default: false
        }
    }
}
