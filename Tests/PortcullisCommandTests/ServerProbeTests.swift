// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisCommand
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("Probes of authorization servers without a token")
struct ServerProbeTests {
    let world = Deployment()
    static let tokenEndpoint = "https://as.example.com/token"

    /// The levels of the findings with a code, after the server's metadata have these members.
    private func levels(_ code: String, _ members: JSONObject) async -> [Finding.Level] {
        world.serveIssuer(members)
        return await world.report().findings.filter { $0.code == code }.map(\.level)
    }

    @Test func `CHK-30: endpoints at other hosts are a note, and insecure ones make the server unusable`()
        async
    {
        #expect(await levels("server.hosts", [:]) == [])
        #expect(
            await levels("server.hosts", ["token_endpoint": "https://login.example.net/token"]) == [.note])
        #expect(await levels("server.any", ["token_endpoint": "http://as.example.com/token"]) == [.fail])
        #expect(await levels("server.any", ["issuer": "https://as.example.net"]) == [.fail])
    }

    @Test func `CHK-31: weak grants, response types, PKCE and algorithms are warnings`() async {
        #expect(await levels("server.grants", ["grant_types_supported": ["authorization_code"]]) == [])
        #expect(await levels("server.grants", ["grant_types_supported": ["password"]]) == [.warn])
        #expect(await levels("server.grants", ["grant_types_supported": ["implicit"]]) == [.warn])
        #expect(
            await levels("server.response-types", ["response_types_supported": ["code", "id_token"]]) == [])
        for type in ["token", "code token", "id_token token"] {
            let members: JSONObject = ["response_types_supported": ["code", .string(type)]]
            #expect(await levels("server.response-types", members) == [.warn])
        }
        #expect(await levels("server.plain", ["code_challenge_methods_supported": ["S256"]]) == [])
        #expect(
            await levels("server.plain", ["code_challenge_methods_supported": ["S256", "plain"]]) == [.warn])
        #expect(
            await levels("server.algorithms", ["id_token_signing_alg_values_supported": ["RS256"]]) == [])
        for name in ["request_object_signing_alg_values_supported", "id_token_signing_alg_values_supported"] {
            #expect(await levels("server.algorithms", [name: ["RS256", "none"]]) == [.warn])
        }
    }

    @Test func `CHK-32: outside of MCP mode missing PKCE is a warning, in OpenID Connect documents too`()
        async
    {
        world.serveIssuer(omitting: ["code_challenge_methods_supported"])
        #expect(await world.report().codes(.warn) == ["server.pkce"])
        world.network.on("\(Deployment.issuer)/.well-known/oauth-authorization-server", status: .notFound)
        world.network.on(
            "\(Deployment.issuer)/.well-known/openid-configuration",
            json: [
                "issuer": .string(Deployment.issuer), "authorization_endpoint": "https://as.example.com/a",
                "token_endpoint": .string(Self.tokenEndpoint), "jwks_uri": "https://as.example.com/keys",
            ])
        #expect(await world.report().codes(.warn) == ["server.pkce"])
    }

    @Test func `CHK-33: a server that does not announce iss is a note`() async {
        let name = "authorization_response_iss_parameter_supported"
        #expect(await levels("server.iss", [name: true]) == [])
        #expect(await levels("server.iss", [name: false]) == [.note])
        #expect(await levels("server.iss", [name: .null]) == [.note])
    }

    @Test func `CHK-34: the token endpoint refuses requests without parameters`() async {
        func codes() async -> [String] {
            await world.report().findings.map(\.code).filter { $0.hasPrefix("server.token-") }
        }
        #expect(await codes() == [])
        world.network.on(Self.tokenEndpoint, status: .ok)
        #expect(await codes() == ["server.token-endpoint", "server.token-cors"])
        let error: JSONValue = ["error": "invalid_request"]
        let cors: Fields = [.contentType: "application/json", "Access-Control-Allow-Origin": "*"]
        world.network.on(Self.tokenEndpoint) { _ in
            FetchResponse(status: .badRequest, fields: cors, body: error.serialized())
        }
        let uncached = await world.report().findings.first { $0.code == "server.token-endpoint" }
        #expect(uncached?.level == .note && uncached?.text.contains("no-store") == true)
        world.network.on(Self.tokenEndpoint) { _ in
            FetchResponse(
                status: .badRequest, fields: [.cacheControl: "no-store", "Access-Control-Allow-Origin": "*"])
        }
        #expect(await codes() == ["server.token-endpoint"])
        world.network.on(Self.tokenEndpoint, failing: .unreachable)
        #expect(await codes() == [])
    }

    @Test func `CHK-35: weak and symmetric keys, repeated and missing members`() async throws {
        let good = TestIssuer(Deployment.issuer).keys.publicJSON["keys"]?.array?.first?.object ?? [:]
        func codes(_ keys: JSONObject...) async -> [String] {
            world.network.on("\(Deployment.issuer)/keys", json: ["keys": .array(keys.map { .object($0) })])
            return await world.report().findings.filter { $0.level != .pass }.map(\.code).filter {
                ["server.weak-keys", "server.key-identifiers", "server.key-algorithms"].contains($0)
            }
        }
        #expect(await codes(good) == [])
        #expect(
            await codes(good, ["kty": "oct", "kid": "s", "k": "AAAA", "alg": "HS256"]) == ["server.weak-keys"]
        )
        let small = Base64URL.encode([UInt8](repeating: 0xC5, count: 128))
        let rsa: JSONObject = ["kty": "RSA", "kid": "r", "e": "AQAB", "alg": "RS256", "n": .string(small)]
        #expect(await codes(good, rsa) == ["server.weak-keys"])
        #expect(await codes(good, good) == ["server.key-identifiers"])
        var bare = good
        bare["alg"] = nil
        #expect(await codes(bare) == ["server.key-algorithms"])
        var foreign = good
        foreign["alg"] = "ES256K"
        #expect(await codes(foreign) == ["server.key-algorithms"])
    }

    @Test func `CHK-36: neither documents nor registration of clients is a note`() async {
        world.serveIssuer(omitting: ["registration_endpoint"])
        #expect(await world.report().codes(.note).contains("server.registration"))
        world.serveIssuer(
            ["client_id_metadata_document_supported": true], omitting: ["registration_endpoint"])
        #expect(!(await world.report().codes(.note).contains("server.registration")))
    }

    static let entra = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"

    @Test(arguments: [
        ("https://api.example.com/mcp", "api://5a1/read", Finding.Level.warn),
        ("api://5a1", "api://5a1/read", .note),
        ("https://api.example.com/mcp", "https://api.example.com/mcp/read", .pass),
        ("https://api.example.com/mcp", "access", .warn),
    ])
    func `CHK-38: the scopes of a tenant of Entra ID begin with the resource`(
        resource: String, scope: String, level: Finding.Level
    ) async {
        let members: JSONObject = [
            "resource": .string(resource), "scopes_supported": [.string(scope)],
            "authorization_servers": [.string(Self.entra)],
        ]
        world.serve(Deployment.document(members))
        let found = await world.report().findings.filter { $0.code == "server.entra" }
        #expect(found.map(\.level) == [level])
    }

    @Test(arguments: ["https://login.example.com/tenant/v2.0", "https://login.microsoftonline.com.example/t"])
    func `CHK-38: other issuers have no such rule`(issuer: String) async {
        world.serve(Deployment.document(["authorization_servers": [.string(issuer)]]))
        #expect(!(await world.report().findings.contains { $0.code == "server.entra" }))
    }

    @Test func `CHK-40: what the server offers besides is a note`() async {
        #expect(await levels("server.offers", [:]) == [])
        world.serveIssuer([
            "introspection_endpoint": "https://as.example.com/introspect",
            "status_list_aggregation_endpoint": "https://as.example.com/lists",
            "dpop_signing_alg_values_supported": ["ES256"],
            "grant_types_supported": ["urn:ietf:params:oauth:grant-type:token-exchange"],
        ])
        let text = await world.report().findings.first { $0.code == "server.offers" }?.text ?? ""
        for offer in ["introspection", "status lists", "DPoP (ES256)", "token exchange"] {
            #expect(text.contains(offer))
        }
        #expect(!(await world.report().findings.contains { $0.code == "server.events" }))
        world.network.on("\(Deployment.issuer)/.well-known/ssf-configuration", json: ["issuer": "x"])
        #expect(await world.report().codes(.note).contains("server.events"))
    }
}
