// SPDX-License-Identifier: MIT

import PortcullisHTTP
import Synchronization

/// What the metadata of a resource tells clients to request of its issuers, which share this object.
final class AdvertisedResource: Sendable {
    let identifier: ResourceIdentifier
    let scopes: [Scope]

    init(_ metadata: ProtectedResourceMetadata) {
        identifier = metadata.resource
        scopes = metadata.scopesSupported
    }
}

/// The resources whose metadata lists one issuer, for comparison with the issuer's metadata.
///
/// RFC 9728 §4, §7.2.
final class AdvertisedResources: Sendable {
    private let resources = Mutex<[AdvertisedResource]>([])

    /// Adds a resource whose metadata lists the issuer.
    func add(_ resource: AdvertisedResource) {
        resources.withLock { $0.append(resource) }
    }

    /// Returns the differences between the resources' metadata and the issuer's.
    ///
    /// Both lists of the issuer are optional and may be partial, so the operator must judge the result.
    func differences(from metadata: AuthorizationServerMetadata, issuer: String) -> [ResourceEvent] {
        resources.withLock { $0 }.flatMap { resource in
            var events: [ResourceEvent] = []
            let unknown = ServerLists.missing(resource.scopes, in: metadata.scopesSupported)
            if !unknown.isEmpty {
                events.append(
                    .scopesNotListed(issuer: issuer, resource: resource.identifier, scopes: unknown))
            }
            if ServerLists.names(resource.identifier, in: metadata.protectedResources) == false {
                events.append(.resourceNotListed(issuer: issuer, resource: resource.identifier))
            }
            return events
        }
    }
}
