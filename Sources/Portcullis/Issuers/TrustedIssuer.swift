// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// An authorization server whose tokens a resource accepts, and how they are checked.
///
/// Keys and introspection of one issuer are never used for the tokens of another.
///
/// RFC 9728 §7.6, RFC 8725 §3.8.
public struct TrustedIssuer: Sendable {
    /// The issuer identifier, byte for byte as in tokens and metadata; or a pattern.
    ///
    /// A pattern has a variable for one path segment: `https://login.example.com/{tenant}/v2.0`. It trusts the
    /// issuers of several tenants of one authorization server, each with its own discovery and keys; see
    /// ``tenants``. Keys that are given are those of all tenants. A pattern has no introspection, and a
    /// metadata document never lists it.
    public internal(set) var issuer: String
    /// The source of the keys for its JWTs; `nil` if its tokens are only introspected.
    public var keys: KeySource?
    /// The introspection of its tokens; `nil` if they are not introspected.
    public var introspection: Introspection?
    /// The accepted signature algorithms of its tokens; `nil` for those of the resource's ``TokenPolicy``.
    ///
    /// Not for introspection responses and client assertions. Default `nil`. RFC 8725 §3.1.
    public var algorithms: [SignatureAlgorithm]?
    /// With a pattern: the accepted tenants; `nil` for every tenant that the authorization server has.
    ///
    /// With `nil`, anyone who can open a tenant there can issue tokens for the resource: check the tenant, for
    /// example by subject or scope. Tokens of other tenants are refused without a fetch. Default `nil`.
    public var tenants: [String]?
    /// With a pattern: how many tenants are kept; tokens of further ones get 503.
    ///
    /// A tenant takes a place when its discovery succeeds. Unless ``tenants`` lists them, new tenants share 10
    /// attempts a minute. Default 100; at least 1.
    public var maxTenantCount = 100
    /// Whether keys, metadata and introspection may be fetched from private addresses.
    ///
    /// Default ``PrivateAddressPolicy/same``. RFC 9728 §7.7, RFC 8725 §3.10.
    public var privateAddresses = PrivateAddressPolicy.same
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

    /// Whether and how its status lists count: with them it withdraws JWTs before their `exp`.
    ///
    /// Default: a token that names a list must have a good status, which needs
    /// ``StatusListPolicy/inflater``.
    public var statusLists = StatusListPolicy()

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

    /// Trusts the tenants of an authorization server.
    ///
    /// - Parameters:
    ///   - pattern: The issuer with a variable: `https://login.example.com/{tenant}/v2.0`.
    ///   - names: The accepted tenants; `nil` for every tenant of the server. See ``tenants``.
    ///   - maxCount: How many tenants are kept.
    ///
    /// RFC 9068 §4, RFC 8414 §3.
    public static func tenants(
        of pattern: String, named names: [String]?, maxCount: Int = 100
    ) -> TrustedIssuer {
        var issuer = TrustedIssuer(issuer: pattern, keys: .discovered)
        issuer.tenants = names
        issuer.maxTenantCount = maxCount
        return issuer
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

extension TrustedIssuer {
    /// The pattern; `nil` for a single issuer.
    var pattern: IssuerPattern? { IssuerPattern.isPattern(issuer) ? IssuerPattern(issuer) : nil }

    /// Returns the issuer of one tenant, with the same settings.
    func tenant(_ value: String, of pattern: IssuerPattern) -> TrustedIssuer {
        var tenant = self
        tenant.issuer = pattern.issuer(of: value)
        return tenant
    }

    /// Whether a pattern covers an issuer.
    func covers(_ other: String) -> Bool {
        guard let value = pattern?.value(in: other) else { return false }
        return tenants?.contains { $0.utf8.elementsEqual(value.utf8) } ?? true
    }

    /// The issuers that metadata lists: a pattern is none, but its listed tenants are.
    var listedIssuers: [String] {
        guard IssuerPattern.isPattern(issuer) else { return [issuer] }
        guard let pattern else { return [] }
        return (tenants ?? []).map(pattern.issuer(of:))
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
