// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// The metadata of a protected resource, for clients that do not know it yet.
///
/// Every member of RFC 9728 is a property; others are kept unchanged in ``extensions``. Members without
/// values are left out of the document. The document is public: no secrets, nothing internal.
///
/// RFC 9728 §2.
public struct ProtectedResourceMetadata: Sendable, Hashable {
    /// A place for a bearer token in a request.
    ///
    /// RFC 9728 §2, RFC 6750 §2.
    public enum BearerMethod: String, Sendable, Hashable, CaseIterable {
        /// The `Authorization` field.
        case header
        /// A form in the body.
        case body
        /// The query.
        case query
    }

    /// The maximum number of authorization servers of a resource: 64.
    ///
    /// So many may be trusted, and so many does a discovery fetch: a document of another party could name
    /// thousands.
    ///
    /// RFC 9728 §2, §7.7.
    public static let maxAuthorizationServerCount = 64

    /// `resource`: the identifier.
    public var resource: ResourceIdentifier
    /// `authorization_servers`: issuer identifiers, the preferred one first; most clients use only that.
    public var authorizationServers: [String] = []
    /// `jwks_uri`: the URL of the resource's own public keys.
    ///
    /// Not the keys of the authorization server.
    public var jwksURI: String?
    /// `scopes_supported`: the scopes that clients may request.
    public var scopesSupported: [Scope] = []
    /// `bearer_methods_supported`: empty if bearer tokens are not accepted; `nil` omits the member.
    public var bearerMethodsSupported: [BearerMethod]?
    /// `resource_signing_alg_values_supported`: algorithms of signed responses; never `none`.
    public var resourceSigningAlgorithmsSupported: [String] = []
    /// `resource_name`: the human-readable name.
    public var resourceName = LocalizedText()
    /// `resource_documentation`: the URL of a page for developers.
    public var resourceDocumentation = LocalizedText()
    /// `resource_policy_uri`: the URL of a page on how clients may use the data.
    public var resourcePolicyURI = LocalizedText()
    /// `resource_tos_uri`: the URL of the terms of service.
    public var resourceTermsOfServiceURI = LocalizedText()
    /// `tls_client_certificate_bound_access_tokens`: whether certificate-bound tokens are supported.
    ///
    /// RFC 8705 §3.
    public var tlsClientCertificateBoundAccessTokens: Bool?
    /// `authorization_details_types_supported`: the types that are evaluated.
    ///
    /// RFC 9396 §10.
    public var authorizationDetailsTypesSupported: [String] = []
    /// `dpop_signing_alg_values_supported`: the algorithms of proofs; never `none` or symmetric ones.
    ///
    /// RFC 9449 §5.1.
    public var dpopSigningAlgorithmsSupported: [String] = []
    /// `dpop_bound_access_tokens_required`: whether unbound tokens are refused.
    ///
    /// RFC 9449 §5.2.
    public var dpopBoundAccessTokensRequired: Bool?
    /// `signed_metadata`: a compact JWS with the same members as claims.
    ///
    /// RFC 9728 §2.2.
    public var signedMetadata: String?
    /// Members that RFC 9728 does not define, in order, unchanged.
    public var extensions: JSONObject = [:]

    /// Makes metadata with only the resource identifier.
    public init(resource: ResourceIdentifier) {
        self.resource = resource
    }
}

/// A human-readable text, or the URL of a page, in one or several languages.
///
/// RFC 9728 §2.1.
public struct LocalizedText: Sendable, Hashable, ExpressibleByStringLiteral {
    /// The text in one language.
    public struct Variant: Sendable, Hashable {
        /// The language tag, spelled as it will be sent, such as `pt-BR`.
        ///
        /// BCP 47.
        public let tag: String
        /// The text.
        public let text: String

        /// Makes a variant.
        ///
        /// The tag is validated with the resource's configuration.
        public init(tag: String, text: String) {
            self.tag = tag
            self.text = text
        }
    }

    /// The text without a language tag, or `nil`.
    public var text: String?
    /// The texts with a language tag, in order.
    public var variants: [Variant]

    /// Makes a text; without arguments, none.
    public init(_ text: String? = nil, variants: [Variant] = []) {
        self.text = text
        self.variants = variants
    }

    /// Makes a text without a language tag.
    public init(stringLiteral text: String) {
        self.init(text)
    }
}
