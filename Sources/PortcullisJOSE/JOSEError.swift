// SPDX-License-Identifier: MIT

/// Why a key, a signed token or its claims were refused.
///
/// Contains no input.
///
/// RFC 7515 §5.2, RFC 7517 §5, RFC 7519 §7.2.
@nonexhaustive
public enum JOSEError: Error, Sendable, Hashable {
    /// A header, payload or key set is not strict JSON.
    case malformedJSON(JSONError)
    /// A header or payload is JSON, but not an object.
    case notAnObject

    /// The token is longer than the caller allows.
    case tokenTooLong
    /// The token does not have three parts, or one of them is empty. RFC 7515 §7.1.
    case wrongPartCount
    /// The token has the five parts of an encrypted token, which is not supported. RFC 7516 §7.1.
    case encryptedToken
    /// A part, or a member of a key, is not canonical base64url. RFC 7515 §2.
    case malformedBase64URL
    /// A header parameter is missing or has the wrong type. RFC 7515 §4.1.
    case malformedHeader
    /// The header has `crit`, or `b64` or `zip`, which change how the token is read. RFC 7515 §4.1.11.
    case unsupportedExtension
    /// The header's `cty` says that the payload is a JWT. RFC 7519 §5.2.
    case nestedToken
    /// The header's algorithm is not the one that the caller expects. RFC 8725 §3.1.
    case algorithmMismatch
    /// The key is for another algorithm, curve or use. RFC 8725 §3.1, RFC 7517 §4.
    case keyNotUsable
    /// The signature does not verify with the key. RFC 7515 §5.2.
    case invalidSignature

    /// The key's type is unknown, or symmetric. RFC 7518 §6.1.
    case unsupportedKeyType
    /// The key's curve is not P-256, P-384, P-521 or Ed25519. RFC 7518 §6.2, RFC 8037 §2.
    case unsupportedCurve
    /// A member of the key is missing or has the wrong type or length. RFC 7517 §4.
    case malformedKey
    /// The RSA modulus does not have 2048 to 8192 bits or has the fingerprint of CVE-2017-15361, the exponent
    /// is not odd and from 3 to 2^32, or the Ed25519 point has a small order. RFC 7518 §3.3, RFC 8032 §5.1.
    case unsuitableKeyStrength
    /// The public key is not on its curve, or does not match the private key. RFC 7518 §6.2.
    case inconsistentKey
    /// A JWK set is not an object with an array `keys`. RFC 7517 §5.
    case malformedKeySet
    /// A JWK set has more keys than ``JWKSet/maximumKeyCount``.
    case tooManyKeys

    /// A claim has the wrong type, or is a number without a finite value. RFC 7519 §4.
    case malformedClaim

    /// OpenSSL failed, for example because it is out of memory.
    case cryptographyUnavailable
}
