// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 8414 §3 Authorization server metadata")
struct RFC8414_3_Metadata {
    @Test func `the document is between the issuer's host and path`() throws {
        let client = try AuthorizationServerClient { $0.issuer = "https://as.example.com/tenant/" }
        let answer = client.get("/.well-known/oauth-authorization-server/tenant")
        #expect(answer.status == .ok)
        #expect(answer.fields[.contentType] == "application/json")
        let document = try answer.object
        #expect(document["issuer"]?.string == "https://as.example.com/tenant/")
        #expect(document["token_endpoint"]?.string == "https://as.example.com/tenant/token")
        #expect(document["jwks_uri"]?.string == "https://as.example.com/tenant/jwks")
        #expect(client.get("/tenant/jwks").status == .ok)
        #expect(client.get("/.well-known/oauth-authorization-server").status == .notFound)
    }

    @Test func `scopes and resources are published if they are configured`() throws {
        let client = try AuthorizationServerClient {
            $0.scopes = ["a"]
            $0.resources = ["https://api.example.com"]
        }
        let document = try client.get("/.well-known/oauth-authorization-server").object
        #expect(document["scopes_supported"]?.strings == ["a"])
        #expect(document["protected_resources"]?.strings == ["https://api.example.com"])
        #expect(document["code_challenge_methods_supported"]?.strings == ["S256"])
    }

    @Test func `methods that an endpoint does not have are 405`() throws {
        let client = try AuthorizationServerClient()
        let answer = client.get("/token")
        #expect(answer.status == .methodNotAllowed)
        #expect(answer.fields[.allow] == "POST")
        #expect(client.server.handle(method: "OPTIONS", target: "/token").status == .noContent)
    }

    @Test func `the key set has only public members`() throws {
        let set = try AuthorizationServerClient().get("/jwks").object
        let keys = try #require(set["keys"]?.array)
        let key = try #require(keys.first?.object)
        #expect(keys.count == 1)
        #expect(key["d"] == nil)
        #expect(key["use"]?.string == "sig")
        #expect(key["alg"]?.string == "ES256")
    }
}

@Suite("RFC 7591 §3 Dynamic client registration")
struct RFC7591_3_Registration {
    @Test func `a client gets an identifier and a secret`() throws {
        let client = try AuthorizationServerClient()
        let answer = client.register(["redirect_uris": ["https://app.example.com/"], "client_name": "App"])
        #expect(answer.status == .created)
        let object = try answer.object
        #expect(object["client_secret_expires_at"]?.number?.integer == 0)
        #expect(object["client_id_issued_at"]?.number?.integer == 1_790_000_000)
        #expect(object["token_endpoint_auth_method"]?.string == "client_secret_basic")
        #expect(object["client_name"]?.string == "App")
    }

    @Test func `a public client gets no secret`() throws {
        let object = try AuthorizationServerClient().register([
            "token_endpoint_auth_method": "none", "redirect_uris": ["cursor://callback"],
            "grant_types": ["authorization_code", "refresh_token"],
        ]).object
        #expect(object["client_secret"] == nil)
        #expect(object["grant_types"]?.strings == ["authorization_code", "refresh_token"])
    }

    @Test func `MCX-22: application_type is accepted and returned`() throws {
        let client = try AuthorizationServerClient()
        let object = try client.register([
            "redirect_uris": ["http://127.0.0.1:1/cb"], "application_type": "native",
        ]).object
        #expect(object["application_type"]?.string == "native")
    }

    @Test(
        arguments: [
            ([:], "invalid_redirect_uri"), (["redirect_uris": ["relative"]], "invalid_redirect_uri"),
            (["redirect_uris": ["https://a.example.com/#f"]], "invalid_redirect_uri"),
            (["redirect_uris": ["javascript:alert(1)"]], "invalid_redirect_uri"),
            (["redirect_uris": "https://a.example.com"], "invalid_redirect_uri"),
            (["token_endpoint_auth_method": "private_key_jwt"], "invalid_client_metadata"),
            (["token_endpoint_auth_method": 1], "invalid_client_metadata"),
            (["grant_types": ["implicit"]], "invalid_client_metadata"),
            (["grant_types": ["refresh_token"]], "invalid_client_metadata"),
            (
                ["redirect_uris": ["https://a.example.com/"], "application_type": "desktop"],
                "invalid_client_metadata"
            ),
            (
                ["grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"],
                "invalid_client_metadata"
            ),
            ([], "invalid_client_metadata"),
        ] as [(JSONValue, String)])
    func `registrations that are refused`(json: JSONValue, error: String) throws {
        let answer = try AuthorizationServerClient().register(json)
        #expect(answer.status == .badRequest)
        #expect(try answer.error == error)
    }

    @Test func `the oldest client is removed when there are too many`() throws {
        let client = try AuthorizationServerClient { $0.maxClientCount = 2 }
        let first = try client.makeClient()
        _ = try client.makeClient()
        #expect(client.post("/token", "grant_type=client_credentials", basic: first).status == .ok)
        _ = try client.makeClient()
        #expect(client.post("/token", "grant_type=client_credentials", basic: first).status == .unauthorized)
    }
}

@Suite("RFC 7662 §2 Introspection, RFC 7009 §2 Revocation")
struct RFC7662_2_Introspection {
    func opaqueToken(_ client: AuthorizationServerClient, _ credentials: (id: String, secret: String)) throws
        -> String
    {
        let answer = client.post(
            "/token", "grant_type=client_credentials&scope=a&resource=https%3A%2F%2Fapi.example.com",
            basic: credentials)
        return try #require(answer.object["access_token"]?.string)
    }

