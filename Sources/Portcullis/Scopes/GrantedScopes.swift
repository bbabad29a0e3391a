// SPDX-License-Identifier: MIT

/// The scopes of a token with all implied ones.
///
/// RFC 6749 §3.3.
package struct GrantedScopes: Sendable {
    /// Up to this number, a linear search is as fast as hashing, and needs no table.
    static let comparedCount = 8

    private let compared: [Scope]
    private let hashed: Set<Scope>

    init(_ scopes: [Scope], implying implications: [Scope: Set<Scope>]) {
        guard !implications.isEmpty || scopes.count > Self.comparedCount else {
            compared = scopes
            hashed = []
            return
        }
        var granted = Set(scopes)
        for scope in implications.isEmpty ? [] : scopes {
            if let implied = implications[scope] { granted.formUnion(implied) }
        }
        compared = []
        hashed = granted
    }

    /// Whether a scope is granted.
    @inline(__always)
    func contains(_ scope: Scope) -> Bool {
        compared.contains(scope) || (!hashed.isEmpty && hashed.contains(scope))
    }
}
