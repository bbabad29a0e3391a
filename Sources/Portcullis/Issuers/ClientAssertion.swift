// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// The JWT with which a client proves who it is.
///
/// RFC 7523 §2.2, §3.
enum ClientAssertion {
    /// The value of `client_assertion_type`.
    static let type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    /// How long an assertion is good, in seconds: it is used at once.
    static let lifetime = 60

    /// The algorithm that a key signs with: its own, or the first that it fits.
    static func algorithm(of key: PrivateJWK) -> SignatureAlgorithm? {
        SignatureAlgorithm.allCases.first { key.publicKey.canVerify($0) }
    }

    /// Makes an assertion that no other equals.
    ///
    /// - Throws: `keyNotUsable`, `cryptographyUnavailable`.
    static func make(
        id: String, key: PrivateJWK, audience: String, at now: NumericDate
    ) throws(JOSEError) -> String {
        guard let algorithm = algorithm(of: key) else { throw .keyNotUsable }
        let issuedAt = now.wholeSeconds ?? 0
        // RFC 7523 §3: issuer and subject are the client; the identifier keeps the server from taking one twice.
        let claims: JSONObject = [
            "iss": .string(id), "sub": .string(id), "aud": .string(audience),
            "jti": .string(Base64URL.encode(SecureRandom.bytes(16))),
            "iat": .number(JSONNumber(issuedAt)), "exp": .number(JSONNumber(issuedAt + lifetime)),
        ]
        return try key.sign(header: ["typ": "JWT"], payload: claims.serialized(), algorithm: algorithm)
    }
}
