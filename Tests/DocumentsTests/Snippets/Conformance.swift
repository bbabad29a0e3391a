// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import PortcullisTesting
import Testing

// snippet: testing-conformance
@Test func `the gate conforms`() async throws {
    let issuer = TestIssuer("https://login.example.com")
    let notes = ProtectedResource(
        "https://api.example.com/notes", trusting: issuer.trusted, scopes: ["notes:read"])
    try await withServer(guarding: notes) { port in
        let gate = GateConformance(
            of: "https://api.example.com/notes", at: "http://127.0.0.1:\(port)/notes/7", signedBy: issuer,
            requiring: "notes:read")
        let failures = await gate.failures()
        #expect(failures.isEmpty)
    }
}
// end

/// Runs a server with one route below a resource.
private func withServer(
    guarding resource: ProtectedResource, _ test: (_ port: Int) async throws -> Void
) async throws {
    let server = Server(port: 0) { routes in
        routes.protect(resource) { $0.get("/{id}", requiring: "notes:read") { _, _ in .text("a note") } }
    }
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    let running = Task { try await server.run { continuation.yield($0.port) } }
    for await port in ports {
        try await test(port)
        break
    }
    running.cancel()
}
