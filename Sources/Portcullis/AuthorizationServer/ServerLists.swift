// SPDX-License-Identifier: MIT

/// Compares a resource with the lists of an authorization server.
///
/// Both lists are optional, and may be partial. RFC 8414 §2, RFC 9728 §4.
package enum ServerLists {
    /// Whether `protected_resources` names the resource; `nil` if there is no such list.
    package static func names(_ resource: ResourceIdentifier, in listed: [String]?) -> Bool? {
        listed.map { $0.contains { $0.utf8.elementsEqual(resource.text.utf8) } }
    }

    /// Returns the scopes that `scopes_supported` lacks; empty if there is no such list.
    package static func missing(_ scopes: [Scope], in listed: [String]?) -> [Scope] {
        guard let listed else { return [] }
        return scopes.filter { scope in !listed.contains { $0.utf8.elementsEqual(scope.name.utf8) } }
    }
}
