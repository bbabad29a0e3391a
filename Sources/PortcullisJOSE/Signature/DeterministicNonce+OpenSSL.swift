// SPDX-License-Identifier: MIT

import COpenSSL

/// ECDSA whose secret number per signature is derived from the key and the message, not drawn at random.
///
/// A predictable random number generator then cannot reveal the key. OpenSSL 3.2 and later derive it; earlier
/// ones draw it, mixed with the key and the message.
///
/// RFC 6979 §3, draft-ietf-oauth-rfc8725bis §3.2.
package enum DeterministicNonce {
    /// The value of OpenSSL's parameter that selects RFC 6979.
    private static let deterministic: UInt32 = 1
    private static let parameterName = "nonce-type"

    /// Selects it for ECDSA if this OpenSSL can; does nothing for other algorithms.
    static func choose(_ context: OpaquePointer?, for algorithm: SignatureAlgorithm) -> Bool {
        guard case .ellipticCurve = algorithm.keyShape, isAvailable(context) else { return true }
        return parameterName.withCString { name in
            var value = deterministic
            return withUnsafeMutablePointer(to: &value) { value in
                var parameters = [OSSL_PARAM_construct_uint(name, value), OSSL_PARAM_construct_end()]
                return EVP_PKEY_CTX_set_params(context, &parameters) == 1
            }
        }
    }

    /// Whether a context for an ECDSA signature takes the parameter.
    static func isAvailable(_ context: OpaquePointer?) -> Bool {
        guard let settable = EVP_PKEY_CTX_settable_params(context) else { return false }
        return OSSL_PARAM_locate_const(settable, parameterName) != nil
    }

    /// Whether this OpenSSL derives the number: version 3.2 or later.
    package static var isAvailable: Bool {
        OpenSSL_version_num() >= 0x3020_0000
    }
}
