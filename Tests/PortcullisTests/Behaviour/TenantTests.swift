// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import PortcullisTransport
import Testing

@Suite("RFC 8725 §3.8 Issuers with tenants")
struct TenantTests {
    static let pattern = "https://login.example.com/{tenant}/v2.0"
    let clock = ManualClock()
    let fetcher = ScriptedFetcher()
    let events = EventLog()

    static func name(_ tenant: String) -> String { "https://login.example.com/\(tenant)/v2.0" }

    private func resource(
        named names: [String]? = nil, maxCount: Int = 100, keys: KeySource = .discovered,
        sharing pool: IssuerConnections = IssuerConnections()
    ) throws -> ProtectedResource {
        var trusted = TrustedIssuer.tenants(of: Self.pattern, named: names, maxCount: maxCount)
        trusted.keys = keys
        let events = events
        return try ProtectedResource(
            ProtectedResource.Configuration(
                .init(resource: ResourceIdentifier(validating: Scene.identifier)), trusting: [trusted],
                fetcher: fetcher, time: clock.time, onEvent: { events.append($0) }, connectionPool: pool))
    }

    /// Publishes metadata and keys of a tenant.
    @discardableResult
    private func publish(_ tenant: String) -> TestIssuer {
        let issuer = TestIssuer(Self.name(tenant), time: clock.time)
        let keys = "https://login.example.com/\(tenant)/keys"
        fetcher.on(
            "https://login.example.com/.well-known/oauth-authorization-server/\(tenant)/v2.0",
            json: ["issuer": .string(issuer.issuer), "jwks_uri": .string(keys)])
        fetcher.on(keys, json: .object(issuer.keys.publicJSON))
        return issuer
    }

    /// Lets the server answer 404 for a tenant.
    private func deny(_ tenant: String) {
        for url in [
            "https://login.example.com/.well-known/oauth-authorization-server/\(tenant)/v2.0",
            "https://login.example.com/.well-known/openid-configuration/\(tenant)/v2.0",
            "https://login.example.com/\(tenant)/v2.0/.well-known/openid-configuration",
        ] { fetcher.on(url, status: .notFound) }
    }

    private func refusal(_ resource: ProtectedResource, _ issuer: TestIssuer) async -> Refusal? {
        let token = issuer.mint(audience: Scene.identifier, lifetime: .seconds(100_000))
        return await resource.refusal(of: .get("/notes", bearer: token))
    }

    private func stranger(_ tenant: String) -> TestIssuer { TestIssuer(Self.name(tenant), time: clock.time) }

