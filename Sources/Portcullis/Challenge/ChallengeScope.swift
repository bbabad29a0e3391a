// SPDX-License-Identifier: MIT

/// The scopes that the challenges of a resource name.
///
/// A 403 for a token without enough scopes always names what the request needed.
///
/// RFC 6750 §3, MCP 2026-07-28, "Scope Challenge Handling".
public enum ChallengeScope: String, Sendable, Hashable, CaseIterable {
    /// What the request needs: the scopes of its route and operation.
    case route
    /// All scopes of the metadata, in order, also on paths without a route.
    ///
    /// For clients that register with the scopes of the first challenge, at servers that grant no others
    /// later.
    case resource
    /// None.
    case none
}
