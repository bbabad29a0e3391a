// SPDX-License-Identifier: MIT

import PortcullisHTTP
import Synchronization

/// The resources that send their clients to one issuer, to be compared with what the issuer says of them.
///
/// RFC 9728 §4, §7.2.
final class AdvertisedResources: Sendable {
    private struct Advertised: Sendable {
        let identifier: ResourceIdentifier
        let scopes: [Scope]
    }

    private let resources = Mutex<[Advertised]>([])

    /// Adds a resource whose metadata lists the issuer.
    func add(_ metadata: ProtectedResourceMetadata) {
        let resource = Advertised(identifier: metadata.resource, scopes: metadata.scopesSupported)
        resources.withLock { $0.append(resource) }
    }

    /// What the issuer's metadata says differently.
    ///
    /// Both of its lists are optional, and absent ones say nothing; they may also be partial, so that this is for the operator to judge.
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
