// SPDX-License-Identifier: MIT

public import PortcullisHTTP
public import PortcullisJOSE

extension TestAuthorizationServer {
    /// The configuration of a test authorization server.
    public struct Configuration: Sendable {
        /// The issuer identifier, which is the prefix of every endpoint.
        ///
        /// Not validated; `http` is allowed in tests.
        public var issuer: String
        /// The format of access tokens.
        ///
        /// Default `.jwt`.
        public var tokenFormat: TokenFormat = .jwt
        /// The signature algorithm of JWTs.
        ///
        /// Default `ES256`.
        public var algorithm: SignatureAlgorithm = .es256
        /// The lifetime of access tokens.
        ///
        /// Default 300 seconds.
        public var tokenLifetime: Duration = .seconds(300)
        /// The lifetime of authorization codes.
        ///
        /// Default 60 seconds.
        public var codeLifetime: Duration = .seconds(60)
        /// The lifetime of refresh tokens, from the user's consent; each is exchanged once.
        ///
        /// Default one day. RFC 9700 §4.14.2.
        public var refreshTokenLifetime: Duration = .seconds(86_400)
        /// The scopes that clients may request; a client that requests none gets all.
        ///
        /// Empty, the default: any.
        public var scopes: [String] = []
        /// The resource indicators that clients may request.
        ///
        /// Empty, the default: any. RFC 8707 §2.
        public var resources: [String] = []
        /// The user of the consent page: the `sub` of tokens from the authorization code grant.
        public var subject = "alice"
        /// The maximum number of registered clients and client documents; the oldest is removed first.
        ///
        /// Default 1000.
        public var maxClientCount = 1_000
        /// The maximum number of authorization codes; the oldest is removed first.
        ///
        /// Default 1000.
        public var maxCodeCount = 1_000
        /// The maximum number of tokens known to introspection and revocation, and of refresh tokens; the
        /// oldest is removed first.
        ///
        /// Default 10,000.
        public var maxTokenCount = 10_000

        /// Creates a configuration with the defaults.
        public init(issuer: String) {
            self.issuer = issuer
        }
    }

    /// The format of an access token.
    public enum TokenFormat: Sendable, Hashable {
        /// A JWT access token. RFC 9068.
        case jwt
        /// A random string that resource servers introspect. RFC 7662.
        case opaque
    }

    /// An endpoint of the authorization server.
    public enum Endpoint: Sendable, Hashable, CaseIterable {
        /// `/.well-known/oauth-authorization-server`. RFC 8414 §3.
        case metadata
        /// The JWK set.
        case keys
        /// Dynamic client registration. RFC 7591 §3.
        case registration
        /// The consent page. RFC 6749 §3.1.
        case authorization
        /// RFC 6749 §3.2.
        case token
        /// RFC 7662 §2.
        case introspection
        /// RFC 7009 §2.
        case revocation
    }

    /// A simulated fault.
    public enum Fault: Sendable, Hashable {
        /// Answers with this status and no body.
        case status(Status)
        /// Never answers.
        case hang
        /// Names another issuer in its metadata, tokens and introspection answers.
        case wrongIssuer
        /// Publishes an empty JWK set.
        case emptyKeySet
        /// Answers 200 with an incomplete JSON document.
        case malformedBody
        /// Answers with a redirect to itself.
        case redirect
        /// Answers 200 with 2 MiB of JSON.
        case oversizedBody
    }

    /// An HTTP response, before a server sends it.
    public struct Answer: Sendable, Hashable {
        /// The status.
        public var status: Status
        /// The fields, without framing.
        public var fields: Fields = [:]
        /// The body, possibly empty.
        public var body: [UInt8] = []
        /// Whether the response must never be sent.
        ///
        /// See ``Fault/hang``.
        public var hangs = false
    }

    /// The contents of a token that a test makes without a grant.
    public struct TokenRequest: Sendable {
        /// The `sub` claim; `nil` omits it.
        ///
        /// Default `alice`.
        public var subject: String? = "alice"
        /// The `client_id` claim.
        ///
        /// Default `test-client`.
        public var clientID = "test-client"
        /// The `aud` claim.
        public var audience: [String]
        /// The `scope` claim; omitted if empty.
        public var scopes: [String]
        /// The lifetime; negative for an expired token.
        ///
        /// Default 300 seconds.
        public var lifetime: Duration = .seconds(300)
        /// The `typ` of the header; `nil` omits it.
        ///
        /// Default `at+jwt`.
        public var type: String? = "at+jwt"
        /// Claims that are added or replace those above.
        public var claims: JSONObject = [:]
        /// Names of claims to omit.
        public var omittedClaims: [String] = []

        /// Creates a request with the defaults.
        public init(audience: [String], scopes: [String] = []) {
            self.audience = audience
            self.scopes = scopes
        }
    }
}
