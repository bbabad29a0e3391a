// SPDX-License-Identifier: MIT

public import Portcullis
public import PortcullisHTTP
public import PortcullisJOSE

/// An authorization server's signing side, for tests: mints access tokens that a resource takes.
///
///     let issuer = TestIssuer("https://login.example.com")
///     let notes = ProtectedResource("https://api.example.com/notes", trusting: issuer.trusted)
///     let token = issuer.mint(audience: "https://api.example.com/notes", scope: "notes:read")
///
/// RFC 9068 §2.
public struct TestIssuer: Sendable {
    /// The issuer identifier.
    public let issuer: String
    /// The algorithm that tokens are signed with.
    public let algorithm: SignatureAlgorithm
    /// The key pair, made for this issuer alone.
    public let key: PrivateJWK
    private let time: TimeSource

    /// Makes an issuer with a new key.
    ///
    /// - Parameters:
    ///   - issuer: The issuer identifier.
    ///   - algorithm: The algorithm. Default ES256.
    ///   - keyID: The `kid` of the key. Default `test-1`.
    ///   - time: The clock that `iat` and `exp` are counted from. Default the machine's.
    public init(
        _ issuer: String, algorithm: SignatureAlgorithm = .es256, keyID: String = "test-1",
        time: TimeSource = .system
    ) {
        self.issuer = issuer
        self.algorithm = algorithm
        self.time = time
        do throws(JOSEError) {
            key = try PrivateJWK.generate(algorithm, keyID: keyID)
        } catch {
            preconditionFailure("OpenSSL could not make a key.")
        }
    }

    /// The public keys, as the issuer would publish them.
    public var keys: JWKSet { JWKSet([key.publicKey]) }

    /// This issuer as a resource trusts it, with its keys given, so that nothing is fetched.
    public var trusted: TrustedIssuer { .jwt(issuer: issuer, keys: .fixed(keys)) }

    /// Mints an access token with everything that RFC 9068 asks for.
    ///
    /// - Parameters:
    ///   - audience: The identifier of the resource.
    ///   - scope: The scopes, with spaces between them. Default none.
    ///   - subject: The `sub`. Default `user-1`.
    ///   - clientID: The `client_id`. Default `client-1`.
    ///   - client: The client whose key the token is bound to. Default none. RFC 9449 §6.1.
    ///   - certificate: The certificate, in DER, that the token is bound to. Default none. RFC 8705 §3.1.
    ///   - lifetime: From now until `exp`. Default one hour; negative for an expired token.
    ///   - extra: Claims that replace or join the others, even if they make the token wrong.
    ///   - omitting: Names of claims to leave out.
    ///   - extraHeader: Header parameters that replace or join the others, even if they make the token wrong.
    ///
    /// RFC 9068 §2.1, §2.2.
    public func mint(
        audience: String, scope: String? = nil, subject: String = "user-1", clientID: String = "client-1",
        boundTo client: TestDPoPClient? = nil, certificate: [UInt8]? = nil,
        lifetime: Duration = .seconds(3600), claims extra: JSONObject = [:], omitting: [String] = [],
        header extraHeader: JSONObject = [:]
    ) -> String {
        let now = time.now()
        var claims: JSONObject = [
            "iss": .string(issuer), "sub": .string(subject), "client_id": .string(clientID),
            "aud": .string(audience),
            "iat": Self.number(now), "exp": Self.number(now.adding(lifetime)),
            "jti": .string(Base64URL.encode(SecureRandom.bytes(12))),
        ]
        claims["scope"] = scope.map(JSONValue.string)
        var confirmation: JSONObject = [:]
        confirmation["jkt"] = client.map { .string($0.thumbprint) }
        confirmation["x5t#S256"] = certificate.map { .string(Digest.sha256($0).base64URL) }
        if !confirmation.members.isEmpty { claims["cnf"] = .object(confirmation) }
        for member in extra.members { claims[member.name] = member.value }
        for name in omitting { claims[name] = nil }
        var header: JSONObject = ["typ": "at+jwt"]
        for member in extraHeader.members { header[member.name] = member.value }
        return sign(header: header, payload: claims.serialized())
    }

    /// Signs any payload with this issuer's key: for tokens that no issuer should mint.
    ///
    /// RFC 7515 §5.1.
    public func sign(header: JSONObject, payload: [UInt8]) -> String {
        do throws(JOSEError) {
            return try key.sign(header: header, payload: payload, algorithm: algorithm)
        } catch {
            preconditionFailure("OpenSSL could not sign.")
        }
    }

    private static func number(_ date: NumericDate) -> JSONValue {
        .number(JSONNumber(date.wholeSeconds ?? 0))
    }
}

extension RequestHead {
    /// A request as a test needs it.
    ///
    /// Traps if the target or a value is malformed.
    ///
    /// - Parameters:
    ///   - target: The request target.
    ///   - token: The token to present as `Bearer`, or nothing.
    ///   - fields: More fields, behind the token's.
    public static func get(
        _ target: String, bearer token: String? = nil, fields: [(String, String)] = []
    ) -> RequestHead {
        test(.get, target, bearer: token, fields: fields)
    }

    /// A request as a test needs it, with any method.
    ///
    /// Traps if the target or a value is malformed.
    public static func test(
        _ method: Method, _ target: String, bearer token: String? = nil, fields: [(String, String)] = []
    ) -> RequestHead {
        let credentials = token.map { [("Authorization", "Bearer \($0)")] } ?? []
        do throws(MalformedMessage) {
            return try RequestHead(method: method, target: target, fields: credentials + fields)
        } catch {
            preconditionFailure("A request of a test is well formed.")
        }
    }
}
