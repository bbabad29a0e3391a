// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// The JWT with which a client authenticates.
///
/// RFC 7523 §2.2, §3, draft-ietf-oauth-rfc7523bis §4.
enum ClientAssertion {
    /// The value of `client_assertion_type`.
    static let type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    /// The lifetime of an assertion in seconds; it is used at once.
    static let lifetime = 60

    /// Returns the key's `alg`, or the first algorithm that fits the key and that the server lists, or the
    /// first that fits.
    ///
    /// `Ed25519` comes before `EdDSA`, the same under its old name.
    ///
    /// - Parameter listed: `introspection_endpoint_auth_signing_alg_values_supported`; `nil` if unknown.
    ///
    /// RFC 8414 §2, RFC 9864 §2.2, draft-ietf-oauth-rfc8725bis §3.2.
    static func algorithm(of key: PrivateJWK, among listed: [String]? = nil) -> SignatureAlgorithm? {
        let all = SignatureAlgorithm.allCases
        let preferred = all.filter { !$0.isPolymorphic } + all.filter(\.isPolymorphic)
        let fitting = preferred.filter { key.publicKey.canVerify($0) }
        guard let listed else { return fitting.first }
        return fitting.first { listed.contains($0.rawValue) } ?? fitting.first
    }

    /// Makes a unique assertion.
    ///
    /// - Parameter listed: The algorithms that the server lists, if it does.
    /// - Throws: `keyNotUsable`, `cryptographyUnavailable`.
    static func make(
        id: String, key: PrivateJWK, audience: String, type: ClientAuthentication.AssertionType,
        among listed: [String]?, at now: NumericDate
    ) throws(JOSEError) -> String {
        guard let algorithm = algorithm(of: key, among: listed) else { throw .keyNotUsable }
        let issuedAt = now.wholeSeconds ?? 0
        // RFC 7523 §3: issuer and subject are the client; the server uses jti to reject replays.
        let claims: JSONObject = [
            "iss": .string(id), "sub": .string(id), "aud": .string(audience),
            "jti": .string(Base64URL.encode(SecureRandom.bytes(16))),
            "iat": .number(JSONNumber(issuedAt)), "exp": .number(JSONNumber(issuedAt + lifetime)),
        ]
        // draft-ietf-oauth-rfc7523bis §4: the type tells it from every other JWT of this key.
        var header = JSONObject()
        if type != .none { header["typ"] = .string(type.rawValue) }
        return try key.sign(header: header, payload: claims.serialized(), algorithm: algorithm)
    }
}
