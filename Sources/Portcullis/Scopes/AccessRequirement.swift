// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// What a token must carry for a request: scopes, an authentication of its user, authorization details, a bond.
///
/// `"notes:read"` asks for one scope, `["notes:read", "notes:write"]` for all of them, `.any(of: …)` for at least one of
/// them, and `.anyValidToken` for a valid token with whatever scopes. ``authenticated(by:within:file:line:)``,
/// ``covering(_:)-([AuthorizationDetail])``, ``senderConstrained()`` and ``freshlyIntrospected()`` add to it.
///
/// RFC 6750 §3.1, RFC 9470 §3, RFC 9396 §9, RFC 9700 §2.2.1, RFC 7662 §4.
public struct AccessRequirement: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByArrayLiteral {
    /// The scopes.
    package let scopes: ScopeRequirement
    /// The authentication context classes of which one is needed, the preferred one first; empty for any.
    public private(set) var acrValues: [String] = []
    /// How long ago the user may have authenticated; nothing for any time.
    public private(set) var maxAge: Duration?
    /// The authorization details that the token must cover, all of them.
    public private(set) var authorizationDetails: [AuthorizationDetail] = []
    /// Whether the token must be bound to a key or a certificate of its client.
    public private(set) var needsSenderConstraint = false
    /// Whether its issuer is asked about the token for this very request.
    public private(set) var needsFreshIntrospection = false

    /// Asks for scopes alone.
    package init(_ scopes: ScopeRequirement) {
        self.scopes = scopes
    }

    /// Asks for one scope.
    ///
    /// Traps if the literal is not a scope-token.
    public init(stringLiteral name: String) {
        self.init(ScopeRequirement(stringLiteral: name))
    }

    /// Asks for all of these scopes.
    public init(arrayLiteral scopes: Scope...) {
        self.init(.all(of: scopes))
    }

    /// Asks for a valid token and no scope in particular.
    public static let anyValidToken = AccessRequirement(ScopeRequirement.none)

    /// Asks for all of these scopes.
    public static func all(of scopes: [Scope]) -> AccessRequirement {
        AccessRequirement(.all(of: scopes))
    }

    /// Asks for at least one of these scopes.
    ///
    /// Traps on an empty list, which nothing could meet.
    public static func any(
        of scopes: [Scope], file: StaticString = #fileID, line: UInt = #line
    ) -> AccessRequirement {
        AccessRequirement(.any(of: scopes, file: file, line: line))
    }

    /// The same, and a user who has authenticated well or lately enough.
    ///
    /// Traps on a value that no challenge can name, and on a negative age.
    ///
    /// - Parameters:
    ///   - acrValues: The `acr` values of which the token must have one, compared exactly; the preferred one first.
    ///   - maxAge: How long ago the authentication may be, by the token's `auth_time`; the leeway is added.
    ///   - file: The source file that a trap names.
    ///   - line: The line in it.
    ///
    /// RFC 9470 §3, §6.
    public func authenticated(
        by acrValues: [String] = [], within maxAge: Duration? = nil,
        file: StaticString = #fileID, line: UInt = #line
    ) -> AccessRequirement {
        endUnless(
            acrValues.allSatisfy(Self.isACRValue),
            "An acr value is printable ASCII without space, quote, backslash and comma.",
            file: file, line: line)
        endUnless(maxAge ?? .zero >= .zero, "An age is 0 or more seconds.", file: file, line: line)
        var requirement = self
        requirement.acrValues = acrValues
        requirement.maxAge = maxAge
        return requirement
    }

    /// The same, and a token whose authorization details cover these.
    ///
    /// RFC 9396 §9.
    public func covering(_ details: AuthorizationDetail...) -> AccessRequirement {
        covering(details)
    }

    /// The same, and a token whose authorization details cover these.
    ///
    /// RFC 9396 §9.
    public func covering(_ details: [AuthorizationDetail]) -> AccessRequirement {
        var requirement = self
        requirement.authorizationDetails = details
        return requirement
    }

    /// The same, and a token that is bound to a key or a certificate of its client.
    ///
    /// The possession of what a token is bound to is always checked; this refuses, with 401 and `invalid_token`, one that is
    /// bound to nothing, so that a stolen token is of no use here.
    ///
    /// RFC 9700 §2.2.1, RFC 9449 §6, RFC 8705 §3.
    public func senderConstrained() -> AccessRequirement {
        var requirement = self
        requirement.needsSenderConstraint = true
        return requirement
    }

    /// The same, and a token of which its issuer says now that it is active, whatever is remembered.
    ///
    /// For what must not be done with a token that was revoked a moment ago. A JWT is verified with the issuer's keys first, then
    /// its issuer is asked; a token of an issuer that does not introspect is refused. Each request waits for an answer to a question
    /// that was put after it came; those that come meanwhile with the same token share the next. A token that was found inactive
    /// is so for ``TokenPolicy/inactiveCacheLifetime``, without asking again. While the issuer can't be asked the answer is 503.
    /// Belongs on a route: ``AccessToken/require(_:file:line:)`` can't ask, and traps.
    ///
    /// RFC 7662 §2, §4, RFC 7009 §3.
    public func freshlyIntrospected() -> AccessRequirement {
        var requirement = self
        requirement.needsFreshIntrospection = true
        return requirement
    }

    /// Whether a challenge can name this value: one word that clients do not take apart.
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
