// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// The requirements of a request: scopes, authentication of the user, authorization details, a binding.
///
/// `"notes:read"` requires one scope, `["notes:read", "notes:write"]` all of them, `.any(of: …)` at least one
/// of them, and `.anyValidToken` a valid token with any scopes. ``authenticated(by:within:file:line:)``,
/// ``covering(_:)-([AuthorizationDetail])``, ``senderConstrained()``, ``freshlyIntrospected()``,
/// ``holding(_:file:line:)-([ClaimCondition],_,_)``,
/// ``distinguishing(_:others:file:line:)-([RequestOperation],_,_,_)`` and ``decided(by:)`` add to it.
///
/// RFC 6750 §3.1, RFC 9470 §3, RFC 9396 §9, RFC 9700 §2.2.1, RFC 7662 §4.
public struct AccessRequirement: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByArrayLiteral {
    /// The scopes.
    package let scopes: ScopeRequirement
    /// The authentication context classes of which one is needed, the preferred one first; empty for any.
    public private(set) var acrValues: [String] = []
    /// The maximum age of the user's authentication; `nil` for any.
    public private(set) var maxAge: Duration?
    /// The authorization details that the token must cover, all of them.
    public private(set) var authorizationDetails: [AuthorizationDetail] = []
    /// Whether the token must be bound to a key or a certificate of its client.
    public private(set) var needsSenderConstraint = false
    /// Whether the token is introspected for each request, ignoring cached answers.
    public private(set) var needsFreshIntrospection = false
    /// What few routes demand; `nil` for the others.
    package internal(set) var conditions: RouteConditions?

    /// Requires only scopes.
    package init(_ scopes: ScopeRequirement) {
        self.scopes = scopes
    }

    /// Requires one scope.
    ///
    /// Traps if the literal is not a scope-token.
    public init(stringLiteral name: String) {
        self.init(ScopeRequirement(stringLiteral: name))
    }

    /// Requires all of these scopes.
    public init(arrayLiteral scopes: Scope...) {
        self.init(.all(of: scopes))
    }

    /// Requires only a valid token.
    public static let anyValidToken = AccessRequirement(ScopeRequirement.none)

    /// Requires all of these scopes.
    public static func all(of scopes: [Scope]) -> AccessRequirement {
        AccessRequirement(.all(of: scopes))
    }

    /// Requires at least one of these scopes.
    ///
    /// Traps on an empty list, which no token could meet.
    public static func any(
        of scopes: [Scope], file: StaticString = #fileID, line: UInt = #line
    ) -> AccessRequirement {
        AccessRequirement(.any(of: scopes, file: file, line: line))
    }

    /// Adds a requirement on the class and age of the user's authentication.
    ///
    /// Traps on a value that a challenge can't contain, and on a negative age.
    ///
    /// - Parameters:
    ///   - acrValues: The `acr` values of which the token must have one, compared exactly; the preferred one
    ///     first.
    ///   - maxAge: The maximum age of the authentication, by the token's `auth_time`; the leeway is added.
    ///   - file: The source file reported by a trap.
    ///   - line: The line reported by a trap.
    ///
    /// RFC 9470 §3, §6.
    public func authenticated(
        by acrValues: [String] = [], within maxAge: Duration? = nil,
        file: StaticString = #fileID, line: UInt = #line
    ) -> AccessRequirement {
        endUnless(
            acrValues.allSatisfy(Self.isACRValue),
            "An acr value must be printable ASCII without space, quote, backslash and comma.",
            file: file, line: line)
        endUnless(
            maxAge ?? .zero >= .zero, "The maximum age must be 0 seconds or more.", file: file, line: line)
        var requirement = acrValues.isEmpty && maxAge == nil ? self : needingToken
        requirement.acrValues = acrValues
        requirement.maxAge = maxAge
        return requirement
    }

    /// Adds authorization details that the token must cover.
    ///
    /// RFC 9396 §9.
    public func covering(_ details: AuthorizationDetail...) -> AccessRequirement {
        covering(details)
    }

    /// Adds authorization details that the token must cover.
    ///
    /// RFC 9396 §9.
    public func covering(_ details: [AuthorizationDetail]) -> AccessRequirement {
        var requirement = details.isEmpty ? self : needingToken
        requirement.authorizationDetails = details
        return requirement
    }

    /// Adds that the token must be bound to a key or a certificate of its client.
    ///
    /// A binding is always verified; this refuses an unbound token with 401 and `invalid_token`, so that a
    /// stolen token is useless here.
    ///
    /// RFC 9700 §2.2.1, RFC 9449 §6, RFC 8705 §3.
    public func senderConstrained() -> AccessRequirement {
        var requirement = needingToken
        requirement.needsSenderConstraint = true
        return requirement
    }

    /// Adds an introspection for each request, ignoring cached answers.
    ///
    /// For operations that must not use a token revoked a moment ago. A JWT is verified with the issuer's
    /// keys and then introspected; a token of an issuer without introspection is refused. Each request waits
    /// for a call that started after it arrived; requests that arrive meanwhile with the same token share the
    /// next call. A token found inactive stays refused for ``TokenPolicy/inactiveCacheLifetime`` without
    /// another call. While the issuer can't be reached, the answer is 503. Use it on a route:
    /// ``AccessToken/require(_:file:line:)`` can't introspect, and traps.
    ///
    /// RFC 7662 §2, §4, RFC 7009 §3.
    public func freshlyIntrospected() -> AccessRequirement {
        var requirement = needingToken
        requirement.needsFreshIntrospection = true
        return requirement
    }

    /// Whether a challenge can contain this value: one word that clients do not split.
    ///
    /// RFC 9470 §3.
    package static func isACRValue(_ value: String) -> Bool {
        Challenge.isQuotable(value) && !value.utf8.contains { $0 == 0x20 || $0 == 0x2C }
    }

    /// The value of `max_age` in a challenge: whole seconds, rounded up.
    var maxAgeText: String? {
        maxAge.map { age in
            let (seconds, attoseconds) = age.components
            return String(attoseconds > 0 ? seconds + 1 : seconds)
        }
    }
}
