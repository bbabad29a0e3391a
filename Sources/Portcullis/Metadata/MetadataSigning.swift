// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// The signature of a resource's metadata, for clients that verify its origin.
///
/// The document gets a member `signed_metadata`: a JWT with all other members as claims. It is signed again
/// after half of its lifetime, and with every change of the document. The public keys are served at the
/// metadata's `jwks_uri` if that is on the same server.
///
/// RFC 9728 §2.2.
public struct MetadataSigning: Sendable {
    /// The media type of the signed document alone, used by published guides but not defined by RFC 9728.
    public static let mediaType = "application/oauth-protected-resource-jwt"

    /// The key pair.
    ///
    /// The thumbprint is the `kid` of a key without one. RFC 7638 §3.
    public var key: PrivateJWK
    /// The algorithm, which must fit the key.
    public var algorithm: SignatureAlgorithm
    /// `iss`: the party that attests the claims.
    ///
    /// Default `nil`: the resource itself.
    public var issuer: String?
    /// The lifetime of a signature.
    ///
    /// Default a day; at least twice ``ProtectedResource/Configuration/metadataMaxAge``, so that cached
    /// documents are valid.
    public var lifetime: Duration = .seconds(86_400)
    /// Further published keys: the next before it signs, the previous until its signatures expire.
    ///
    /// Default none. When routes are replaced, the previous signing key stays published automatically until
    /// then.
    public var otherKeys: [JWK] = []
    /// Whether a request whose `Accept` names ``mediaType`` gets the signed document alone, as that type.
    ///
    /// Default `false`: RFC 9728 §3.2 defines only `application/json`. If set, every answer carries
    /// `Vary: Accept`.
    public var answersAcceptedJWT = false

    /// Makes settings with the defaults.
    public init(key: PrivateJWK, algorithm: SignatureAlgorithm, issuer: String? = nil) {
        self.key = key
        self.algorithm = algorithm
        self.issuer = issuer
    }
}

extension MetadataSigning {
    /// The problems of signing this metadata with these settings.
    func problems(
        for metadata: ProtectedResourceMetadata, maxAge: Duration, at path: String
    ) -> [ConfigurationError.Problem] {
        var problems: [ConfigurationError.Problem] = []
        func check(_ holds: Bool, _ name: String, _ message: String) {
            if !holds { problems.append(.init(path: "\(path).\(name)", message)) }
        }
        check(
            key.publicKey.canVerify(algorithm), "algorithm",
            "The algorithm does not fit the key's type, curve, use or alg (RFC 7517 §4)."
        )
        // RFC 9728 §2.2: an iss claim names the party that attests.
        check(
            issuer?.isEmpty != true, "issuer",
            "Name the party that attests the claims; omit this member for the resource itself.")
        check(
            lifetime >= .seconds(60) && lifetime <= .seconds(31_536_000), "lifetime_seconds",
            "The lifetime of a signature must be from a minute to a year.")
        check(
            lifetime >= maxAge * 2, "lifetime_seconds",
            "The lifetime of a signature must be at least twice the metadata's max-age.")
        check(
            metadata.signedMetadata == nil, "private_key",
            "The metadata has a signed_metadata member already; remove one of the two.")
        for name in Self.registeredClaimNames where metadata.extensions[name] != nil {
            check(
                false, "private_key", "A metadata member has the name of a JWT claim, such as exp; rename it."
            )
        }
        return problems
    }

    /// The registered claims, whose names no member of signed metadata may have.
    ///
    /// RFC 7519 §4.1.
    private static let registeredClaimNames = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"]
}
