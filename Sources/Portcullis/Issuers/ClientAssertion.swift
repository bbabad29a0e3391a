// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// The JWT with which a client authenticates.
///
/// RFC 7523 §2.2, §3.
enum ClientAssertion {
    /// The value of `client_assertion_type`.
    static let type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    /// The lifetime of an assertion in seconds; it is used at once.
    static let lifetime = 60

    /// Returns the key's `alg`, or the first algorithm that fits the key.
    static func algorithm(of key: PrivateJWK) -> SignatureAlgorithm? {
        SignatureAlgorithm.allCases.first { key.publicKey.canVerify($0) }
    }

    /// Makes a unique assertion.
    ///
    /// - Throws: `keyNotUsable`, `cryptographyUnavailable`.
    static func make(
        id: String, key: PrivateJWK, audience: String, at now: NumericDate
    ) throws(JOSEError) -> String {
        guard let algorithm = algorithm(of: key) else { throw .keyNotUsable }
        let issuedAt = now.wholeSeconds ?? 0
        // RFC 7523 §3: issuer and subject are the client; the server uses jti to reject replays.
        let claims: JSONObject = [
            "iss": .string(id), "sub": .string(id), "aud": .string(audience),
            "jti": .string(Base64URL.encode(SecureRandom.bytes(16))),
            "iat": .number(JSONNumber(issuedAt)), "exp": .number(JSONNumber(issuedAt + lifetime)),
        ]
        return try key.sign(header: ["typ": "JWT"], payload: claims.serialized(), algorithm: algorithm)
    }
}
