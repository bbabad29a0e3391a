// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import PortcullisTesting
import PortcullisTransport
import Testing

@Suite("GateConformance: the same checks of our own routes and of the gateway")
struct GateConformanceTests {
    static let identifier: ResourceIdentifier = "https://api.example.com/notes"

    private let issuer = TestIssuer("https://as.example.com")

    private func resource(proofs: Bool) throws -> ProtectedResource {
        var metadata = ProtectedResourceMetadata(resource: Self.identifier)
        metadata.authorizationServers = [issuer.issuer]
        metadata.scopesSupported = ["notes:read"]
        metadata.bearerMethodsSupported = [.header]
        if proofs { metadata.dpopSigningAlgorithmsSupported = ["ES256"] }
        return try ProtectedResource(validating: .init(metadata, trusting: [issuer.trusted]))
    }

    private static func answers(_ routes: inout ProtectedRoutes) {
        routes.get("/{id}", requiring: "notes:read") { _, _ in .text("a note") }
    }

    /// Runs a server that is guarded by its own routes, or by a gateway in front of one that guards nothing.
    private func withGate(
        isGateway: Bool, proofs: Bool = false, tls: Server.TLS? = nil,
        _ test: (RunningServer) async throws -> Void
    ) async throws {
        let resource = try resource(proofs: proofs)
        let setup = RunningServer.Setup(tls: tls)
        guard isGateway else {
            try await withServer(setup, { $0.protect(resource, Self.answers) }, test)
            return
        }
        try await withServer(
            RunningServer.Setup(), { $0.on([.everyMethod], "/{rest...}") { _ in .text("a note") } }
        ) { behind in
            let proxy = ReverseProxy("http://127.0.0.1:\(behind.port)")
            try await withServer(
                setup,
                { $0.protect(resource) { $0.proxy("/{rest...}", requiring: "notes:read", to: proxy) } },
                test)
        }
    }

    @Test(arguments: [false, true])
    func `three lines test a gate`(isGateway: Bool) async throws {
        try await withGate(isGateway: isGateway) { server in
            let gate = GateConformance(
                of: Self.identifier, at: "http://127.0.0.1:\(server.port)/notes/7", signedBy: issuer,
                requiring: "notes:read")
            let failures = await gate.failures()
            #expect(failures.isEmpty, "\(failures)")
        }
    }

    @Test(arguments: [false, true])
    func `RFC 9449 §4.3: with DPoP`(isGateway: Bool) async throws {
        try await withGate(isGateway: isGateway, proofs: true) { server in
            var gate = GateConformance(
                of: Self.identifier, at: "http://127.0.0.1:\(server.port)/notes/7", signedBy: issuer,
                requiring: "notes:read")
            gate.testsProofs = true
            let failures = await gate.failures()
            #expect(failures.isEmpty, "\(failures)")
        }
    }

    @Test(arguments: [false, true])
    func `RFC 8705 §3: with client certificates`(isGateway: Bool) async throws {
        let identities = try TestIdentities.shared.get()
        let tls = try identities.tls(clients: .request())
        try await withGate(isGateway: isGateway, tls: tls) { server in
            var gate = GateConformance(
                of: Self.identifier, at: "https://localhost:\(server.port)/notes/7", signedBy: issuer,
                requiring: "notes:read")
            gate.roots = .pem(identities.pem("ca"))
            gate.certificates = .init(identities.identity("client"), der: try identities.der("client"))
            let failures = await gate.failures()
            #expect(failures.isEmpty, "\(failures)")
        }
    }

    private struct JoinedChallenges: NonWaitingMiddleware {
        func intercept(_ request: inout Request) -> Interception {
            .proceedThenFinish { response in
                let challenges = response.fields.values(of: .wwwAuthenticate)
                guard !challenges.isEmpty else { return }
                response.fields[.wwwAuthenticate] = challenges.joined(separator: ", ")
            }
        }
    }

