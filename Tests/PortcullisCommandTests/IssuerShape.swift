// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisJOSE
import PortcullisTesting
import Testing

/// The access tokens of one authorization server, by its documentation or as it was seen to issue them.
struct IssuerShape: Sendable, CustomTestStringConvertible {
    static let resource = "https://api.example.com/notes"
    static let client = "notes-app"

    /// The end of following the advice.
    enum End: Sendable {
        /// The token is admitted.
        case admitted
        /// No setting is sound.
        case unsound
        /// The operator has to register at the introspection endpoint.
        case introspection
    }

    let name: String
    /// The issuer that the file names.
    let configured: String
    /// The issuer in the tokens, if it is spelled differently.
    var issuer: String?
    var header: JSONObject = [:]
    /// The claims besides `iss`, `iat` and `exp`.
    var claims: JSONObject = [:]
    /// Claims that the server does not write.
    var omitted: [String] = []
    /// A token that is no JWT.
    var opaque: String?
    let end: End

    var testDescription: String { name }

    /// Whether a file can trust an issuer beside the metadata's list.
    private static let takesOtherIssuers: Bool = {
        var file = IssuerShape(name: "", configured: "https://as.example.com", end: .admitted).file(
            JWKSet([]))
        var resource = file["resources"]?.array?.first?.object ?? [:]
        resource["trusted_issuers"] = ["https://b.example.com"]
        file["resources"] = [.object(resource)]
        return (try? ConfigurationFile(.object(file))) != nil
    }()

    /// The servers whose advice can be followed.
    static var followed: [IssuerShape] {
        all.filter { takesOtherIssuers || $0.name != "Entra ID v1" }
    }

    var tokenIssuer: String { issuer ?? configured }

    /// Mints a token.
    func token(
        by issuer: TestIssuer, changing changes: JSONObject = [:], omitting more: [String] = []
    ) -> String {
        if let opaque { return opaque }
        let now = TimeSource.system.now().wholeSeconds ?? 0
        var all: JSONObject = [
            "iss": .string(tokenIssuer), "iat": .number(JSONNumber(now)),
            "exp": .number(JSONNumber(now + 3600)),
        ]
        for member in claims.members + changes.members { all[member.name] = member.value }
        for name in omitted + more { all[name] = nil }
        return issuer.sign(header: header, payload: all.serialized())
    }

    /// The smallest file: the issuer with its keys, the resource, one route.
    func file(_ keys: JWKSet) -> JSONObject {
        [
            "authorization_servers": [["issuer": .string(configured), "jwks": .object(keys.publicJSON)]],
            "resources": [
                [
                    "metadata": [
                        "resource": .string(Self.resource), "authorization_servers": [.string(configured)],
                        "scopes_supported": ["notes:read"],
                    ],
                    "routes": [["path": "/notes", "scopes": ["notes:read"], "respond": "principal"]],
                ]
            ],
        ]
    }
}

extension IssuerShape {
    private static let tenant = "11111111-2222-3333-4444-555555555555"
    private static let api = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
    private static let app = "99999999-8888-7777-6666-555555555555"
    private static let entra = "https://login.microsoftonline.com/\(tenant)/v2.0"
    private static let entraClaims: JSONObject = [
        "tid": .string(tenant), "sub": "s", "oid": "o", "uti": "u", "scp": "notes:read", "nbf": 1_700_000_000,
    ]

    private static func entra(_ more: JSONObject) -> JSONObject {
        var claims = entraClaims
        for member in more.members { claims[member.name] = member.value }
        return claims
    }

    private static func keycloak(_ audience: JSONValue) -> JSONObject {
        [
            "auth_time": 1_700_000_000, "jti": "j", "aud": audience, "sub": "s", "typ": "Bearer",
            "azp": .string(client), "sid": "s", "acr": "1", "scope": "openid email profile",
            "realm_access": ["roles": ["offline_access", "notes:read"]],
            "resource_access": ["account": ["roles": ["view-profile"]]],
        ]
    }

