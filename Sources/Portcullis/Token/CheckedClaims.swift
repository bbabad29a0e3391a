// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// The validated claims of a token.
///
/// RFC 9068 §2.2, §4, RFC 7662 §2.2.
struct CheckedClaims {
    let json: JSONObject
    let subject: String?
    let clientID: String?
    let scopes: [Scope]
    let granted: GrantedScopes
    let audience: [String]
    let expiresAt: NumericDate?
    let notBefore: NumericDate?
    let confirmation: Confirmation
}