    @Test func `RFC 9110 §5.3: a server may join the challenges in one line`() async throws {
        let resource = try resource(proofs: true)
        try await withServer(
            RunningServer.Setup(),
            { routes in
                routes.use(JoinedChallenges())
                routes.protect(resource, Self.answers)
            }
        ) { server in
            var gate = GateConformance(
                of: Self.identifier, at: "http://127.0.0.1:\(server.port)/notes/7", signedBy: issuer,
                requiring: "notes:read")
            gate.testsProofs = true
            let failures = await gate.failures()
            #expect(failures.isEmpty, "\(failures)")
        }
    }

    @Test func `only the checks of two equal fields need a server that passes both on`() {
        var gate = GateConformance(
            of: Self.identifier, at: "http://127.0.0.1/notes/7", signedBy: issuer, requiring: "notes:read")
        gate.testsProofs = true
        let all = gate.checks
        gate.passesRepeatedFields = false
        #expect(
            Set(all).subtracting(gate.checks) == [
                "RFC 6750 §3.1: two Authorization fields are 400", "RFC 9449 §4.3: two proofs is refused",
            ])
    }

    /// A check that cannot fail tests nothing.
    @Test func `a server without a gate fails all checks but those of what is let in`() async throws {
        try await withServer(
            RunningServer.Setup(), { $0.on([.everyMethod], "/{rest...}") { _ in .text("{}") } }
        ) { server in
            var gate = GateConformance(
                of: Self.identifier, at: "http://127.0.0.1:\(server.port)/notes/7", signedBy: issuer,
                requiring: "notes:read")
            gate.testsProofs = true
            let failed = Set(await gate.failures().map { "\($0.clause): \($0.check)" })
            #expect(gate.checks.count >= 60)
            #expect(Set(gate.checks).count == gate.checks.count)
            #expect(
                gate.checks.filter { !failed.contains($0) } == [
                    "RFC 9110 §11.1: the scheme is not case-sensitive",
                    // The server refuses such a path by itself.
                    "RFC 3986 §6.2.2.3: a path with encoded dot segments is not let in",
                    "RFC 9449 §7.1: a bound token with its proof is let in",
                ])
        }
    }

    @Test func `a server that refuses everything fails the checks of what is let in`() async throws {
        try await withServer(
            RunningServer.Setup(),
            { $0.on([.everyMethod], "/{rest...}") { _ in Response(status: .unauthorized) } }
        ) { server in
            let gate = GateConformance(
                of: Self.identifier, at: "http://127.0.0.1:\(server.port)/notes/7", signedBy: issuer)
            let failed = Set(await gate.failures().map { "\($0.clause): \($0.check)" })
            #expect(
                gate.checks.filter { !failed.contains($0) } == [
                    "RFC 3986 §6.2.2.3: a path with encoded dot segments is not let in"
                ])
        }
    }

    @Test func `statuses that a server in between maps are expected mapped`() async throws {
        try await withServer(
            RunningServer.Setup(),
            { $0.on([.everyMethod], "/{rest...}") { _ in Response(status: .forbidden) } }
        ) { server in
            var gate = GateConformance(
                of: Self.identifier, at: "http://127.0.0.1:\(server.port)/notes/7", signedBy: issuer)
            let before = await gate.failures().map(\.check)
            gate.statusMapping = .nginxEndpoint
            let after = await gate.failures().map(\.check)
            #expect(before.filter { !after.contains($0) } == ["two Authorization fields are 400"])
            // The documents have their own statuses.
            gate.statusMapping = [200: 403, 404: 403, 405: 403]
            let documents = await gate.failures().filter { $0.clause.hasPrefix("RFC 9728 §3.1") }
            #expect(documents.map(\.message) == ["expected 200, not 403", "expected 404, not 403"])
        }
    }

    @Test func `a URL that is not below the resource is said to be wrong`() async {
        let gate = GateConformance(
            of: Self.identifier, at: "http://127.0.0.1:1/other", signedBy: issuer)
        #expect(await gate.failures().map(\.clause) == ["RFC 9728 §1.2"])
    }
}
