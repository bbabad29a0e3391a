// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 7517 §5 Keys survive a reload of the configuration")
struct InheritedKeysTests {
    static let url = "https://as.example.com/jwks"
    let clock = ManualClock()
    let fetcher = ScriptedFetcher()
    let issuer: TestIssuer
    let connections = IssuerConnections()

    init() {
        issuer = TestIssuer("https://as.example.com", time: clock.time)
        fetcher.on(Self.url, json: .object(issuer.keys.publicJSON))
    }

    private func resource(
        _ connections: IssuerConnections, keys: KeySource = .remote(Self.url), over way: (any Fetcher)? = nil
    ) throws -> ProtectedResource {
        var trusted = TrustedIssuer.jwt(issuer: "https://as.example.com", keys: keys)
        trusted.fetcher = way
        let identifier: ResourceIdentifier = "https://api.example.com/notes"
        var metadata = ProtectedResourceMetadata(resource: identifier)
        metadata.authorizationServers = ["https://as.example.com"]
        return try ProtectedResource(
            ProtectedResource.Configuration(
                metadata, trusting: [trusted], fetcher: fetcher, time: clock.time,
                connectionPool: connections))
    }

    private func refusal(_ resource: ProtectedResource) async -> Refusal? {
        let token = issuer.mint(audience: Scene.identifier, lifetime: .seconds(100_000))
        return await resource.refusal(of: .get("/notes", bearer: token))
    }

    @Test func `a reload while the issuer is unreachable keeps accepting tokens`() async throws {
        #expect(await refusal(try resource(connections)) == nil)
        fetcher.on(Self.url, failing: .unreachable)
        let reloaded = try resource(IssuerConnections(succeeding: connections))
        #expect(reloaded.isReady)
        #expect(await refusal(reloaded) == nil)
    }

    @Test func `inherited keys are refreshed at once`() async throws {
        #expect(await refusal(try resource(connections)) == nil)
        let before = fetcher.count(of: Self.url)
        let reloaded = try resource(IssuerConnections(succeeding: connections))
        reloaded.warmUp()
        await settle { fetcher.count(of: Self.url) != before }
        #expect(fetcher.count(of: Self.url) == before + 1)
    }

    @Test func `inherited keys expire when they would have without the reload`() async throws {
        #expect(await refusal(try resource(connections)) == nil)
        fetcher.on(Self.url, failing: .unreachable)
        clock.advance(by: .seconds(4000))
        let reloaded = try resource(IssuerConnections(succeeding: connections))
        #expect(reloaded.isReady)
        clock.advance(by: .seconds(201))
        #expect(!reloaded.isReady)
        expectRefused(await refusal(reloaded), .keysUnavailable)
    }

    @Test func `keys from another URL are not inherited`() async throws {
        #expect(await refusal(try resource(connections)) == nil)
        let next = IssuerConnections(succeeding: connections)
        #expect(try !resource(next, keys: .remote("https://as.example.com/other")).isReady)
    }

    @Test func `keys are not inherited from a fetcher with other trust anchors`() async throws {
        #expect(await refusal(try resource(connections)) == nil)
        let next = IssuerConnections(succeeding: connections)
        #expect(try !resource(next, over: ScriptedFetcher()).isReady)
    }

    @Test func `configured keys are not replaced by fetched ones`() async throws {
        #expect(await refusal(try resource(connections)) == nil)
        let other = TestIssuer("https://as.example.com", keyID: "other", time: clock.time)
        let next = IssuerConnections(succeeding: connections)
        let reloaded = try resource(next, keys: .fixed(other.keys))
        expectRefused(await refusal(reloaded), .unknownKey)
    }
}
