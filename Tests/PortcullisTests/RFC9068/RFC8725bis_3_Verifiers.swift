// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("draft-ietf-oauth-rfc8725bis §3.2, RFC 9864 §2.2 Fully specified algorithms")
struct RFC8725bis_3_2_FullySpecifiedAlgorithms {
    private static let name = "https://as.example.com"

    private func scene(
        _ algorithm: SignatureAlgorithm,
        _ change: (inout TokenPolicy, inout TrustedIssuer) -> Void = { _, _ in }
    ) throws -> (issuer: TestIssuer, resource: ProtectedResource, events: EventLog, clock: ManualClock) {
        let (events, clock) = (EventLog(), ManualClock())
        let issuer = TestIssuer(Self.name, algorithm: algorithm, time: clock.time)
        var trusted = issuer.trusted
        var configuration = ProtectedResource.Configuration(
            ProtectedResourceMetadata(resource: "https://api.example.com/notes"), trusting: [trusted])
        change(&configuration.tokens, &trusted)
        configuration.issuers = [trusted]
        configuration.time = clock.time
        configuration.onEvent = { events.append($0) }
        return (issuer, try ProtectedResource(validating: configuration), events, clock)
    }

    @Test func `BCP-06: both names are in the default list, and the old one is marked`() {
        let all = TokenPolicy.default.algorithms
        #expect(all.contains(.ed25519) && all.contains(.eddsa))
        #expect(all.filter(\.isPolymorphic) == [.eddsa])
    }

    @Test func `BCP-06: a token signed with EdDSA is accepted and reported once a minute`() async throws {
        let (issuer, resource, events, clock) = try scene(.eddsa)
        let event = ResourceEvent.deprecatedAlgorithm(
            issuer: Self.name, resource: "https://api.example.com/notes", algorithm: .eddsa)
        for _ in 0..<3 {
            let token = issuer.mint(audience: Scene.identifier)
            #expect(await resource.refusal(of: .get("/notes", bearer: token)) == nil)
        }
        #expect(events.all == [event])
        #expect(event.description.contains("Ed25519") && event.description.contains("RFC 9864"))
        clock.advance(by: .seconds(60))
        let token = issuer.mint(audience: Scene.identifier)
        #expect(await resource.refusal(of: .get("/notes", bearer: token)) == nil)
        #expect(events.all == [event, event])
    }

    @Test(arguments: [SignatureAlgorithm.ed25519, .es256])
    func `BCP-06: fully specified names are not reported`(algorithm: SignatureAlgorithm) async throws {
        let (issuer, resource, events, _) = try scene(algorithm)
        let token = issuer.mint(audience: Scene.identifier)
        #expect(await resource.refusal(of: .get("/notes", bearer: token)) == nil)
        #expect(events.all == [])
    }

    @Test func `BCP-06: a list that names EdDSA is a warning at start`() throws {
        let sentence = { (resource: ProtectedResource) in
            resource.warnings.filter { $0.contains("EdDSA") && $0.contains("Ed25519") }.count
        }
        #expect(try sentence(scene(.ed25519).resource) == 0)
        #expect(try sentence(scene(.ed25519) { policy, _ in policy.algorithms = [.ed25519] }.resource) == 0)
        #expect(
            try sentence(scene(.eddsa) { policy, _ in policy.algorithms = [.eddsa, .es256] }.resource) == 1)
        #expect(try sentence(scene(.eddsa) { $1.algorithms = [.eddsa] }.resource) == 1)
    }

    @Test(
        arguments: [
            (nil, SignatureAlgorithm.ed25519), (["ES256", "EdDSA"], .eddsa),
            (["EdDSA", "Ed25519"], .ed25519),
            (["RS256"], .ed25519),
        ] as [([String]?, SignatureAlgorithm)])
    func `BCP-06: own assertions have the full name, unless the server lists the old one alone`(
        listed: [String]?, expected: SignatureAlgorithm
    ) async throws {
        var json = try PrivateJWK.generate(.ed25519, keyID: "rs-1").jsonIncludingPrivateMembers
        json["alg"] = nil
        let key = try PrivateJWK(json)
        let fetcher = ScriptedFetcher()
        var metadata: JSONObject = [
            "issuer": .string(Self.name), "introspection_endpoint": "https://as.example.com/introspect",
        ]
        metadata["introspection_endpoint_auth_signing_alg_values_supported"] = listed.map {
            .array($0.map { .string($0) })
        }
        fetcher.on(Self.name + "/.well-known/oauth-authorization-server", json: .object(metadata))
        fetcher.on(RFC7662_2_Introspection.endpoint, json: .object(RFC7662_2_Introspection.active))
        let issuer = TrustedIssuer.introspection(
            issuer: Self.name, endpoint: nil, authenticatedBy: .privateKeyJWT(id: "rs", key: key))
        let resource = RFC7662_2_Introspection.resource(
            fetcher: fetcher, clock: ManualClock(), issuer: issuer)
        #expect(await resource.refusal(of: .get("/mcp", bearer: "opaque")) == nil)
        let body = String(decoding: try #require(fetcher.requests.last).body, as: UTF8.self)
        let assertion = try #require(
            body.split(separator: "&").first { $0.hasPrefix("client_assertion=") }?
                .dropFirst("client_assertion=".count))
        #expect(try CompactJWS(Array(assertion.utf8)).header.algorithm == expected)
    }
}

