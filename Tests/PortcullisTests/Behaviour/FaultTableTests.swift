// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Synchronization
import Testing

/// A connection to a server, which a test can cut.
final class FaultyLine: Fetcher {
    private let server: TestAuthorizationServer
    private let state = Mutex((isCut: false, attemptCount: 0))

    init(to server: TestAuthorizationServer) { self.server = server }

    /// The number of fetches.
    var attemptCount: Int { state.withLock { $0.attemptCount } }

    func cut(_ isCut: Bool = true) { state.withLock { $0.isCut = isCut } }

    func fetch(_ request: FetchRequest) async throws(FetchError) -> FetchResponse {
        let isCut = state.withLock { state in
            state.attemptCount += 1
            return state.isCut
        }
        guard !isCut else { throw .unreachable }
        return try await server.fetch(request)
    }
}

/// A resource, a real authorization server without a socket in between, and their clock.
struct FaultyWorld {
    typealias Server = TestAuthorizationServer
    static let identifier = "https://api.example.com/notes"

    let clock = ManualClock()
    let server: Server
    let line: FaultyLine
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
        line = FaultyLine(to: server)
        trusted.fetcher = line
        resource = try ProtectedResource(
            validating: .init(
                ProtectedResourceMetadata(
                    resource: ResourceIdentifier(validating: Self.identifier)),
                trusting: [trusted], time: clock.time))
    }

    func token(lifetime: Duration = .seconds(100_000)) throws -> String {
        var request = Server.TokenRequest(audience: [Self.identifier])
        request.lifetime = lifetime
        return try server.makeToken(request)
    }

    func refusal(of token: String) async -> Refusal? {
        await resource.refusal(of: .get("/notes", bearer: token))
    }

    /// Asserts that every one of several tokens gets 503, which does not call the token invalid.
    func expectOutage(_ tokens: [String], sourceLocation: SourceLocation = #_sourceLocation) async {
        for token in tokens {
            let refusal = await refusal(of: token)
            let reason = refusal?.reason == .introspectionUnavailable ? refusal?.reason : .keysUnavailable
            expectRefused(refusal, reason ?? .keysUnavailable, sourceLocation: sourceLocation)
        }
    }

}

@Suite("Fault table: faults of an authorization server, and their effects")
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
    func `at start: 503, one attempt per pause, and it recovers without help`(
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
    func `later: the last good keys are used for an hour, then 503, and it recovers without help`(
        endpoint: Endpoint, fault: Fault
    ) async throws {
        let world = try FaultyWorld()
        #expect(await world.refusal(of: try world.token()) == nil)
        world.server.setFault(fault, at: endpoint)
        world.clock.advance(by: .seconds(600))
        for _ in 0..<20 { #expect(await world.refusal(of: try world.token()) == nil) }
        await settle { world.server.requestCount(at: endpoint) > 1 }
        #expect(world.server.requestCount(at: endpoint) == 2)
        world.clock.advance(by: .seconds(3600))
        await world.expectOutage([try world.token(), try world.token()])
        world.server.setFault(nil, at: endpoint)
        world.clock.advance(by: .seconds(30))
        let calls = world.server.requestCount(at: endpoint)
        #expect(await world.refusal(of: try world.token()) == nil)
        #expect(world.server.requestCount(at: endpoint) == calls + 1)
    }

    @Test func `unreachable at start: 503, one attempt per pause, and it recovers without help`()
        async throws
    {
        let world = try FaultyWorld()
        world.line.cut()
        let tokens = try (0..<20).map { _ in try world.token() }
        await world.expectOutage(tokens)
        #expect(world.line.attemptCount == 1)
        world.clock.advance(by: .seconds(1))
        await world.expectOutage(tokens)
        #expect(world.line.attemptCount == 2)
        world.line.cut(false)
        world.clock.advance(by: .seconds(2))
        for token in tokens { #expect(await world.refusal(of: token) == nil) }
        // The metadata and the keys, once each.
        #expect(world.line.attemptCount == 4)
    }

    @Test
    func `unreachable later: the last answers are used for an hour, then 503, and it recovers without help`()
        async throws
    {
        let world = try FaultyWorld()
        #expect(await world.refusal(of: try world.token()) == nil)
        #expect(world.line.attemptCount == 2)
        world.line.cut()
        for _ in 0..<20 { #expect(await world.refusal(of: try world.token()) == nil) }
        #expect(world.line.attemptCount == 2)
        world.clock.advance(by: .seconds(600))
        for _ in 0..<20 { #expect(await world.refusal(of: try world.token()) == nil) }
        await settle { world.line.attemptCount > 2 }
        #expect((3...4).contains(world.line.attemptCount))
        world.clock.advance(by: .seconds(3600))
        let calls = world.line.attemptCount
        await world.expectOutage([try world.token(), try world.token()])
        #expect(world.line.attemptCount <= calls + 2)
        world.line.cut(false)
        world.clock.advance(by: .seconds(30))
        #expect(await world.refusal(of: try world.token()) == nil)
    }

    @Test func `introspection unreachable: 503, five calls and a probe, and it recovers without help`()
        async throws
    {
        let world = try FaultyWorld(introspecting: true)
        let known = try world.token()
        #expect(await world.refusal(of: known) == nil)
        let calls = world.line.attemptCount
        world.line.cut()
        let tokens = try (0..<20).map { _ in try world.token() }
        await world.expectOutage(tokens)
        #expect(world.line.attemptCount == calls + 5)
        #expect(await world.refusal(of: known) == nil)
        world.clock.advance(by: .seconds(1))
        await world.expectOutage(tokens)
        #expect(world.line.attemptCount == calls + 6)
        world.line.cut(false)
        world.clock.advance(by: .seconds(2))
        for token in tokens { #expect(await world.refusal(of: token) == nil) }
        // The probe asks about the token that is known to be active.
        #expect(world.line.attemptCount == calls + 27)
    }

    @Test(arguments: everywhere)
    func `introspection fails: 503, at most five calls and a probe, and one probe finds the recovery`(
        fault: Fault
    ) async throws {
        let world = try FaultyWorld(introspecting: true)
        let tokens = try (0..<20).map { _ in try world.token() }
        let known = try world.token()
        #expect(await world.refusal(of: known) == nil)
        world.server.setFault(fault, at: .introspection)
        await world.expectOutage(tokens)
        let isAboutTheServer = fault != .status(.notFound)
        #expect(world.server.requestCount(at: .introspection) == 1 + (isAboutTheServer ? 5 + 1 : 20))
        #expect(await world.refusal(of: known) == nil)
        world.server.setFault(nil, at: .introspection)
        world.clock.advance(by: .seconds(1))
        for token in tokens { #expect(await world.refusal(of: token) == nil) }
    }

    @Test func `introspection names another issuer: the token is refused`() async throws {
        let world = try FaultyWorld(introspecting: true)
        let token = try world.token()
        world.server.setFault(.wrongIssuer, at: .introspection)
        expectRefused(await world.refusal(of: token), .unknownIssuer)
        #expect(world.server.requestCount(at: .introspection) == 1)
        world.server.setFault(nil, at: .introspection)
        world.clock.advance(by: .seconds(5))
        #expect(await world.refusal(of: token) == nil)
    }

    @Test func `keys rotated: one fetch finds the new key, and the old key ends with the next refresh`()
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
        expectRefused(refusal, .unknownKey)
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
        if let reason { expectRefused(refusal, reason) } else { #expect(refusal == nil) }
        // A clock difference causes no fetch of keys.
        #expect(world.server.requestCount(at: .keys) == 1)
    }
}
