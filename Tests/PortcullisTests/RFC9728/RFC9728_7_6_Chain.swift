// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisDiscovery
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9728 §7.6 The chain from a resource to its keys")
struct RFC9728_7_6_Chain {
    static let identifier = "https://api.example.com/notes"
    static let documentURL = "https://api.example.com/.well-known/oauth-protected-resource/notes"
    static let serverURL = "https://as.example.com/.well-known/oauth-authorization-server"
    static let openIDURL = "https://as.example.com/.well-known/openid-configuration"

    let network = ScriptedFetcher()
    let clock = ManualClock()
    let issuer = TestIssuer("https://as.example.com")
    let events = EventLog()

    /// A resource in a network without faults.
    func resource(introspecting: Bool = false) throws -> ProtectedResource {
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.authorizationServers = [issuer.issuer]
        metadata.scopesSupported = ["notes:read"]
        var trusted = TrustedIssuer.jwt(issuer: issuer.issuer)
        if introspecting {
            trusted.introspection = .init(authentication: .clientSecretBasic(id: "rs", secret: "secret"))
        }
        let events = events
        let resource = try ProtectedResource(
            validating: .init(
                metadata, trusting: [trusted], fetcher: network, time: clock.time,
                onEvent: { events.append($0) }))
        answerDocument(resource.metadata.json)
        network.on(Self.identifier) { _ in
            FetchResponse(
                status: .unauthorized,
                fields: [
                    .wwwAuthenticate: #"Bearer resource_metadata="\#(Self.documentURL)", scope="notes:read""#
                ])
        }
        answerServer([:])
        network.on("https://as.example.com/keys", json: .object(issuer.keys.publicJSON))
        return resource
    }

    func answerChallenge(_ value: String) {
        network.on(Self.identifier) { _ in
            FetchResponse(status: .unauthorized, fields: [.wwwAuthenticate: value])
        }
    }

    func answerDocument(_ json: JSONObject, type: String = "application/json") {
        let body = json.serialized()
        network.on(Self.documentURL) { _ in
            FetchResponse(status: .ok, fields: [.contentType: type], body: body)
        }
    }

    func answerServer(_ extra: JSONObject) {
        var json: JSONObject = [
            "issuer": "https://as.example.com", "jwks_uri": "https://as.example.com/keys",
        ]
        for member in extra.members { json[member.name] = member.value }
        network.on(Self.serverURL, json: .object(json))
    }

    func faults(_ resource: ProtectedResource) async -> [ChainFault] {
        await resource.checkChain().findings.map(\.fault)
    }

