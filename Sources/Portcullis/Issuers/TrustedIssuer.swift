// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// An authorization server that a resource takes tokens from, and how its tokens are checked.
///
/// Keys and introspection of one issuer are never used for the tokens of another.
///
/// RFC 9728 §7.6, RFC 8725 §3.8.
public struct TrustedIssuer: Sendable {
    /// The issuer identifier, byte for byte as tokens and metadata spell it.
    public let issuer: String
    /// Where the keys for its JWTs come from; nothing if its tokens are only introspected.
    public var keys: KeySource?
    /// How its tokens are introspected; nothing if they are not.
    public var introspection: Introspection?
    /// Whether `http` is accepted towards this issuer, for loopback hosts only.
    ///
    /// Default false; for development.
    public var allowsInsecureLoopback = false
    /// The bound for one exchange with the server.
    ///
    /// Default 5 seconds.
    public var timeout: Duration = .seconds(5)
    /// The bound for one response of the server, in bytes.
    ///
    /// Default 1 MiB.
    public var maxResponseByteCount = 1_048_576
    /// After this time keys are fetched anew, in the background of the next use.
    ///
    /// Default 600 seconds.
    public var keyFreshness: Duration = .seconds(600)
    /// An unknown `kid` causes at most one fetch in this time.
    ///
    /// Default 30 seconds.
    public var keyCooldown: Duration = .seconds(30)
    /// Keys that can't be refreshed are used for this time beyond ``keyFreshness``.
    ///
    /// Default 3600 seconds.
    public var keyStaleness: Duration = .seconds(3600)
    /// The way to this server, if it is another than the resource's: one that trusts other roots, say.
    public var fetcher: (any Fetcher)?

    /// How tokens are introspected.
    ///
    /// RFC 7662 §2.
    public struct Introspection: Sendable {
        /// The endpoint; nothing to take it from the server's metadata.
        public var endpoint: String?
        /// How the resource proves to the server who it is.
        public var authentication: ClientAuthentication
        /// How long an active answer counts, at most until `exp`; nothing for what the resource's policy says.
        public var activeLifetime: Duration?
        /// The way to the endpoint, if it is another than the issuer's: one that presents a client certificate, say.
        public var fetcher: (any Fetcher)?
        /// Shares answers and invalidations with other resources and processes; nothing, the default: each resource has its own.
        public var sharedCache: (any IntrospectionCache)?
        /// Demands answers that the server has signed for this audience: the resource's client identifier there, usually.
        ///
        /// They are verified with the issuer's keys, which have to be given or discovered; a plain answer then counts as an outage.
        /// Default nothing: plain answers, protected by TLS. RFC 9701 §5.
        public var signedResponseAudience: String?
        /// How many calls may be under way at a time; 1024 with those that wait for their turn.
        ///
        /// Default 64; at least 1.
        public var maxConcurrentCallCount = 64

        /// Says how tokens are introspected.
        public init(
            endpoint: String? = nil, authentication: ClientAuthentication, activeLifetime: Duration? = nil
        ) {
            self.endpoint = endpoint
            self.authentication = authentication
            self.activeLifetime = activeLifetime
        }
    }

    /// Trusts an issuer; with neither keys nor introspection no resource takes it.
    public init(issuer: String, keys: KeySource? = nil, introspection: Introspection? = nil) {
        self.issuer = issuer
        self.keys = keys
        self.introspection = introspection
    }

    /// Trusts an issuer of JWT access tokens.
    ///
    /// Its keys are discovered unless given.
    ///
    /// RFC 9068 §4, RFC 8414 §3.
    public static func jwt(issuer: String, keys: KeySource = .discovered) -> TrustedIssuer {
        TrustedIssuer(issuer: issuer, keys: keys)
    }

    /// Trusts an issuer to say itself whether a token is good.
    ///
    /// Its endpoint is discovered unless given.
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

    /// Trusts an issuer of both: tokens of three parts are checked as JWTs, all others are introspected.
    ///
    /// Which of the two is decided by the token's form; neither is a second chance for the other.
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

/// Where the keys of an issuer come from.
///
/// RFC 8414 §2, RFC 7517 §5.
public enum KeySource: Sendable {
    /// From the `jwks_uri` of the issuer's metadata.
    case discovered
    /// From this URL.
    case remote(String)
    /// These, and no fetch at all.
    case fixed(JWKSet)
}
