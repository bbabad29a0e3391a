// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import PortcullisTransport
import Testing

@Suite("Replacing the routes of a running server")
struct ReplacementTests {
    private static func routes(_ declare: (inout Routes) -> Void) -> Routes {
        var routes = Routes()
        declare(&routes)
        return routes
    }

    @Test func `an open connection uses the new routes for its next request`() async throws {
        try await withServer(.init(), { $0.get("/") { _ in .text("old") } }) { server in
            let client = try server.client()
            #expect(try await client.exchange(request("GET", "/")).text == "old")
            try await server.replace(Self.routes { $0.get("/") { _ in .text("new") } })
            #expect(try await client.exchange(request("GET", "/")).text == "new")
            #expect(try await client.exchange(request("GET", "/none")).status == 404)
        }
    }

    @Test func `a request in flight ends with the old routes`() async throws {
        let gate = Gate()
        let arrived = Gate()
        try await withServer(
            .init(),
            {
                $0.get("/") { _ in
                    arrived.open()
                    await gate.wait()
                    return .text("old")
                }
            }
        ) { server in
            let client = try server.client()
            try await client.send(request("GET", "/"))
            await arrived.wait()
            try await server.replace(Self.routes { $0.get("/") { _ in .text("new") } })
            gate.open()
            #expect(try await client.reply().text == "old")
            #expect(try await client.exchange(request("GET", "/")).text == "new")
        }
    }

    @Test func `contradictory routes change nothing`() async throws {
        try await withServer(.init(), { $0.get("/") { _ in .text("old") } }) { server in
            let contradicting = Self.routes {
                $0.get("/") { _ in .text("one") }
                $0.get("/") { _ in .text("two") }
            }
            await #expect(throws: ConfigurationError.self) { try await server.replace(contradicting) }
            let reply = try await server.get("/")
            #expect(reply.text == "old")
        }
    }

    @Test func `new limits apply to new connections, open ones keep the old limits`() async throws {
        try await withServer(.init(), { $0.get("/{rest...}") { _ in .ok } }) { server in
            let old = try server.client()
            let long = "/" + String(repeating: "a", count: 200)
            #expect(try await old.exchange(request("GET", long)).status == 200)
            var limits = Server.Limits()
            limits.maxTargetByteCount = 100
            try await server.replace(Self.routes { $0.get("/{rest...}") { _ in .ok } }, limits: limits)
            #expect(try await server.get(long).status == 414)
            #expect(try await old.exchange(request("GET", long)).status == 200)
        }
    }

    @Test func `a higher limit admits waiting clients`() async throws {
        var limits = Server.Limits()
        limits.maxConnectionCount = 1
        try await withServer(.init(limits: limits), { $0.get("/") { _ in .ok } }) { server in
            let first = try server.client()
            #expect(try await first.exchange(request("GET", "/")).status == 200)
            let second = try server.client()
            try await second.send(request("GET", "/"))
            limits.maxConnectionCount = 2
            try await server.replace(Self.routes { $0.get("/") { _ in .ok } }, limits: limits)
            #expect(try await second.reply().status == 200)
        }
    }

    @Test func `replacements before the server runs apply too`() async throws {
        let server = try Server(validating: Self.routes { $0.get("/") { _ in .text("old") } }, port: 0)
        try await server.replace(Self.routes { $0.get("/") { _ in .text("new") } })
        let running = try await RunningServer.start(server)
        #expect(try await running.get("/").text == "new")
        try await running.stop()
    }
}
