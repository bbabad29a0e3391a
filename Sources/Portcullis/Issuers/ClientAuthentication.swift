// SPDX-License-Identifier: MIT

public import PortcullisJOSE

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
        case privateKeyJWT(id: String, key: PrivateJWK, audience: String?)
        case certificate(id: String)
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

    /// Sends an assertion that is signed anew for each call, and good for a minute.
    ///
    /// Signed with the key's `alg`; an RSA key without one signs with RS256. A key that its `use` or `key_ops` keeps from
    /// signatures is refused with the resource's configuration.
    ///
    /// - Parameters:
    ///   - id: The `client_id` of this resource at the server.
    ///   - key: The private key that signs.
    ///   - audience: The `aud` that the server expects; `nil`, the default, for the issuer identifier.
    ///
    /// RFC 7523 §2.2, §3.
    public static func privateKeyJWT(
        id: String, key: PrivateJWK, audience: String? = nil
    ) -> ClientAuthentication {
        ClientAuthentication(method: .privateKeyJWT(id: id, key: key, audience: audience))
    }

    /// Sends the identifier alone: the certificate of the TLS connection is the proof.
    ///
    /// That certificate is presented by the fetcher of ``TrustedIssuer/Introspection``, which therefore has to be given. Where the
    /// server's metadata names a place for such clients, that is asked.
    ///
    /// RFC 8705 §2, §5.
    public static func tlsClientAuth(id: String) -> ClientAuthentication {
        ClientAuthentication(method: .certificate(id: id))
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

extension ClientAuthentication {
    /// The names under which server metadata lists the method; none for what is no method of a client.
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

    /// Who asks, as the authorization server sees it: the way, and the client's identifier; no secret but a hash of a token.
    var identity: [[UInt8]] {
        switch method {
        case .basic(let id, _): [Array("basic".utf8), Array(id.utf8)]
        case .post(let id, _): [Array("post".utf8), Array(id.utf8)]
        case .privateKeyJWT(let id, _, _): [Array("private_key_jwt".utf8), Array(id.utf8)]
        case .certificate(let id): [Array("certificate".utf8), Array(id.utf8)]
        case .bearer(let token): [Array("bearer".utf8), Digest.sha256(Array(token.utf8)).bytes]
        }
    }

    /// Whether the certificate of the connection is the proof.
    var usesCertificate: Bool {
        if case .certificate = method { true } else { false }
    }

    /// Whether each question takes a signature.
    var signs: Bool {
        if case .privateKeyJWT = method { true } else { false }
    }

    /// What is wrong with it, as the end of a path and a sentence.
    var objection: (name: String, sentence: String)? {
        switch method {
        case .bearer(let token):
            let isToken = Array(token.utf8).withUnsafeBytes { Token68.matches($0) }
            return isToken ? nil : ("bearer_token", "This is no bearer token (RFC 6750 §2.1).")
        case .privateKeyJWT(_, let key, _):
            return ClientAssertion.algorithm(of: key) == nil
                ? ("private_key", "This key is not for signatures (RFC 7517 §4.2, §4.3).") : nil
        default: return nil
        }
    }
}