    /// The servers for which the advice is tested.
    static let all: [IssuerShape] = [
        IssuerShape(
            name: "Keycloak with an audience mapper", configured: "https://sso.example.com/realms/main",
            header: ["typ": "JWT"], claims: keycloak([.string(resource), "account"]), end: .admitted),
        IssuerShape(
            name: "Keycloak without an audience mapper", configured: "https://sso.example.com/realms/main",
            header: ["typ": "JWT"], claims: keycloak("account"), end: .unsound),
        IssuerShape(
            name: "Entra ID v2", configured: entra, header: ["typ": "JWT"],
            claims: entra(["ver": "2.0", "aud": .string(api), "azp": .string(app), "azpacr": "1"]),
            end: .admitted),
        IssuerShape(
            name: "Entra ID v2, a token for Microsoft Graph", configured: entra, header: ["typ": "JWT"],
            claims: entra([
                "ver": "2.0", "aud": "00000003-0000-0000-c000-000000000000", "azp": .string(app),
            ]), end: .unsound),
        IssuerShape(
            name: "Entra ID v1", configured: entra, issuer: "https://sts.windows.net/\(tenant)/",
            header: ["typ": "JWT"],
            claims: entra(["ver": "1.0", "aud": .string("api://\(api)"), "appid": .string(app)]),
            end: .admitted),
        IssuerShape(
            name: "Auth0", configured: "https://tenant.eu.auth0.com", issuer: "https://tenant.eu.auth0.com/",
            header: ["typ": "JWT"],
            claims: [
                "sub": "auth0|1", "aud": [.string(resource), "https://tenant.eu.auth0.com/userinfo"],
                "azp": .string(client), "scope": "openid profile", "permissions": ["notes:read"],
            ], end: .admitted),
        IssuerShape(
            name: "Okta", configured: "https://dev-1.okta.com/oauth2/default",
            claims: [
                "ver": 1, "jti": "AT.1", "aud": "api://default", "cid": .string(client), "uid": "u",
                "scp": ["openid", "notes:read"], "auth_time": 1_700_000_000, "sub": "a@example.com",
            ], end: .admitted),
        IssuerShape(
            name: "Amazon Cognito",
            configured: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_example",
            claims: [
                "sub": "s", "client_id": .string(client), "token_use": "access", "scope": "notes:read",
                "version": 2, "jti": "j", "origin_jti": "o", "username": "u", "auth_time": 1_700_000_000,
            ], end: .admitted),
        IssuerShape(
            name: "Google, an access token", configured: "https://accounts.google.com",
            opaque: "ya29.a0AfH6SMBx", end: .unsound),
        IssuerShape(
            name: "Google, an ID token", configured: "https://accounts.google.com", header: ["typ": "JWT"],
            claims: [
                "aud": .string(client), "azp": .string(client), "sub": "1", "at_hash": "x",
                "email": "a@example.com",
            ], end: .unsound),
        IssuerShape(
            name: "PingFederate", configured: "https://sso.example.com",
            claims: [
                "scope": ["notes:read"], "client_id": .string(client), "aud": .string(resource),
                "jti": "j", "Username": "u",
            ], omitted: ["iat"], end: .admitted),
        IssuerShape(
            name: "PingAM", configured: "https://am.example.com/am/oauth2/alpha", header: ["typ": "JWT"],
            claims: [
                "sub": "u", "aud": .string(client), "tokenName": "access_token", "scope": ["notes:read"],
                "jti": "j", "client_id": .string(client), "realm": "/alpha",
            ], end: .unsound),
        IssuerShape(
            name: "authentik", configured: "https://id.example.com/application/o/notes/",
            header: ["typ": "JWT"],
            claims: [
                "sub": "h", "aud": .string(client), "azp": .string(client), "uid": "u",
                "acr": "goauthentik.io/providers/oauth2/default", "scope": "notes:read",
            ], end: .unsound),
        IssuerShape(
            name: "Zitadel", configured: "https://example.zitadel.cloud", header: ["typ": "JWT"],
            claims: [
                "sub": "1", "aud": ["2300@notes", "2301"], "client_id": "2300@notes", "jti": "j",
                "nbf": 1_700_000_000,
            ], end: .unsound),
        IssuerShape(
            name: "Ory Hydra", configured: "https://hydra.example.com", header: ["typ": "JWT"],
            claims: [
                "aud": [.string(resource)], "client_id": .string(client), "ext": [:], "jti": "j",
                "nbf": 1_700_000_000, "scp": ["notes:read"], "sub": "u",
            ], end: .admitted),
        IssuerShape(
            name: "LemonLDAP::NG, the client alone", configured: "https://auth.example.com",
            header: ["typ": "at+JWT"],
            claims: [
                "aud": [.string(client)], "client_id": .string(client), "jti": "j", "scope": "notes:read",
                "sub": .null,
            ], end: .unsound),
        IssuerShape(
            name: "LemonLDAP::NG with an additional audience", configured: "https://auth.example.com",
            header: ["typ": "at+JWT"],
            claims: [
                "aud": [.string(client), .string(resource)], "client_id": .string(client), "jti": "j",
                "scope": "notes:read", "sub": .null,
            ], end: .admitted),
        IssuerShape(
            name: "django-allauth with JWTs", configured: "https://id.example.com", header: ["typ": "JWT"],
            claims: [
                "sub": "1", "client_id": .string(client), "jti": "j", "token_use": "access",
                "scope": "openid notes:read",
            ], end: .admitted),
        IssuerShape(
            name: "django-allauth with opaque tokens", configured: "https://id.example.com",
            opaque: "Xk3Tn0fJ5uWqvB2c7s9d", end: .introspection),
        IssuerShape(
            name: "Canaille, a user", configured: "https://auth.example.com",
            claims: [
                "sub": "user", "aud": [.string(client)], "auth_time": 1_700_000_000, "name": "User",
                "client_id": .string(client),
            ], end: .unsound),
        IssuerShape(
            name: "Canaille, a client", configured: "https://auth.example.com",
            opaque: "QhN5mP7vX2kR9sT4wY6zB8cD", end: .introspection),
    ]
}
