// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// The members of an authorization server's metadata that a resource needs.
///
/// RFC 8414 §2, OpenID Connect Discovery 1.0 §3.
package struct AuthorizationServerMetadata: Sendable {
    let jwksURI: String?
    let introspectionEndpoint: String?
    /// The introspection endpoint for clients that authenticate by certificate.
    ///
    /// RFC 8705 §5.
    let certificateIntrospectionEndpoint: String?
    /// The client authentication methods for introspection; `nil` if not listed, which implies no default.
    ///
    /// RFC 8414 §2.
    let introspectionMethods: [String]?
    let introspectionSigningAlgorithms: [String]?
    /// Scopes of the server, perhaps not all; `nil` if the document lists none.
    ///
    /// RFC 8414 §2.
    let scopesSupported: [String]?
    /// Resources that the server issues tokens for, perhaps not all; `nil` if the document lists none.
    ///
    /// RFC 9728 §4.
    let protectedResources: [String]?
    /// The unchanged document, to be served again.
    let body: [UInt8]
    /// All members.
    let members: JSONObject

    /// Parses a document, and rejects it if it names another issuer or its URLs are insecure.
    ///
    /// RFC 8414 §3.2, §3.3.
    init(_ body: [UInt8], issuer: String, allowsInsecureLoopback: Bool) throws(AuthorizationServerFault) {
        let json: JSONValue
        do { json = try JSONValue.parse(body) } catch { throw .unparsable(body, error) }
        guard let object = json.object else { throw .malformedDocument }
        // RFC 8414 §3.3: identical, code point by code point; a final slash makes another issuer.
        guard let named = object["issuer"]?.string, named.utf8.elementsEqual(issuer.utf8) else {
            throw .issuerMismatch(
                named: object["issuer"]?.string.map(ForeignText.shown), expected: issuer)
        }
        jwksURI = object["jwks_uri"]?.string
        introspectionEndpoint = object["introspection_endpoint"]?.string
        certificateIntrospectionEndpoint =
            object["mtls_endpoint_aliases"]?.object?["introspection_endpoint"]?.string
        introspectionMethods = object["introspection_endpoint_auth_methods_supported"]?.strings
        introspectionSigningAlgorithms =
            object["introspection_endpoint_auth_signing_alg_values_supported"]?.strings
        scopesSupported = object["scopes_supported"]?.strings
        protectedResources = object["protected_resources"]?.strings
        self.body = body
        members = object
        let endpoints = [
            ("jwks_uri", jwksURI), ("introspection_endpoint", introspectionEndpoint),
            ("mtls_endpoint_aliases.introspection_endpoint", certificateIntrospectionEndpoint),
        ]
        for (member, url) in endpoints {
            if let url, !IssuerURL.isFetchable(url, allowingInsecureLoopback: allowsInsecureLoopback) {
                throw .insecureURL(member: member)
            }
        }
    }

    /// Returns the possible URLs of the document, in the order to try.
    ///
    /// RFC 8414 §3.1, §5, OpenID Connect Discovery 1.0 §4.1.
    package static func locations(of issuer: String) -> [String] {
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

    /// Fetches each location until one has a valid document.
    ///
    /// Continues after a 4xx status and after a document of another issuer; other faults end the search,
    /// since the right document may be there but unreachable.
    static func discover(
        _ issuer: String, through access: ServerAccess
    ) async throws(AuthorizationServerFault) -> Refresher<AuthorizationServerMetadata>.Loaded {
        var fault: AuthorizationServerFault?
        for location in locations(of: issuer) {
            do throws(AuthorizationServerFault) {
                let metadata = try await access.document(location, accepting: "application/json") {
                    (body) throws(AuthorizationServerFault) in
                    try AuthorizationServerMetadata(
                        body, issuer: issuer, allowsInsecureLoopback: access.allowsInsecureLoopback)
                }
                return .init(value: metadata, fingerprint: metadata.body)
            } catch {
                switch error.cause {
                case .status(400..<500), .issuerMismatch, .malformedDocument, .malformedJSON, .mediaType,
                    .contentCoding:
                    fault = .mostTelling(fault, error)
                default: throw error
                }
            }
        }
        throw fault ?? .insecureURL(member: nil)
    }
}
