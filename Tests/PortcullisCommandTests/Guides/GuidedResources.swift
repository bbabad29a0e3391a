// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE

/// The resources of the guides to authorization servers, as the articles quote them.
///
/// Between the two parts of a snippet a test gives the issuer its keys, or what to call instead of a network.
enum GuidedResources {
    static func keycloak(_ keys: JWKSet) -> ProtectedResource {
        // snippet: guide Keycloak
        var keycloak = TrustedIssuer.jwt(issuer: "https://sso.example.com/realms/main")
        keycloak.claims.clientID = ["/client_id", "/azp"]
        keycloak.requiredClaimValues = [ClaimValues("/typ", ["Bearer", "DPoP"])]
        var tokens = TokenPolicy()
        tokens.acceptedTypes = ["at+jwt", "JWT"]
        // end
        keycloak.keys = .fixed(keys)
        // snippet: guide Keycloak
        let notes = ProtectedResource(
            "https://api.example.com/notes", trusting: keycloak, scopes: ["notes:read"], tokens: tokens)
        // end
        return notes
    }

    static func auth0(_ keys: JWKSet) -> ProtectedResource {
        // snippet: guide Auth0
        var auth0 = TrustedIssuer.jwt(issuer: "https://tenant.eu.auth0.com/")
        // end
        auth0.keys = .fixed(keys)
        // snippet: guide Auth0
        auth0.algorithms = [.rs256]
        let notes = ProtectedResource(
            "https://api.example.com/notes", trusting: auth0, scopes: ["notes:read"])
        // end
        return notes
    }

    static func entraID(_ keys: JWKSet) -> ProtectedResource {
        // snippet: guide EntraID
        let tenant = "11111111-2222-3333-4444-555555555555"
        let application = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"  // the Application (client) ID of the API
        var entra = TrustedIssuer.jwt(issuer: "https://login.microsoftonline.com/\(tenant)/v2.0")
        entra.claims.clientID = ["/azp"]
        entra.requiredClaimValues = [ClaimValues("/ver", ["2.0"])]
        var tokens = TokenPolicy()
        tokens.acceptedTypes = ["JWT"]
        tokens.requiredClaims = ["sub", "client_id", "iat"]
        tokens.audiences = [application]
        tokens.scopeClaims = ["scp"]
        // end
        entra.keys = .fixed(keys)
        // snippet: guide EntraID
        let notes = ProtectedResource(
            "https://api.example.com/notes", trusting: entra, scopes: ["notes:read"], tokens: tokens)
        // end
        return notes
    }

    static func okta(_ keys: JWKSet) -> ProtectedResource {
        // snippet: guide Okta
        var okta = TrustedIssuer.jwt(issuer: "https://dev-1.okta.com/oauth2/default")
        okta.claims.clientID = ["/cid"]
        var tokens = TokenPolicy()
        tokens.acceptedTypes = [""]
        tokens.scopeClaims = ["scp"]
        // end
        okta.keys = .fixed(keys)
        // snippet: guide Okta
        let notes = ProtectedResource(
            "https://api.example.com/notes", trusting: okta, scopes: ["notes:read"], tokens: tokens)
        // end
        return notes
    }

    static func cognito(_ keys: JWKSet) -> ProtectedResource {
        // snippet: guide Cognito
        var cognito = TrustedIssuer.jwt(
            issuer: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_example")
        cognito.requiredClaimValues = [ClaimValues("/token_use", ["access"])]
        var tokens = TokenPolicy()
        tokens.acceptedTypes = [""]
        // end
        cognito.keys = .fixed(keys)
        // snippet: guide Cognito
        let notes = ProtectedResource(
            "https://api.example.com/notes", trusting: cognito,
            scopes: ["https://api.example.com/notes/read"], tokens: tokens)
        // end
        return notes
    }

    static func google(_ keys: JWKSet) -> ProtectedResource {
        // snippet: guide Google
        var google = TrustedIssuer.jwt(issuer: "https://accounts.google.com")
        google.claims.clientID = ["/azp"]
        google.requiredClaimValues = [ClaimValues("/sub", ["110000000000000000001"])]
        var tokens = TokenPolicy()
        tokens.acceptedTypes = ["JWT"]
        tokens.requiredClaims = ["sub", "client_id", "iat"]
        // end
        google.keys = .fixed(keys)
        // snippet: guide Google
        let notes = ProtectedResource(
            "https://api.example.com/notes", trusting: google, tokens: tokens)
        // end
        return notes
    }

    static func authentik(_ keys: JWKSet) -> ProtectedResource {
        // snippet: guide Authentik
        var authentik = TrustedIssuer.jwt(issuer: "https://id.example.com/application/o/notes/")
        authentik.claims.clientID = ["/azp"]
        var tokens = TokenPolicy()
        tokens.acceptedTypes = ["JWT"]
        tokens.requiredClaims = ["sub", "client_id", "iat"]
        // end
        authentik.keys = .fixed(keys)
        // snippet: guide Authentik
        let notes = ProtectedResource(
            "https://api.example.com/notes", trusting: authentik, scopes: ["notes:read"], tokens: tokens)
        // end
        return notes
    }

    static func zitadel(_ fetcher: any Fetcher, secret: String) -> ProtectedResource {
        // snippet: guide Zitadel
        var zitadel = TrustedIssuer.introspection(
            issuer: "https://example.zitadel.cloud",
            authenticatedBy: .clientSecretBasic(id: "2302@notes", secret: secret))
        var tokens = TokenPolicy()
        tokens.audiences = ["2301"]  // the resource ID of the API's project
        // end
        zitadel.fetcher = fetcher
        zitadel.timeout = .seconds(300)
        // snippet: guide Zitadel
        zitadel.introspection?.activeLifetime = .seconds(10)
        let notes = ProtectedResource(
            "https://api.example.com/notes", trusting: zitadel, tokens: tokens)
        // end
        return notes
    }

    // snippet: guide Zitadel
    /// What a route demands: the role `reader`, granted by the organization 2200.
    static let reader = AccessRequirement.anyValidToken.holding(
        ClaimCondition("/urn:zitadel:iam:org:project:2301:roles/reader/2200", equals: "example.zitadel.cloud")
    )
    // end

    static func hydra(_ keys: JWKSet) -> ProtectedResource {
        // snippet: guide Hydra
        var hydra = TrustedIssuer.jwt(issuer: "https://hydra.example.com")
        var tokens = TokenPolicy()
        tokens.acceptedTypes = ["JWT"]
        tokens.scopeClaims = ["scp"]
        // end
        hydra.keys = .fixed(keys)
        // snippet: guide Hydra
        hydra.algorithms = [.rs256]
        let notes = ProtectedResource(
            "https://api.example.com/notes", trusting: hydra, scopes: ["notes:read"], tokens: tokens)
        // end
        return notes
    }

    static func lemonldap(_ keys: JWKSet) -> ProtectedResource {
        // snippet: guide LemonLDAP
        var lemonldap = TrustedIssuer.jwt(issuer: "https://auth.example.com")
        var tokens = TokenPolicy()
        tokens.requiredClaims = ["client_id", "iat", "jti"]
        // end
        lemonldap.keys = .fixed(keys)
        // snippet: guide LemonLDAP
        lemonldap.algorithms = [.rs256]
        let notes = ProtectedResource(
            "https://api.example.com/notes", trusting: lemonldap, scopes: ["notes:read"], tokens: tokens)
        // end
        return notes
    }
}
