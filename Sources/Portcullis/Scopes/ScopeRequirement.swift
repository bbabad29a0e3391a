// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// The scopes that a request requires.
///
/// `"notes:read"` requires one scope, `["notes:read", "notes:write"]` all of them, `.any(of: …)` at least one
/// of them, and `.none` a valid token with any scopes.
///
/// RFC 6750 §3.1.
package struct ScopeRequirement: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByArrayLiteral {
    private enum Kind: Sendable, Hashable {
        case all
        case any
    }

    /// The named scopes, in the order written.
    package let scopes: [Scope]
    private let kind: Kind

    private init(_ kind: Kind, _ scopes: [Scope]) {
        self.kind = kind
        self.scopes = scopes
    }

    /// Requires one scope.
    ///
    /// Traps if the literal is not a scope-token.
    package init(stringLiteral name: String) {
        self.init(.all, [Scope(stringLiteral: name)])
    }

    /// Requires all of these scopes.
    package init(arrayLiteral scopes: Scope...) {
        self.init(.all, scopes)
    }

    /// Requires only a valid token.
    package static let none = ScopeRequirement(.all, [])

    /// Requires all of these scopes.
    package static func all(of scopes: [Scope]) -> ScopeRequirement {
        ScopeRequirement(.all, scopes)
    }

    /// Requires at least one of these scopes.
    ///
    /// Traps on an empty list: no token could meet it.
    ///
    /// A challenge names only the first one, for clients to request.
    package static func any(
        of scopes: [Scope], file: StaticString = #fileID, line: UInt = #line
    ) -> ScopeRequirement {
        endUnless(
            !scopes.isEmpty, "A requirement of any scope must name at least one.", file: file, line: line)
        return ScopeRequirement(.any, scopes)
    }

    /// Whether these scopes meet the requirement.
    package func isSatisfied(by granted: GrantedScopes) -> Bool {
        // `all` stops at the first missing scope, `any` at the first granted one. By index, because an
        // iterator retains and releases.
        for index in scopes.indices where granted.contains(scopes[index]) == (kind == .any) {
            return kind == .any
        }
        return kind == .all
    }

    /// Requires what both require; `nil` for two alternatives that are not the same choice.
    package func and(_ other: ScopeRequirement) -> ScopeRequirement? {
        switch (kind, other.kind) {
        case (.all, .all): return .all(of: scopes + other.scopes.filter { !scopes.contains($0) })
        case (.any, .all): return other.and(self)
        case (.all, .any):
            // A required scope may be one of the alternatives.
            if scopes.isEmpty { return other }
            return scopes.contains { other.scopes.contains($0) } ? self : nil
        case (.any, .any):
            if Set(scopes).isSubset(of: other.scopes) { return self }
            return Set(other.scopes).isSubset(of: scopes) ? other : nil
        }
    }

    /// The scopes for a challenge: everything that the operation needs, at once.
    package var challenged: ArraySlice<Scope> {
        switch kind {
        case .all: scopes[...]
        case .any: scopes.prefix(1)
        }
    }
}
