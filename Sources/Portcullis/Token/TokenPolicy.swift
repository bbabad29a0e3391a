// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// The rules of a resource for access tokens.
///
/// The defaults are those of RFC 9068.
///
/// RFC 9068 §2.2, §4, RFC 8725 §3.
public struct TokenPolicy: Sendable {
    /// The accepted token format.
    public enum Format: String, Sendable, Hashable {
        /// JWTs only.
        case jwt
        /// Every token is introspected, even one that looks like a JWT.
        case opaque
        /// A token of three base64url parts is verified as a JWT; any other token is introspected.
        case any
    }

    /// Whether an introspection answer must name this resource as its audience.
    public enum IntrospectionAudience: String, Sendable, Hashable {
        /// An answer without `aud` is refused.
        case required
        /// An answer without `aud` is accepted, relying on the server's check; an `aud` is still checked.
        case optional
    }

    /// The accepted token format; `nil` to derive it from the trusted issuers.
    public var format: Format?
    /// The accepted signature algorithms.
    ///
    /// Default: all supported algorithms, which are all asymmetric.
    public var algorithms: [SignatureAlgorithm] = SignatureAlgorithm.allCases
    /// The accepted `typ` values, case-insensitive.
    ///
    /// `at+jwt` includes `application/at+jwt`; an empty value accepts a token without `typ`. Default
    /// `at+jwt`. Adding `JWT` accepts tokens of servers that predate RFC 9068; then only the audience
    /// distinguishes an access token from an ID token.
    public var acceptedTypes: [String] = ["at+jwt"]
    /// The required claims in addition to `iss`, `aud` and `exp`, which are always required.
    ///
    /// Default `sub`, `client_id`, `iat`, `jti`.
    public var requiredClaims: [String] = ["sub", "client_id", "iat", "jti"]
    /// The accepted audiences, compared byte for byte; `nil` for the resource identifier.
    public var audiences: [String]?
    /// The tolerated clock difference.
    ///
    /// Default 30 seconds; from 0 to 300.
    public var leeway: Duration = .seconds(30)
    /// The claims that may contain the scopes; the first one present counts.
    ///
    /// A string, separated by spaces, or an array of strings. For introspection answers too, in which `scope`
    /// is read last. ``ClaimMapping/scopes`` of an issuer replaces them. Default `scope`.
    public var scopeClaims: [String] = ["scope"]
    /// Scopes that imply others: a token with the key also has the values, and what those imply.
    public var scopeImplications: [Scope: [Scope]] = [:]
    /// The maximum length of a token in bytes.
    ///
    /// Its JSON may nest 20 levels, and has at most 10000 members and elements. Default 16384.
    public var maxTokenByteCount = 16_384
    /// The capacity of the cache of verified tokens.
    ///
    /// If the cache is full, a new introspected token, or a JWT that is presented for the second time, evicts
    /// an entry that was not used lately.
    ///
    /// Default 10000; 0 for none.
    public var verifiedCacheEntryCount = 10_000
    /// How long an active introspection answer is cached, at most until `exp`.
    ///
    /// An answer of more than about 64 KiB in memory is not cached. Default 30 seconds; 0 disables the cache.
    public var introspectionCacheLifetime: Duration = .seconds(30)
    /// How long an inactive introspection answer is cached.
    ///
    /// Default 5 seconds; 0 disables the cache.
    public var inactiveCacheLifetime: Duration = .seconds(5)
    /// Whether introspection answers must contain `aud`.
    ///
    /// Default ``IntrospectionAudience/required``.
    public var introspectionAudience: IntrospectionAudience = .required

    /// The rules for DPoP proofs, if the resource accepts DPoP.
    package var dpop = DPoPPolicy()
    /// Evaluators for types of authorization details that are not compared member by member.
    ///
    /// RFC 9396 §5.
    public var authorizationDetailEvaluators: [AuthorizationDetailEvaluator] = []
    /// Whether missing authorization details are reported as `insufficient_authorization_details`.
    ///
    /// If set, the answer contains the needed details. Default `false`: the error code is
    /// `insufficient_scope`, since the other one is only a proposal (draft-zehavi-oauth-rar-metadata).
    public var challengesAuthorizationDetails = false

    /// Makes a policy with all defaults.
    public init() {}

    /// All defaults.
    public static let `default` = TokenPolicy()

    /// The `typ` values of JWTs that are not access tokens.
    ///
    /// RFC 8725 §3.11, §3.12, draft-ietf-oauth-rfc8725bis §3.12.
    static let foreignTypes = [
        "dpop+jwt", "token-introspection+jwt", "logout+jwt", "secevent+jwt", "oauth-authz-req+jwt",
        "client-authentication+jwt", "authorization-grant+jwt", "oauth-id-jag+jwt", "txntoken+jwt",
        "oauth-client-attestation+jwt", "oauth-client-attestation-pop+jwt", "key-attestation+jwt",
        "openid4vci-proof+jwt", "statuslist+jwt", "kb+jwt", "sd-jwt", "dc+sd-jwt", "vc+sd-jwt", "vc+jwt",
        "vp+jwt", "passport", "entity-statement+jwt", "trust-mark+jwt", "resolve-response+jwt",
        "jwk-set+jwt", "portcullis-identity+jwt",
    ]

    func problems(at path: String) -> [ConfigurationError.Problem] {
        var problems: [ConfigurationError.Problem] = []
        func check(_ holds: Bool, _ name: String, _ message: String) {
            if !holds { problems.append(.init(path: "\(path).\(name)", message)) }
        }
        check(!algorithms.isEmpty, "algorithms", "Accept at least one signature algorithm.")
        check(!acceptedTypes.isEmpty, "types", "Accept at least one typ (RFC 9068 §4).")
        check(
            !acceptedTypes.contains { Self.foreignTypes.contains(MediaType.normalized($0)) }, "types",
            "A typ that belongs to another kind of JWT is never accepted (RFC 8725 §3.11).")
        check(
            audiences.map { !$0.isEmpty && !$0.contains("") } ?? true, "audiences",
            "Accept at least one audience, and no empty one.")
        check(
            (.zero ... .seconds(300)).contains(leeway), "leeway_seconds",
            "The leeway must be from 0 to 300 seconds.")
        check(
            !scopeClaims.isEmpty && !scopeClaims.contains(""), "scope_claims",
            "Name at least one claim for the scopes, and no empty one.")
        check(!requiredClaims.contains(""), "required_claims", "The name of a claim must not be empty.")
        check(
            (1...1_048_576).contains(maxTokenByteCount), "max_token_bytes",
            "The value must be from 1 to 1048576 bytes."
        )
        check(
            (0...10_000_000).contains(verifiedCacheEntryCount), "verified_cache_entries",
            "The value must be from 0 to 10000000 entries.")
        check(
            introspectionCacheLifetime >= .zero, "introspection_cache_seconds",
            "The value must be 0 seconds or more.")
        check(
            inactiveCacheLifetime >= .zero, "inactive_cache_seconds", "The value must be 0 seconds or more.")
        problems += dpop.problems(at: "\(path).dpop")
        return problems
    }

    /// Returns the transitive closure of the implications; each scope implies itself.
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
