// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("RFC 9110 §15.5.4, RFC 6585 §5 What a guarded route passes on")
struct RFC9110_15_5_4_GuardedRoutes {
    static let identifier = "https://api.example.com/notes"
    let issuer = TestIssuer("https://as.example.com")

    private func resource() throws -> ProtectedResource {
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.authorizationServers = [issuer.issuer]
        metadata.dpopSigningAlgorithmsSupported = ["ES256"]
        return try ProtectedResource(validating: .init(metadata, trusting: [issuer.trusted]))
    }

    // RFC 6750 §3.1: insufficient_scope is for a missing scope alone; otherwise clients would request useless
    // tokens.
    @Test func `a 403 that the handler decides on has no challenge, and is unchanged`()
        async throws
    {
        let resource = try resource()
        try await withServer(
            RunningServer.Setup(),
            { (routes: inout Routes) in
                routes.protect(resource) { notes in
                    notes.get("/") { _, _ in .text("not yours", status: .forbidden) }
                    notes.get("/401") { _, _ in .text("elsewhere", status: .unauthorized) }
                }
            }
        ) { server in
            let bearer = "Authorization: Bearer \(issuer.mint(audience: Self.identifier))"
            for (path, status, text) in [("/notes", 403, "not yours"), ("/notes/401", 401, "elsewhere")] {
                let reply = try await server.get(path, bearer)
                #expect(reply.status == status && reply.text == text)
                #expect(reply.all("www-authenticate").isEmpty)
            }
        }
    }

    @Test func `fresh introspection without an introspecting issuer is refused`() throws {
        let resource = try resource()
        let demand = AccessRequirement.anyValidToken.freshlyIntrospected()
        let problems = routingProblems { routes in
            routes.protect(resource) { $0.get("/", requiring: demand) { _, _ in .ok } }
        }
        #expect(problems.contains("requires fresh introspection, and no issuer introspects"))
        let introspecting = ProtectedResource(
            "https://api.example.com/notes",
            trusting: .jwtOrIntrospection(
                issuer: issuer.issuer, keys: .fixed(issuer.keys),
                endpoint: "https://as.example.com/introspect", authenticatedBy: .bearer(token: "a")))
        #expect(
            routingProblems { routes in
                routes.protect(introspecting) { $0.get("/", requiring: demand) { _, _ in .ok } }
            } == "")
    }

    // RFC 6585 §5, RFC 9440 §3.2: the header limit allows a proof and a certificate.
    @Test func `a token of 8 KiB, a proof of 4 and a certificate of 4 fit into one header`() async throws {
        let resource = try resource()
        let client = TestDPoPClient()
        let der = Array(repeating: UInt8(0x30), count: 3072)
        let padding = JSONValue.string(String(repeating: "x", count: 5800))
        let token = issuer.mint(
            audience: Self.identifier, boundTo: client, certificate: der, claims: ["padding": padding])
        #expect(token.utf8.count > 8192)
        var setup = RunningServer.Setup()
        setup.configure = {
            $0.proxies = (try? TrustedProxies(["127.0.0.1/32"], sendsClientCertificates: true)) ?? .none
        }
        try await withServer(
            setup,
            { (routes: inout Routes) in
                routes.protect(resource) { $0.get("/") { _, token in .text(token.binding.rawValue) } }
            }
        ) { server in
            let proof = client.proof(
                .get, Self.identifier, token: token,
                claims: ["x": .string(String(repeating: "y", count: 2800))])
            #expect(proof.utf8.count > 4096)
            let fields = [
                "Authorization: DPoP \(token)", "DPoP: \(proof)", "Client-Cert: :\(Base64.encode(der)):",
            ]
            let reply = try await server.exchange(request("GET", "/notes", fields))
            #expect(reply.status == 200 && reply.text == "dpop")
            #expect(!reply.fields.contains { $0.name.lowercased().hasPrefix("client-cert") })
            let large = "X: " + String(repeating: "z", count: 32_768)
            #expect(try await server.exchange(request("GET", "/notes", fields + [large])).status == 431)
        }
    }
}
