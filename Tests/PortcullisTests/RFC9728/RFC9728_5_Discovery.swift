// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisDiscovery
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import PortcullisTransport
import Testing

/// A resource and its authorization server on a scripted network, as a client without prior knowledge finds
/// them.
struct ForeignDeployment {
    static let resource = "https://api.example.com/mcp"
    static let location = "https://api.example.com/.well-known/oauth-protected-resource/mcp"
    static let issuer = "https://as.example.com"
    static let issuerLocation = "https://as.example.com/.well-known/oauth-authorization-server"

    let network = ScriptedFetcher()
    let clock = ManualClock()

    init() {
        challenge(#"Bearer resource_metadata="\#(Self.location)", scope="mcp:read""#)
        network.on(Self.location, json: Self.document())
        network.on(Self.issuerLocation, json: .object(Self.serverDocument()))
    }

    static func document(_ members: JSONObject = [:]) -> JSONValue {
        var object: JSONObject = [
            "resource": .string(resource), "authorization_servers": [.string(issuer)],
            "scopes_supported": ["mcp:read", "mcp:write"],
        ]
        for member in members.members { object[member.name] = member.value }
        return .object(object)
    }

    static func serverDocument(_ members: JSONObject = [:]) -> JSONObject {
        var object: JSONObject = [
            "issuer": .string(issuer), "token_endpoint": "https://as.example.com/token",
            "jwks_uri": "https://as.example.com/keys",
        ]
        for member in members.members { object[member.name] = member.value }
        return object
    }

    func challenge(_ line: String, status: Status = .unauthorized) {
        network.on(Self.resource) { _ in
            FetchResponse(status: status, fields: [.wwwAuthenticate: line])
        }
    }

    func discovery(
        _ change: (inout ProtectedResourceDiscovery.Configuration) -> Void = { _ in }
    ) -> ProtectedResourceDiscovery {
        var configuration = ProtectedResourceDiscovery.Configuration()
        change(&configuration)
        return ProtectedResourceDiscovery(fetcher: network, configuration: configuration, time: clock.time)
    }

    func error(
        _ url: String = resource, _ discovery: ProtectedResourceDiscovery? = nil
    ) async -> DiscoveryError? {
        do throws(DiscoveryError) {
            _ = try await (discovery ?? self.discovery()).discover(url)
            return nil
        } catch {
            return error
        }
    }
}

@Suite("RFC 9728 §5 Discovery by a client")
struct RFC9728_5_Discovery {
    let world = ForeignDeployment()

    @Test func `challenge, metadata and authorization server are found from the URL alone`() async throws {
        let found = try await world.discovery().discover(ForeignDeployment.resource)
        #expect(found.url == ForeignDeployment.resource)
        #expect(found.challenges.map(\.scheme) == ["Bearer"])
        #expect(found.metadata.location == ForeignDeployment.location)
        #expect(found.metadata.metadata.resource.text == ForeignDeployment.resource)
        #expect(found.metadata.signer == nil)
        #expect(found.scopes == ["mcp:read"])
        let server = try #require(found.authorizationServers.first)
        #expect(server.issuer == ForeignDeployment.issuer)
        #expect(server.location == ForeignDeployment.issuerLocation)
        #expect(server.tokenEndpoint == "https://as.example.com/token")
        #expect(found.faults.isEmpty)
        #expect(
            world.network.requests.map(\.url)
                == [ForeignDeployment.resource, ForeignDeployment.location, ForeignDeployment.issuerLocation])
        #expect(world.network.requests.allSatisfy { !$0.fields.contains(.authorization) })
    }

    @Test(arguments: [
        #"Basic realm="x""#, "Bearer", #"Bearer resource_metadata="https://evil.example/" broken"#,
    ])
    func `§3.1: without a readable hint the client uses the derived location`(line: String)
        async throws
    {
        world.challenge(line)
        let found = try await world.discovery().discover(ForeignDeployment.resource)
        #expect(found.metadata.location == ForeignDeployment.location)
        #expect(found.scopes == ["mcp:read", "mcp:write"])
    }

