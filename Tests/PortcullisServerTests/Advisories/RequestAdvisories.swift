// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import Testing

/// Requests that bypassed the gate of other servers and proxies, sent over a socket.
@Suite("Advisories of 2025 and 2026: requests")
struct RequestAdvisories {
    static let identifier = "https://api.example.com/photos"
    let site = GuardedSite()
    let calls = Counter()

    /// A guarded resource at /photos and a public route at /public, with or without a trusted proxy.
    private func serve(
        behindProxy family: TrustedProxies.ForwardedFamily? = nil,
        _ test: (RunningServer) async throws -> Void
    ) async throws {
        var setup = RunningServer.Setup()
        if let family {
            let proxies = try TrustedProxies(["127.0.0.0/8"], forwarded: family)
            setup.configure = { $0.proxies = proxies }
        }
        let (photos, calls) = (try site.resource(Self.identifier), calls)
        try await withServer(
            setup,
            { routes in
                routes.protect(photos) { photos in
                    photos.on([.get, .post], "/{rest...}") { _, token in
                        calls.increment()
                        return .text(token.subject ?? "")
                    }
                }
                routes.get("/public/{rest...}") { request in
                    .text("public \(request.clientAddress) \(request.forwarding?.host ?? "-")")
                }
                routes.get("/public") { _ in .text("public") }
            }, test)
    }

    @Test(arguments: [nil, TrustedProxies.ForwardedFamily.none, .forwarded, .xForwarded])
    func `CVE-2026-40575, GHSA-7x63-xv5r-3p2x (oauth2-proxy): no field chooses the guarded path`(
        family: TrustedProxies.ForwardedFamily?
    ) async throws {
        try await serve(behindProxy: family) { (server) async throws in
            for name in [
                "X-Forwarded-Uri", "X-Forwarded-Path", "X-Original-URL", "X-Original-URI", "X-Rewrite-URL",
                "X-Forwarded-Prefix", "X_Forwarded_Uri", "Content-Location",
            ] {
                for value in ["/public", "https://api.example.com/public", "/public#", "/public?"] {
                    let guarded = try await server.get("/photos/7", "\(name): \(value)")
                    #expect(guarded.status == 401, "\(name)")
                }
                #expect(try await server.get("/public", "\(name): /photos/7").text == "public")
            }
            for name in [
                "X-HTTP-Method-Override", "X-Method-Override", "X-Forwarded-Method", "X-Original-Method",
            ] {
                #expect(try await server.get("/photos/7", "\(name): OPTIONS").status == 401, "\(name)")
            }
            #expect(calls.value == 0)
        }
    }

    @Test(arguments: [
        "kube-probe/1.30", "GoogleHC/1.0", "ELB-HealthChecker/2.0", "Envoy/HC", "oauth2-proxy", "Googlebot",
        "",
    ])
    func `GHSA-5hvv-m4w4-gf6v (oauth2-proxy): no user agent passes without a token`(agent: String)
        async throws
    {
        try await serve { (server) async throws in
            for path in ["/photos", "/photos/healthz", "/photos/7?health", "/photos/ping"] {
                for method in ["GET", "HEAD", "OPTIONS"] {
                    let reply = try await server.exchange(request(method, path, ["User-Agent: \(agent)"]))
                    #expect(reply.status == 401, "\(method) \(path)")
                }
            }
            #expect(calls.value == 0)
        }
    }

    @Test(arguments: [
        "/public#/../photos", "/public#/photos", "/photos#", "/photos/7#/public", "#/photos", "/public/#",
        "/public?x#y", "http://api.example.com/public#/../photos", "/public/%23/../../photos",
        "/public\\..\\photos",
    ])
    func `GHSA-pxq7-h93f-9jrg (oauth2-proxy): no number sign hides the rest of a target`(target: String)
        async throws
    {
        try await serve { (server) async throws in
            let bearer = site.bearer(for: Self.identifier)
            for fields in [[], [bearer]] {
                let reply = try await server.exchange(request("GET", target, fields))
                #expect(reply.status == 400)
            }
            #expect(calls.value == 0)
        }
    }

