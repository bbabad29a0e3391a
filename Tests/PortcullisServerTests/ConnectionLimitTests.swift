// SPDX-License-Identifier: MIT

import PortcullisServer
import PortcullisTransport
import Testing

@Suite("As many connections as there may be")
struct ConnectionLimitTests {
    private func serving(
        atMost count: Int, _ kind: ReadinessKind = .preferred, loops: Int = 2,
        _ test: (RunningServer) async throws -> Void
    ) async throws {
        var setup = RunningServer.Setup(readiness: kind, loops: loops)
        setup.limits.maxConnectionCount = count
        try await withServer(setup, { $0.get("/") { _ in .text("served") } }, test)
    }

    @Test(arguments: ReadinessKind.allCases)
    func `who comes while all places are taken waits, and is served when one is free`(
        _ kind: ReadinessKind
    ) async throws {
        try await serving(atMost: 2, kind) { server in
            let first = try server.client()
            let second = try server.client()
            for client in [first, second] {
                #expect(try await client.exchange(request("GET", "/")).text == "served")
            }
            let third = try server.client()
            try await third.send(request("GET", "/"))
            first.close()
            #expect(try await third.reply().text == "served")
            #expect(try await second.exchange(request("GET", "/")).text == "served")
        }
    }
}
