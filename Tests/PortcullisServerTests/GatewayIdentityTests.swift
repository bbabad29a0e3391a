// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("RFC 9110 §5.5 The caller's identity behind a gateway", .timeLimit(.minutes(1)))
struct GatewayIdentityTests {
    private static let names = [
        "Subject", "Client", "Scopes", "Issuer", "Resource", "Expires", "Actor", "Subject-Base64",
        "Client-Base64", "Actor-Base64",
    ]

    private static func stage<Result>(
        _ configure: (inout ReverseProxy.Configuration) -> Void = { _ in },
        _ test: (GatewayStage) async throws -> Result
    ) async throws -> Result {
        try await GatewayStage.run(
            configure,
            upstream: try RawUpstream.repeating { peer, head in
                _ = peer.body(of: head)
                peer.answer()
            }, test)
    }

    @Test func `all fields are there once, whatever the client sent`() async throws {
        try await Self.stage { stage in
            let head = try await stage.forwarded(
                "GET", "/api/x", "X-Portcullis-Subject: admin", "x_portcullis_subject: admin",
                "X-PORTCULLIS_Subject: admin", "X-Portcullis-Other: admin", "X_Portcullis-Assertion: admin",
                "X.Portcullis.Subject: admin", "X~Portcullis!Subject: admin")
            #expect(!head.contains("admin"))
            for name in Self.names { #expect(head.values("X-Portcullis-" + name).count == 1, "\(name)") }
            #expect(head.values("X-Portcullis-Issuer") == ["https://as.example.com"])
            #expect(head.values("X-Portcullis-Resource") == [GatewayStage.identifier])
            #expect(Int(head.values("X-Portcullis-Expires")[0]) != nil)
            #expect(head.values("X-Portcullis-Assertion").isEmpty)
        }
    }

    @Test func `public routes have empty fields`() async throws {
        try await Self.stage { stage in
            _ = try await stage.server.get("/open/x", "X-Portcullis-Subject: admin", stage.token)
            let head = try #require(stage.upstream.heads.last)
            for name in Self.names { #expect(head.values("X-Portcullis-" + name) == [""], "\(name)") }
        }
    }

    @Test func `a value that is not visible ASCII is in base64url`() async throws {
        try await Self.stage { stage in
            let token = stage.site.issuer.mint(
                audience: GatewayStage.identifier, scope: "a b:c", subject: "Cem Özdemir\r\nX: y")
            _ = try await stage.server.get("/api/x", "Authorization: Bearer \(token)")
            let head = try #require(stage.upstream.heads.last)
            #expect(head.values("X-Portcullis-Subject") == [""])
            #expect(
                head.values("X-Portcullis-Subject-Base64")
                    == [Base64URL.encode(Array("Cem Özdemir\r\nX: y".utf8))])
            #expect(head.values("X-Portcullis-Scopes") == ["a b:c"])
            #expect(head.values("X").isEmpty)
        }
    }

    @Test func `the prefix is configurable`() async throws {
        try await Self.stage({ $0.identityPrefix = "X-Auth-" }) { stage in
            let head = try await stage.forwarded(
                "GET", "/api/x", "x_auth_subject: admin", "X-Portcullis-Subject: kept")
            #expect(head.values("X-Auth-Subject").count == 1 && !head.contains("admin"))
            #expect(head.values("X-Portcullis-Subject") == ["kept"])
        }
    }

    @Test(arguments: ["", "X", "X-A", "X-Forwarded-", "x_y-", "-"])
    func `a prefix that other fields have is refused`(prefix: String) {
        var configuration = ReverseProxy.Configuration("http://127.0.0.1:1")
        configuration.identityPrefix = prefix
        #expect(throws: ConfigurationError.self) { try ReverseProxy(validating: configuration) }
    }

    // MCP 2026-07-28, security considerations: no token passthrough.
    @Test func `credentials are not passed on`() async throws {
        try await Self.stage { stage in
            let head = try await stage.forwarded(
                "GET", "/api/x?a=1&access%5Ftoken=secret&b=access_token", "Client-Cert: :YQ==:",
                "Client_Cert: :YQ==:")
            #expect(head.headLines[0] == "GET /api/x?a=1&b=access_token HTTP/1.1")
            #expect(
                head.values("authorization").isEmpty
                    && !head.lowercased().contains(
                        "client"
                            + "-cert")
                    && !head.contains("Client_Cert"))
        }
    }

