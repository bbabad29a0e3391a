// SPDX-License-Identifier: MIT

extension AuthorizationServerSettings {
    /// Where tokens are introspected, and as whom.
    package struct Introspection: Sendable {
        /// How the server learns who asks; file names are relative to the configuration file.
        package enum Authentication: Sendable, Hashable {
            case clientSecretBasic(id: String, secret: String)
            case clientSecretPost(id: String, secret: String)
            case privateKeyJWT(id: String, keyFile: String)
            case tlsClientAuth(id: String, certificateFile: String, keyFile: String)
            case bearer(token: String)
        }

        /// Nothing: the endpoint that discovery finds.
        package var endpoint: String?
        package var authentication: Authentication
        /// The audience of the signed answers that are demanded; nothing: plain ones.
        package var signedResponseAudience: String?
        /// Where in the file it stands.
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

    /// The keys of the file that belong to the method, besides `client_id`, with what each is.
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
        // A bearer token says by itself whose it is.
        let id =
            method == .bearer
            ? reader.string("client_id") ?? ""
            : reader.requiredString("client_id", "the identifier that this server has at the issuer")
        let values = Self.values(reader, method)
        if reader.word("signed_response", SignedResponse.self) == .required {
            if id?.isEmpty == true {
                reader.error(
                    "signed_response", "needs client_id, which signed answers name as their audience")
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

    /// The values of the keys of a method; those of another method are not used, which their author should know.
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
