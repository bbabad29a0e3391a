// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// A client, or a resource server that introspects.
struct RegisteredClient: Sendable {
    /// `nil`: a public client.
    var secret: String?
    var redirectURIs: [String] = []
    var grantTypes = ["client_credentials"]
    var name: String?
}

/// An authorization code.
///
/// RFC 6749 §4.1.2.
struct IssuedCode: Sendable {
    let clientID: String
    /// `nil` if the request omitted it.
    let redirectURI: String?
    let challenge: String
    let scopes: [String]
    let resources: [String]
    let expiresAt: NumericDate
    /// The token that the code was redeemed for; a second redemption revokes it.
    ///
    /// RFC 6749 §4.1.2.
    var redeemedToken: String?
}

/// A token, as introspection describes it.
///
/// RFC 7662 §2.2.
struct IssuedToken: Sendable {
    let claims: JSONObject
    let expiresAt: NumericDate
}
