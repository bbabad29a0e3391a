// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("FWA-08, FWA-09, FWA-10 Proof of possession at the forward-auth endpoint", .timeLimit(.minutes(1)))
struct ForwardAuthPossession {
    private static func stage(
        _ family: ForwardAuthFamily, nonce: Bool = false,
        _ test: (ForwardAuthStage, TestDPoPClient, String) async throws -> Void
    ) async throws {
        let resource: (GuardedSite) throws -> ProtectedResource = { site in
            var metadata = ProtectedResourceMetadata(
                resource: try ResourceIdentifier(validating: ForwardAuthStage.identifier))
            metadata.authorizationServers = [site.issuer.issuer]
            metadata.scopesSupported = ["tools:read", "tools:write"]
            metadata.dpopSigningAlgorithmsSupported = ["ES256"]
            var tokens = TokenPolicy.default
            if nonce { tokens.dpop.nonce = .required }
            return try ProtectedResource(
                validating: .init(metadata, trusting: [site.issuer.trusted], tokens: tokens))
        }
        try await ForwardAuthStage.run(family, .init(resource: resource)) { stage async throws in
            let client = TestDPoPClient()
            let token = stage.site.issuer.mint(
                audience: ForwardAuthStage.identifier, scope: "tools:read", boundTo: client)
            try await test(stage, client, token)
        }
    }

    @Test(arguments: ForwardAuthFamily.allCases)
    func `RFC 9449 §4.3 htm and htu are the told method and the resource's origin`(
        family: ForwardAuthFamily
    ) async throws {
        try await Self.stage(family) { stage, client, token async throws in
            func ask(_ method: Method, _ uri: String, host: String = "api.example.com") async throws -> Reply
            {
                let proof = client.proof(method, uri, token: token)
                return try await stage.ask(
                    "/mcp", "POST", host: host, "Authorization: DPoP \(token)", "DPoP: \(proof)")
            }
            let identifier = ForwardAuthStage.identifier
            #expect(try await ask(.post, identifier).status == 200)
            #expect(try await ask(.post, identifier, host: "internal").status == 200)
            for (method, uri) in [
                (Method.get, identifier), (.head, identifier), (.post, "https://api.example.com/_auth"),
                (.post, "https://internal/mcp"), (.post, "http://api.example.com/mcp"),
                (.post, identifier + "/write"),
            ] {
                let reply = try await ask(method, uri, host: "internal")
                #expect(reply.status == 401, "\(family) \(method) \(uri)")
                #expect(reply["www-authenticate"]?.contains("invalid_dpop_proof") == true)
            }
        }
    }

    @Test func `RFC 9449 §11.1 the second question with a proof is refused`() async throws {
        try await Self.stage(.nginx) { stage, client, token async throws in
            let proof = client.proof(.get, ForwardAuthStage.identifier, token: token)
            let fields = ["Authorization: DPoP \(token)", "DPoP: \(proof)"]
            let first = try await stage.server.exchange(stage.carrier("/mcp", "GET", fields))
            let second = try await stage.server.exchange(stage.carrier("/mcp", "GET", fields))
            #expect([first.status, second.status] == [200, 401])
            #expect(second["www-authenticate"]?.contains("error=\"invalid_dpop_proof\"") == true)
            // A direct request is a second use too: there is one memory.
            let other = client.proof(.get, ForwardAuthStage.identifier, token: token)
            let used = ["Authorization: DPoP \(token)", "DPoP: \(other)"]
            #expect(try await stage.server.exchange(request("GET", "/mcp", used)).status == 200)
            #expect(try await stage.server.exchange(stage.carrier("/mcp", "GET", used)).status == 401)
        }
    }

    @Test func `RFC 9449 §8 nonces go out with refusals and with what passes`() async throws {
        for family in ForwardAuthFamily.allCases {
            try await Self.stage(family, nonce: true) { stage, client, token async throws in
                func ask(_ nonce: String?) async throws -> Reply {
                    let proof = client.proof(.get, ForwardAuthStage.identifier, token: token, nonce: nonce)
                    return try await stage.ask(
                        "/mcp", "GET", "Authorization: DPoP \(token)", "DPoP: \(proof)")
                }
                let challenged = try await ask(nil)
                #expect(challenged.status == 401)
                #expect(challenged["www-authenticate"]?.contains("use_dpop_nonce") == true)
                let passed = try await ask(challenged["dpop-nonce"])
                #expect(passed.status == 200, "\(family)")
                #expect(passed["dpop-nonce"]?.isEmpty == false)
                #expect(passed["x-portcullis-subject"] == "user-1")
            }
        }
    }

    @Test func `two challenges reach nginx one by one`() async throws {
        try await Self.stage(.nginx) { stage, _, _ async throws in
            let reply = try await stage.ask("/mcp")
            #expect(reply.all("www-authenticate").count == 2)
            let copies = (1...4).compactMap { reply["x-portcullis-challenge-\($0)"] }
            #expect(copies == reply.all("www-authenticate"))
        }
    }

    @Test func `a stolen token without its proof is refused`() async throws {
        try await Self.stage(.caddy) { stage, _, token async throws in
            #expect(try await stage.ask("/mcp", "GET", "Authorization: Bearer \(token)").status == 401)
            #expect(try await stage.ask("/mcp", "GET", "Authorization: DPoP \(token)").status == 401)
        }
    }

    // RFC 8705 §6.5: the certificate of the proxy's own connection is never the client's.
    @Test func `RFC 8705 §3 only the field of the proxy holds the client's certificate`() async throws {
        let certificate = try TestIdentities.shared.get().der("client")
        for sends in [true, false] {
            let proxies = try TrustedProxies(["127.0.0.1"], sendsClientCertificates: sends)
            try await ForwardAuthStage.run(.haproxy, .init(configure: { $0.proxies = proxies })) {
                stage async throws in
                let token = stage.site.issuer.mint(
                    audience: ForwardAuthStage.identifier, scope: "tools:read", certificate: certificate)
                let field = ":\(Base64.encode(certificate)):"
                let fields = ["Authorization: Bearer \(token)", "Client-Cert: \(field)"]
                let reply = try await stage.server.exchange(stage.carrier("/mcp", "GET", fields))
                #expect(reply.status == (sends ? 200 : 401))
                let bare = try await stage.ask("/mcp", "GET", fields[0])
                #expect(bare.status == 401)
            }
        }
    }
}
