// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("MCX-12, GWY-12 Optional tokens and operations at a gateway", .timeLimit(.minutes(1)))
struct OptionalGatewayTests {
    private static let identifier = "https://api.example.com/api"

    private static func serve(
        forwardsToken: Bool, _ test: (RunningServer, RawUpstream, String) async throws -> Void
    ) async throws {
        let site = GuardedSite()
        let upstream = try RawUpstream.repeating { peer, head in
            _ = peer.body(of: head)
            peer.answer()
        }
        defer { upstream.stop() }
        var configuration = ReverseProxy.Configuration(upstream.url)
        configuration.forwardsToken = forwardsToken
        let proxy = try ReverseProxy(validating: configuration)
        let resource = try site.resource(identifier, scopes: ["write"])
        try await withServer(
            RunningServer.Setup(),
            { routes in
                routes.optionallyProtect(resource) { block in
                    block.proxy("/open/{rest...}", to: proxy)
                    block.proxy(
                        "/rpc",
                        requiring: AccessRequirement.anyValidToken.distinguishing(
                            RequestOperation(
                                ["Mcp-Method": "tools/call", "Mcp-Name": "delete"], scopes: ["write"]),
                            .withOptionalToken(["Mcp-Method": "tools/list"])),
                        to: proxy)
                }
            }
        ) { try await test($0, upstream, site.bearer(for: identifier, scope: "")) }
    }

    @Test(arguments: [false, true])
    func `without a token the identity fields are empty, and no credentials are passed on`(
        forwardsToken: Bool
    ) async throws {
        try await Self.serve(forwardsToken: forwardsToken) { server, upstream, bearer in
            let fields = ["Authorization: Basic c2VjcmV0", "DPoP: secret", "X-Portcullis-Subject: admin"]
            for (path, more) in [
                ("/api/open/x?access_token=secret&a=b", []), ("/api/rpc", ["Mcp-Method: tools/list"]),
            ] as [(String, [String])] {
                let reply = try await server.exchange(request("GET", path, fields + more))
                #expect(reply.status == 200)
                let head = try #require(upstream.heads.last)
                #expect(!head.contains("secret") && !head.contains("c2VjcmV0") && !head.contains("admin"))
                for name in ["Subject", "Client", "Scopes", "Issuer", "Resource", "Expires", "Actor"] {
                    #expect(head.values("X-Portcullis-" + name) == [""], "\(name)")
                }
            }
            _ = try await server.get("/api/open/x", bearer)
            let head = try #require(upstream.heads.last)
            #expect(head.values("X-Portcullis-Subject") == ["user-1"])
            #expect(head.contains("Authorization: Bearer") == forwardsToken)
        }
    }

    @Test func `nothing reaches the server behind for an operation that is refused`() async throws {
        try await Self.serve(forwardsToken: false) { server, upstream, bearer in
            for (fields, status) in [
                (["Mcp-Method: tools/call", "Mcp-Name: delete"], 403),
                (["Mcp-Method: tools/call", "Mcp-Name: =?base64?ZGVsZXRl?="], 403),
                (["Mcp-Method: tools/call", "Mcp-Name: =?base64?ZGVsZXRl"], 400),
                (["Mcp-Method: tools/call", "Mcp-Name: other"], 403), (["Mcp-Method: tools/call"], 400),
                (["Mcp-Method: tools/list", "Mcp-Method: tools/call"], 400),
                (["Mcp-Method: tools/list", "Mcp_Method: tools/call"], 400),
                (["Mcp-Method: tools/list", "Connection: Mcp-Method"], 400), ([], 400),
            ] as [([String], Int)] {
                let reply = try await server.exchange(request("GET", "/api/rpc", [bearer] + fields))
                #expect(reply.status == status, "\(fields)")
            }
            #expect(upstream.heads.isEmpty)
            // GWY-26: the fields are passed on as they came.
            _ = try await server.exchange(
                request("GET", "/api/rpc", [bearer, "mcp-method: tools/list", "Mcp-Name: =?base64?eA==?="]))
            #expect(upstream.heads.last?.contains("mcp-method: tools/list") == true)
            #expect(upstream.heads.last?.contains("Mcp-Name: =?base64?eA==?=") == true)
        }
    }
}
