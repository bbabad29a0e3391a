// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisHTTP
import PortcullisServer
import Testing

@Suite("Configuration file: what routes and proofs require")
struct RequirementTests {
    @Test func `a route can require bound tokens and fresh introspection`() throws {
        let routes = """
            "routes": [{"path": "/photos/a", "sender_constrained": true, "fresh_introspection": true,
                        "respond": "echo"},
            {"path": "/photos/b", "respond": "echo"}]
            """
        let servers = """
            [{"issuer": "https://as.example.com", "jwks": {"keys": []},
              "introspection": {"endpoint": "https://as.example.com/introspect", "client_id": "a",
                                "client_secret": "b"}}]
            """
        let file = try ServingTests.file(
            SampleFile.with(authorizationServers: servers, resource: SampleFile.resource(more: routes)))
        let settings = try #require(file.resources.first).routes
        #expect(settings.map(\.isSenderConstrained) == [true, false])
        #expect(settings.map(\.isFreshlyIntrospected) == [true, false])
        let resources = try file.makeResources(relativeTo: "c.json", onEvent: { _ in })
        var declared = Routes()
        file.declare(&declared, guarding: resources)
        let table = try RoutingTable(declared)
        let requirements = try ["/photos/a", "/photos/b"].map { path in
            let head = try RequestHead(method: .get, target: path, fields: [("Host", "api.example.com")])
            let (route, _) = table.destination(
                .get, authority: "api.example.com", try RequestPath(head, RequestSemantics(head)))
            return route.gate?.requirement
        }
        #expect(requirements.map { $0?.needsSenderConstraint } == [true, false])
        #expect(requirements.map { $0?.needsFreshIntrospection } == [true, false])
    }

    @Test func `proofs can be checked more strictly`() throws {
        let tokens = #""tokens": {"dpop": {"refuse_htu_query": true, "refuse_stray_proofs": true}}"#
        let file = try ServingTests.file(SampleFile.with(resource: SampleFile.resource(more: tokens)))
        let settings = try #require(file.resources.first).tokens.dpop
        #expect(settings.refusesQueryInTarget && settings.refusesStrayProofs)
        let policy = try #require(try ServingTests.file(SampleFile.with()).resources.first).tokens.dpop
        #expect(!policy.refusesQueryInTarget && !policy.refusesStrayProofs)
    }
}
