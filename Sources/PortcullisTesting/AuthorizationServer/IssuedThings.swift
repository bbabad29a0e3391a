// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// A client, or a resource server that introspects.
struct RegisteredClient: Sendable {
    /// Nothing for a public client.
    var secret: String?
    var redirectURIs: [String] = []
    var grantTypes = ["client_credentials"]
    var name: String?
}

/// What an authorization code stands for.
///
/// RFC 6749 §4.1.2.
struct IssuedCode: Sendable {
    let clientID: String
    /// Nothing if the request left it to the registration.
    let redirectURI: String?
    let challenge: String
    let scopes: [String]
    let resources: [String]
    let expiresAt: NumericDate
    /// The token that it was redeemed for: a second attempt revokes it.
    ///
    /// RFC 6749 §4.1.2.
    var redeemedToken: String?
}

/// What introspection says of a token.
///
/// RFC 7662 §2.2.
struct IssuedToken: Sendable {
    let claims: JSONObject
    let expiresAt: NumericDate
}
