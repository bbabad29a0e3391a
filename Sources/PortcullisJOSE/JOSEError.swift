// SPDX-License-Identifier: MIT

/// Why a key, a signed token or its claims were refused.
///
/// Never holds text from input.
///
/// RFC 7515 §5.2, RFC 7517 §5, RFC 7519 §7.2.
@nonexhaustive
public enum JOSEError: Error, Sendable, Hashable {
    /// A header, payload or key set is not JSON that this package reads.
    case malformedJSON(JSONError)
    /// A header or payload is JSON, but not an object.
    case notAnObject

    /// The token has more bytes than the caller allows.
    case tokenTooLong
    /// The token does not have three parts, or one of them is empty. RFC 7515 §7.1.
    case wrongPartCount
    /// The token has the five parts of an encrypted one, which this package does not read. RFC 7516 §7.1.
    case encryptedToken
    /// A part, or a member of a key, is not canonical base64url. RFC 7515 §2.
    case malformedBase64URL
    /// A header parameter that this package reads is absent or has the wrong type. RFC 7515 §4.1.
    case malformedHeader
    /// The header has `crit`, or parameters such as `b64` and `zip` that change how the token is read. RFC 7515 §4.1.11.
    case unsupportedExtension
    /// The header says that the payload is itself a JWT. RFC 7519 §5.2.
    case nestedToken
    /// The header's algorithm is not the one that the caller decided on. RFC 8725 §3.1.
    case algorithmMismatch
    /// The key is for another algorithm, curve or use. RFC 8725 §3.1, RFC 7517 §4.
    case keyNotUsable
    /// The signature is not that of the key over the header and payload. RFC 7515 §5.2.
    case invalidSignature

    /// The key's type is unknown, or symmetric. RFC 7518 §6.1.
    case unsupportedKeyType
    /// The key's curve is not among P-256, P-384, P-521 and Ed25519. RFC 7518 §6.2, RFC 8037 §2.
    case unsupportedCurve
    /// A member of the key is absent, has the wrong type, or the wrong length. RFC 7517 §4.
    case malformedKey
    /// The RSA modulus is not of 2048 to 8192 bits or has the fingerprint of CVE-2017-15361, the exponent is not odd and
    /// from 3 to 2^32, or the Ed25519 point is of small order. RFC 7518 §3.3, RFC 8032 §5.1.
    case unsuitableKeyStrength
    /// The public key is not a point of its curve, or the private key does not belong to it. RFC 7518 §6.2.
    case inconsistentKey
    /// A key set is not an object with an array `keys`. RFC 7517 §5.
    case malformedKeySet
    /// A key set has more keys than ``JWKSet/maximumKeyCount``.
    case tooManyKeys

    /// A claim has the wrong type, or is a number without a finite value. RFC 7519 §4.
    case malformedClaim

    /// The cryptographic library failed for reasons of its own, such as memory.
    case cryptographyUnavailable
}
