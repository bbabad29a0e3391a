// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// A resource that was discovered: its challenges, its metadata, and the authorization servers that can be asked for a token.
///
/// RFC 9728 §5.
public struct DiscoveredResource: Sendable {
    /// An authorization server of the list that can't be used, and why.
    public struct Fault: Sendable, Hashable {
        /// The identifier, as the metadata name it.
        public let issuer: String
        /// What was wrong.
        public let error: DiscoveryError

        package init(issuer: String, error: DiscoveryError) {
            self.issuer = issuer
            self.error = error
        }
    }

    /// The URL that was called.
    public let url: String
    /// The challenges of the answer; none if there were none, or if they could not be read.
    public let challenges: [ReceivedChallenge]
    /// The metadata.
    public let metadata: DiscoveredMetadata
    /// The authorization servers that can be used, the resource's preferred one first.
    public internal(set) var authorizationServers: [DiscoveredAuthorizationServer] = []
    /// The others.
    public internal(set) var faults: [Fault] = []

    init(url: String, challenges: [ReceivedChallenge], metadata: DiscoveredMetadata) {
        self.url = url
        self.challenges = challenges
        self.metadata = metadata
    }

    /// The scopes to ask for: those of the challenge, else all that the metadata list.
    ///
    /// RFC 6750 §3, RFC 9728 §2.
    public var scopes: [Scope] {
        let challenged = challenges.compactMap { $0["scope"] }.first
        guard let challenged else { return metadata.metadata.scopesSupported }
        return challenged.utf8.split(separator: 0x20).compactMap {
            Scope(token: String(decoding: $0, as: UTF8.self))
        }
    }
}

/// Metadata of a resource that a client may rely on.
///
/// RFC 9728 §3.3.
public struct DiscoveredMetadata: Sendable {
    /// The URL of the document.
    public let location: String
    /// The metadata, signed values in place of plain ones.
    public let metadata: ProtectedResourceMetadata
    /// The document as it was sent.
    public let document: JSONObject
    /// Who attests the signed values, if there are any that were verified.
    public let signer: String?

    package init(
        location: String, metadata: ProtectedResourceMetadata, document: JSONObject, signer: String?
    ) {
        self.location = location
        self.metadata = metadata
        self.document = document
        self.signer = signer
    }
}

/// Metadata of an authorization server that a client may rely on.
///
/// RFC 8414 §2, OpenID Connect Discovery 1.0 §3.
public struct DiscoveredAuthorizationServer: Sendable {
    /// The identifier.
    public let issuer: String
    /// The URL of the document.
    public let location: String
    /// The document as it was sent.
    public let document: JSONObject
    /// Whether the media type was that of JSON.
    package let isJSON: Bool

    static let endpointNames = [
        "authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint",
        "introspection_endpoint", "revocation_endpoint", "userinfo_endpoint",
        "pushed_authorization_request_endpoint", "device_authorization_endpoint",
    ]

    /// `authorization_endpoint`.
    public var authorizationEndpoint: String? { document["authorization_endpoint"]?.string }
    /// `token_endpoint`.
    public var tokenEndpoint: String? { document["token_endpoint"]?.string }
    /// `registration_endpoint`.
    ///
    /// RFC 7591 §3.
    public var registrationEndpoint: String? { document["registration_endpoint"]?.string }
    /// `introspection_endpoint`.
    ///
    /// RFC 7662 §2.
    public var introspectionEndpoint: String? { document["introspection_endpoint"]?.string }
    /// `jwks_uri`: where the keys that tokens are signed with are.
    public var jwksURI: String? { document["jwks_uri"]?.string }
    /// `scopes_supported`; a server need not list all of them.
    public var scopesSupported: [String]? { document["scopes_supported"]?.strings }
    /// `protected_resources`; a server need not list any.
    ///
    /// RFC 9728 §4.
    public var protectedResources: [String]? { document["protected_resources"]?.strings }
    /// `code_challenge_methods_supported`.
    ///
    /// RFC 7636 §4.3.
    public var codeChallengeMethodsSupported: [String]? {
        document["code_challenge_methods_supported"]?.strings
    }
}
