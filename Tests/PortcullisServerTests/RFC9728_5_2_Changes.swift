// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import Synchronization
import Testing

@Suite("RFC 9728 §5.2 Metadata that changes while a server runs")
struct RFC9728_5_2_Changes {
    static let identifier = "https://a.example/p"
    static let metadataPath = "/.well-known/oauth-protected-resource/p"

    final class Events: Sendable {
        private let list = Mutex<[ResourceEvent]>([])
        var all: [ResourceEvent] { list.withLock { $0 } }
        func add(_ event: ResourceEvent) { list.withLock { $0.append(event) } }
    }

    static func resource(
        _ identifier: String = identifier, name: String = "One", trusting issuers: [TestIssuer],
        realm: String = "one",
        signing: MetadataSigning? = nil, events: Events = Events()
    ) throws -> ProtectedResource {
        var metadata = ProtectedResourceMetadata(resource: try ResourceIdentifier(validating: identifier))
        metadata.authorizationServers = issuers.map(\.issuer)
        metadata.resourceName = LocalizedText(name)
        metadata.jwksURI = "https://a.example/keys"
        var publishing = MetadataPublishing()
        publishing.signing = signing
        return try ProtectedResource(
            validating: .init(
                metadata, trusting: issuers.map(\.trusted), challengeParameters: [("realm", realm)],
                publishing: publishing, onEvent: { events.add($0) }))
    }

    static func routes(_ resources: ProtectedResource...) -> Routes {
        var routes = Routes()
        for resource in resources {
            routes.protect(resource) { $0.get("/") { _, token in .text(token.issuer) } }
        }
        return routes
    }

    static func server(_ routes: Routes) async throws -> RunningServer {
        let log = Logbook()
        let configuration = Server.Configuration(
            eventLoopCount: 2, shutdownGracePeriod: .milliseconds(500), log: { log.add($0) })
        return try await RunningServer.start(
            try Server(validating: routes, port: 0, configuration: configuration), log)
    }

    static func bearer(_ token: String) -> String { "Authorization: Bearer \(token)" }