    @Test(arguments: [false, true])
    func `RFC 9440 §2.4 a stranger's certificate field is not passed on, by any name`(
        forwardsToken: Bool
    ) async throws {
        var proxies = try TrustedProxies(["192.0.2.1"], sendsClientCertificates: true)
        proxies.clientCertificateField = ClientCertificateField("X-My-Proof", .pem)
        let trusted = proxies
        try await GatewayStage.run(
            { $0.forwardsToken = forwardsToken }, server: { $0.proxies = trusted },
            upstream: try RawUpstream.repeating { peer, _ in peer.answer() }
        ) { stage in
            let head = try await stage.forwarded(
                "GET", "/api/x", "X-My-Proof: forged", "x_my_proof: forged", "X-SSL-Client-Cert: forged")
            #expect(!head.contains("forged"))
        }
    }

    @Test func `RFC 6750 §2.2 a token in a form is removed from it`() async throws {
        let site = GuardedSite()
        var metadata = ProtectedResourceMetadata(
            resource: try ResourceIdentifier(validating: GatewayStage.identifier))
        metadata.authorizationServers = [site.issuer.issuer]
        metadata.bearerMethodsSupported = [.header, .body]
        let resource = try ProtectedResource(validating: .init(metadata, trusting: [site.issuer.trusted]))
        let upstream = try RawUpstream.repeating { peer, head in
            peer.answer(String(decoding: peer.body(of: head), as: UTF8.self))
        }
        defer { upstream.stop() }
        let proxy = try ReverseProxy(validating: ReverseProxy.Configuration(upstream.url))
        try await withServer(.init()) {
            $0.protect(resource) { $0.proxy("/{rest...}", to: proxy) }
        } _: { server in
            let token = site.issuer.mint(audience: GatewayStage.identifier)
            let form = "a=1&access_token=\(token)&b=2"
            let reply = try await server.exchange(
                request(
                    "POST", "/api/x",
                    [
                        "Content-Type: application/x-www-form-urlencoded",
                        "Content-Length: \(form.utf8.count)",
                    ]) + form)
            #expect(reply.status == 200 && reply.text == "a=1&b=2")
            #expect(upstream.heads.last?.values("content-length") == ["7"])
        }
    }

    @Test func `credentials are passed on where that is configured`() async throws {
        try await Self.stage({ $0.forwardsToken = true }) { stage in
            let head = try await stage.forwarded("GET", "/api/x")
            #expect(head.values("authorization").count == 1)
            #expect(head.values("authorization").first?.hasPrefix("Bearer ey") == true)
            #expect(stage.server.log.sentences.contains { $0.contains("token") && $0.hasPrefix("warning") })
        }
    }

