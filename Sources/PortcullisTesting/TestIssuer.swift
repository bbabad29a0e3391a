// SPDX-License-Identifier: MIT

public import Portcullis
public import PortcullisHTTP
public import PortcullisJOSE

/// An issuer for tests, which mints access tokens that a resource accepts.
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
    /// The issuer's own key pair.
    public let key: PrivateJWK
    let time: TimeSource

    /// Creates an issuer with a new key.
    ///
    /// - Parameters:
    ///   - issuer: The issuer identifier.
    ///   - algorithm: The signature algorithm. Default: ES256.
    ///   - keyID: The `kid` of the key. Default: `test-1`.
    ///   - time: The clock for `iat` and `exp`. Default: the machine's.
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
            preconditionFailure("OpenSSL could not generate a key.")
        }
    }

    /// The public keys, as the issuer would publish them.
    public var keys: JWKSet { JWKSet([key.publicKey]) }

    /// A trusted issuer with this issuer's keys, so that nothing is fetched.
    public var trusted: TrustedIssuer { .jwt(issuer: issuer, keys: .fixed(keys)) }

    /// Mints an access token with every claim that RFC 9068 requires.
    ///
    /// - Parameters:
    ///   - audience: The identifier of the resource.
    ///   - scope: The scopes, separated by spaces. Default: none.
    ///   - subject: The `sub`. Default: `user-1`.
    ///   - clientID: The `client_id`. Default: `client-1`.
    ///   - client: The client whose key the token is bound to. Default: none. RFC 9449 §6.1.
    ///   - certificate: The certificate, in DER, that the token is bound to. Default: none. RFC 8705 §3.1.
    ///   - lifetime: The time until `exp`. Default: one hour. A token is expired once
    ///     more than the leeway of the resource has passed, by default 30 s.
    ///   - extra: Claims that are added or replace others; they may make the token invalid.
    ///   - omitting: Names of claims to omit.
    ///   - extraHeader: Header parameters that are added or replace others; they may make the token invalid.
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

    /// Signs any payload with this issuer's key, to make invalid tokens.
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
    /// Creates a GET request.
    ///
    /// Traps if the target or a value is malformed.
    ///
    /// - Parameters:
    ///   - target: The request target.
    ///   - token: The token to present as `Bearer`, or `nil`.
    ///   - fields: More fields, after `Authorization`.
    public static func get(
        _ target: String, bearer token: String? = nil, fields: [(String, String)] = []
    ) -> RequestHead {
        test(.get, target, bearer: token, fields: fields)
    }

    /// Creates a request with any method.
    ///
    /// Traps if the target or a value is malformed.
    public static func test(
        _ method: Method, _ target: String, bearer token: String? = nil, fields: [(String, String)] = []
    ) -> RequestHead {
        let credentials = token.map { [("Authorization", "Bearer \($0)")] } ?? []
        do throws(MalformedMessage) {
            return try RequestHead(method: method, target: target, fields: credentials + fields)
        } catch {
            preconditionFailure("The request's target or a field value is malformed.")
        }
    }
}
