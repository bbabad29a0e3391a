// SPDX-License-Identifier: MIT

import FlyingFox
import FlyingFoxNotes
import Portcullis
import PortcullisTesting
import Testing

/// Runs the notes on a free port of the loopback address.
func withNotes(
    _ resources: [ProtectedResource],
    _ test: (_ origin: String, _ registry: ResourceRegistry) async throws -> Void
) async throws {
    let registry = try ResourceRegistry(resources)
    let server = try notesServer(registry, port: 0)
    let running = Task { try await server.run() }
    try await server.waitUntilListening()
    guard case .ip4(_, let port) = await server.listeningAddress else {
        Issue.record("the server does not listen")
        return
    }
    try await test("http://127.0.0.1:\(port)", registry)
    await server.stop()
    running.cancel()
}

// snippet: flyingfox-conformance
@Test(arguments: [false, true])
func `the gate conforms`(testsProofs: Bool) async throws {
    let issuer = TestIssuer("https://login.example.com")
    try await withNotes([.notes(trusting: issuer, dpop: testsProofs ? .accepted : .none)]) { origin, _ in
        var gate = GateConformance(
            of: "https://api.example.com/notes", at: origin + "/notes/7", signedBy: issuer,
            requiring: "notes:read")
        gate.testsProofs = testsProofs
        // FlyingFox keeps the last of several fields of one name.
        gate.passesRepeatedFields = false
        let failures = await gate.failures()
        #expect(failures.isEmpty, "\(failures)")
    }
}
// end
