// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// What an issuer's settings say about its claims, beyond the usual ones.
///
/// A class, so that the many checks with the usual claims pass on one `nil`.
final class ClaimRules: Sendable {
    /// The places of the client identifier; `nil` for `client_id`.
    let clientID: [JSONPointer]?
    /// The places of the scopes; `nil` for the policy's scope claims.
    let scopes: [JSONPointer]?
    /// The claims that must have one of several values.
    let required: [ClaimValues]
    /// What takes the place of an absent `aud`; `nil` if nothing does.
    let audienceSource: ClaimValues?

    /// Returns `nil` if everything is as usual.
    init?(_ mapping: ClaimMapping, requiring required: [ClaimValues], audienceFrom source: ClaimValues?) {
        if mapping.hasUsualClientID, mapping.scopes == nil, required.isEmpty, source == nil { return nil }
        clientID = mapping.hasUsualClientID ? nil : mapping.clientID
        scopes = mapping.scopes
        self.required = required
        audienceSource = source
    }
}
