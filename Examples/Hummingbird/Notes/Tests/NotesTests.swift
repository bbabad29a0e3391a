// SPDX-License-Identifier: MIT

import Hummingbird
import HummingbirdNotes
import Portcullis
import PortcullisTesting
import Testing

/// Runs the notes on a free port of the loopback address.
func withNotes(
    _ resources: [ProtectedResource],
    _ test: (_ origin: String, _ registry: ResourceRegistry) async throws -> Void
) async throws {
    let registry = try ResourceRegistry(resources)
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    let server = notesServer(registry, at: .hostname("127.0.0.1", port: 0)) { continuation.yield($0) }
    let running = Task { try await server.run() }
    for await port in ports {
        try await test("http://127.0.0.1:\(port)", registry)
        break
    }
    running.cancel()
}

// snippet: hummingbird-conformance
@Test(arguments: [false, true])
func `the gate conforms`(testsProofs: Bool) async throws {
    let issuer = TestIssuer("https://login.example.com")
    try await withNotes([.notes(trusting: issuer, dpop: testsProofs ? .accepted : .none)]) { origin, _ in
        var gate = GateConformance(
            of: "https://api.example.com/notes", at: origin + "/notes/7", signedBy: issuer,
            requiring: "notes:read")
        gate.testsProofs = testsProofs
        let failures = await gate.failures()
        #expect(failures.isEmpty, "\(failures)")
    }
}
// end
