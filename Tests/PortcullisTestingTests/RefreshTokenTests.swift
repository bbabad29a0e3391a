// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 6749 §6, RFC 9700 §4.14.2 Refresh tokens")
struct RFC6749_6_RefreshTokens {
    let client: AuthorizationServerClient
    let id: String

    init() throws {
        client = try AuthorizationServerClient()
        let registered = try client.register([
            "token_endpoint_auth_method": "none", "redirect_uris": ["https://app.example.com/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
        ]).object
        id = try #require(registered["client_id"]?.string)
    }

    private func redeem(_ more: String = "&scope=a+b") throws -> JSONObject {
        let form = RFC7636_4_AuthorizationCode.form(try client.code(id, more: more))
        return try client.post("/token", form + "&client_id=\(id)").object
    }

    private func refresh(
        _ token: String, _ more: String = "", as other: String? = nil
    ) -> TestAuthorizationServer.Answer {
        client.post(
            "/token", "grant_type=refresh_token&client_id=\(other ?? id)&refresh_token=\(token)\(more)")
    }

    private func isActive(_ token: String) throws -> Bool? {
        client.server.register(clientID: "rs", secret: "s3cret")
        return try client.post("/introspect", "token=\(token)", basic: ("rs", "s3cret")).object["active"]?
            .bool
    }

    @Test func `a refresh token gives an access token and its successor`() throws {
        let first = try redeem()
        let token = try #require(first["refresh_token"]?.string)
        let answer = refresh(token)
        #expect(answer.status == .ok && answer.fields[.cacheControl] == "no-store")
        let second = try answer.object
        let access = try #require(second["access_token"]?.string)
        #expect(access != first["access_token"]?.string)
        #expect(second["refresh_token"]?.string != token && second["refresh_token"] != nil)
        #expect(try claims(of: access)["sub"]?.string == "alice")
        #expect(try claims(of: access)["scope"]?.string == "a b")
    }

    @Test func `a second use revokes all tokens of the consent`() throws {
        let first = try redeem()
        let token = try #require(first["refresh_token"]?.string)
        let second = try refresh(token).object
        let access = try #require(second["access_token"]?.string)
        #expect(try isActive(access) == true)
        #expect(try refresh(token).error == "invalid_grant")
        #expect(try isActive(access) == false)
        let successor = try #require(second["refresh_token"]?.string)
        #expect(try refresh(successor).error == "invalid_grant")
    }

    @Test func `a second use of the code revokes its refresh token`() throws {
        let form = RFC7636_4_AuthorizationCode.form(try client.code(id)) + "&client_id=\(id)"
        let token = try #require(try client.post("/token", form).object["refresh_token"]?.string)
        #expect(try client.post("/token", form).error == "invalid_grant")
        #expect(try refresh(token).error == "invalid_grant")
    }

    @Test func `fewer scopes may be requested, more may not`() throws {
        let token = try #require(try redeem()["refresh_token"]?.string)
        #expect(try refresh(token, "&scope=c").error == "invalid_scope")
        let narrow = try refresh(token, "&scope=a").object
        #expect(narrow["scope"]?.string == "a")
        let successor = try #require(narrow["refresh_token"]?.string)
        #expect(try refresh(successor).object["scope"]?.string == "a b")
    }

    @Test func `RFC 8707 §2.2: only a granted resource may be requested`() throws {
        let token = try #require(
            try redeem("&resource=https%3A%2F%2Fapi.example.com")["refresh_token"]?.string)
        #expect(try refresh(token, "&resource=https%3A%2F%2Fother.example").error == "invalid_target")
        let access = try refresh(token, "&resource=https%3A%2F%2Fapi.example.com").object["access_token"]
        #expect(try claims(of: #require(access?.string))["aud"]?.string == "https://api.example.com")
    }

    @Test func `another client, an unknown token and an old one are refused`() throws {
        let token = try #require(try redeem()["refresh_token"]?.string)
        client.server.register(clientID: "other", secret: nil)
        #expect(try refresh(token, as: "other").error == "unauthorized_client")
        let other = try client.register([
            "token_endpoint_auth_method": "none", "redirect_uris": ["https://b.example.com/"],
            "grant_types": ["authorization_code", "refresh_token"],
        ]).object["client_id"]?.string
        #expect(try refresh(token, as: other).error == "invalid_grant")
        #expect(try refresh("nonsense").error == "invalid_grant")
        client.advance(seconds: 86_400)
        #expect(try refresh(token).error == "invalid_grant")
    }

    @Test func `RFC 7009 §2.1: a revoked refresh token ends its access tokens`() throws {
        let first = try redeem()
        let token = try #require(first["refresh_token"]?.string)
        let access = try #require(first["access_token"]?.string)
        #expect(client.post("/revoke", "token=\(token)&client_id=\(id)").status == .ok)
        #expect(try refresh(token).error == "invalid_grant")
        #expect(try isActive(access) == false)
    }

    @Test func `a client that has not registered for them gets none`() throws {
        let credentials = try client.makeClient()
        let form = RFC7636_4_AuthorizationCode.form(try client.code(credentials.id))
        #expect(try client.post("/token", form, basic: credentials).object["refresh_token"] == nil)
        let answer = client.post(
            "/token", "grant_type=refresh_token&refresh_token=x", basic: credentials)
        #expect(try answer.error == "unauthorized_client")
    }
}
