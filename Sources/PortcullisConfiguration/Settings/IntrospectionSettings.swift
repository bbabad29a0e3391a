// SPDX-License-Identifier: MIT

package import Portcullis

extension AuthorizationServerSettings {
    /// The introspection endpoint and the client authentication there.
    package struct Introspection: Sendable {
        /// The client authentication at the endpoint; file names are relative to the configuration file.
        package enum Authentication: Sendable, Hashable {
            case clientSecretBasic(id: String, secret: String)
            case clientSecretPost(id: String, secret: String)
            case privateKeyJWT(id: String, keyFile: String)
            case tlsClientAuth(id: String, certificateFile: String, keyFile: String)
            case bearer(token: String)
        }

        /// `nil`: the endpoint from discovery.
        package var endpoint: String?
        package var authentication: Authentication
        /// The required audience of signed responses; `nil`: responses are plain JSON.
        package var signedResponseAudience: String?
        /// The `typ` of client assertions.
        package var assertionType = ClientAuthentication.AssertionType.clientAuthentication
        /// The `aud` of client assertions; `nil`: the issuer.
        package var assertionAudience: String?
        /// Its JSONPath.
        package var path: String
    }
}

enum SignedResponse: String, CaseIterable {
    case off, required
}

enum ClientAuthenticationMethod: String, CaseIterable {
    case clientSecretBasic = "client_secret_basic"
    case clientSecretPost = "client_secret_post"
    case privateKeyJWT = "private_key_jwt"
    case tlsClientAuth = "tls_client_auth"
    case bearer

    /// The configuration keys of the method other than `client_id`, and what each means.
    fileprivate var keys: [(name: String, meaning: String)] {
        switch self {
        case .clientSecretBasic, .clientSecretPost: [("client_secret", "the secret that goes with client_id")]
        case .privateKeyJWT: [("private_key", "the name of a file with the client's private key as a JWK")]
        case .tlsClientAuth:
            [
                ("client_certificate", "the name of a file with the client's certificate in PEM"),
                ("client_private_key", "the name of a file with the certificate's private key in PEM"),
            ]
        case .bearer: [("bearer_token", "the access token that this server presents")]
        }
    }
}

extension AuthorizationServerSettings.Introspection {
    init?(_ reader: ObjectReader) {
        path = reader.path.text
        endpoint = reader.string("endpoint")
        let method = reader.word("client_auth", ClientAuthenticationMethod.self) ?? .clientSecretBasic
        // A bearer token identifies the client by itself.
        let id =
            method == .bearer
            ? reader.string("client_id") ?? ""
            : reader.requiredString("client_id", "the identifier that this server has at the issuer")
        let values = Self.values(reader, method)
        (assertionType, assertionAudience) = Self.readAssertion(reader, method)
        if reader.word("signed_response", SignedResponse.self) == .required {
            if id?.isEmpty == true {
                reader.error(
                    "signed_response", "needs client_id, which is the audience of signed responses")
            }
            signedResponseAudience = id
        }
        reader.finish()
        guard let id, let values else { return nil }
        authentication =
            switch method {
            case .clientSecretBasic: .clientSecretBasic(id: id, secret: values[0])
            case .clientSecretPost: .clientSecretPost(id: id, secret: values[0])
            case .privateKeyJWT: .privateKeyJWT(id: id, keyFile: values[0])
            case .tlsClientAuth: .tlsClientAuth(id: id, certificateFile: values[0], keyFile: values[1])
            case .bearer: .bearer(token: values[0])
            }
    }

    /// Reads the form of client assertions.
    ///
    /// draft-ietf-oauth-rfc7523bis §4.
    private static func readAssertion(
        _ reader: ObjectReader, _ method: ClientAuthenticationMethod
    ) -> (type: ClientAuthentication.AssertionType, audience: String?) {
        let type = reader.word("assertion_type", ClientAuthentication.AssertionType.self)
        let audience = reader.string("assertion_audience")
        for name in ["assertion_type", "assertion_audience"]
        where method != .privateKeyJWT && reader.object[name] != nil {
            reader.warning(name, "is not used with client_auth \"\(method.rawValue)\"; leave it out")
        }
        return (type ?? .clientAuthentication, audience)
    }

    /// Reads the values of a method's keys, and warns of keys that belong to other methods.
    private static func values(_ reader: ObjectReader, _ method: ClientAuthenticationMethod) -> [String]? {
        let own = method.keys.map(\.name)
        let others = Set(ClientAuthenticationMethod.allCases.flatMap { $0.keys.map(\.name) }).subtracting(own)
        for name in others.sorted() where reader.string(name) != nil {
            reader.warning(name, "is not used with client_auth \"\(method.rawValue)\"; leave it out")
        }
        let values = method.keys.compactMap { reader.requiredString($0.name, $0.meaning) }
        return values.count == method.keys.count ? values : nil
    }
}