@Suite("draft-ietf-oauth-rfc8725bis §3.8, RFC 9700 §4.15 A client that is named like a user")
struct RFC8725bis_3_8_Holders {
    private let scene = ShapeScene { policy, _ in policy.requiredClaims = [] }

    private func token(_ claims: JSONObject, omitting: [String] = []) async throws -> AccessToken {
        try await scene.resource.authorize(
            .get(
                "/notes",
                bearer: scene.issuer.mint(audience: Scene.identifier, claims: claims, omitting: omitting)))
    }

    @Test func `BCP-17: a client whose identifier is a user's subject is not that user`() async throws {
        let user = try await token(["sub": "alice", "client_id": "app"])
        let client = try await token(["sub": "alice", "client_id": "alice"])
        #expect(!user.isClient && client.isClient)
        #expect(user.subject == client.subject)
        #expect(user.holder != client.holder)
        #expect(user.holder?.kind == .user && user.holder?.name == "alice")
        #expect(client.holder?.kind == .client && client.holder?.name == "alice")
        let handles = SessionBinding()
        #expect(handles.accepts(handles.makeHandle(for: user), with: user))
        #expect(handles.accepts(handles.makeHandle(for: client), with: client))
        #expect(!handles.accepts(handles.makeHandle(for: user), with: client))
        #expect(!handles.accepts(handles.makeHandle(for: client), with: user))
    }

    @Test func `BCP-17: a token without a subject is its client's`() async throws {
        let anonymous = try await token(["client_id": "alice"], omitting: ["sub"])
        let named = try await token(["sub": "alice", "client_id": "alice"])
        #expect(anonymous.isClient && anonymous.holder == named.holder)
        let nobody = try await token([:], omitting: ["sub", "client_id"])
        #expect(!nobody.isClient && nobody.holder == nil)
        let handles = SessionBinding()
        #expect(!handles.accepts(handles.makeHandle(for: nobody), with: nobody))
        let unknown = try await token(["sub": "alice"], omitting: ["client_id"])
        #expect(!unknown.isClient && unknown.holder?.kind == .user)
    }

    @Test func `BCP-17: a subject belongs to its issuer, and is compared byte for byte`() async throws {
        let other = TestIssuer("https://other.example", time: scene.clock.time)
        let elsewhere = ProtectedResource(
            "https://api.example.com/notes", trusting: other.trusted, time: scene.clock.time)
        let mine = try await token(["sub": "alice"])
        let theirs = try await elsewhere.authorize(
            .get("/notes", bearer: other.mint(audience: Scene.identifier, subject: "alice")))
        #expect(mine.holder != theirs.holder)
        #expect(Set([mine.holder, theirs.holder]).count == 2)
        let composed = try await token(["sub": "Andr\u{E9}"])
        let decomposed = try await token(["sub": "Andre\u{301}"])
        #expect(composed.holder != decomposed.holder)
        #expect(try await token(["sub": "alice"]).holder == mine.holder)
    }
}
