// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// An authorization server whose tokens a resource accepts, and how they are checked.
///
/// Keys and introspection of one issuer are never used for the tokens of another.
///
/// RFC 9728 §7.6, RFC 8725 §3.8.
public struct TrustedIssuer: Sendable {
    /// The issuer identifier, byte for byte as in tokens and metadata.
    public let issuer: String
    /// The source of the keys for its JWTs; `nil` if its tokens are only introspected.
    public var keys: KeySource?
    /// The introspection of its tokens; `nil` if they are not introspected.
    public var introspection: Introspection?
    /// Whether `http` URLs of this issuer are accepted, for loopback hosts only.
    ///
    /// Default false; for development.
    public var allowsInsecureLoopback = false
    /// The timeout of one exchange with the server.
    ///
    /// Default 5 seconds.
    public var timeout: Duration = .seconds(5)
    /// The maximum length of one response of the server, in bytes.
    ///
    /// Default 1 MiB.
    public var maxResponseByteCount = 1_048_576
    /// The age after which keys are fetched again, in the background of their next use.
    ///
    /// Default 600 seconds.
    public var keyFreshness: Duration = .seconds(600)
    /// The least interval between two fetches caused by an unknown `kid`.
    ///
    /// Default 30 seconds.
    public var keyCooldown: Duration = .seconds(30)
    /// How long keys that can't be refreshed are used beyond ``keyFreshness``.
    ///
    /// Default 3600 seconds.
    public var keyStaleness: Duration = .seconds(3600)
    /// The HTTP client for this server, if not the resource's: for other trust roots, for example.
    public var fetcher: (any Fetcher)?
    /// Where its tokens and introspection answers carry the client identifier and the scopes.
    ///
    /// Default: `client_id`, and ``TokenPolicy/scopeClaims``.
    public var claims = ClaimMapping.default
    /// Claims that must have one of several values, in JWTs and introspection answers; at most 16.
    ///
    /// A token without one of them is refused. Use it to tell the issuer's access tokens from its other JWTs:
    /// `[ClaimValues("/token_use", ["access"])]`. Default none. RFC 8725 §3.12.
    public var requiredClaimValues: [ClaimValues] = []
    /// A claim that takes the place of an absent `aud`: a token is accepted if the claim has one of the values.
    ///
    /// For servers that never write `aud`. The resource then also accepts what these clients got for another
    /// API of the same issuer; so it is a warning at start, needs ``requiredClaimValues``, and is an error
    /// under ``ResourceProfile/mcp(allowedOrigins:)``. A token with `aud` is checked as always. Default `nil`.
    /// RFC 9068 §4, RFC 8707 §2.
    public var audienceSource: ClaimValues?

    /// The introspection of tokens.
    ///
    /// RFC 7662 §2.
    public struct Introspection: Sendable {
        /// The endpoint; `nil` to discover it from the server's metadata.
        public var endpoint: String?
        /// How the resource authenticates to the server.
        public var authentication: ClientAuthentication
        /// How long an active answer is cached, at most until `exp`; `nil` for the resource's policy.
        public var activeLifetime: Duration?
        /// The HTTP client for the endpoint, if not the issuer's: to present a certificate, for example.
        public var fetcher: (any Fetcher)?
        /// A cache shared with other resources and processes; `nil`, the default, for none.
        public var sharedCache: (any IntrospectionCache)?
        /// Requires responses signed for this audience, usually the resource's client identifier there.
        ///
        /// They are verified with the issuer's keys, which must be given or discovered; an unsigned response
        /// then counts as an outage. Default `nil`: unsigned responses, protected by TLS. RFC 9701 §5.
        public var signedResponseAudience: String?
        /// The maximum number of concurrent calls; 1024 including those that wait for their turn.
        ///
        /// Default 64; at least 1.
        public var maxConcurrentCallCount = 64

        /// Configures introspection.
        public init(
            endpoint: String? = nil, authentication: ClientAuthentication, activeLifetime: Duration? = nil
        ) {
            self.endpoint = endpoint
            self.authentication = authentication
            self.activeLifetime = activeLifetime
        }
    }

    /// Trusts an issuer; a resource rejects one with neither keys nor introspection.
    public init(issuer: String, keys: KeySource? = nil, introspection: Introspection? = nil) {
        self.issuer = issuer
        self.keys = keys
        self.introspection = introspection
    }

    /// Trusts an issuer of JWT access tokens.
    ///
    /// The keys are discovered unless given.
    ///
    /// RFC 9068 §4, RFC 8414 §3.
    public static func jwt(issuer: String, keys: KeySource = .discovered) -> TrustedIssuer {
        TrustedIssuer(issuer: issuer, keys: keys)
    }

    /// Trusts an issuer of opaque access tokens.
    ///
    /// The introspection endpoint is discovered unless given.
    ///
    /// RFC 7662 §2.
    public static func introspection(
        issuer: String, endpoint: String? = nil, authenticatedBy authentication: ClientAuthentication,
        cachingActiveTokensFor lifetime: Duration? = nil
    ) -> TrustedIssuer {
        TrustedIssuer(
            issuer: issuer,
            introspection: Introspection(
                endpoint: endpoint, authentication: authentication, activeLifetime: lifetime))
    }

    /// Trusts an issuer of both formats: tokens of three parts are JWTs, all others are introspected.
    ///
    /// The token's form alone decides; neither is a fallback for the other.
    ///
    /// RFC 9068 §4, RFC 7662 §2.
    public static func jwtOrIntrospection(
        issuer: String, keys: KeySource = .discovered, endpoint: String? = nil,
        authenticatedBy authentication: ClientAuthentication, cachingActiveTokensFor lifetime: Duration? = nil
    ) -> TrustedIssuer {
        TrustedIssuer(
            issuer: issuer, keys: keys,
            introspection: Introspection(
                endpoint: endpoint, authentication: authentication, activeLifetime: lifetime))
    }
}

/// The source of an issuer's keys.
///
/// RFC 8414 §2, RFC 7517 §5.
public enum KeySource: Sendable {
    /// From the `jwks_uri` of the issuer's metadata.
    case discovered
    /// From this URL.
    case remote(String)
    /// This set, without any fetch.
    case fixed(JWKSet)
}
