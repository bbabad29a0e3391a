// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisTesting
import Testing

@Suite("RFC 9728 §5 One decision for each request of another server")
struct GuardedRoutesTests {
    private static let documentPath = "/.well-known/oauth-protected-resource/notes"
    private let issuer = TestIssuer("https://as.example.com")

    private func resource(
        _ identifier: ResourceIdentifier = "https://api.example.com/notes", dpop: DPoPUse = .none
    ) -> ProtectedResource {
        ProtectedResource(
            identifier, trusting: issuer.trusted, scopes: ["notes:read", "notes:write", "notes:admin"],
            dpop: dpop)
    }

    private func routes(_ resources: [ProtectedResource]) throws -> GuardedRoutes {
        let routes = GuardedRoutes(try ResourceRegistry(resources))
        routes.require("notes:read", toWrite: "notes:write", below: "/notes")
        routes.require("notes:admin", below: "/notes/{id}/shares")
        return routes
    }

    private func bearer(_ scope: String) -> [(String, String)] {
        let token = issuer.mint(audience: "https://api.example.com/notes", scope: scope)
        return [("Authorization", "Bearer \(token)")]
    }

    private func answer(_ decision: GateDecision) throws -> GateAnswer {
        guard case .answered(let answer) = decision else { throw Unexpected(decision) }
        return answer
    }

    private func admission(_ decision: GateDecision) throws -> AdmittedRequest {
        guard case .admitted(let admitted) = decision else { throw Unexpected(decision) }
        return admitted
    }

    private struct Unexpected: Error {
        let decision: GateDecision

        init(_ decision: GateDecision) { self.decision = decision }
    }

    @Test func `a path without a route needs a token below a resource, and none elsewhere`() async throws {
        let routes = try routes([resource()])
        for target in ["/notes", "/notes/7/nowhere"] {
            let refused = try answer(
                await routes.decide(method: "GET", target: target, fields: [], route: nil))
            #expect(refused.status == .unauthorized)
            #expect(refused.refusal?.reason == .missingCredentials)
            let admitted = try admission(
                await routes.decide(method: "GET", target: target, fields: bearer("x"), route: nil))
            #expect(admitted.token?.subject == "user-1")
        }
        for route in [nil, "/health"] {
            let decision = await routes.decide(method: "GET", target: "/health", fields: [], route: route)
            guard case .unguarded = decision else { throw Unexpected(decision) }
        }
    }

    @Test(arguments: [
        ("GET", "/notes/{id}", "notes:read"), ("HEAD", "/notes/{id}", "notes:read"),
        ("DELETE", "/notes/{id}", "notes:write"), ("POST", "/notes", "notes:write"),
        ("GET", "/notes/{id}/shares/{who}", "notes:admin"),
    ])
    func `the group with the longest pattern decides`(
        method: String, route: String, scope: String
    ) async throws {
        let routes = try routes([resource()])
        let refused = try answer(
            await routes.decide(method: method, target: "/notes/7", fields: bearer("other"), route: route))
        #expect(refused.status == .forbidden)
        #expect(refused.head.fields[.wwwAuthenticate]?.contains("scope=\"\(scope)\"") == true)
        _ = try admission(
            await routes.decide(method: method, target: "/notes/7", fields: bearer(scope), route: route))
    }

    /// Some servers match routes without regard to case.
    @Test(arguments: ["/notes/{id}", "/Notes/{id}", "notes/:id"])
    func `a route below a resource is 404 for a request that belongs to none`(route: String) async throws {
        let withGroups = try routes([resource()])
        let without = GuardedRoutes(withGroups.resources)
        for routes in [withGroups, without] {
            let refused = try answer(
                await routes.decide(method: "GET", target: "/NOTES/7", fields: [], route: route))
            #expect(refused.status == .notFound)
        }
        let guarded = try answer(
            await routes([]).decide(method: "GET", target: "/notes/7", fields: [], route: "/notes/{id}"))
        #expect(guarded.status == .notFound)
    }

    @Test func `RFC 9110 §9.3.2: the answers to HEAD have the length of GET's and no content`() async throws {
        let routes = try routes([resource()])
        for (target, fields) in [(Self.documentPath, []), ("/notes/7", bearer("other"))] {
            let get = try answer(
                await routes.decide(method: "GET", target: target, fields: fields, route: "/notes/{id}"))
            let head = try answer(
                await routes.decide(method: "HEAD", target: target, fields: fields, route: "/notes/{id}"))
            #expect(!get.body.isEmpty)
            #expect(head.body.isEmpty)
            #expect(head.status == get.status)
            #expect(get.head.fields.values(of: .contentLength) == [String(get.body.count)])
            #expect(head.head.fields.values(of: .contentLength) == [String(get.body.count)])
        }
    }

