// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

/// A resource, a real authorization server without a socket in between, and their clock.
struct FaultyWorld {
    typealias Server = TestAuthorizationServer
    static let identifier = "https://api.example.com/notes"

    let clock = ManualClock()
    let server: Server
    let resource: ProtectedResource

    /// - Parameter skew: How far the server's clock is ahead of the resource's.
    init(introspecting: Bool = false, skew: Duration = .zero) throws {
        let clock = clock
        var configuration = Server.Configuration(issuer: "https://as.example.com")
        configuration.tokenFormat = introspecting ? .opaque : .jwt
        server = try Server(configuration, now: { clock.now.adding(skew) })
        server.register(clientID: "rs", secret: "s3cret")
        var trusted =
            introspecting
            ? TrustedIssuer.introspection(
                issuer: server.issuer, authenticatedBy: .clientSecretPost(id: "rs", secret: "s3cret"))
            : TrustedIssuer.jwt(issuer: server.issuer)
        trusted.fetcher = server
        resource = try ProtectedResource(
            validating: ProtectedResourceMetadata(
                resource: ResourceIdentifier(validating: Self.identifier)),
            trusting: [trusted], time: clock.time)
    }

    func token(lifetime: Duration = .seconds(100_000)) throws -> String {
        var request = Server.TokenRequest(audience: [Self.identifier])
        request.lifetime = lifetime
        return try server.makeToken(request)
    }

    func refusal(of token: String) async -> Refusal? {
        await resource.refusal(of: .get("/notes", bearer: token))
    }

    /// Asserts that every one of several tokens gets 503, which says nothing against the token.
    func expectOutage(_ tokens: [String], sourceLocation: SourceLocation = #_sourceLocation) async {
        for token in tokens {
            let refusal = await refusal(of: token)
            #expect(refusal?.status == .serviceUnavailable, sourceLocation: sourceLocation)
            #expect(refusal?.challenges == [], sourceLocation: sourceLocation)
            #expect(refusal?.head.fields[.retryAfter] == "5", sourceLocation: sourceLocation)
        }
    }

    func settle(until condition: () -> Bool) async {
        for _ in 0..<10_000 where !condition() { await Task.yield() }
    }
}

@Suite("Fault table: what an authorization server can do wrong, and what becomes of it")
struct FaultTableTests {
    typealias Fault = TestAuthorizationServer.Fault
    typealias Endpoint = TestAuthorizationServer.Endpoint

    static let everywhere: [Fault] = [
        .status(.internalServerError), .status(.notFound), .status(.unauthorized), .hang, .malformedBody,
        .redirect,
        .oversizedBody,
    ]

    static let rows: [(Endpoint, Fault)] =
        everywhere.flatMap { [(.metadata, $0), (.keys, $0)] } + [
            (.metadata, .wrongIssuer), (.keys, .emptyKeySet),
        ]

    @Test(arguments: rows)
    func `at start: 503, one attempt until the pause is over, and it recovers by itself`(
        endpoint: Endpoint, fault: Fault
    ) async throws {
        let world = try FaultyWorld()
        world.server.setFault(fault, at: endpoint)
        let tokens = try (0..<20).map { _ in try world.token() }
        await world.expectOutage(tokens)
        #expect(world.server.requestCount(at: endpoint) == 1)
        #expect(!world.resource.isReady)
        world.clock.advance(by: .seconds(1))
        await world.expectOutage(tokens)
        #expect(world.server.requestCount(at: endpoint) == 2)
        world.server.setFault(nil, at: endpoint)
        world.clock.advance(by: .seconds(2))
        for token in tokens { #expect(await world.refusal(of: token) == nil) }
        #expect(world.server.requestCount(at: endpoint) == 3)
        #expect(world.resource.isReady)
    }

    @Test(arguments: rows.filter { $0.0 == .keys })
    func `later: the last good keys serve for an hour, then 503, and it recovers by itself`(
        endpoint: Endpoint, fault: Fault
    ) async throws {
        let world = try FaultyWorld()
        #expect(await world.refusal(of: try world.token()) == nil)
        world.server.setFault(fault, at: endpoint)
        world.clock.advance(by: .seconds(600))
        for _ in 0..<20 { #expect(await world.refusal(of: try world.token()) == nil) }
        await world.settle { world.server.requestCount(at: endpoint) > 1 }
        #expect(world.server.requestCount(at: endpoint) == 2)
        world.clock.advance(by: .seconds(3600))
        await world.expectOutage([try world.token(), try world.token()])
        world.server.setFault(nil, at: endpoint)
        world.clock.advance(by: .seconds(30))
        #expect(await world.refusal(of: try world.token()) == nil)
    }

    @Test(arguments: everywhere)
    func `introspection fails: 503, no more than five calls, and one probe finds out that it is over`(
        fault: Fault
    ) async throws {
        let world = try FaultyWorld(introspecting: true)
        let tokens = try (0..<20).map { _ in try world.token() }
        let known = try world.token()
        #expect(await world.refusal(of: known) == nil)
        world.server.setFault(fault, at: .introspection)
        await world.expectOutage(tokens)
        let isAboutTheServer = fault != .status(.notFound)
        #expect(world.server.requestCount(at: .introspection) == 1 + (isAboutTheServer ? 5 : 20))
        #expect(await world.refusal(of: known) == nil)
        world.server.setFault(nil, at: .introspection)
        world.clock.advance(by: .seconds(1))
        for token in tokens { #expect(await world.refusal(of: token) == nil) }
    }

    @Test func `introspection speaks for another issuer: the token is refused`() async throws {
        let world = try FaultyWorld(introspecting: true)
        let token = try world.token()
        world.server.setFault(.wrongIssuer, at: .introspection)
        #expect(await world.refusal(of: token)?.reason == .unknownIssuer)
        world.server.setFault(nil, at: .introspection)
        world.clock.advance(by: .seconds(5))
        #expect(await world.refusal(of: token) == nil)
    }

    @Test func `keys rotated: one fetch finds the new one, and the old one ends with the next refresh`()
        async throws
    {
        let world = try FaultyWorld()
        let old = try world.token()
        #expect(await world.refusal(of: old) == nil)
        try world.server.rotateKeys(droppingOldKeys: true)
        world.clock.advance(by: .seconds(30))
        let new = try (0..<20).map { _ in try world.token() }
        for token in new { #expect(await world.refusal(of: token) == nil) }
        #expect(world.server.requestCount(at: .keys) == 2)
        let refusal = await world.refusal(of: old)
        #expect(refusal?.reason == .unknownKey && refusal?.status == .unauthorized)
        #expect(world.server.requestCount(at: .keys) == 2)
    }

    @Test(arguments: [
        (30, nil), (31, RefusalReason.issuedInTheFuture), (-329, nil), (-330, RefusalReason.expired),
    ])
    func `clocks apart: the leeway on either side, and no more`(skew: Int, reason: RefusalReason?)
        async throws
    {
        let world = try FaultyWorld(skew: .seconds(skew))
        let refusal = await world.refusal(of: try world.token(lifetime: .seconds(300)))
        #expect(refusal?.reason == reason)
        #expect(refusal?.status == (reason == nil ? nil : .unauthorized))
    }
}
