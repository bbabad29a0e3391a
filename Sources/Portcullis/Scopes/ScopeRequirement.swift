// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// The scopes that a token must carry for a request.
///
/// `"notes:read"` asks for one scope, `["notes:read", "notes:write"]` for all of them, `.any(of: …)` for at least one of
/// them, and `.none` for a valid token with whatever scopes.
///
/// RFC 6750 §3.1.
package struct ScopeRequirement: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByArrayLiteral {
    private enum Kind: Sendable, Hashable {
        case all
        case any
    }

    /// The scopes that are named, in the order written.
    package let scopes: [Scope]
    private let kind: Kind

    private init(_ kind: Kind, _ scopes: [Scope]) {
        self.kind = kind
        self.scopes = scopes
    }

    /// Asks for one scope.
    ///
    /// Traps if the literal is not a scope-token.
    package init(stringLiteral name: String) {
        self.init(.all, [Scope(stringLiteral: name)])
    }

    /// Asks for all of these scopes.
    package init(arrayLiteral scopes: Scope...) {
        self.init(.all, scopes)
    }

    /// Asks for a valid token and no scope in particular.
    package static let none = ScopeRequirement(.all, [])

    /// Asks for all of these scopes.
    package static func all(of scopes: [Scope]) -> ScopeRequirement {
        ScopeRequirement(.all, scopes)
    }

    /// Asks for at least one of these scopes.
    ///
    /// Traps on an empty list, which nothing could meet.
    ///
    /// A challenge names the first of them, the one that a client should ask for.
    package static func any(
        of scopes: [Scope], file: StaticString = #fileID, line: UInt = #line
    ) -> ScopeRequirement {
        endUnless(
            !scopes.isEmpty, "A requirement of any scope names at least one.", file: file, line: line)
        return ScopeRequirement(.any, scopes)
    }

    /// Whether these scopes are enough.
    package func isSatisfied(by granted: GrantedScopes) -> Bool {
        // All until one is missing, or any until one is there. By place, since an iterator counts references.
        for index in scopes.indices where granted.contains(scopes[index]) == (kind == .any) {
            return kind == .any
        }
        return kind == .all
    }

    /// What a challenge tells the client to ask for: everything that the operation needs, in one go.
    package var challenged: ArraySlice<Scope> {
        switch kind {
        case .all: scopes[...]
        case .any: scopes.prefix(1)
        }
    }
}