    @Test func `an MCP server never passes tokens on`() throws {
        let site = GuardedSite()
        var metadata = ProtectedResourceMetadata(
            resource: try ResourceIdentifier(validating: "https://a.example/mcp"))
        metadata.authorizationServers = [site.issuer.issuer]
        var settings = ProtectedResource.Configuration(metadata, trusting: [site.issuer.trusted])
        settings.profile = .mcp()
        let resource = try ProtectedResource(validating: settings)
        var configuration = ReverseProxy.Configuration("http://127.0.0.1:1")
        configuration.forwardsToken = true
        let proxy = try ReverseProxy(validating: configuration)
        #expect(
            routingProblems { $0.protect(resource) { $0.proxy("/{rest...}", to: proxy) } }.contains("MCP"))
    }

    @Test func `RFC 7239 §8.1 what a stranger says about the origin is not passed on`() async throws {
        try await Self.stage { stage in
            let head = try await stage.forwarded(
                "GET", "/api/x", "Forwarded: for=1.2.3.4", "X-Forwarded-For: 1.2.3.4",
                "X_Forwarded_Host: evil",
                "X-Forwarded-Prefix: /evil", "X-Real-IP: 1.2.3.4", "X-Original-URL: /evil")
            #expect(!head.contains("1.2.3.4") && !head.contains("evil"))
            #expect(head.values("x-forwarded-for") == ["127.0.0.1"])
            #expect(head.values("x-forwarded-host") == ["api.example.com"])
            #expect(head.values("x-forwarded-proto") == ["http"])
        }
    }

    @Test func `RFC 7239 §8.1 what a trusted proxy says is extended`() async throws {
        let upstream = try RawUpstream.repeating { peer, _ in peer.answer() }
        try await GatewayStage.run(
            server: {
                $0.proxies = (try? TrustedProxies(["127.0.0.1"], forwarded: .xForwarded)) ?? .none
            }, upstream: upstream
        ) { stage in
            let head = try await stage.forwarded(
                "GET", "/api/x", "X-Forwarded-For: 9.9.9.9, 1.2.3.4", "X-Forwarded-Proto: https",
                "X-Forwarded-Host: api.example.com", "X-Forwarded-Prefix: /evil")
            #expect(head.values("x-forwarded-for") == ["9.9.9.9, 1.2.3.4, 127.0.0.1"])
            #expect(head.values("x-forwarded-proto") == ["https"])
            #expect(!head.contains("evil"))
        }
    }

    @Test func `the identity can be signed for the server behind`() async throws {
        let key = try PrivateJWK.generate(.es256)
        let assertion = try #require(IdentityAssertion(key: key, audience: "backend"))
        try await Self.stage({ $0.identityAssertion = assertion }) { stage in
            _ = try await stage.send(
                "POST", "/api/x%2Cy?q", "X-Portcullis-Assertion: forged", "Content-Length: 0")
            let head = try #require(stage.upstream.heads.last)
            let values = head.values("X-Portcullis-Assertion")
            #expect(values.count == 1)
            let parts = values[0].split(separator: ".").map { Base64URL.decode(String($0)) ?? [] }
            let header = try JSONValue.parse(parts[0]).object
            let claims = try #require(try JSONValue.parse(parts[1]).object)
            #expect(header?["typ"]?.string == "portcullis-identity+jwt")
            #expect(claims["iss"]?.string == GatewayStage.identifier && claims["aud"]?.string == "backend")
            #expect(claims["htm"]?.string == "POST")
            #expect(claims["htu"]?.string == "http://127.0.0.1:\(stage.upstream.port)/api/x%2Cy")
            #expect(claims["jti"]?.string?.isEmpty == false && claims["sub"]?.string != nil)
            let (issued, expires) = (claims["iat"]?.number?.integer ?? 0, claims["exp"]?.number?.integer ?? 0)
            #expect(expires - issued == 60)
            _ = try await stage.server.get("/open/x")
            #expect(stage.upstream.heads.last?.values("X-Portcullis-Assertion") == [""])
        }
    }

    @Test func `RFC 9728 §2 the key of the assertion is at the resource's jwks_uri`() async throws {
        let key = try PrivateJWK.generate(.es256)
        let site = GuardedSite()
        var metadata = ProtectedResourceMetadata(
            resource: try ResourceIdentifier(validating: GatewayStage.identifier))
        metadata.authorizationServers = [site.issuer.issuer]
        metadata.jwksURI = "https://api.example.com/keys"
        var configuration = ProtectedResource.Configuration(metadata, trusting: [site.issuer.trusted])
        configuration.publishing.publishedKeys = [key.publicKey]
        let resource = try ProtectedResource(validating: configuration)
        try await withServer(.init()) {
            $0.protect(resource) { _ in }
        } _: { server in
            let reply = try await server.get("/keys")
            #expect(reply.status == 200)
            #expect(reply.text.contains(key.publicKey.thumbprint))
            #expect(!reply.text.contains("\"d\""))
        }
    }
}
