// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP
public import PortcullisJOSE

/// A signed statement for the server behind a ``ReverseProxy``: who calls, and what.
///
/// A JWT of the type `portcullis-identity+jwt`, made for each request, in the field `Assertion` after the
/// prefix. The server behind can notice requests that did not pass the gate, and statements for other
/// requests: `aud` is the server, `htm` and `htu` are the method and the URL as it gets them, `exp` is 60
/// seconds after `iat`, `jti` is unique. `iss` is the resource; `sub`, `client_id`, `scope` and `act` come
/// from the token, if it has them.
///
/// Signing takes some tens of microseconds of the event loop with an elliptic curve, and a millisecond with
/// RSA.
///
/// RFC 7519, RFC 8725 §3.11.
public struct IdentityAssertion: Sendable {
    /// The value of `typ`.
    public static let type = "portcullis-identity+jwt"
    /// The lifetime in seconds.
    static let lifetime = 60

    /// The key pair; its public key belongs in the resource's `jwks_uri`
    /// (`MetadataPublishing.publishedKeys`).
    public let key: PrivateJWK
    /// `aud`: the name of the server behind.
    public let audience: String
    private let algorithm: SignatureAlgorithm
    private let keyID: String

    /// Makes the settings; `nil` if no signature algorithm fits the key.
    public init?(key: PrivateJWK, audience: String) {
        guard let algorithm = SignatureAlgorithm.allCases.first(where: key.publicKey.canVerify) else {
            return nil
        }
        self.key = key
        self.audience = audience
        self.algorithm = algorithm
        keyID = key.publicKey.publicJSON["kid"]?.string ?? key.publicKey.thumbprint
    }

    /// The assertion for one request.
    func make(
        for token: AccessToken, _ method: Method, url: String, now: Int
    ) throws(JOSEError) -> String {
        var claims: JSONObject = [
            "iss": .string(token.resource.text), "aud": .string(audience),
            "iat": .number(JSONNumber(now)), "exp": .number(JSONNumber(now + Self.lifetime)),
            "jti": .string(Base64URL.encode(SecureRandom.bytes(16))),
            "htm": .string(method.name), "htu": .string(url),
            "scope": .string(token.scopes.map(\.name).joined(separator: " ")),
        ]
        if let subject = token.subject { claims["sub"] = .string(subject) }
        if let client = token.clientID { claims["client_id"] = .string(client) }
        if let actor = token.claims["act"] { claims["act"] = actor }
        return try key.sign(
            header: ["typ": .string(Self.type), "kid": .string(keyID)], payload: claims.serialized(),
            algorithm: algorithm)
    }
}
