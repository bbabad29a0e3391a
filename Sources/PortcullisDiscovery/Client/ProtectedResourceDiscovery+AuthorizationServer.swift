// SPDX-License-Identifier: MIT

public import Portcullis
import PortcullisHTTP
import PortcullisJOSE

extension ProtectedResourceDiscovery {
    /// Fetches the metadata of an authorization server from its RFC 8414 or OpenID Connect location.
    ///
    /// Continues at the next location after every answer that is no document of this issuer, whatever its
    /// status. Without an answer, and with an insecure URL in the right document, the search ends.
    ///
    /// - Parameter issuer: The identifier, as in a resource's metadata.
    /// - Throws: ``DiscoveryError``; ``DiscoveryError/issuerMismatch(named:expected:)`` unless a document names exactly this
    ///   issuer, and ``DiscoveryError/insecureURL`` if one of its endpoints is not https.
    ///
    /// RFC 8414 §3, §3.3, OpenID Connect Discovery 1.0 §4.
    public func authorizationServer(
        _ issuer: String
    ) async throws(DiscoveryError) -> DiscoveredAuthorizationServer {
        guard IssuerURL.objection(to: issuer) == nil,
            IssuerURL.isFetchable(issuer, allowingInsecureLoopback: configuration.allowsInsecureLoopback)
        else { throw .insecureURL }
        var fault: DiscoveryError?
        for location in AuthorizationServerMetadata.locations(of: issuer) {
            do throws(DiscoveryError) {
                return try await authorizationServer(issuer, at: location)
            } catch {
                let error = error.whenCalling(location)
                switch error.cause {
                case .status, .issuerMismatch, .malformedDocument:
                    fault = .mostTelling(fault, error)
                default: throw error
                }
            }
        }
        throw fault ?? .insecureURL
    }

    private func authorizationServer(
        _ issuer: String, at location: String
    ) async throws(DiscoveryError) -> DiscoveredAuthorizationServer {
        let response = try await response(from: location)
        let body = ByteOrderMark.removed(from: response.body)
        guard let object = (try? JSONValue.parse(body))?.object else { throw .malformedDocument }
        // RFC 8414 §3.3: identical, code point by code point; a final slash makes another issuer.
        guard let named = object["issuer"]?.string, named.utf8.elementsEqual(issuer.utf8) else {
            throw .issuerMismatch(
                named: object["issuer"]?.string.map(ForeignText.shown), expected: issuer)
        }
        let server = DiscoveredAuthorizationServer(
            issuer: issuer, location: location, document: object, isJSON: response.isJSON)
        for name in DiscoveredAuthorizationServer.endpointNames {
            guard let value = object[name], !value.isNull else { continue }
            guard let url = value.string else { throw .malformedDocument }
            guard IssuerURL.isFetchable(url, allowingInsecureLoopback: configuration.allowsInsecureLoopback)
            else { throw .insecureURL }
        }
        return server
    }

    /// Fetches the keys that an authorization server signs tokens with.
    ///
    /// - Throws: ``DiscoveryError``; ``DiscoveryError/malformedDocument`` if there is no `jwks_uri` or no key
    ///   set at it.
    ///
    /// RFC 8414 §2.
    public func keys(of server: DiscoveredAuthorizationServer) async throws(DiscoveryError) -> JWKSet {
        guard let location = server.jwksURI else { throw .malformedDocument }
        do throws(DiscoveryError) {
            let response = try await response(from: location)
            guard let keys = try? JWKSet(parsing: response.body) else { throw .malformedDocument }
            return keys
        } catch {
            throw error.whenCalling(location)
        }
    }
}
