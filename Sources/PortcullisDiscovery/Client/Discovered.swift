// SPDX-License-Identifier: MIT

public import Portcullis
public import PortcullisJOSE

/// A discovered resource: its challenges, its metadata, and its usable authorization servers.
///
/// RFC 9728 §5.
public struct DiscoveredResource: Sendable {
    /// A listed authorization server that can't be used, and the reason.
    public struct Fault: Sendable, Hashable {
        /// The identifier, as in the metadata.
        public let issuer: String
        /// The error.
        public let error: DiscoveryError

        package init(issuer: String, error: DiscoveryError) {
            self.issuer = issuer
            self.error = error
        }
    }

    /// The called URL.
    public let url: String
    /// The challenges of the answer; empty if there were none, or if they are malformed.
    public let challenges: [ReceivedChallenge]
    /// The metadata.
    public let metadata: DiscoveredMetadata
    /// The usable authorization servers, the resource's preferred one first.
    public internal(set) var authorizationServers: [DiscoveredAuthorizationServer] = []
    /// The unusable authorization servers.
    public internal(set) var faults: [Fault] = []

    init(url: String, challenges: [ReceivedChallenge], metadata: DiscoveredMetadata) {
        self.url = url
        self.challenges = challenges
        self.metadata = metadata
    }

    /// The scopes to request: those of the challenge, else all in the metadata.
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

/// Validated metadata of a resource.
///
/// RFC 9728 §3.3.
public struct DiscoveredMetadata: Sendable {
    /// The URL of the document.
    public let location: String
    /// The metadata; signed values replace unsigned ones.
    public let metadata: ProtectedResourceMetadata
    /// The document as received.
    public let document: JSONObject
    /// The verified issuer of the signed values, or `nil` if there are none.
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

/// Validated metadata of an authorization server.
///
/// RFC 8414 §2, OpenID Connect Discovery 1.0 §3.
public struct DiscoveredAuthorizationServer: Sendable {
    /// The identifier.
    public let issuer: String
    /// The URL of the document.
    public let location: String
    /// The document as received.
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
    /// `jwks_uri`: the URL of the keys that sign tokens.
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
