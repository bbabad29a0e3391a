// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 6749 §4.4 Client credentials grant")
struct RFC6749_4_4_ClientCredentials {
    @Test func `a token for the requested resource, signed with the published key`() throws {
        let client = try AuthorizationServerClient()
        let credentials = try client.makeClient()
        let answer = client.post(
            "/token", "grant_type=client_credentials&scope=a+b&resource=https%3A%2F%2Fapi.example.com%2Fa",
            basic: credentials)
        #expect(answer.status == .ok)
        #expect(answer.fields[.cacheControl] == "no-store")
        let body = try answer.object
        #expect(body["token_type"]?.string == "Bearer")
        #expect(body["expires_in"]?.number?.integer == 300)
        #expect(body["scope"]?.string == "a b")
        let token = try #require(body["access_token"]?.string)
        let jws = try CompactJWS(Array(token.utf8))
        #expect(jws.header.type == "at+jwt")
        let keys = try JWKSet(parsing: client.get("/jwks").body)
        guard case .found(let key) = keys.selectKey(keyID: jws.header.keyID, algorithm: .es256) else {
            Issue.record("the key is not published")
            return
        }
        try jws.verify(with: key, algorithm: .es256)
        let claims = try claims(of: token)
        #expect(claims["iss"]?.string == "https://as.example.com")
        #expect(claims["aud"]?.string == "https://api.example.com/a")
        #expect(claims["sub"]?.string == credentials.id)
        #expect(claims["client_id"]?.string == credentials.id)
        #expect(claims["iat"]?.number?.integer == 1_790_000_000)
        #expect(claims["exp"]?.number?.integer == 1_790_000_300)
        #expect(claims["jti"]?.string?.isEmpty == false)
    }

    @Test func `credentials in the body are accepted too`() throws {
        let client = try AuthorizationServerClient()
        let (id, secret) = try client.makeClient()
        let answer = client.post(
            "/token", "grant_type=client_credentials&client_id=\(id)&client_secret=\(secret)")
        #expect(answer.status == .ok)
    }

    @Test func `credentials in both places are refused`() throws {
        let client = try AuthorizationServerClient()
        let (id, secret) = try client.makeClient()
        let answer = client.post(
            "/token", "grant_type=client_credentials&client_id=\(id)&client_secret=\(secret)",
            basic: (id, secret))
        #expect(try answer.error == "invalid_client")
    }

    @Test func `a form-encoded identifier and secret are decoded`() throws {
        let client = try AuthorizationServerClient()
        client.server.register(clientID: "rs:api", secret: "p%w d")
        let answer = client.post("/token", "grant_type=client_credentials", basic: ("rs%3Aapi", "p%25w+d"))
        #expect(answer.status == .ok)
    }

    @Test(
        arguments: [
            ("wrong", nil), ("", nil), (nil, "nobody"),
        ] as [(String?, String?)])
    func `a wrong secret or an unknown client is 401`(secret: String?, id: String?) throws {
        let client = try AuthorizationServerClient()
        let credentials = try client.makeClient()
        let answer = client.post(
            "/token", "grant_type=client_credentials",
            basic: (id ?? credentials.id, secret ?? credentials.secret))
        #expect(answer.status == .unauthorized)
        #expect(try answer.error == "invalid_client")
        #expect(answer.fields[.wwwAuthenticate] != nil)
    }

    @Test(arguments: [
        ("", "invalid_request"), ("grant_type=password", "unsupported_grant_type"),
        ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        ("grant_type=client_credentials&scope=c", "invalid_scope"),
        ("grant_type=client_credentials&scope=a%22", "invalid_scope"),
        ("grant_type=client_credentials&resource=https%3A%2F%2Fother.example.com", "invalid_target"),
        ("grant_type=client_credentials&resource=photos", "invalid_target"),
        ("grant_type=client_credentials&resource=https%3A%2F%2Fapi.example.com%23f", "invalid_target"),
        ("grant_type=%zz", "invalid_request"),
    ])
    func `requests that are refused`(form: String, error: String) throws {
        let client = try AuthorizationServerClient {
            $0.scopes = ["a", "b"]
            $0.resources = ["https://api.example.com"]
        }
        let answer = client.post("/token", form, basic: try client.makeClient())
        #expect(answer.status == .badRequest)
        #expect(try answer.error == error)
    }

    @Test func `without scope and resource the defaults are granted`() throws {
        let client = try AuthorizationServerClient {
            $0.scopes = ["a", "b"]
            $0.resources = ["https://api.example.com/x", "https://api.example.com/y"]
        }
        let answer = client.post("/token", "grant_type=client_credentials", basic: try client.makeClient())
        let token = try #require(answer.object["access_token"]?.string)
        #expect(try claims(of: token)["scope"]?.string == "a b")
        #expect(try claims(of: token)["aud"]?.string == "https://api.example.com/x")
    }

    @Test func `a public client is refused`() throws {
        let client = try AuthorizationServerClient()
        let registered = try client.register([
            "token_endpoint_auth_method": "none", "redirect_uris": ["https://app.example.com/"],
        ]).object
        let id = try #require(registered["client_id"]?.string)
        let answer = client.post("/token", "grant_type=client_credentials&client_id=\(id)")
        #expect(try answer.error == "unauthorized_client")
    }
}

@Suite("RFC 7636 §4 Authorization code with PKCE")
struct RFC7636_4_AuthorizationCode {
    static let redirect = "redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback"

    static func form(_ code: String, verifier: String = AuthorizationServerClient.verifier) -> String {
        "grant_type=authorization_code&code=\(code)&code_verifier=\(verifier)&\(redirect)"
    }