    @Test(arguments: [
        "api.example.com/other?", "api.example.com/x#", "a@api.example.com", "api.example.com?",
        "api.example.com#",
        "api.example.com\\x", "api.example.com:443/x", "user:pass@api.example.com",
    ])
    func `auth0/node-oauth2-jwt-bearer #244: a malformed host is refused, in Host and X-Forwarded-Host`(
        host: String
    )
        async throws
    {
        try await serve(behindProxy: .xForwarded) { (server) async throws in
            let bearer = site.bearer(for: Self.identifier)
            let told = "GET /photos/7 HTTP/1.1\r\nHost: \(host)\r\n\(bearer)\r\n\r\n"
            #expect(try await server.exchange(told).status == 400)
            #expect(try await server.get("/photos/7", bearer, "X-Forwarded-Host: \(host)").status == 400)
            #expect(try await server.get("/public", "X-Forwarded-Host: \(host)").status == 400)
        }
    }

    @Test func `auth0/node-oauth2-jwt-bearer #244: a proof for one path is refused at another`() async throws
    {
        let client = TestDPoPClient()
        var metadata = ProtectedResourceMetadata(
            resource: try ResourceIdentifier(validating: Self.identifier))
        metadata.authorizationServers = [site.issuer.issuer]
        metadata.dpopBoundAccessTokensRequired = true
        let resource = try ProtectedResource(validating: .init(metadata, trusting: [site.issuer.trusted]))
        let token = site.issuer.mint(audience: Self.identifier, boundTo: client)
        var setup = RunningServer.Setup()
        let proxies = try TrustedProxies(["127.0.0.0/8"], forwarded: .xForwarded)
        setup.configure = { $0.proxies = proxies }
        try await withServer(
            setup, { $0.protect(resource) { $0.get("/{id}") { _, _ in .text("in") } } }
        ) { (server) async throws in
            func status(provenFor uri: String, _ fields: [String] = []) async throws -> Int {
                let proof = client.proof(.get, uri, token: token)
                let credentials = ["Authorization: DPoP \(token)", "DPoP: \(proof)"]
                return try await server.exchange(request("GET", "/photos/7", credentials + fields)).status
            }
            for fields in [
                [], ["X-Forwarded-Host: api.example.com"], ["X-Forwarded-Prefix: /photos/8?"],
                ["X-Forwarded-Uri: /photos/8"],
            ] {
                #expect(try await status(provenFor: "\(Self.identifier)/7", fields) == 200)
                #expect(try await status(provenFor: "\(Self.identifier)/8", fields) == 401)
            }
        }
    }

