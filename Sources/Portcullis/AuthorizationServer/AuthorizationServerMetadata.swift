// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// What an authorization server says about itself, as far as a resource needs it.
///
/// RFC 8414 §2, OpenID Connect Discovery 1.0 §3.
struct AuthorizationServerMetadata: Sendable {
    let jwksURI: String?
    let introspectionEndpoint: String?
    /// Where clients introspect that prove who they are by a certificate.
    ///
    /// RFC 8705 §5.
    let certificateIntrospectionEndpoint: String?
    /// How clients may prove who they are there; nothing if the document does not say, which implies no default.
    ///
    /// RFC 8414 §2.
    let introspectionMethods: [String]?
    /// Some of the scopes that the server knows; nothing if the document does not say.
    ///
    /// RFC 8414 §2.
    let scopesSupported: [String]?
    /// Some of the resources that the server issues tokens for; nothing if the document does not say.
    ///
    /// RFC 9728 §4.
    let protectedResources: [String]?
    /// The document as it came, for whoever wants to pass it on.
    let body: [UInt8]
    /// All its members.
    let members: JSONObject

    /// Reads a document, which counts only if it names this issuer and its URLs are secure.
    ///
    /// RFC 8414 §3.2, §3.3.
    init(_ body: [UInt8], issuer: String, allowsInsecureLoopback: Bool) throws(AuthorizationServerFault) {
        guard let object = (try? JSONValue.parse(body))?.object else { throw .malformedDocument }
        // RFC 8414 §3.3: identical, code point by code point; a slash more or less is another issuer.
        guard let named = object["issuer"]?.string, named.utf8.elementsEqual(issuer.utf8) else {
            throw .issuerMismatch
        }
        jwksURI = object["jwks_uri"]?.string
        introspectionEndpoint = object["introspection_endpoint"]?.string
        certificateIntrospectionEndpoint =
            object["mtls_endpoint_aliases"]?.object?["introspection_endpoint"]?.string
        introspectionMethods = object["introspection_endpoint_auth_methods_supported"]?.strings
        scopesSupported = object["scopes_supported"]?.strings
        protectedResources = object["protected_resources"]?.strings
        self.body = body
        members = object
        for url in [jwksURI, introspectionEndpoint, certificateIntrospectionEndpoint] {
            if let url, !IssuerURL.isFetchable(url, allowingInsecureLoopback: allowsInsecureLoopback) {
                throw .insecureURL
            }
        }
    }

    /// Where the document may be, in the order in which to look.
    ///
    /// RFC 8414 §3.1, §5, OpenID Connect Discovery 1.0 §4.1.
    static func locations(of issuer: String) -> [String] {
        guard let url = try? HTTPURL(issuer) else { return [] }
        let bytes = Array(issuer.utf8)
        let origin = String(decoding: bytes[..<url.authorityEnd], as: UTF8.self)
        var path = String(decoding: bytes[url.authorityEnd...], as: UTF8.self)
        // A terminating slash is removed before anything is inserted or appended.
        if path.utf8.last == 0x2F { path.removeLast() }
        let oauth = "/.well-known/oauth-authorization-server"
        let openID = "/.well-known/openid-configuration"
        return path.isEmpty
            ? [origin + oauth, origin + openID]
            : [origin + oauth + path, origin + openID + path, origin + path + openID]
    }

    /// Looks at each location until one has a document that counts.
    ///
    /// Goes on after a refusal of the client's (4xx) and after a document of another issuer; other faults end the search,
    /// since the right document may be there and only be out of reach.
    static func discover(
        _ issuer: String, through access: ServerAccess
    ) async throws(AuthorizationServerFault) -> Refresher<AuthorizationServerMetadata>.Loaded {
        var fault = AuthorizationServerFault.malformedDocument
        for location in locations(of: issuer) {
            do throws(AuthorizationServerFault) {
                let body = try await access.body(.get, location, fields: [.accept: "application/json"])
                let metadata = try AuthorizationServerMetadata(
                    body, issuer: issuer, allowsInsecureLoopback: access.allowsInsecureLoopback)
                return .init(value: metadata, fingerprint: body)
            } catch {
                switch error {
                case .status(400..<500), .issuerMismatch, .malformedDocument: fault = error
                default: throw error
                }
            }
        }
        throw fault
    }
}