    @Test func `the page has the request in hidden fields, escaped`() throws {
        let client = try AuthorizationServerClient()
        let page = client.get(
            "/authorize?" + AuthorizationServerClient.authorizationQuery(try client.makeClient().id))
        #expect(page.status == .ok)
        #expect(page.fields[.contentType] == "text/html; charset=utf-8")
        #expect(page.text.contains("name=\"state\" value=\"a&amp;b\""))
        #expect(page.text.contains("value=\"allow\""))
    }

    @Test func `one click returns a code, and the code an owner's token`() throws {
        let client = try AuthorizationServerClient()
        let credentials = try client.makeClient()
        let answer = client.post(
            "/authorize", AuthorizationServerClient.authorizationQuery(credentials.id) + "&decision=allow")
        #expect(answer.status == .seeOther)
        let location = try #require(answer.fields[.location])
        #expect(location.hasPrefix("https://app.example.com/callback?code="))
        #expect(location.hasSuffix("&state=a%26b&iss=https%3A%2F%2Fas.example.com"))
        let token = client.post(
            "/token", Self.form(try client.code(credentials.id, more: "&scope=a")), basic: credentials)
        #expect(token.status == .ok)
        let claims = try claims(of: #require(token.object["access_token"]?.string))
        #expect(claims["sub"]?.string == "alice")
        #expect(claims["scope"]?.string == "a")
    }

    @Test func `without a click there is no code`() throws {
        let client = try AuthorizationServerClient()
        let answer = client.post(
            "/authorize",
            AuthorizationServerClient.authorizationQuery(try client.makeClient().id) + "&decision=deny")
        #expect(answer.fields[.location]?.contains("error=access_denied") == true)
    }

    @Test func `a code is accepted once, and a second use revokes its token`() throws {
        let client = try AuthorizationServerClient()
        let credentials = try client.makeClient()
        let code = try client.code(credentials.id)
        let first = client.post("/token", Self.form(code), basic: credentials)
        let token = try #require(first.object["access_token"]?.string)
        let second = client.post("/token", Self.form(code), basic: credentials)
        #expect(try second.error == "invalid_grant")
        let introspection = client.post("/introspect", "token=\(token)", basic: credentials)
        #expect(try introspection.object["active"]?.bool == false)
    }

    @Test func `a code expires after a minute`() throws {
        let client = try AuthorizationServerClient()
        let credentials = try client.makeClient()
        let code = try client.code(credentials.id)
        client.advance(seconds: 60)
        #expect(try client.post("/token", Self.form(code), basic: credentials).error == "invalid_grant")
    }

    @Test func `another verifier, another client and another redirect URI are refused`() throws {
        let client = try AuthorizationServerClient()
        let credentials = try client.makeClient()
        let other = try client.makeClient()
        let code = try client.code(credentials.id)
        #expect(try client.post("/token", Self.form(code), basic: other).error == "invalid_grant")
        let wrong = Self.form(code, verifier: "wrong-wrong-wrong-wrong-wrong-wrong-wrong-wrong")
        #expect(try client.post("/token", wrong, basic: credentials).error == "invalid_grant")
        let second = try client.code(credentials.id)
        let elsewhere =
            "grant_type=authorization_code&code=\(second)"
            + "&code_verifier=\(AuthorizationServerClient.verifier)"
            + "&redirect_uri=https%3A%2F%2Felsewhere.example.com"
        #expect(try client.post("/token", elsewhere, basic: credentials).error == "invalid_grant")
    }

    @Test func `an unregistered redirect URI is never redirected to`() throws {
        let client = try AuthorizationServerClient()
        let id = try client.makeClient().id
        for uri in [
            "https%3A%2F%2Fevil.example.com", "javascript%3Aalert(1)", "http%3A%2F%2F127.0.0.1%3A9%2Fother",
        ] {
            let answer = client.get(
                "/authorize?response_type=code&client_id=\(id)&redirect_uri=\(uri)"
                    + "&code_challenge=\(AuthorizationServerClient.challenge)&code_challenge_method=S256")
            #expect(answer.status == .badRequest)
            #expect(answer.fields[.location] == nil)
        }
    }

    @Test func `a loopback redirect URI may have any port`() throws {
        let client = try AuthorizationServerClient()
        let id = try client.makeClient().id
        let answer = client.get(
            "/authorize?response_type=code&client_id=\(id)&redirect_uri=http%3A%2F%2F127.0.0.1%3A55555%2Fdone"
                + "&code_challenge=\(AuthorizationServerClient.challenge)&code_challenge_method=S256")
        #expect(answer.status == .ok)
    }

    @Test(arguments: [
        ("response_type=code", "response_type=token", "unsupported_response_type"),
        ("code_challenge_method=S256", "code_challenge_method=plain", "invalid_request"),
        ("code_challenge=", "other=", "invalid_request"),
        ("&state", "&scope=z&state", "invalid_scope"),
        ("&state", "&resource=https%3A%2F%2Fother.example.com&state", "invalid_target"),
    ])
    func `errors are returned to the client`(part: String, replacement: String, error: String) throws {
        let client = try AuthorizationServerClient {
            $0.scopes = ["a"]
            $0.resources = ["https://api.example.com"]
        }
        let query = AuthorizationServerClient.authorizationQuery(try client.makeClient().id)
        let parts = query.split(separator: part, maxSplits: 1, omittingEmptySubsequences: false)
        let answer = client.get("/authorize?" + parts.joined(separator: replacement))
        #expect(answer.status == .seeOther)
        #expect(answer.fields[.location]?.contains("error=\(error)&") == true)
    }
}
