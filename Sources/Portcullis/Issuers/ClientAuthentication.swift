// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// How the resource authenticates to an authorization server.
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
        case privateKeyJWT(id: String, key: PrivateJWK, audience: String?, type: AssertionType)
        case certificate(id: String)
        case bearer(String)
    }

    let method: Method

    /// Sends client identifier and secret in the `Authorization` field, form-encoded before they are joined.
    ///
    /// RFC 6749 §2.3.1.
    public static func clientSecretBasic(id: String, secret: String) -> ClientAuthentication {
        ClientAuthentication(method: .basic(id: id, secret: secret))
    }

    /// Sends client identifier and secret in the body.
    ///
    /// RFC 6749 §2.3.1.
    public static func clientSecretPost(id: String, secret: String) -> ClientAuthentication {
        ClientAuthentication(method: .post(id: id, secret: secret))
    }

    /// Sends a new signed assertion with each call, valid for a minute.
    ///
    /// Signed with the key's `alg`, or RS256 for an RSA key without one. A key whose `use` or `key_ops`
    /// exclude signatures makes the resource's configuration invalid.
    ///
    /// - Parameters:
    ///   - id: The `client_id` of this resource at the server.
    ///   - key: The private key to sign with.
    ///   - audience: The `aud` that the server expects; `nil`, the default, for the issuer identifier. Any other
    ///     value is warned about at start: a server that receives the assertion could use it at another one
    ///     that accepts the same value.
    ///   - type: The `typ` of the assertion. Default ``AssertionType/clientAuthentication``.
    ///
    /// RFC 7523 §2.2, §3, draft-ietf-oauth-rfc7523bis §4.
    public static func privateKeyJWT(
        id: String, key: PrivateJWK, audience: String? = nil, type: AssertionType = .clientAuthentication
    ) -> ClientAuthentication {
        ClientAuthentication(method: .privateKeyJWT(id: id, key: key, audience: audience, type: type))
    }

    /// The `typ` of a client assertion.
    ///
    /// draft-ietf-oauth-rfc7523bis §4.
    public enum AssertionType: String, Sendable, Hashable, CaseIterable {
        /// `client-authentication+jwt`, which tells the assertion from every other JWT.
        case clientAuthentication = "client-authentication+jwt"
        /// `JWT`, for servers that refuse any other.
        case jwt = "JWT"
        /// No `typ`, for servers that refuse any.
        case none
    }

    /// Sends only the client identifier: the certificate of the TLS connection authenticates the client.
    ///
    /// The fetcher of ``TrustedIssuer/Introspection`` presents the certificate and is therefore required. If
    /// the server's metadata has an mTLS alias of the endpoint, that is called.
    ///
    /// RFC 8705 §2, §5.
    public static func tlsClientAuth(id: String) -> ClientAuthentication {
        ClientAuthentication(method: .certificate(id: id))
    }

    /// Sends an access token that the resource obtained for itself.
    ///
    /// Only its syntax is checked.
    ///
    /// RFC 7662 §2.1.
    public static func bearer(token: String) -> ClientAuthentication {
        ClientAuthentication(method: .bearer(token))
    }

    /// A fixed text without any content.
    public var description: String { "ClientAuthentication(redacted)" }
    /// A fixed text without any content.
    public var debugDescription: String { description }
    /// A fixed text without any content.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension ClientAuthentication {
    /// The registered names of the method in server metadata; empty for a bearer token.
    ///
    /// RFC 8414 §2, RFC 8705 §2.1.1, §2.2.1.
    var registeredNames: [String] {
        switch method {
        case .basic: ["client_secret_basic"]
        case .post: ["client_secret_post"]
        case .privateKeyJWT: ["private_key_jwt"]
        case .certificate: ["tls_client_auth", "self_signed_tls_client_auth"]
        case .bearer: []
        }
    }

    /// The client's identity at the authorization server, without secrets except the hash of a token.
    var identity: [[UInt8]] {
        switch method {
        case .basic(let id, _): [Array("basic".utf8), Array(id.utf8)]
        case .post(let id, _): [Array("post".utf8), Array(id.utf8)]
        case .privateKeyJWT(let id, _, _, _): [Array("private_key_jwt".utf8), Array(id.utf8)]
        case .certificate(let id): [Array("certificate".utf8), Array(id.utf8)]
        case .bearer(let token): [Array("bearer".utf8), Digest.sha256(Array(token.utf8)).bytes]
        }
    }

    /// Whether the certificate of the connection authenticates the client.
    var usesCertificate: Bool {
        if case .certificate = method { true } else { false }
    }

    /// Whether each call needs a signature.
    var signs: Bool {
        if case .privateKeyJWT = method { true } else { false }
    }

    /// The algorithm of its assertions, chosen among those that a server lists; `nil` without assertions.
    func assertionAlgorithm(among listed: [String]?) -> SignatureAlgorithm? {
        guard case .privateKeyJWT(_, let key, _, _) = method else { return nil }
        return ClientAssertion.algorithm(of: key, among: listed)
    }

    /// The key of its assertions, if there is one.
    var assertionKey: PrivateJWK? {
        guard case .privateKeyJWT(_, let key, _, _) = method else { return nil }
        return key
    }

    /// A warning about the audience of its assertions, or `nil`.
    func audienceWarning(issuer: String) -> String? {
        guard case .privateKeyJWT(_, _, let audience?, _) = method else { return nil }
        return Self.audienceWarning(audience, issuer: issuer)
    }

    /// A warning about an audience of assertions that is not the issuer, or `nil`.
    ///
    /// draft-ietf-oauth-rfc7523bis §4, §7.
    package static func audienceWarning(_ audience: String, issuer: String) -> String? {
        guard !audience.utf8.elementsEqual(issuer.utf8) else { return nil }
        return "The audience of client assertions is not the issuer: a server that is given as one with this "
            + "audience could use an assertion at another (draft-ietf-oauth-rfc7523bis §7)."
    }

    /// The problem, as the last component of a path and a sentence, or `nil`.
    var objection: (name: String, sentence: String)? {
        switch method {
        case .bearer(let token):
            let isToken = Array(token.utf8).withUnsafeBytes { Token68.matches($0) }
            return isToken ? nil : ("bearer_token", "The value is not a bearer token (RFC 6750 §2.1).")
        case .privateKeyJWT(_, let key, _, _):
            return ClientAssertion.algorithm(of: key) == nil
                ? ("private_key", "The key's use or key_ops exclude signatures (RFC 7517 §4.2, §4.3).") : nil
        default: return nil
        }
    }
}
