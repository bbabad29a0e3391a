// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// A client, or a resource server that introspects.
struct RegisteredClient: Sendable {
    /// `nil`: a public client.
    var secret: String?
    var redirectURIs: [String] = []
    var grantTypes = ["client_credentials"]
    var name: String?
    /// When its metadata document must be fetched again; `nil` for a client that has registered.
    var freshUntil: NumericDate?
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
    /// Whether the code was redeemed; a second redemption revokes the tokens of the first.
    ///
    /// RFC 6749 §4.1.2.
    var isRedeemed = false
}

/// A refresh token.
///
/// RFC 6749 §6.
struct IssuedRefreshToken: Sendable {
    let clientID: String
    let scopes: [String]
    let resources: [String]
    /// The code that the user's consent was issued as.
    let consent: String
    let expiresAt: NumericDate
    /// Whether it was exchanged for its successor; a second use revokes all tokens of the consent.
    ///
    /// RFC 9700 §4.14.2.
    var isUsed = false
    /// The thumbprint of the key that a public client proved; `nil` if it did not.
    ///
    /// RFC 9449 §5.
    var key: String?
}

/// A token, as introspection describes it.
///
/// RFC 7662 §2.2.
struct IssuedToken: Sendable {
    let claims: JSONObject
    let expiresAt: NumericDate
    /// The code that the user's consent was issued as; `nil` if no user was asked.
    var consent: String?
}
