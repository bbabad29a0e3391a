// SPDX-License-Identifier: MIT

/// A setting that accepts more than its default.
package struct Relaxation: Sendable, Hashable {
    /// Its name in a configuration file, within the object of the resource's tokens, the resource or the
    /// issuer; members of nested objects are separated by dots.
    package let name: String
    /// What is accepted, and what follows from it.
    package let sentence: String

    /// The claims that have what was granted to the client, not what the user may do.
    static let claimsOfGrantedScopes = ["scope", "scp", "scopes"]

    /// What follows from an algorithm whose name leaves the curve open.
    static let polymorphicConsequence =
        "Tokens signed with EdDSA are accepted, which leaves the curve open: have the issuer sign with Ed25519 "
        + "(RFC 9864 §2.2, draft-ietf-oauth-rfc8725bis §3.2)."

    /// What follows from scopes in claims about the user.
    static func rolesConsequence(_ places: [String]) -> String {
        "What \(places.joined(separator: ", ")) gives a user counts as scopes: every client of that user has "
            + "them, whatever it was granted (RFC 6749 §3.3)."
    }
}
