// SPDX-License-Identifier: MIT

/// A claim, or a member of an introspection answer, that cannot be used: its place, and the types.
///
/// Contains no part of the value.
struct ClaimFault: Sendable, Hashable {
    /// A claim name of the RFCs, or a name or pointer of the configuration.
    let name: String
    let expected: String
    let found: String
    /// Whether the claim is the client identifier or the scopes, which the configuration may look for
    /// elsewhere: then the token is refused, not the answer as a whole.
    var isMapped = false
}