    @Test func `a document needs no token, below a resource without a path too`() async throws {
        let routes = GuardedRoutes(try ResourceRegistry([resource("https://api.example.com")]))
        let path = "/.well-known/oauth-protected-resource"
        #expect(
            try answer(await routes.decide(method: "GET", target: path, fields: [], route: nil)).status == .ok
        )
        #expect(
            try answer(await routes.decide(method: "GET", target: "/x", fields: [], route: nil)).status
                == .unauthorized)
    }

    @Test(
        arguments: [
            ("GET", "/notes/%2e%2e/x"), ("GET", "/notes//7"), ("G ET", "/notes/7"), ("GET", "/notes/ 7"),
            ("GET", nil),
        ] as [(String, String?)])
    func `a malformed request is answered with its status`(
        method: String, target: String?
    ) async throws {
        let decision = try await routes([resource()]).decide(
            method: method, target: target, fields: [], route: "/notes/{id}")
        #expect(try answer(decision).status == .badRequest)
        #expect(try answer(decision).body.isEmpty)
    }

    @Test func `RFC 9110 §15.5.20: the authority selects the resource, and 421 is for those of others`()
        async throws
    {
        let routes = try routes([resource(), resource("https://files.example.com/files")])
        func status(_ authority: String?, _ target: String) async throws -> Int {
            try answer(
                await routes.decide(
                    method: "GET", authority: authority, target: target, fields: [], route: nil)
            ).status.code
        }
        #expect(try await status("api.example.com", "/notes/7") == 401)
        #expect(try await status("files.example.com", "/files/7") == 401)
        #expect(try await status("files.example.com", "/notes/7") == 421)
        #expect(try await status(nil, "/notes/7") == 421)
    }

    @Test func `RFC 9449 §8.2: an admitted request's fields have the nonce, a handler's refusal too`()
        async throws
    {
        var policy = DPoPPolicy()
        policy.nonce = .required
        let routes = try routes([resource(dpop: .accepted(policy))])
        let admitted = try admission(
            await routes.decide(
                method: "GET", target: "/notes/7", fields: bearer("notes:read"), route: "/notes/{id}"))
        for cacheControl in [nil, "private"] {
            let fields = admitted.fields(for: 200, cacheControl: cacheControl)
            #expect(fields["DPoP-Nonce"] != nil)
            #expect(fields.values(of: .cacheControl) == ["no-store"])
        }
        let token = try #require(admitted.token)
        let refusal = try #require(
            #expect(throws: Refusal.self) { try token.require("notes:admin") })
        let answer = admitted.answer(for: refusal)
        #expect(answer.status == .forbidden)
        #expect(answer.refusal?.reason == refusal.reason)
        #expect(answer.head.fields["DPoP-Nonce"] != nil)
    }

    @Test func `RFC 9111 §5.2.2.5: an admitted request's answer is not stored, unless the handler says how`()
        async throws
    {
        let admitted = try admission(
            await routes([resource()]).decide(
                method: "GET", target: "/notes/7", fields: bearer("notes:read"), route: "/notes/{id}"))
        #expect(admitted.fields(for: 200, cacheControl: nil) == [.cacheControl: "no-store"])
        #expect(admitted.fields(for: 200, cacheControl: "private").isEmpty)
        #expect(admitted.fields(for: 999, cacheControl: "private").isEmpty)
    }

    @Test func `a route may take requests without credentials`() async throws {
        let routes = try routes([resource()])
        routes.require(.validTokenOrNone, below: "/notes/public")
        let admitted = try admission(
            await routes.decide(
                method: "GET", target: "/notes/public/7", fields: [], route: "/notes/public/{id}"))
        #expect(admitted.token == nil)
    }
}

@Suite("RFC 9110 §7.2 Heads from the parts of other types")
struct RequestHeadPartsTests {
    @Test func `the authority is a Host field again`() throws {
        let fields = [("Accept", "a"), ("Accept", "b")]
        let head = try RequestHead(
            method: "GET", authority: "api.example.com", target: "/notes?x=1", fields: fields)
        #expect(head.fields.map { $0.name } == ["Host", "Accept", "Accept"])
        #expect(head.fields[.host] == "api.example.com")
        #expect(head.fields.values(of: .accept) == ["a", "b"])
        #expect(head.target == "/notes?x=1")
    }

    @Test func `no Host is lost, and none is repeated`() throws {
        let same = try RequestHead(
            method: "GET", authority: "a.example", target: "/", fields: [("host", "a.example")])
        #expect(same.fields.values(of: .host) == ["a.example"])
        let other = try RequestHead(
            method: "GET", authority: "a.example", target: "/", fields: [("host", "b.example")])
        #expect(other.fields.values(of: .host) == ["a.example", "b.example"])
        let none = try RequestHead(method: "GET", authority: nil, target: "/", fields: [])
        #expect(none.fields.values(of: .host) == [])
    }

    @Test func `the target of CONNECT is the authority, and no other method lacks a target`() throws {
        let head = try RequestHead(method: "CONNECT", authority: "a.example:443", target: nil, fields: [])
        #expect(head.target == "a.example:443")
        #expect(throws: MalformedMessage.invalidTarget) {
            try RequestHead(method: "GET", authority: "a.example", target: nil, fields: [])
        }
        #expect(throws: MalformedMessage.invalidMethod) {
            try RequestHead(method: "G T", authority: nil, target: "/", fields: [])
        }
    }
}
