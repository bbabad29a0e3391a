// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9449 §5 DPoP at the token endpoint of the test server")
struct RFC9449_5_TokenRequest {
    private let client: AuthorizationServerClient
    private let credentials: (id: String, secret: String)
    private let holder = TestDPoPClient()
    private static let url = "https://as.example.com/token"
    private static let issuedAt: JSONObject = ["iat": 1_790_000_000]

    init() throws {
        client = try AuthorizationServerClient()
        credentials = try client.makeClient()
    }

    private func proof(
        by holder: TestDPoPClient? = nil, _ method: Method = .post, _ url: String = Self.url,
        claims: JSONObject = Self.issuedAt, header: JSONObject = [:]
    ) -> String {
        (holder ?? self.holder).proof(method, url, token: "none", claims: claims, header: header)
    }

    private func post(_ form: String, _ proofs: [String]) -> TestAuthorizationServer.Answer {
        let basic = AuthorizationServerClient.basic(credentials.id, credentials.secret)
        return client.server.handle(
            method: "POST", target: "/token",
            fields: [(name: "Authorization", value: basic)] + proofs.map { (name: "DPoP", value: $0) },
            body: Array(form.utf8))
    }

    @Test func `a token is bound to the key of the proof`() throws {
        let body = try post("grant_type=client_credentials", [proof()]).object
        #expect(body["token_type"]?.string == "DPoP")
        let token = try #require(body["access_token"]?.string)
        let jws = try CompactJWS(Array(token.utf8))
        let claims = try JSONValue.parse(jws.payload).object
        #expect(claims?["cnf"]?.object?["jkt"]?.string == holder.thumbprint)
        let document = try client.get("/.well-known/oauth-authorization-server").object
        #expect(document["dpop_signing_alg_values_supported"]?.strings?.contains("ES256") == true)
        let found = client.post("/introspect", "token=\(token)", basic: credentials)
        #expect(try found.object["token_type"]?.string == "DPoP")
    }

    @Test func `without a proof the token is a bearer token`() throws {
        let body = try post("grant_type=client_credentials", []).object
        #expect(body["token_type"]?.string == "Bearer")
    }

    @Test func `a proof that proves nothing is refused`() throws {
        let other = TestDPoPClient()
        var key = other.key.publicKey.publicJSON
        key["kid"] = nil
        let wrong = [
            ["no-proof"], [proof(), proof()], [proof(.get)], [proof(.post, "https://as.example.com/other")],
            [proof(claims: ["iat": 1_789_999_000])], [proof(claims: ["iat": 1_790_001_000])],
            [proof(claims: ["iat": 1_790_000_000, "jti": ""])], [proof(header: ["typ": "JWT"])],
            [proof(header: ["jwk": .object(key)])],
        ]
        for proofs in wrong {
            #expect(try post("grant_type=client_credentials", proofs).error == "invalid_dpop_proof")
        }
    }

    @Test func `a public client's refresh token needs the same key`() throws {
        let registered = try client.register([
            "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none",
            "redirect_uris": ["https://app.example.com/callback"],
        ]).object
        let id = try #require(registered["client_id"]?.string)
        let code = try client.code(id)
        func request(_ form: String, _ proofs: [String]) -> TestAuthorizationServer.Answer {
            client.server.handle(
                method: "POST", target: "/token", fields: proofs.map { (name: "DPoP", value: $0) },
                body: Array((form + "&client_id=\(id)").utf8))
        }
        let first = try request(
            "grant_type=authorization_code&code=\(code)&code_verifier=\(AuthorizationServerClient.verifier)"
                + "&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback", [proof()]
        ).object
        let refresh = try #require(first["refresh_token"]?.string)
        let form = "grant_type=refresh_token&refresh_token=\(refresh)"
        #expect(try request(form, []).error == "invalid_dpop_proof")
        #expect(try request(form, [proof(by: TestDPoPClient())]).error == "invalid_dpop_proof")
        #expect(try request(form, [proof()]).object["token_type"]?.string == "DPoP")
    }
}
