// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import PortcullisTesting
import Testing

/// An issuer and the resources of a test that trust it.
struct GuardedSite: Sendable {
    static let wellKnown = "/.well-known/oauth-protected-resource"

    let issuer = TestIssuer("https://as.example.com")

    func resource(
        _ identifier: String, scopes: [Scope] = [], rootAlias: Bool = false, maxAge: Duration = .seconds(300)
    ) throws -> ProtectedResource {
        var metadata = ProtectedResourceMetadata(resource: try ResourceIdentifier(validating: identifier))
        metadata.authorizationServers = [issuer.issuer]
        metadata.scopesSupported = scopes
        return try ProtectedResource(
            validating: .init(
                metadata, trusting: [issuer.trusted], metadataMaxAge: maxAge, rootAlias: rootAlias))
    }

    /// The field with a token for a resource.
    func bearer(for identifier: String, scope: String? = nil) -> String {
        "Authorization: Bearer \(issuer.mint(audience: identifier, scope: scope))"
    }
}

extension Reply {
    /// The challenge of a 401 without credentials.
    func expectChallenge(
        _ metadataURL: String, scope: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let more = scope.map { ", scope=\"\($0)\"" } ?? ""
        #expect(status == 401, sourceLocation: sourceLocation)
        #expect(
            all("www-authenticate") == ["Bearer resource_metadata=\"\(metadataURL)\"\(more)"],
            sourceLocation: sourceLocation)
        #expect(all("cache-control") == ["no-store"], sourceLocation: sourceLocation)
        #expect(body.isEmpty, sourceLocation: sourceLocation)
    }

    /// The fields without `Date`.
    var stableFields: [Field] { fields.filter { $0.name.lowercased() != "date" } }
}

/// The problems that a server finds in its routes, one per line; empty if there are none.
func routingProblems(_ declare: (inout Routes) -> Void) -> String {
    var routes = Routes()
    declare(&routes)
    do throws(ConfigurationError) {
        _ = try Server(validating: routes)
        return ""
    } catch {
        return error.description
    }
}