    @Test func `advice about a tenant's token changes the pattern's entry, not the tenant's`() async throws {
        let resource = try resource()
        let issuer = publish("a")
        #expect(await refusal(resource, issuer) == nil)
        let token = issuer.mint(
            audience: Scene.identifier, claims: ["azp": "client-1"], omitting: ["client_id"])
        let explanation = await resource.explain(.get("/notes", bearer: token), judgingAllSteps: true)
        #expect(
            explanation.suggestion(knowing: [])
                == .settings([.clientIDPointers(["/client_id", "/azp"], issuer: Self.pattern)]))
    }

    @Test func `each tenant has its own discovery and keys`() async throws {
        let resource = try resource()
        let (first, second) = (publish("a"), publish("b"))
        for issuer in [first, second, first] { #expect(await refusal(resource, issuer) == nil) }
        #expect(fetcher.requests.count == 4)
        let token = try await resource.authorize(
            .get("/notes", bearer: second.mint(audience: Scene.identifier)), requiring: .anyValidToken)
        #expect(token.issuer == Self.name("b"))
        let forged = second.mint(audience: Scene.identifier, claims: ["iss": .string(Self.name("a"))])
        expectRefused(await resource.refusal(of: .get("/notes", bearer: forged)), .invalidSignature)
    }

    @Test func `a hundred requests of one new tenant cause one discovery`() async throws {
        let resource = try resource()
        let issuer = publish("a")
        let tokens = (0..<100).map { _ in issuer.mint(audience: Scene.identifier) }
        let refusals = await withTaskGroup(of: Refusal?.self) { group in
            for token in tokens {
                group.addTask { await resource.refusal(of: .get("/notes", bearer: token)) }
            }
            return await group.reduce(into: [Refusal?]()) { $0.append($1) }
        }
        #expect(refusals.allSatisfy { $0 == nil })
        #expect(fetcher.requests.count == 2)
    }

    @Test func `a tenant that is not listed is an unknown issuer, and nothing is fetched`() async throws {
        let resource = try resource(named: ["a"])
        let listed = publish("a")
        for tenant in ["b", "A", "a.", "aa"] {
            publish(tenant)
            expectRefused(await refusal(resource, stranger(tenant)), .unknownIssuer)
        }
        #expect(fetcher.requests.isEmpty)
        #expect(await refusal(resource, listed) == nil)
    }

    @Test(arguments: [
        "", ".", "..", "a/b", "%61", "a%2Fb", "a b", "a?b", "a#b", "ä", "{tenant}", "a\\b", "@evil.example",
        String(repeating: "a", count: 65),
    ])
    func `a value that is no plain path segment is an unknown issuer, and nothing is fetched`(value: String)
        async throws
    {
        let resource = try resource()
        expectRefused(await refusal(resource, stranger(value)), .unknownIssuer)
        #expect(fetcher.requests.isEmpty)
    }

    @Test func `issuers that only resemble the pattern are unknown`() async throws {
        let resource = try resource()
        for name in [
            "https://login.example.com/a/v2.0/", "https://login.example.com/a",
            "https://login.example.com/a/v2",
            "http://login.example.com/a/v2.0", "https://login.example.com.evil.example/a/v2.0",
            "https://LOGIN.example.com/a/v2.0", "https://login.example.com//v2.0", Self.pattern,
        ] {
            expectRefused(await refusal(resource, TestIssuer(name, time: clock.time)), .unknownIssuer)
        }
        #expect(fetcher.requests.isEmpty)
    }

    @Test func `a document of another tenant, or of the pattern, gives a tenant no place`() async throws {
        let resource = try resource(maxCount: 1)
        for named in ["b", "{tenant}", "{tenantid}"] {
            deny("a")
            fetcher.on(
                "https://login.example.com/.well-known/oauth-authorization-server/a/v2.0",
                json: ["issuer": .string(Self.name(named)), "jwks_uri": "https://login.example.com/b/keys"])
            publish("b")
            expectRefused(await refusal(resource, stranger("a")), .unknownIssuer)
            clock.advance(by: .seconds(31))
        }
        #expect(await refusal(resource, publish("c")) == nil)
    }

    @Test func `unknown tenants share ten attempts a minute, and known ones are not affected`() async throws {
        let resource = try resource()
        let known = publish("known")
        #expect(await refusal(resource, known) == nil)
        for number in 0..<30 {
            deny("t\(number)")
            let reason: RefusalReason = number < 9 ? .unknownIssuer : .keysUnavailable
            let refusal = await refusal(resource, stranger("t\(number)"))
            expectRefused(refusal, reason)
            if number >= 9 { #expect(refusal?.head.fields[.retryAfter] != nil) }
        }
        #expect(fetcher.requests.count == 2 + 9 * 3)
        #expect(await refusal(resource, known) == nil)
        #expect(events.all.filter { $0 == .tenantsRefused(issuer: Self.pattern) }.count == 1)
        clock.advance(by: .seconds(60))
        #expect(await refusal(resource, publish("later")) == nil)
    }

    @Test func `a failure is remembered for the cool-down`() async throws {
        let resource = try resource()
        deny("denied")
        let issuer = stranger("away")
        for _ in 0..<5 {
            expectRefused(await refusal(resource, stranger("denied")), .unknownIssuer)
            expectRefused(await refusal(resource, issuer), .keysUnavailable)
        }
        #expect(fetcher.requests.count == 3 + 1)
        let found = publish("away")
        clock.advance(by: .seconds(29))
        expectRefused(await refusal(resource, found), .keysUnavailable)
        clock.advance(by: .seconds(1))
        #expect(await refusal(resource, found) == nil)
    }

    @Test func `a listed tenant is not limited to ten attempts, and its absence is an outage`() async throws {
        let names = (0..<20).map { "t\($0)" }
        let resource = try resource(named: names)
        deny("t0")
        let refusal = await refusal(resource, stranger("t0"))
        expectRefused(refusal, .keysUnavailable)
        for name in names.dropFirst() { #expect(await self.refusal(resource, publish(name)) == nil) }
    }

    @Test func `a full table refuses newcomers without a fetch`() async throws {
        let resource = try resource(maxCount: 2)
        let known = [publish("a"), publish("b")]
        for issuer in known { #expect(await refusal(resource, issuer) == nil) }
        let count = fetcher.requests.count
        expectRefused(await refusal(resource, publish("c")), .keysUnavailable)
        #expect(fetcher.requests.count == count)
        #expect(events.all.contains(.tenantsRefused(issuer: Self.pattern)))
        for issuer in known { #expect(await refusal(resource, issuer) == nil) }
    }

    @Test func `keys that are configured are those of every tenant`() async throws {
        let issuer = stranger("a")
        let resource = try resource(keys: .fixed(issuer.keys))
        #expect(await refusal(resource, issuer) == nil)
        expectRefused(await refusal(resource, stranger("b")), .invalidSignature)
        #expect(fetcher.requests.isEmpty && resource.isReady)
        fetcher.on("https://login.example.com/keys", json: .object(issuer.keys.publicJSON))
        let remote = try self.resource(keys: .remote("https://login.example.com/keys"))
        #expect(await refusal(remote, issuer) == nil)
        #expect(await refusal(remote, issuer) == nil)
        #expect(fetcher.requests.count == 1)
    }

    @Test func `a new configuration keeps the known tenants`() async throws {
        let pool = IssuerConnections()
        let before = try resource(sharing: pool)
        let issuers = ["a", "b"].map { publish($0) }
        for issuer in issuers { #expect(await refusal(before, issuer) == nil) }
        deny("a")
        deny("b")
        let after = try resource(named: ["a"], sharing: IssuerConnections(succeeding: pool))
        #expect(await refusal(after, issuers[0]) == nil)
        expectRefused(await refusal(after, issuers[1]), .unknownIssuer)
    }

    @Test func `a pattern is ready before its tenants are known`() throws {
        #expect(try resource().isReady)
    }

    @Test func `RFC 9728 §2: metadata lists the named tenants, never the pattern`() {
        let named = ProtectedResource(
            "https://api.example.com/notes", trusting: .tenants(of: Self.pattern, named: ["a", "b"]))
        #expect(named.metadata.authorizationServers == [Self.name("a"), Self.name("b")])
        let any = ProtectedResource(
            "https://api.example.com/notes", trusting: .tenants(of: Self.pattern, named: nil))
        #expect(any.metadata.authorizationServers == [])
    }

    @Test func `an invalid pattern is a mistake in the declaration`() throws {
        let metadata = try ProtectedResourceMetadata(
            resource: ResourceIdentifier(validating: Scene.identifier))
        func paths(_ issuer: TrustedIssuer) -> [String?] {
            problems { () throws(ConfigurationError) in
                _ = try ProtectedResource(validating: .init(metadata, trusting: [issuer]))
            }.map(\.path)
        }
        var opaque = TrustedIssuer.tenants(of: Self.pattern, named: nil)
        opaque.introspection = .init(authentication: .bearer(token: "t"))
        #expect(paths(opaque) == ["issuers[0].introspection"])
        #expect(paths(.tenants(of: "https://{t}.example.com/", named: nil)) == ["issuers[0].issuer"])
        #expect(paths(.tenants(of: Self.pattern, named: [])) == ["issuers[0].tenants"])
        #expect(paths(.tenants(of: Self.pattern, named: ["a/b"])) == ["issuers[0].tenants"])
        #expect(paths(.tenants(of: Self.pattern, named: nil, maxCount: 0)) == ["issuers[0].max_tenants"])
        #expect(paths(.tenants(of: "https://as.example.com", named: ["a"])) == ["issuers[0].tenants"])
    }
}
