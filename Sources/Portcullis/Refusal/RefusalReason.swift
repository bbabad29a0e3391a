// SPDX-License-Identifier: MIT

/// The reason for a refusal: a closed list for logs and metrics, never sent to the client as it is.
///
/// RFC 6750 §3.1.
@nonexhaustive
public enum RefusalReason: String, Sendable, Hashable, CaseIterable {
    /// No `Authorization` field.
    case missingCredentials
    /// An `Authorization` field with a scheme that the resource does not accept.
    case unsupportedScheme
    /// A scheme without a token after it.
    case emptyCredentials
    /// More than one `Authorization` field, or more than one token in a form or query.
    case repeatedCredentials
    /// Tokens in more than one place of the request. RFC 6750 §2.
    case severalMethods
    /// Characters that are not allowed in a token. RFC 6750 §2.1.
    case malformedToken
    /// More bytes than ``TokenPolicy/maxTokenByteCount``.
    case tokenTooLong
    /// Not a compact JWS with a header and claims that this package reads. RFC 7515 §7.1.
    case malformedJWT
    /// A token format that the resource does not accept.
    case unsupportedTokenFormat
    /// A `typ` that is not accepted. RFC 9068 §4.
    case unsupportedTokenType
    /// An `alg` that is not accepted. RFC 8725 §3.1.
    case unsupportedAlgorithm
    /// An issuer that the resource does not trust.
    case unknownIssuer
    /// No key of the issuer fits the token's `kid` and `alg`.
    case unknownKey
    /// More keys fit the token than are tried, and none of the tried ones verifies its signature.
    case ambiguousKey
    /// The signature does not verify.
    case invalidSignature
    /// A claim does not have the type that its definition requires.
    case malformedClaims
    /// The claim `act` is not an object, or names more than ``TokenActor/maxChainLength`` actors. RFC 8693 §4.1.
    case malformedActor
    /// A claim that the resource requires is missing.
    case missingClaim
    /// A JWT with the claims of an ID token: `at_hash`, `c_hash`, or `token_use` of `id`. RFC 9068 §5.
    case idToken
    /// A claim has none of the values that the issuer's settings require.
    case claimValueMismatch
    /// The audience does not contain this resource.
    case audienceMismatch
    /// `exp` has passed.
    case expired
    /// `nbf` has not been reached.
    case notYetValid
    /// `iat` lies in the future.
    case issuedInTheFuture
    /// The token is bound in a way that is malformed or that this package cannot check. RFC 7800 §3.1.
    case unprovenPossession
    /// The token is bound to a keybut was sent as a bearer token. RFC 9449 §7.2.
    case boundTokenAsBearer
    /// The token is not bound to a key, but came with the scheme DPoP, or the resource requires DPoP.
    case unboundToken
    /// A proof with a bearer token, which ``DPoPPolicy/refusesStrayProofs`` forbids.
    case strayProof
    /// The scheme DPoP without a proof. RFC 9449 §4.3.
    case missingProof
    /// More than one proof.
    case repeatedProof
    /// The proof is not a well-formed DPoP JWT: `typ`, `jwk` or a claim is missing or wrong. RFC 9449 §4.2.
    case malformedProof
    /// The `alg` of the proof is not accepted.
    case unsupportedProofAlgorithm
    /// `htm` is not the request's method.
    case proofMethodMismatch
    /// `htu` is not the request's URI.
    case proofTargetMismatch
    /// `iat` of the proof is too old, or too far in the future.
    case proofOutsideWindow
    /// `ath` is the hash of another token.
    case proofTokenMismatch
    /// The signature of the proof does not verify.
    case invalidProofSignature
    /// The proof is signed with another key than the one that the token is bound to. RFC 9449 §6.1.
    case proofKeyMismatch
    /// The proof has no nonce, and the resource requires one. RFC 9449 §9.
    case missingNonce
    /// The nonce of the proof was not issued by this resource, or is too old.
    case staleNonce
    /// The proof was used before. RFC 9449 §11.1.
    case replayedProof
    /// The replay store has no room for the proof.
    case replayStoreFull
    /// The replay store can't be reached.
    case replayStoreUnavailable
    /// The token is bound to a certificate, and the client presented none. RFC 8705 §3.
    case missingClientCertificate
    /// The token is bound to another certificate than the client's.
    case clientCertificateMismatch
    /// A trusted proxy sent a malformed field with the client's certificate. RFC 9440 §2.2.
    case malformedClientCertificate
    /// The authorization server says that the token is not active. RFC 7662 §2.2.
    case inactiveToken
    /// The claim `status` is malformed. draft-ietf-oauth-status-list §6.1.
    case malformedStatus
    /// The claim `status` is missing, and ``StatusListPolicy/use`` requires it.
    case missingStatus
    /// The claim `status` has no `status_list`, but only mechanisms that this package does not know.
    case unsupportedStatus
    /// The status list is not https, or not at an allowed origin. draft-ietf-oauth-status-list §11.4.
    case forbiddenStatusList
    /// The status list says that the token is revoked: INVALID. draft-ietf-oauth-status-list §7.1.
    case revokedToken
    /// The status list says that the token is suspended; a later list may lift this.
    case suspendedToken
    /// The status list has another value for the token than ``StatusListPolicy/validValues``.
    case unacceptedStatus
    /// The status list has fewer entries than the token's index. draft-ietf-oauth-status-list §8.3.
    case statusOutOfRange
    /// The user's authentication has none of the context classes that the request needs. RFC 9470 §3.
    case authenticationTooWeak
    /// The user's authentication is too long ago, or the token does not say when it was. RFC 9470 §3.
    case authenticationTooOld
    /// The token lacks a scope that the request needs.
    case insufficientScope
    /// The origin of a web page is not allowed. Only under ``ResourceProfile/mcp(allowedOrigins:)``.
    case forbiddenOrigin
    /// The token lacks authorization details that the request needs. RFC 9396 §9.
    case insufficientAuthorizationDetails
    /// A field that tells the operation came twice, also in a spelling that some programs read as the same, or
    /// `Connection` names it. MCP 2026-07-28.
    case ambiguousOperation
    /// A field that tells the operation is not encoded as it must be. SEP-2243.
    case malformedOperation
    /// The request names no revision of MCP, or more than one, or one by which servers do not compare fields
    /// and body. Only under ``ResourceProfile/mcp(allowedOrigins:)``.
    case unversionedOperation
    /// A field that tells the operation is missing.
    case missingOperation
    /// The operation is none of those that the route has.
    case unlistedOperation
    /// A claim does not meet a condition of the route.
    case claimConditionUnmet
    /// The app's decision is to deny the request.
    case deniedByDecision
    /// The app's decision failed, or took too long.
    case decisionUnavailable
    /// The keys of the issuer can't be loaded.
    case keysUnavailable
    /// The status list of the token can't be loaded, is not valid, or is too old.
    case statusListUnavailable
    /// The introspection endpoint can't be reached, or answers with an error.
    case introspectionUnavailable
}