    @Test func `a hint in an answer that is not a challenge is not followed`() async throws {
        world.challenge(#"Bearer resource_metadata="https://evil.example/""#, status: .ok)
        let found = try await world.discovery().discover(ForeignDeployment.resource)
        #expect(found.metadata.location == ForeignDeployment.location)
        #expect(world.network.count(of: "https://evil.example/") == 0)
    }

    @Test func `§5.1: the hint may be any URL, and then the document has to name the called URL`()
        async throws
    {
        let elsewhere = "https://cdn.example.net/custom/metadata.json"
        world.challenge(#"DPoP resource_metadata="\#(elsewhere)""#)
        world.network.on(elsewhere, json: ForeignDeployment.document())
        let found = try await world.discovery().discover(ForeignDeployment.resource)
        #expect(found.metadata.location == elsewhere)
        world.network.on(elsewhere, json: ForeignDeployment.document(["resource": "https://api.example.com"]))
        #expect(await world.error() == .resourceMismatch)
        let above = world.discovery { $0.resourceMatching = .identicalOrAbove }
        #expect(try await above.discover(ForeignDeployment.resource).metadata.location == elsewhere)
    }

    @Test func `§5.2: a later challenge is followed again`() async throws {
        let elsewhere = "https://api.example.com/moved"
        world.network.on(elsewhere, json: ForeignDeployment.document(["resource_name": "Moved"]))
        let found = try await world.discovery().discover(
            ForeignDeployment.resource, challengedWith: [#"Bearer resource_metadata="\#(elsewhere)""#])
        #expect(found.metadata.metadata.resourceName.text == "Moved")
        #expect(world.network.count(of: ForeignDeployment.resource) == 0)
    }

    @Test(arguments: [
        "http://api.example.com/mcp", "https://api.example.com/mcp#a", "https://api.example.com/mcp#", "mcp",
        "https://user@api.example.com/mcp", "http://127.0.0.1:8080/mcp", "file:///etc/passwd",
    ])
    func `a URL that is not an https resource is not called`(url: String) async {
        #expect(await world.error(url) == .invalidURL)
        #expect(world.network.requests.isEmpty)
    }

    @Test(arguments: [
        "http://api.example.com/m", "http://127.0.0.1/m", "https://h/m#f", "file:///etc/passwd", "/relative",
    ])
    func `§7.7: a hint that is not https is not fetched`(location: String) async {
        world.challenge(#"Bearer resource_metadata="\#(location)""#)
        #expect(await world.error() == .insecureURL)
        #expect(world.network.requests.count == 1)
    }

    @Test func `http on this machine is fetched if allowed, and only there`() async throws {
        let base = "http://127.0.0.1:8080"
        world.network.on("\(base)/mcp", status: .notFound)
        world.network.on(
            "\(base)/.well-known/oauth-protected-resource/mcp",
            json: ["resource": .string("\(base)/mcp"), "authorization_servers": ["http://[::1]:9"]])
        world.network.on(
            "http://[::1]:9/.well-known/oauth-authorization-server", json: ["issuer": "http://[::1]:9"])
        let lenient = world.discovery { $0.allowsInsecureLoopback = true }
        #expect(try await lenient.discover("\(base)/mcp").authorizationServers.count == 1)
        #expect(await world.error("\(base)/mcp") == .invalidURL)
        #expect(await world.error("http://10.0.0.1/mcp", lenient) == .invalidURL)
    }

    @Test(arguments: [300, 301, 302, 303, 307, 308, 404, 500, 204])
    func `§3.2: any status but 200 is refused, redirects included`(code: Int) async {
        world.network.on(ForeignDeployment.location) { _ in
            FetchResponse(status: Status(code: code), fields: [.location: "https://evil.example/"])
        }
        #expect(await world.error() == .status(code))
        #expect(world.network.count(of: "https://evil.example/") == 0)
    }

    @Test(arguments: [
        ("text/html", false), ("application/json", true), ("Application/JSON; charset=utf-8", true),
        ("application/oauth-protected-resource+json", false), ("application/jsonx", false), ("", false),
    ])
    func `§3.2: the media type is application/json`(type: String, isAccepted: Bool) async {
        let body = ForeignDeployment.document().serialized()
        world.network.on(ForeignDeployment.location) { _ in
            FetchResponse(status: .ok, fields: [.contentType: type], body: body)
        }
        #expect(await world.error() == (isAccepted ? nil : .wrongMediaType))
    }

    @Test(arguments: ["", "[]", "<html>", #"{"resource":"a","resource":"b"}"#, "{\"a\":\"\u{1}\"}"])
    func `§3.2: the body is one strict JSON object`(body: String) async {
        world.network.on(ForeignDeployment.location) { _ in
            FetchResponse(status: .ok, fields: [.contentType: "application/json"], body: Array(body.utf8))
        }
        #expect(await world.error() == .malformedDocument)
    }

    @Test func `a document above the limit is refused, whatever the fetcher allows`() async {
        world.network.on(
            ForeignDeployment.location,
            json: ForeignDeployment.document(["x": .string(String(repeating: "a", count: 999))]))
        let discovery = world.discovery { $0.maxResponseByteCount = 1000 }
        #expect(await world.error(ForeignDeployment.resource, discovery) == .noResponse(.tooLarge))
        #expect(world.network.requests.allSatisfy { $0.maxResponseByteCount == 1000 })
        #expect(world.network.requests.allSatisfy { $0.timeout == .seconds(5) })
    }

    @Test(arguments: [
        "https://api.example.com/mcp/", "https://api.example.com/MCP", "https://API.example.com/mcp",
        "https://api.example.com:443/mcp", "https://api.example.com/m%63p", "https://evil.example/mcp",
        "https://api.example.com/mcp/x", "https://api.example.com/mc",
    ])
    func `§3.3: another resource is refused, even if it differs in one byte`(name: String) async {
        world.network.on(
            ForeignDeployment.location, json: ForeignDeployment.document(["resource": .string(name)]))
        #expect(await world.error() == .resourceMismatch)
    }

    @Test func `§6: texts that look the same are compared code point by code point`() {
        let matching = ProtectedResourceDiscovery.ResourceMatching.identicalOrAbove
        #expect(!matching.accepts("https://h/caf\u{e9}", for: "https://h/cafe\u{301}"))
    }

    @Test(arguments: [
        ("https://h/a", "https://h/a/b", true), ("https://h/a/", "https://h/a/b", true),
        ("https://h", "https://h/a", true), ("https://h", "https://h?x", true),
        ("https://h/a", "https://h/ab", false), ("https://h", "https://h.evil/", false),
        ("https://h", "https://h:8443/", false), ("https://h/a/", "https://h/a", false),
        ("https://h/a?x=1", "https://h/a?x=1/b", false),
    ])
    func `a resource above the URL matches by whole segments`(resource: String, url: String, isAbove: Bool) {
        typealias Matching = ProtectedResourceDiscovery.ResourceMatching
        #expect(Matching.identicalOrAbove.accepts(resource, for: url) == isAbove)
        #expect(!Matching.identical.accepts(resource, for: url))
    }

    @Test func `§2: members of the wrong type are refused, unknown ones ignored`() async throws {
        world.network.on(ForeignDeployment.location, json: ForeignDeployment.document(["x-new": ["a": 1]]))
        let found = try await world.discovery().discover(ForeignDeployment.resource)
        #expect(found.metadata.document["x-new"] == ["a": 1])
        world.network.on(
            ForeignDeployment.location, json: ForeignDeployment.document(["scopes_supported": "a"]))
        guard case .invalidMetadata(let error) = await world.error() else {
            Issue.record("a string is no array")
            return
        }
        #expect(error.problems.map(\.path) == ["$.scopes_supported"])
    }

    @Test(arguments: [FetchError.unreachable, .timedOut, .forbiddenAddress, .untrustedServer])
    func `network errors are passed on`(failure: FetchError) async {
        world.network.on(ForeignDeployment.location, failing: failure)
        #expect(await world.error() == .noResponse(failure))
        world.network.on(ForeignDeployment.resource, failing: failure)
        #expect(await world.error() == .noResponse(failure))
    }
}

@Suite("RFC 8414 §3 Authorization servers that a client finds")
struct RFC8414_3_ClientDiscovery {
    let world = ForeignDeployment()
    static let openID = "https://as.example.com/.well-known/openid-configuration"

    @Test func `§5: OpenID Connect's location is tried second`() async throws {
        world.network.on(ForeignDeployment.issuerLocation, status: .notFound)
        world.network.on(Self.openID, json: .object(ForeignDeployment.serverDocument()))
        let found = try await world.discovery().discover(ForeignDeployment.resource)
        #expect(found.authorizationServers.map(\.location) == [Self.openID])
    }

    @Test(arguments: ["https://as.example.com/", "https://AS.example.com", "https://as.example.com:443"])
    func `§3.3: another issuer is refused, even if it differs in one byte`(name: String) async {
        let document = ForeignDeployment.serverDocument(["issuer": .string(name)])
        world.network.on(ForeignDeployment.issuerLocation, json: .object(document))
        world.network.on(Self.openID, json: .object(document))
        #expect(
            await world.error()
                == .calling(
                    url: ForeignDeployment.issuerLocation,
                    .issuerMismatch(named: name, expected: ForeignDeployment.issuer)))
    }

    @Test(arguments: [301, 302, 204, 404, 500])
    func `§5: after any answer but a valid document the next location is tried`(code: Int) async throws {
        world.network.on(ForeignDeployment.issuerLocation, status: Status(code: code))
        world.network.on(
            Self.openID, json: .object(ForeignDeployment.serverDocument(["registration_endpoint": .null])))
        let found = try await world.discovery().discover(ForeignDeployment.resource)
        #expect(found.authorizationServers.map(\.location) == [Self.openID])
        world.network.on(
            ForeignDeployment.issuerLocation,
            json: .object(ForeignDeployment.serverDocument(["issuer": "https://as.example.com/"])))
        world.network.on(Self.openID, status: .notFound)
        let mismatch = DiscoveryError.issuerMismatch(
            named: "https://as.example.com/", expected: ForeignDeployment.issuer)
        #expect(await world.error()?.cause == mismatch)
    }

    @Test(arguments: ["token_endpoint", "authorization_endpoint", "jwks_uri", "introspection_endpoint"])
    func `§2: endpoints are https`(name: String) async {
        world.network.on(
            ForeignDeployment.issuerLocation,
            json: .object(ForeignDeployment.serverDocument([name: "http://as.example.com/x"])))
        #expect(await world.error()?.cause == .insecureURL)
        world.network.on(
            ForeignDeployment.issuerLocation, json: .object(ForeignDeployment.serverDocument([name: 7])))
        #expect(await world.error() != nil)
    }

    @Test func `an unreachable server does not hide the next of the list`() async throws {
        let other = "https://other.example.com"
        world.network.on(
            ForeignDeployment.location,
            json: ForeignDeployment.document([
                "authorization_servers": [.string(ForeignDeployment.issuer), .string(other)]
            ]))
        world.network.on(ForeignDeployment.issuerLocation, failing: .timedOut)
        world.network.on(
            "\(other)/.well-known/oauth-authorization-server", json: ["issuer": .string(other)])
        let found = try await world.discovery().discover(ForeignDeployment.resource)
        #expect(found.authorizationServers.map(\.issuer) == [other])
        #expect(found.faults.map(\.issuer) == [ForeignDeployment.issuer])
        #expect(
            found.faults.first?.error
                == .calling(url: ForeignDeployment.issuerLocation, .noResponse(.timedOut)))
    }

    @Test func `§7.7: a client tries only some of very many authorization servers`()
        async throws
    {
        let many = (0..<1000).map { JSONValue.string("https://as\($0).example.com") }
        world.network.on(
            ForeignDeployment.location,
            json: ForeignDeployment.document([
                "authorization_servers": .array(many + [.string(ForeignDeployment.issuer)])
            ]))
        #expect(await world.error()?.cause == .noResponse(.unreachable))
        #expect(world.network.requests.count == 2 + 64)
        let few = many[..<63] + [JSONValue.string(ForeignDeployment.issuer)]
        world.network.on(
            ForeignDeployment.location,
            json: ForeignDeployment.document(["authorization_servers": .array(Array(few))]))
        let found = try await world.discovery().discover(ForeignDeployment.resource)
        #expect(found.authorizationServers.map(\.issuer) == [ForeignDeployment.issuer])
    }

    @Test func `the keys are those at the server's jwks_uri`() async throws {
        let issuer = TestIssuer(ForeignDeployment.issuer)
        world.network.on("https://as.example.com/keys", json: .object(issuer.keys.publicJSON))
        let discovery = world.discovery()
        let server = try await discovery.authorizationServer(ForeignDeployment.issuer)
        #expect(try await discovery.keys(of: server).keys.count == 1)
        world.network.on("https://as.example.com/keys", json: ["keys": "none"])
        await #expect(
            throws: DiscoveryError.calling(url: "https://as.example.com/keys", .malformedDocument)
        ) { try await discovery.keys(of: server) }
    }
}