    @Test func `GHSA-5m6w-wvh7-57vm (Traefik): an underscore makes another field, which is not trusted`()
        async throws
    {
        try await serve(behindProxy: .xForwarded) { (server) async throws in
            let real = try await server.get(
                "/public/x", "X-Forwarded-For: 192.0.2.9", "X-Forwarded-Host: api.example.com")
            #expect(real.text == "public 192.0.2.9 api.example.com")
            let spelled = try await server.get(
                "/public/x", "X_Forwarded_For: 192.0.2.9", "X_Forwarded_Host: evil.example",
                "X-Forwarded_For: 192.0.2.9", "x_forwarded-host: evil.example", "X_Forwarded_Proto: https")
            #expect(spelled.text == "public 127.0.0.1 -")
            let both = try await server.get(
                "/public/x", "X-Forwarded-For: 192.0.2.9", "X_Forwarded_For: 198.51.100.1")
            #expect(both.text == "public 192.0.2.9 -")
        }
        try await serve(behindProxy: .forwarded) { (server) async throws in
            #expect(
                try await server.get("/public/x", "_Forwarded: for=192.0.2.9").text == "public 127.0.0.1 -")
        }
    }

    @Test
    func
        `GHSA-5m6w-wvh7-57vm (Traefik): Client_Cert and AUTHORIZATION_ are other fields`()
        async throws
    {
        let der: [UInt8] = [0x30, 0x03, 0x02, 0x01, 0x07]
        let token = site.issuer.mint(audience: Self.identifier, certificate: der)
        let value = ":\(Base64.encode(der)):"
        var setup = RunningServer.Setup()
        let proxies = try TrustedProxies(["127.0.0.0/8"], sendsClientCertificates: true)
        setup.configure = { $0.proxies = proxies }
        let photos = try site.resource(Self.identifier)
        try await withServer(setup, { $0.protect(photos) { $0.get("/") { _, _ in .text("in") } } }) {
            server in
            let bearer = "Authorization: Bearer \(token)"
            #expect(try await server.get("/photos", bearer, "Client-Cert: \(value)").status == 200)
            for name in [
                "Client_Cert", "client_cert", "X-Client-Cert", "Client-Cert-Chain", "Client_Cert_Chain",
            ] {
                #expect(try await server.get("/photos", bearer, "\(name): \(value)").status == 401, "\(name)")
            }
            for name in ["Authorization_", "X-Authorization", "Proxy_Authorization", "HTTP_AUTHORIZATION"] {
                let reply = try await server.get(
                    "/photos", "\(name): Bearer \(token)", "Client-Cert: \(value)")
                #expect(reply.status == 401, "\(name)")
            }
        }
    }

    @Test(arguments: [
        "/photos%2F7", "/photos/%2e%2e/public", "/public/..%2fphotos", "/public/%2e%2e/photos/7",
        "/public//photos",
        "/public/%5C..%5Cphotos",
    ])
    func `GHSA-6jwx-7vp4-9847 (Traefik): every path has one reading, decoded or not`(path: String)
        async throws
    {
        try await serve { (server) async throws in
            let bearer = site.bearer(for: Self.identifier)
            for fields in [[], ["X-Forwarded-Prefix: /photos"], [bearer]] {
                #expect(try await server.exchange(request("GET", path, fields)).status == 400)
            }
            // A different spelling of the same path is guarded too.
            #expect(try await server.get("/%70hotos/7").status == 401)
            #expect(calls.value == 0)
        }
    }

    @Test func `liboauth2 #77: claims that a field cannot hold are not written to one`() async throws {
        let subject = "Cem Özdemir\r\nX-Injected: 1\u{2028}\u{1B}[31m"
        let token = site.issuer.mint(
            audience: Self.identifier, scope: "read",
            claims: ["sub": .string(subject), "client_id": .string(subject), "name": .string(subject)])
        let photos = try site.resource(Self.identifier, scopes: ["read", "write"])
        try await withServer(
            .init(),
            { routes in
                routes.protect(photos) {
                    $0.get("/", requiring: "read") { _, token in .text(token.subject ?? "") }
                    $0.get("/write", requiring: "write") { _, _ in .ok }
                }
            }
        ) { (server) async throws in
            let bearer = "Authorization: Bearer \(token)"
            let good = try await server.get("/photos", bearer)
            #expect(good.status == 200 && good.text == subject)
            let less = try await server.get("/photos/write", bearer)
            #expect(less.status == 403)
            let stranger = TestIssuer("https://as.example.com")
            let forged = stranger.mint(audience: Self.identifier, claims: ["sub": .string(subject)])
            let bad = try await server.get("/photos", "Authorization: Bearer \(forged)")
            #expect(bad.status == 401)
            for reply in [good, less, bad] {
                for field in reply.fields {
                    #expect(field.name != "X-Injected")
                    #expect(field.value.utf8.allSatisfy { (0x20...0x7E).contains($0) })
                    #expect(!field.value.contains("zdemir"))
                }
            }
        }
    }
}
