// SPDX-License-Identifier: MIT

package import Portcullis

extension DiscoveredAuthorizationServer {
    /// Whether `protected_resources` names a resource; `nil` if there is no such list.
    ///
    /// RFC 9728 §4.
    package func lists(_ resource: ResourceIdentifier) -> Bool? {
        ServerLists.names(resource, in: protectedResources)
    }

    /// Returns the scopes that `scopes_supported` lacks; empty if there is no such list.
    ///
    /// RFC 8414 §2.
    package func unlistedScopes(among scopes: [Scope]) -> [Scope] {
        ServerLists.missing(scopes, in: scopesSupported)
    }
}
