// SPDX-License-Identifier: MIT

/// What the lists of an authorization server say of a resource.
///
/// Both are optional, and absent ones say nothing; they may also be partial. RFC 8414 §2, RFC 9728 §4.
enum ServerLists {
    /// Whether `protected_resources` names the resource; nothing if there is no such list.
    static func names(_ resource: ResourceIdentifier, in listed: [String]?) -> Bool? {
        listed.map { $0.contains { $0.utf8.elementsEqual(resource.text.utf8) } }
    }

    /// The scopes that `scopes_supported` lacks; none if there is no such list.
    static func missing(_ scopes: [Scope], in listed: [String]?) -> [Scope] {
        guard let listed else { return [] }
        return scopes.filter { scope in !listed.contains { $0.utf8.elementsEqual(scope.name.utf8) } }
    }
}

extension DiscoveredAuthorizationServer {
    /// Whether `protected_resources` names a resource; nothing if there is no such list.
    ///
    /// RFC 9728 §4.
    package func lists(_ resource: ResourceIdentifier) -> Bool? {
        ServerLists.names(resource, in: protectedResources)
    }

    /// The scopes that `scopes_supported` lacks; none if there is no such list.
    ///
    /// RFC 8414 §2.
    package func unlistedScopes(among scopes: [Scope]) -> [Scope] {
        ServerLists.missing(scopes, in: scopesSupported)
    }
}