    @Test func `without faults there is no finding`() async throws {
        let resource = try resource()
        let report = await resource.checkChain()
        #expect(report.findings.isEmpty && report.passes)
        #expect(
            Set(network.requests.map(\.url)) == [
                Self.documentURL, Self.identifier, Self.serverURL, "https://as.example.com/keys",
            ])
    }

    @Test func `the document is fetched from the challenge's location`() async throws {
        let resource = try resource()
        network.on(Self.documentURL, failing: .timedOut)
        #expect(await faults(resource) == [.metadataUnreachable])
        network.on(Self.documentURL, status: .notFound)
        #expect(await faults(resource) == [.metadataStatus])
        network.on(Self.documentURL, status: Status(302))
        #expect(await faults(resource) == [.metadataStatus])
        answerDocument(resource.metadata.json, type: "text/html")
        #expect(await faults(resource) == [.metadataMediaType])
        network.on(Self.documentURL, json: [])
        #expect(await faults(resource) == [.metadataMalformed])
        var json = resource.metadata.json
        json["scopes_supported"] = "notes:read"
        answerDocument(json)
        #expect(await faults(resource) == [.metadataInvalid])
    }

    @Test(arguments: ["https://api.example.com/notes/", "https://API.example.com/notes", ""])
    func `RFC 9728 §3.3: a document that names another resource stops clients`(other: String) async throws {
        let resource = try resource()
        var json = resource.metadata.json
        json["resource"] = .string(other)
        answerDocument(json)
        let report = await resource.checkChain()
        #expect(report.findings.map(\.fault) == [.resourceMismatch] && !report.passes)
        #expect(report.findings.first?.subject == Self.identifier)
    }

    @Test func `another deployment's document is a warning`() async throws {
        let resource = try resource()
        var json = resource.metadata.json
        json["resource_name"] = "Old"
        answerDocument(json)
        let report = await resource.checkChain()
        #expect(report.findings.map(\.fault) == [.metadataDiffers] && report.passes)
    }

    @Test func `RFC 9728 §5.1: a request without a token has to get that URL`() async throws {
        let resource = try resource()
        network.on(Self.identifier, status: .ok)
        #expect(await faults(resource) == [.challengeMissing])
        network.on(Self.identifier, failing: .unreachable)
        #expect(await faults(resource) == [.resourceUnreachable])
        network.on(Self.identifier) { _ in
            FetchResponse(status: .unauthorized, fields: [.wwwAuthenticate: "Bearer"])
        }
        #expect(await faults(resource) == [.challengeMismatch])
        answerChallenge(#"Bearer realm="x" resource_metadata="\#(Self.documentURL)""#)
        #expect(await faults(resource) == [.challengeMalformed])
        answerChallenge(#"Bearer error_uri="https://x.example/?resource_metadata=\#(Self.documentURL)""#)
        #expect(await faults(resource) == [.challengeMismatch])
    }

    @Test func `a resource that needs no token at its own URL has to challenge a bad one`() async throws {
        let resource = try resource()
        let challenge = #"Bearer resource_metadata="\#(Self.documentURL)", error="invalid_token""#
        network.on(Self.identifier) { request in
            let credentials = request.fields[.authorization]
            guard credentials != nil else { return FetchResponse(status: .ok) }
            return FetchResponse(
                status: credentials == "Bearer *" ? .unauthorized : .ok,
                fields: [.wwwAuthenticate: challenge])
        }
        #expect(await faults(resource).isEmpty)
        network.on(Self.identifier) { request in
            let status: Status = request.fields[.authorization] == nil ? .ok : .unauthorized
            return FetchResponse(status: status, fields: [.wwwAuthenticate: "Bearer"])
        }
        #expect(await faults(resource) == [.challengeMismatch])
    }

    @Test func `a challenge with other scopes than the document is a warning`() async throws {
        let resource = try resource()
        answerChallenge(#"Bearer resource_metadata="\#(Self.documentURL)", scope="notes:read notes:all""#)
        let report = await resource.checkChain()
        #expect(report.findings.map(\.fault) == [.challengeDiffers] && report.passes)
    }

    @Test func `RFC 9449 §7.1: a challenge with other DPoP algorithms than the document is a warning`()
        async throws
    {
        _ = try resource()
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: issuer.trusted, dpop: .accepted, fetcher: network,
            time: clock.time)
        answerDocument(resource.metadata.json)
        let hint = #"resource_metadata="\#(Self.documentURL)""#
        let all = resource.metadata.dpopSigningAlgorithmsSupported.joined(separator: " ")
        answerChallenge(#"Bearer \#(hint), DPoP algs="\#(all)", \#(hint)"#)
        #expect(await faults(resource).isEmpty)
        answerChallenge(#"Bearer \#(hint), DPoP algs="ES256", \#(hint)"#)
        #expect(await faults(resource) == [.challengeDiffers])
    }

    @Test func `RFC 9728 §3.3: signed metadata has to verify, and another party's signature is a warning`()
        async throws
    {
        _ = try resource()
        let key = try PrivateJWK.generate(.es256, keyID: "one")
        func signed(by name: String?) throws -> ProtectedResource {
            var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
            metadata.authorizationServers = [issuer.issuer]
            metadata.jwksURI = "https://api.example.com/keys"
            var publishing = MetadataPublishing()
            publishing.signing = MetadataSigning(key: key, algorithm: .es256, issuer: name)
            return try ProtectedResource(
                validating: .init(
                    metadata, trusting: [issuer.trusted], publishing: publishing, fetcher: network,
                    time: clock.time))
        }
        let own = try signed(by: nil)
        network.on(
            "https://api.example.com/keys", json: ["keys": .array([.object(key.publicKey.publicJSON)])])
        func publish(_ resource: ProtectedResource) throws -> JSONObject {
            let body = try #require(
                resource.metadataResponse(to: .get("/.well-known/oauth-protected-resource/notes"))
            ).body
            return try #require(JSONValue.parse(body).object)
        }
        answerDocument(try publish(own))
        #expect(await faults(own).isEmpty)
        let foreign = try signed(by: "https://federation.example")
        answerDocument(try publish(foreign))
        let report = await foreign.checkChain()
        #expect(report.findings.map(\.fault) == [.signedMetadataUntrusted] && report.passes)
        answerDocument(try publish(own))
        clock.advance(by: .seconds(200_000))
        #expect(await faults(own) == [.signedMetadataInvalid])
    }

    @Test
    func `RFC 8414 §3: a listed server without metadata is reported, and one with OpenID's alone is not`()
        async throws
    {
        let resource = try resource()
        network.on(Self.serverURL, status: .notFound)
        network.on(
            Self.openIDURL,
            json: ["issuer": "https://as.example.com", "jwks_uri": "https://as.example.com/keys"])
        #expect(await faults(resource).isEmpty)
        network.on(Self.openIDURL, json: ["issuer": "https://as.example.com/"])
        let mismatch = await resource.checkChain()
        #expect(mismatch.failures.map(\.fault) == [.issuerMismatch])
        network.on(Self.openIDURL, status: .notFound)
        let report = await resource.checkChain()
        #expect(report.failures.map(\.fault) == [.discoveryFailed])
        #expect(report.failures.map(\.subject) == ["https://as.example.com"])
    }

    @Test func `RFC 8414 §2: a server's endpoint that is not https is reported`() async throws {
        let resource = try resource()
        answerServer(["token_endpoint": "http://as.example.com/token"])
        #expect(await faults(resource) == [.insecureEndpoint])
    }

    @Test func `a change that a check finds is reported once, although no request causes a fetch`()
        async throws
    {
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.authorizationServers = [issuer.issuer]
        _ = try resource()
        let resource = try ProtectedResource(
            validating: .init(
                metadata, trusting: [issuer.trusted], fetcher: network, time: clock.time,
                onEvent: { [events] in events.append($0) }))
        answerServer(["token_endpoint": "https://as.example.com/token"])
        _ = await resource.checkChain()
        answerServer(["token_endpoint": "https://evil.example/token"])
        _ = await resource.checkChain()
        _ = await resource.checkChain()
        #expect(
            events.all == [
                .authorizationServerChanged(issuer: issuer.issuer, members: ["token_endpoint"])
            ])
    }

    @Test func `RFC 9728 §4: protected_resources should name us, and its absence means nothing`()
        async throws
    {
        let resource = try resource()
        answerServer(["protected_resources": ["https://api.example.com/other"]])
        let report = await resource.checkChain()
        #expect(report.warnings.map(\.fault) == [.resourceNotListed] && report.passes)
        answerServer(["protected_resources": [.string(Self.identifier)]])
        #expect(await faults(resource).isEmpty)
    }

    @Test func `RFC 8414 §2: a scope that the server does not list is a warning`() async throws {
        let resource = try resource()
        answerServer(["scopes_supported": ["openid"]])
        #expect(await faults(resource) == [.scopesNotListed])
        answerServer(["scopes_supported": ["openid", "notes:read"]])
        #expect(await faults(resource).isEmpty)
    }

    @Test func `keys and endpoints must be usable`() async throws {
        let withoutKeys = try resource()
        network.on("https://as.example.com/keys", json: ["keys": []])
        #expect(await faults(withoutKeys) == [.keysUnusable])
        let introspecting = try resource(introspecting: true)
        #expect(await faults(introspecting) == [.introspectionUnusable])
        answerServer(["introspection_endpoint": "https://as.example.com/introspect"])
        // Past the stale limit, so that the old value is not used during the fetch.
        clock.advance(by: .seconds(7200))
        #expect(await faults(introspecting) == [.introspectionUnusable])
        network.on("https://as.example.com/introspect", status: .unauthorized)
        #expect(await faults(introspecting) == [.introspectionRefused])
        network.on("https://as.example.com/introspect", json: ["active": false])
        #expect(await faults(introspecting).isEmpty)
    }

    @Test func `RFC 9728 §2: without a list of servers clients cannot get tokens`() async throws {
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.resourceName = "Notes"
        _ = try resource()
        answerDocument(metadata.json)
        let resource = try ProtectedResource(
            validating: .init(metadata, trusting: [issuer.trusted], fetcher: network))
        #expect(await faults(resource) == [.noAuthorizationServer])
    }

    @Test func `later changes of endpoints, jwks_uri and methods are reported, other changes are not`()
        async throws
    {
        let resource = try resource()
        func changes() -> [[String]] {
            events.all.compactMap { event in
                if case .authorizationServerChanged(_, let members) = event { members } else { nil }
            }
        }
        /// Advances time until something has been fetched again and reported.
        func refresh(until condition: () -> Bool) async throws {
            for _ in 0..<2000 where !condition() {
                clock.advance(by: .seconds(601))
                resource.warmUp()
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(condition())
        }
        func loadCount() -> Int { events.all.count { $0 == .metadataChanged(issuer: issuer.issuer) } }
        answerServer(["token_endpoint": "https://as.example.com/token", "scopes_supported": ["notes:read"]])
        try await refresh { loadCount() == 1 }
        answerServer(["token_endpoint": "https://as.example.com/token"])
        try await refresh { loadCount() == 2 }
        #expect(changes().isEmpty)
        answerServer(["token_endpoint": "https://evil.example/token"])
        try await refresh { loadCount() == 3 && !changes().isEmpty }
        #expect(changes() == [["token_endpoint"]])
    }

    @Test func `several resources that share an authorization server ask it once`() async throws {
        _ = try resource(introspecting: true)
        answerServer(["introspection_endpoint": "https://as.example.com/introspect"])
        network.on("https://as.example.com/introspect", json: ["active": false])
        let connections = IssuerConnections()
        var trusted = TrustedIssuer.jwt(issuer: issuer.issuer)
        trusted.introspection = .init(authentication: .clientSecretBasic(id: "rs", secret: "secret"))
        let resources = try (0..<20).map { number in
            var metadata = ProtectedResourceMetadata(
                resource: try ResourceIdentifier(validating: "https://api.example.com/\(number)"))
            metadata.authorizationServers = [issuer.issuer]
            return try ProtectedResource(
                ProtectedResource.Configuration(
                    metadata, trusting: [trusted], fetcher: network, time: clock.time,
                    connectionPool: connections))
        }
        let before = network.count(of: Self.serverURL)
        let survey = ServerSurvey()
        await withTaskGroup(of: Void.self) { group in
            for resource in resources { group.addTask { _ = await resource.checkChain(sharing: survey) } }
        }
        // Once by the check and once for the keys.
        #expect(network.count(of: Self.serverURL) - before <= 2)
        #expect(network.count(of: "https://as.example.com/introspect") == 1)
    }
}
