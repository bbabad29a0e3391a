// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport

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
    /// The fault of each location, if none has a document with all needed members.
    private var shortcomings: [AuthorizationServerFault] = []

    /// The fault to report if this member is missing.
    func lacking(_ member: String) -> AuthorizationServerFault {
        shortcomings.isEmpty ? .missingMember(member) : .noMetadata(shortcomings)
    }

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

    /// The members that the resource takes from the metadata.
    struct Needs: OptionSet, Sendable {
        let rawValue: UInt8
        static let keys = Needs(rawValue: 1)
        static let introspection = Needs(rawValue: 2)
    }

    /// Returns the name of the first needed member that the document lacks, or `nil`.
    ///
    /// RFC 8414 §2: `jwks_uri` and `introspection_endpoint` are optional.
    private func lackedMember(_ needs: Needs) -> String? {
        if needs.contains(.keys), jwksURI == nil { return "jwks_uri" }
        let hasEndpoint = introspectionEndpoint != nil || certificateIntrospectionEndpoint != nil
        return needs.contains(.introspection) && !hasEndpoint ? "introspection_endpoint" : nil
    }

    /// Fetches each location until one has a valid document with the needed members, within one timeout.
    ///
    /// Continues after every answer that is no such document, whatever its status: servers that do not know
    /// the location of RFC 8414 answer with redirects, errors or pages. Ends at a location without any answer,
    /// since the others are on the same host.
    ///
    /// RFC 8414 §3, §5, OpenID Connect Discovery 1.0 §4.
    static func discover(
        _ issuer: String, needing needs: Needs, through access: ServerAccess,
        uptime: @Sendable () -> MonotonicInstant
    ) async throws(AuthorizationServerFault) -> Refresher<AuthorizationServerMetadata>.Loaded {
        let end = uptime() + access.timeout
        var faults: [AuthorizationServerFault] = []
        var incomplete: AuthorizationServerMetadata?
        for location in locations(of: issuer) {
            let remaining = end - uptime()
            guard remaining > .zero else { break }
            do throws(AuthorizationServerFault) {
                let metadata = try await access.document(
                    location, accepting: "application/json", within: remaining
                ) { (body) throws(AuthorizationServerFault) in
                    try AuthorizationServerMetadata(
                        body, issuer: issuer, allowsInsecureLoopback: access.allowsInsecureLoopback)
                }
                guard let lacked = metadata.lackedMember(needs) else {
                    return .init(value: metadata, fingerprint: metadata.body)
                }
                faults.append(AuthorizationServerFault.missingMember(lacked).whenCalling(location))
                // The more important member is that of the keys.
                if incomplete == nil || (incomplete?.jwksURI == nil && metadata.jwksURI != nil) {
                    incomplete = metadata
                }
            } catch {
                faults.append(error)
                guard error.isAnswer else { break }
            }
        }
        if var incomplete {
            incomplete.shortcomings = faults
            // A location that was unavailable for a moment may have what is missing.
            return .init(
                value: incomplete, fingerprint: incomplete.body,
                isProvisional: faults.contains(where: \.isTransient))
        }
        guard faults.count > 1 else { throw faults.first ?? .insecureURL(member: nil) }
        throw .noMetadata(faults)
    }
}
