// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// What a resource demands of tokens.
///
/// The defaults are those of RFC 9068.
///
/// RFC 9068 §2.2, §4, RFC 8725 §3.
public struct TokenPolicy: Sendable {
    /// The form that tokens are taken in.
    public enum Format: String, Sendable, Hashable {
        /// JWTs only.
        case jwt
        /// Every token is introspected, whatever it looks like.
        case opaque
        /// Three base64url parts are a JWT, everything else is introspected.
        case any
    }

    /// Whether an introspection answer must name this resource as its audience.
    public enum IntrospectionAudience: String, Sendable, Hashable {
        /// An answer without `aud` is refused.
        case required
        /// An answer without `aud` is accepted: the server's own check is all there is. One with `aud` is still checked.
        case optional
    }

    /// The form of tokens; nothing to derive it from the trusted issuers.
    public var format: Format?
    /// The signature algorithms.
    ///
    /// Default all that are verified, every one of them asymmetric.
    public var algorithms: [SignatureAlgorithm] = SignatureAlgorithm.allCases
    /// The `typ` values, compared without regard to case; `at+jwt` includes `application/at+jwt`, and an
    /// empty one stands for none.
    ///
    /// Default `at+jwt`. Adding `JWT` takes tokens of servers that predate RFC 9068, and makes the audience
    /// the only thing that tells an access token from an ID token.
    public var acceptedTypes: [String] = ["at+jwt"]
    /// Claims that must be there besides `iss`, `aud` and `exp`, which always must.
    ///
    /// Default `sub`, `client_id`, `iat`, `jti`.
    public var requiredClaims: [String] = ["sub", "client_id", "iat", "jti"]
    /// The audiences of which a token must name one, compared byte for byte; nothing for the resource identifier.
    public var audiences: [String]?
    /// How far clocks may be apart.
    ///
    /// Default 30 seconds; from 0 to 300.
    public var leeway: Duration = .seconds(30)
    /// The claims that may hold the scopes; the first one present counts.
    ///
    /// Default `scope`.
    public var scopeClaims: [String] = ["scope"]
    /// Scopes that include others: who has the key has the values, and what those include.
    public var scopeImplications: [Scope: [Scope]] = [:]
    /// The most bytes that a token may have.
    ///
    /// Default 16384.
    public var maxTokenByteCount = 16_384
    /// How many verified tokens are remembered.
    ///
    /// When there are more, one that was not used lately is forgotten for each new one that was introspected, and for each JWT
    /// that comes by for the second time.
    ///
    /// Default 10000; 0 for none.
    public var verifiedCacheEntryCount = 10_000
    /// How long an active introspection answer counts, at most until `exp`.
    ///
    /// One that takes more than about 64 KiB of memory is not remembered. Default 30 seconds; 0 asks every time.
    public var introspectionCacheLifetime: Duration = .seconds(30)
    /// How long an inactive introspection answer counts.
    ///
    /// Default 5 seconds; 0 asks every time.
    public var inactiveCacheLifetime: Duration = .seconds(5)
    /// Whether introspection answers must name the audience.
    ///
    /// Default that they must.
    public var introspectionAudience: IntrospectionAudience = .required

    /// What is demanded of DPoP proofs, where the resource accepts DPoP.
    package var dpop = DPoPPolicy()
    /// How authorization details are judged, for types that are not judged member by member.
    ///
    /// RFC 9396 §5.
    public var authorizationDetailEvaluators: [AuthorizationDetailEvaluator] = []
    /// Whether a lack of authorization details is told as `insufficient_authorization_details`, with what is needed.
    ///
    /// Default false: as `insufficient_scope`, since the other is no more than a proposal yet
    /// (draft-zehavi-oauth-rar-metadata).
    public var challengesAuthorizationDetails = false

    /// Makes a policy with all defaults.
    public init() {}

    /// All defaults.
    public static let `default` = TokenPolicy()

    /// Types of JWTs that are something else than access tokens.
    ///
    /// RFC 8725 §3.11.
    static let foreignTypes = [
        "dpop+jwt", "token-introspection+jwt", "logout+jwt", "secevent+jwt", "oauth-authz-req+jwt",
    ]

    func problems(at path: String) -> [ConfigurationError.Problem] {
        var problems: [ConfigurationError.Problem] = []
        func check(_ holds: Bool, _ name: String, _ message: String) {
            if !holds { problems.append(.init(path: "\(path).\(name)", message)) }
        }
        check(!algorithms.isEmpty, "algorithms", "At least one signature algorithm is accepted.")
        check(!acceptedTypes.isEmpty, "types", "At least one typ is accepted (RFC 9068 §4).")
        check(
            !acceptedTypes.contains { Self.foreignTypes.contains(MediaType.normalized($0)) }, "types",
            "A typ that belongs to another kind of JWT is never accepted (RFC 8725 §3.11).")
        check(
            audiences.map { !$0.isEmpty && !$0.contains("") } ?? true, "audiences",
            "At least one audience is accepted.")
        check(
            (.zero ... .seconds(300)).contains(leeway), "leeway_seconds",
            "The leeway is from 0 to 300 seconds.")
        check(
            !scopeClaims.isEmpty && !scopeClaims.contains(""), "scope_claims",
            "At least one claim holds the scopes.")
        check(!requiredClaims.contains(""), "required_claims", "A claim has a name.")
        check(
            (1...1_048_576).contains(maxTokenByteCount), "max_token_bytes", "This is from 1 to 1048576 bytes."
        )
        check(
            (0...10_000_000).contains(verifiedCacheEntryCount), "verified_cache_entries",
            "This is from 0 to 10000000 entries.")
        check(
            introspectionCacheLifetime >= .zero, "introspection_cache_seconds", "This is 0 or more seconds.")
        check(inactiveCacheLifetime >= .zero, "inactive_cache_seconds", "This is 0 or more seconds.")
        problems += dpop.problems(at: "\(path).dpop")
        return problems
    }

    /// What each scope brings with it, itself included, through any number of steps.
    func closedImplications() -> [Scope: Set<Scope>] {
        var closed: [Scope: Set<Scope>] = [:]
        for start in scopeImplications.keys {
            var reached: Set<Scope> = [start]
            var pending = [start]
            while let scope = pending.popLast() {
                for next in scopeImplications[scope] ?? [] where reached.insert(next).inserted {
                    pending.append(next)
                }
            }
            closed[start] = reached
        }
        return closed
    }
}
