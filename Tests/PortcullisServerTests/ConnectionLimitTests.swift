// SPDX-License-Identifier: MIT

import PortcullisServer
import PortcullisTransport
import Testing

@Suite("Connection limit")
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
    func `a client beyond the limit waits, and is served when a connection closes`(
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

    @Test(arguments: ReadinessKind.allCases)
    func `a client that has waited too long gets 503, and the next one is served again`(
        _ kind: ReadinessKind
    ) async throws {
        try await serving(atMost: 1, kind) { server in
            let first = try server.client()
            #expect(try await first.exchange(request("GET", "/")).text == "served")
            // More than the server refuses concurrently.
            let others = try (0..<100).map { _ in try server.client(timeout: .seconds(20)) }
            for client in others { try await client.send(request("GET", "/")) }
            for client in others {
                let reply = try await client.reply()
                #expect(reply.status == 503 && reply["retry-after"] == "2" && reply.closes)
                #expect(reply.text == "Service Unavailable\n" && !reply.isCutOff)
                client.close()
            }
            #expect(try await first.exchange(request("GET", "/")).text == "served")
            first.close()
            // A client that connects before the server has noticed is still refused.
            let deadline = ContinuousClock.now + .seconds(20)
            var reply = try await server.get("/")
            while reply.status == 503, ContinuousClock.now < deadline { reply = try await server.get("/") }
            #expect(reply.text == "served")
        }
    }

    /// What is configured, the origin of a page, and the origin that the answer names.
    struct Page: Sendable {
        let origins: [String]
        let origin: String
        let named: String?
    }

    static let pages = [
        Page(origins: [], origin: "https://a.example", named: nil),
        Page(origins: ["*"], origin: "https://a.example", named: "*"),
        Page(origins: ["https://a.example"], origin: "https://a.example", named: "https://a.example"),
        Page(origins: ["https://a.example"], origin: "https://other.example", named: nil),
        Page(
            origins: ["https://a.example", "https://b.example"], origin: "https://b.example",
            named: "https://b.example"),
        Page(
            origins: ["https://a.example", "https://b.example"], origin: "https://other.example", named: nil),
    ]

    /// WHATWG Fetch, CORS check: a page reads why it is refused where the configuration lets it.
    @Test(arguments: pages)
    func `a full server's 503 is readable by the pages that CORS allows`(page: Page) async throws {
        var setup = RunningServer.Setup()
        setup.limits.maxConnectionCount = 1
        let policy = page.origins.isEmpty ? nil : try CORSPolicy(allowing: page.origins)
        let declare: (inout Routes) -> Void = { routes in
            routes.group { routes in
                routes.cors = policy
                routes.get("/") { _ in .text("served") }
            }
        }
        try await withServer(setup, declare) { server in
            let first = try server.client(timeout: .seconds(20))
            #expect(try await first.exchange(request("GET", "/")).text == "served")
            let second = try server.client(timeout: .seconds(20))
            try await second.send(request("GET", "/", ["Origin: \(page.origin)"]))
            let reply = try await second.reply()
            #expect(reply.status == 503 && reply["retry-after"] == "2")
            #expect(reply["access-control-allow-origin"] == page.named)
        }
    }

    @Test func `the server answers 503 without waiting for a request`() async throws {
        try await serving(atMost: 1) { server in
            let first = try server.client()
            #expect(try await first.exchange(request("GET", "/")).text == "served")
            let silent = try server.client(timeout: .seconds(20))
            #expect(try await silent.reply().status == 503)
            #expect(await silent.rest() == ([], .closed))
        }
    }

    @Test func `under TLS the server closes the connection, because the client could not read a 503`()
        async throws
    {
        let identities = try TestIdentities.shared.get()
        var setup = RunningServer.Setup()
        setup.limits.maxConnectionCount = 1
        setup.tls = try identities.tls(clients: .none)
        try await withServer(setup, { $0.get("/") { _ in .text("served") } }) { server in
            let first = try server.client(timeout: .seconds(20))
            try await first.secure(try identities.client(showing: nil))
            #expect(try await first.exchange(request("GET", "/")).text == "served")
            let second = try server.client(timeout: .seconds(20))
            #expect(await second.rest() == ([], .closed))
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a client that resets counts toward the limit until its handler has ended`(_ kind: ReadinessKind)
        async throws
    {
        let (begun, door) = (Counter(), Gate())
        var setup = RunningServer.Setup(readiness: kind)
        setup.limits.maxConnectionCount = 2
        func declare(_ routes: inout Routes) {
            routes.get("/") { _ in .text("served") }
            routes.get("/wait") { _ async in
                begun.increment()
                await door.wait()
                return .text("waited")
            }
        }
        try await withServer(setup, declare) { server in
            for count in 1...2 {
                let client = try server.client()
                try await client.send(request("GET", "/wait"))
                #expect(await eventually { begun.value == count })
                client.reset()
            }
            let others = try (0..<3).map { _ in try server.client(timeout: .seconds(20)) }
            for client in others { #expect(try await client.reply().status == 503) }
            door.open()
            let deadline = ContinuousClock.now + .seconds(20)
            var reply = try await server.get("/")
            while reply.status == 503, ContinuousClock.now < deadline { reply = try await server.get("/") }
            #expect(reply.text == "served")
        }
    }

    @Test func `a server at its connection limit stops`() async throws {
        try await serving(atMost: 1) { server in
            let first = try server.client()
            #expect(try await first.exchange(request("GET", "/")).text == "served")
            let waiting = try (0..<40).map { _ in try server.client(timeout: .seconds(20)) }
            #expect(try await waiting[0].reply().status == 503)
        }
    }
}

@Suite("Overload: how long clients wait for a connection")
struct OverloadGracePeriodTests {
    @Test func `clients wait a second, and later ones not at all, until the limit allows connections again`()
    {
        var period = OverloadGracePeriod()
        let start = MonotonicInstant(nanoseconds: 5_000_000_000)
        #expect(period.begin(start) == start + .seconds(1))
        #expect(period.begin(start + .milliseconds(999)) == start + .seconds(1))
        #expect(period.begin(start + .seconds(60)) == start + .seconds(1))
        period.end()
        let later = start + .seconds(61)
        #expect(period.begin(later) == later + .seconds(1))
    }
}
