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
    /// More than one `Authorization` field.
    case repeatedCredentials
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
    /// The token is bound to a key or certificate, and the possession of it was not proven.
    case unprovenPossession
    /// The authorization server says that the token is not active. RFC 7662 §2.2.
    case inactiveToken
    /// The token lacks a scope that the request needs.
    case insufficientScope
    /// A web page of an origin that may not call. Only under ``ResourceProfile/mcp(allowedOrigins:)``.
    case forbiddenOrigin
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
        case .emptyCredentials, .repeatedCredentials: (400, "invalid_request")
        case .forbiddenOrigin: (403, "forbidden_origin")
        case .insufficientScope: (403, "insufficient_scope")
        case .keysUnavailable, .introspectionUnavailable: (503, "temporarily_unavailable")
        default: (401, "invalid_token")
        }
    }

    /// The text that the client gets: fixed, without quote, backslash, comma and equals sign.
    ///
    /// Says no more than the client can use; which key, issuer or claim it was stays in the log. RFC 6750 §3.
    package var publicDescription: String? {
        switch self {
        case .missingCredentials, .unsupportedScheme, .keysUnavailable, .introspectionUnavailable: nil
        case .emptyCredentials: "The access token is missing"
        case .repeatedCredentials: "More than one method was used to send the access token"
        case .malformedToken, .tokenTooLong, .malformedJWT, .malformedClaims, .missingClaim:
            "The access token is malformed"
        case .audienceMismatch: "The access token is not intended for this resource"
        case .expired: "The access token expired"
        case .notYetValid, .issuedInTheFuture: "The access token is not valid yet"
        case .inactiveToken: "The access token is not active"
        case .unprovenPossession: "The access token is bound to a key that was not proven"
        case .forbiddenOrigin: "Pages of this origin may not call the resource"
        case .insufficientScope: "The access token lacks a required scope"
        default: "The access token is not acceptable"
        }
    }
}

extension RefusalReason {
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
