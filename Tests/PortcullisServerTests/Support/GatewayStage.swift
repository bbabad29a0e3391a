// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import PortcullisTesting
import PortcullisTransport

/// A gateway in front of a scripted server: `/api` is protected, `/open` is public.
struct GatewayStage: Sendable {
    static let identifier = "https://api.example.com/api"

    let server: RunningServer
    let upstream: RawUpstream
    let site: GuardedSite
    let events: Logbook

    var token: String { site.bearer(for: Self.identifier) }

    static func run<Result>(
        _ configure: (inout ReverseProxy.Configuration) -> Void = { _ in },
        limits: Server.Limits = Server.Limits(), expiry: StreamExpiry = .cut,
        server setup: @escaping @Sendable (inout Server.Configuration) -> Void = { _ in },
        upstream: RawUpstream, _ test: (GatewayStage) async throws -> Result
    ) async throws -> Result {
        let site = GuardedSite()
        let events = Logbook()
        var configuration = ReverseProxy.Configuration(upstream.url)
        configuration.onEvent = { events.add("\($0)") }
        configure(&configuration)
        let proxy = try ReverseProxy(validating: configuration)
        let resource = try site.resource(identifier)
        defer { upstream.stop() }
        return try await withServer(
            RunningServer.Setup(limits: limits, configure: setup),
            { routes in
                routes.proxy("/open/{rest...}", to: proxy)
                routes.protect(resource) { block in
                    block.streamExpiry = expiry
                    block.proxy("/", to: proxy)
                    block.proxy("/{rest...}", to: proxy)
                }
            }
        ) { server in
            try await test(GatewayStage(server: server, upstream: upstream, site: site, events: events))
        }
    }

    /// Sends a request with a token, and returns the answer.
    func send(
        _ method: String = "GET", _ target: String = "/api/x", _ fields: String..., body: String = ""
    ) async throws -> Reply {
        try await server.exchange(request(method, target, [token] + fields) + body)
    }

    /// Sends a request with a token, and returns the head that the server behind got.
    func forwarded(
        _ method: String = "GET", _ target: String = "/api/x", _ fields: String..., body: String = ""
    ) async throws -> String {
        let reply = try await server.exchange(request(method, target, [token] + fields) + body)
        return upstream.heads.last ?? "nothing arrived: \(reply.statusLine)"
    }
}

extension RawClient {
    /// Everything up to a text, and what came with it.
    func receive(containing text: String) async throws -> String {
        var seen = ""
        while !seen.contains(text) { seen += String(decoding: try await receive(atLeast: 1), as: UTF8.self) }
        return seen
    }
}
