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

/// How the resource proves to an authorization server who it is.
///
/// Redacts itself when printed.
///
/// RFC 6749 §2.3.1, RFC 7662 §2.1.
public struct ClientAuthentication: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    enum Method: Sendable {
        case basic(id: String, secret: String)
        case post(id: String, secret: String)
        case bearer(String)
    }

    let method: Method

    /// Sends identifier and secret in the `Authorization` field, form-encoded before they are joined.
    ///
    /// RFC 6749 §2.3.1.
    public static func clientSecretBasic(id: String, secret: String) -> ClientAuthentication {
        ClientAuthentication(method: .basic(id: id, secret: secret))
    }

    /// Sends identifier and secret in the body.
    ///
    /// RFC 6749 §2.3.1.
    public static func clientSecretPost(id: String, secret: String) -> ClientAuthentication {
        ClientAuthentication(method: .post(id: id, secret: secret))
    }

    /// Sends an access token of the resource's own.
    ///
    /// Not checked here, except that it can be one.
    ///
    /// RFC 7662 §2.1.
    public static func bearer(token: String) -> ClientAuthentication {
        ClientAuthentication(method: .bearer(token))
    }

    /// Nothing of what it holds.
    public var description: String { "ClientAuthentication(redacted)" }
    /// Nothing of what it holds.
    public var debugDescription: String { description }
    /// Nothing of what it holds.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
