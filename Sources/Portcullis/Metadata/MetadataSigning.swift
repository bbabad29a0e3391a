// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// How a resource signs its metadata, for clients that want to know who vouches for it.
///
/// The document gets a member `signed_metadata`: a JWT with all other members as claims. It is signed anew whenever half of its
/// lifetime has passed, and with every change of the document. The public keys are served at the metadata's `jwks_uri` where that lies
/// on the same server.
///
/// RFC 9728 §2.2.
public struct MetadataSigning: Sendable {
    /// The media type of the signed document alone, which published guides use; RFC 9728 does not know it.
    public static let mediaType = "application/oauth-protected-resource-jwt"

    /// The key pair.
    ///
    /// A key without `kid` is called by its thumbprint. RFC 7638 §3.
    public var key: PrivateJWK
    /// The algorithm, which has to fit the key.
    public var algorithm: SignatureAlgorithm
    /// `iss`: who attests the claims.
    ///
    /// Default nothing: the resource itself.
    public var issuer: String?
    /// How long a signature is good.
    ///
    /// Default a day; at least twice as long as clients may keep the document, so that what they keep is good.
    public var lifetime: Duration = .seconds(86_400)
    /// Public keys that are served beside the signing one: the next before it signs, the previous until what it signed has expired.
    ///
    /// Default none. When routes are replaced, the key that signed before stays by itself for as long as that takes.
    public var otherKeys: [JWK] = []
    /// Whether a request whose `Accept` names ``mediaType`` gets the signed document alone, as that type.
    ///
    /// Default false: RFC 9728 §3.2 knows `application/json` only. With it every answer carries `Vary: Accept`.
    public var answersAcceptedJWT = false

    /// Makes settings with the defaults.
    public init(key: PrivateJWK, algorithm: SignatureAlgorithm, issuer: String? = nil) {
        self.key = key
        self.algorithm = algorithm
        self.issuer = issuer
    }
}

extension MetadataSigning {
    /// What is wrong with signing this metadata this way.
    func problems(
        for metadata: ProtectedResourceMetadata, maxAge: Duration, at path: String
    ) -> [ConfigurationError.Problem] {
        var problems: [ConfigurationError.Problem] = []
        func check(_ holds: Bool, _ name: String, _ message: String) {
            if !holds { problems.append(.init(path: "\(path).\(name)", message)) }
        }
        check(
            key.publicKey.canVerify(algorithm), "algorithm",
            "The algorithm does not fit the key: its type, curve, use or alg say something else (RFC 7517 §4)."
        )
        // RFC 9728 §2.2: an iss claim names the party that attests.
        check(
            issuer?.isEmpty != true, "issuer",
            "This names who attests the claims; leave it out for the resource.")
        check(
            lifetime >= .seconds(60) && lifetime <= .seconds(31_536_000), "lifetime_seconds",
            "A signature is good for a minute to a year.")
        check(
            lifetime >= maxAge * 2, "lifetime_seconds",
            "A signature is good for at least twice as long as clients may keep the document.")
        check(
            metadata.signedMetadata == nil, "private_key",
            "The metadata has a signed_metadata of its own; leave one of the two out.")
        for name in Self.claimNames where metadata.extensions[name] != nil {
            check(false, "private_key", "A member of the metadata has the name of a JWT claim, such as exp.")
        }
        return problems
    }

    /// The registered claims, which no member of signed metadata can be called.
    ///
    /// RFC 7519 §4.1.
    private static let claimNames = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"]
}