    @Test func `a replacement changes documents, tags and challenges, and reports both hashes`()
        async throws
    {
        let issuer = TestIssuer("https://as.example.com")
        let events = Events()
        let old = try Self.resource(trusting: [issuer])
        let new = try Self.resource(name: "Two", trusting: [issuer], realm: "two", events: events)
        let server = try await Self.server(Self.routes(old))
        let before = try await server.get(Self.metadataPath)
        try await server.replace(Self.routes(new))
        let after = try await server.get(Self.metadataPath, "If-None-Match: \(before["etag"] ?? "")")
        #expect(after.status == 200 && after["etag"] != before["etag"])
        #expect(after.text.contains("Two"))
        #expect(try await server.get("/p")["www-authenticate"]?.contains(#"realm="two""#) == true)
        #expect(
            events.all == [
                .documentChanged(resource: new.identifier, old: old.metadataHash, new: new.metadataHash)
            ])
        let line = "metadata of \(Self.identifier): \(old.metadataHash) is now \(new.metadataHash)"
        #expect(server.log.sentences.contains(line))
        try await server.stop()
    }

    @Test func `the same metadata again is no change`() async throws {
        let issuer = TestIssuer("https://as.example.com")
        let events = Events()
        let server = try await Self.server(Self.routes(Self.resource(trusting: [issuer])))
        let before = try await server.get(Self.metadataPath)
        try await server.replace(Self.routes(Self.resource(trusting: [issuer], realm: "two", events: events)))
        let again = try await server.get(Self.metadataPath, "If-None-Match: \(before["etag"] ?? "")")
        #expect(again.status == 304)
        #expect(events.all.isEmpty && !server.log.sentences.contains { $0.hasPrefix("metadata of") })
        try await server.stop()
    }

    @Test func `added and removed resources are reported`() async throws {
        let issuer = TestIssuer("https://as.example.com")
        let (gone, come) = (Events(), Events())
        let old = try Self.resource(trusting: [issuer], events: gone)
        let new = try Self.resource("https://a.example/q", trusting: [issuer], events: come)
        let server = try await Self.server(Self.routes(old))
        try await server.replace(Self.routes(new))
        #expect(gone.all == [.documentChanged(resource: old.identifier, old: old.metadataHash, new: nil)])
        #expect(come.all == [.documentChanged(resource: new.identifier, old: nil, new: new.metadataHash)])
        #expect(try await server.get(Self.metadataPath).status == 404)
        #expect(try await server.get("/.well-known/oauth-protected-resource/q").status == 200)
        try await server.stop()
    }

    @Test func `tokens of a removed authorization server get a fresh challenge, cached ones too`()
        async throws
    {
        let stays = TestIssuer("https://stays.example.com")
        let goes = TestIssuer("https://goes.example.com")
        let server = try await Self.server(Self.routes(Self.resource(trusting: [goes, stays])))
        let old = goes.mint(audience: Self.identifier)
        let good = stays.mint(audience: Self.identifier)
        for token in [old, good] {
            for _ in 0..<2 { #expect(try await server.get("/p", Self.bearer(token)).status == 200) }
        }
        try await server.replace(Self.routes(Self.resource(trusting: [stays])))
        let refused = try await server.get("/p", Self.bearer(old))
        #expect(refused.status == 401)
        let challenge = try #require(refused["www-authenticate"])
        #expect(challenge.contains(#"error="invalid_token""#))
        #expect(challenge.contains(#"resource_metadata="https://a.example\#(Self.metadataPath)""#))
        #expect(try await server.get(Self.metadataPath).text.contains("goes.example.com") == false)
        #expect(try await server.get("/p", Self.bearer(good)).status == 200)
        try await server.stop()
    }

    @Test
    func
        `RFC 9728 §2.2: a changed document is signed again, and a replaced key stays published`()
        async throws
    {
        let issuer = TestIssuer("https://as.example.com")
        func signing(_ keyID: String) throws -> MetadataSigning {
            MetadataSigning(key: try .generate(.es256, keyID: keyID), algorithm: .es256)
        }
        let server = try await Self.server(
            Self.routes(Self.resource(trusting: [issuer], signing: signing("old"))))
        func keyIDs() async throws -> [String?] {
            try JWKSet(parsing: try await server.get("/keys").body).keys.map(\.keyID)
        }
        #expect(try await keyIDs() == ["old"])
        try await server.replace(
            Self.routes(Self.resource(name: "Two", trusting: [issuer], signing: signing("new"))))
        #expect(try await keyIDs() == ["new", "old"])
        let body = try await server.get(Self.metadataPath).body
        let signed = try #require(JSONValue.parse(body).object?["signed_metadata"]?.string)
        let token = try CompactJWS(Array(signed.utf8))
        #expect(token.header.keyID == "new")
        #expect(try JSONValue.parse(token.payload).object?["resource_name"] == "Two")
        try await server.stop()
    }

    @Test func `gates around an app's own routes follow a replaced set, and so do the documents`()
        async throws
    {
        let goes = TestIssuer("https://goes.example.com")
        let stays = TestIssuer("https://stays.example.com")
        let old = try Self.resource(trusting: [goes, stays])
        let resources = try ResourceRegistry([old], log: { _ in })
        var routes = Routes()
        routes.use(ResourceDocuments(resources))
        routes.group { routes in
            routes.use(RegistryGate(resources, old.identifier))
            routes.get("/p") { _ in .text("in") }
            routes.get("/p/slow") { request async in .text("slow") }
        }
        let server = try await Self.server(routes)
        let token = goes.mint(audience: Self.identifier)
        for path in ["/p", "/p", "/p/slow"] {
            let answer = try await server.get(path, Self.bearer(token))
            #expect(answer.status == 200 && answer["cache-control"] == "no-store")
        }
        #expect(try await server.get(Self.metadataPath).text.contains("goes.example.com"))
        try resources.replace([Self.resource(name: "Two", trusting: [stays], realm: "two")])
        for path in ["/p", "/p/slow"] {
            let refused = try await server.get(path, Self.bearer(token))
            #expect(refused.status == 401)
            #expect(refused["www-authenticate"]?.contains(#"realm="two""#) == true)
            #expect(
                try await server.get(path, Self.bearer(stays.mint(audience: Self.identifier))).status == 200)
        }
        #expect(try await server.get(Self.metadataPath).text.contains("goes.example.com") == false)
        #expect(try await server.get("/.well-known/oauth-protected-resource/q").status == 404)
        try resources.replace([])
        let open = try await server.get("/p", Self.bearer(stays.mint(audience: Self.identifier)))
        #expect(open.status == 404)
        #expect(try await server.get(Self.metadataPath).status == 404)
        try await server.stop()
    }

    @Test func `a replaceable gate links to the current resource's metadata`() async throws {
        let issuer = TestIssuer("https://as.example.com")
        var publishing = MetadataPublishing()
        publishing.linksFromAnswers = true
        let linking = try ProtectedResource(
            validating: .init(
                Self.resource(trusting: [issuer]).metadata, trusting: [issuer.trusted],
                publishing: publishing))
        let resources = try ResourceRegistry([linking], log: { _ in })
        var routes = Routes()
        routes.use(RegistryGate(resources, linking.identifier))
        routes.get("/p") { _ in .text("in") }
        let server = try await Self.server(routes)
        let link = "<https://a.example\(Self.metadataPath)>; rel=\"oauth-protected-resource\""
        #expect(try await server.get("/p").all("link") == [link])
        #expect(
            try await server.get("/p", Self.bearer(issuer.mint(audience: Self.identifier))).all("link") == [
                link
            ])
        try resources.replace([Self.resource(trusting: [issuer])])
        #expect(try await server.get("/p").all("link") == [])
        try await server.stop()
    }
}
