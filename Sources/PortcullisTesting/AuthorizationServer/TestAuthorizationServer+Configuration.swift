// SPDX-License-Identifier: MIT

public import PortcullisHTTP
public import PortcullisJOSE

extension TestAuthorizationServer {
    /// What a test authorization server issues, and how much it remembers.
    public struct Configuration: Sendable {
        /// Its identifier, with which every endpoint starts.
        ///
        /// Not checked; `http` is fine for tests.
        public var issuer: String
        /// What access tokens look like.
        ///
        /// Default `.jwt`.
        public var tokenFormat: TokenFormat = .jwt
        /// What JWTs are signed with.
        ///
        /// Default `ES256`.
        public var algorithm: SignatureAlgorithm = .es256
        /// How long access tokens live.
        ///
        /// Default 300 seconds.
        public var tokenLifetime: Duration = .seconds(300)
        /// How long authorization codes live.
        ///
        /// Default 60 seconds.
        public var codeLifetime: Duration = .seconds(60)
        /// The scopes that clients may ask for, all granted to one that asks for none.
        ///
        /// Empty, the default: any.
        public var scopes: [String] = []
        /// The resource indicators that clients may ask for.
        ///
        /// Empty, the default: any. RFC 8707 §2.
        public var resources: [String] = []
        /// Whom the consent page speaks for: the `sub` of tokens from the authorization code grant.
        public var subject = "alice"
        /// How many clients are remembered; the oldest is forgotten first.
        ///
        /// Default 1000.
        public var maxClientCount = 1_000
        /// How many codes that were not redeemed are remembered.
        ///
        /// Default 1000.
        public var maxCodeCount = 1_000
        /// How many tokens are remembered for introspection and revocation.
        ///
        /// Default 10,000.
        public var maxTokenCount = 10_000

        /// Makes a configuration with the defaults.
        public init(issuer: String) {
            self.issuer = issuer
        }
    }

    /// What an access token looks like to a client.
    public enum TokenFormat: Sendable, Hashable {
        /// A JWT of the profile for access tokens. RFC 9068.
        case jwt
        /// A random string that only introspection explains. RFC 7662.
        case opaque
    }

    /// The places that a client or a resource server asks.
    public enum Endpoint: Sendable, Hashable, CaseIterable {
        /// `/.well-known/oauth-authorization-server`. RFC 8414 §3.
        case metadata
        /// The key set.
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

    /// A way to misbehave.
    public enum Fault: Sendable, Hashable {
        /// Answers with this status and no body.
        case status(Status)
        /// Does not answer until the client gives up.
        case hang
        /// Names another issuer in its metadata, its tokens and its introspection answers.
        case wrongIssuer
        /// Publishes a key set without keys.
        case emptyKeySet
        /// Answers 200 with half a JSON document.
        case malformedBody
        /// Answers with a redirect to itself.
        case redirect
        /// Answers 200 with two mebibytes of JSON.
        case oversizedBody
    }

    /// An answer, before a server sends it.
    public struct Answer: Sendable, Hashable {
        /// The status.
        public var status: Status
        /// The fields, without framing.
        public var fields: Fields = [:]
        /// The body, possibly empty.
        public var body: [UInt8] = []
        /// Whether the answer must never be sent.
        ///
        /// See ``Fault/hang``.
        public var hangs = false
    }

    /// What a token made directly, without a grant, says.
    public struct TokenRequest: Sendable {
        /// The `sub` claim; nothing leaves it out.
        ///
        /// Default `alice`.
        public var subject: String? = "alice"
        /// The `client_id` claim.
        ///
        /// Default `test-client`.
        public var clientID = "test-client"
        /// The `aud` claim.
        public var audience: [String]
        /// The `scope` claim; left out if empty.
        public var scopes: [String]
        /// How long it lives; negative for a token that has expired.
        ///
        /// Default 300 seconds.
        public var lifetime: Duration = .seconds(300)
        /// The `typ` of the header; nothing leaves it out.
        ///
        /// Default `at+jwt`.
        public var type: String? = "at+jwt"
        /// Claims that are added, or replace those above.
        public var claims: JSONObject = [:]
        /// Claims that are left out in the end.
        public var omittedClaims: [String] = []

        /// Asks for a token with the defaults.
        public init(audience: [String], scopes: [String] = []) {
            self.audience = audience
            self.scopes = scopes
        }
    }
}