    @Test func `an opaque token is introspected by a resource server`() throws {
        let client = try AuthorizationServerClient { $0.tokenFormat = .opaque }
        client.server.register(clientID: "rs", secret: "s3cret")
        let credentials = try client.makeClient()
        let token = try opaqueToken(client, credentials)
        #expect(!token.contains("."))
        let answer = try client.post("/introspect", "token=\(token)", basic: ("rs", "s3cret")).object
        #expect(answer["active"]?.bool == true)
        #expect(answer["iss"]?.string == "https://as.example.com")
        #expect(answer["aud"]?.string == "https://api.example.com")
        #expect(answer["scope"]?.string == "a")
        #expect(answer["client_id"]?.string == credentials.id)
        #expect(answer["exp"]?.number?.integer == 1_790_000_300)
    }

    @Test func `an unknown, expired or revoked token is only inactive`() throws {
        let client = try AuthorizationServerClient { $0.tokenFormat = .opaque }
        let credentials = try client.makeClient()
        let token = try opaqueToken(client, credentials)
        func introspect(_ token: String) throws -> JSONObject {
            try client.post("/introspect", "token=\(token)", basic: credentials).object
        }
        #expect(try introspect("nonsense") == ["active": false])
        #expect(try introspect(token)["active"]?.bool == true)
        #expect(client.post("/revoke", "token=\(token)", basic: credentials).status == .ok)
        #expect(try introspect(token) == ["active": false])
        let second = try opaqueToken(client, credentials)
        client.advance(seconds: 300)
        #expect(try introspect(second) == ["active": false])
    }

    @Test func `introspection and revocation require credentials`() throws {
        let client = try AuthorizationServerClient()
        #expect(client.post("/introspect", "token=a").status == .unauthorized)
        #expect(client.post("/revoke", "token=a").status == .unauthorized)
    }

    @Test func `a client revokes only its own tokens`() throws {
        let client = try AuthorizationServerClient { $0.tokenFormat = .opaque }
        let credentials = try client.makeClient()
        let token = try opaqueToken(client, credentials)
        #expect(client.post("/revoke", "token=\(token)", basic: try client.makeClient()).status == .ok)
        #expect(
            try client.post("/introspect", "token=\(token)", basic: credentials).object["active"]?.bool
                == true)
    }

    @Test func `the oldest token is removed when there are too many`() throws {
        let client = try AuthorizationServerClient {
            $0.tokenFormat = .opaque
            $0.maxTokenCount = 1
        }
        let credentials = try client.makeClient()
        let token = try opaqueToken(client, credentials)
        _ = try opaqueToken(client, credentials)
        #expect(
            try client.post("/introspect", "token=\(token)", basic: credentials).object["active"]?.bool
                == false)
    }
}

@Suite("Test authorization server: keys, tokens and faults on demand")
struct OnDemandTests {
    @Test func `rotation keeps the old key unless it is dropped`() throws {
        let client = try AuthorizationServerClient()
        let old = try JWKSet(parsing: client.get("/jwks").body).keys.compactMap(\.keyID)
        try client.server.rotateKeys()
        let both = try JWKSet(parsing: client.get("/jwks").body).keys.compactMap(\.keyID)
        #expect(both.count == 2)
        #expect(both.contains(old[0]))
        try client.server.rotateKeys(droppingOldKeys: true)
        let last = try JWKSet(parsing: client.get("/jwks").body).keys.compactMap(\.keyID)
        #expect(last.count == 1)
        #expect(!both.contains(last[0]))
    }

    @Test func `a token with a test's own claims`() throws {
        let client = try AuthorizationServerClient()
        var request = TestAuthorizationServer.TokenRequest(audience: ["a", "b"], scopes: ["s"])
        request.lifetime = .seconds(-10)
        request.claims = ["acr": "mfa", "sub": "bob"]
        request.omittedClaims = ["jti"]
        request.type = "JWT"
        let token = try client.server.makeToken(request)
        let claims = try claims(of: token)
        #expect(claims["aud"]?.strings == ["a", "b"])
        #expect(claims["acr"]?.string == "mfa")
        #expect(claims["sub"]?.string == "bob")
        #expect(claims["jti"] == nil)
        #expect(claims["exp"]?.number?.integer == 1_789_999_990)
        #expect(try CompactJWS(Array(token.utf8)).header.type == "JWT")
    }

    @Test func `faults begin and end`() throws {
        let client = try AuthorizationServerClient()
        client.server.setFault(.status(.internalServerError), at: .keys)
        #expect(client.get("/jwks").status == .internalServerError)
        client.server.setFault(.emptyKeySet, at: .keys)
        #expect(try client.get("/jwks").object == ["keys": []])
        client.server.setFault(.malformedBody, at: .keys)
        #expect(client.get("/jwks").text == "{\"")
        client.server.setFault(.redirect, at: .keys)
        #expect(client.get("/jwks").status == .found)
        client.server.setFault(.hang, at: .keys)
        #expect(client.get("/jwks").hangs)
        client.server.setFault(nil, at: .keys)
        #expect(client.get("/jwks").status == .ok)
        #expect(client.server.requestCount(at: .keys) == 6)
    }

    @Test func `the wrong issuer is published where configured`() throws {
        let client = try AuthorizationServerClient()
        client.server.setFault(.wrongIssuer, at: .metadata)
        let document = try client.get("/.well-known/oauth-authorization-server").object
        #expect(document["issuer"]?.string == "https://someone-else.invalid")
        let token = try client.server.makeToken(.init(audience: ["a"]))
        #expect(try claims(of: token)["iss"]?.string == "https://as.example.com")
        client.server.setFault(.wrongIssuer, at: .token)
        let other = try client.server.makeToken(.init(audience: ["a"]))
        #expect(try claims(of: other)["iss"]?.string == "https://someone-else.invalid")
    }
}
