// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import PortcullisTesting

/// A server that a proxy of one family asks, with one guarded resource and a public path, as in table 9.3.
struct ForwardAuthStage: Sendable {
    static let identifier = "https://api.example.com/mcp"

    let server: RunningServer
    let site: GuardedSite
    let family: ForwardAuthFamily

    /// What a test changes.
    struct Setup {
        var networks = ["127.0.0.1"]
        var configure: @Sendable (inout Server.Configuration) -> Void = { _ in }
        var metrics: (any ServerMetrics)?
        var resource: ((GuardedSite) throws -> ProtectedResource)?
        var routes: (inout Routes, GuardedSite) -> Void = { _, _ in }
        var publicPath = "/public/{rest...}"
        var block: (inout ProtectedRoutes) -> Void = { _ in }
    }

    static func run(
        _ family: ForwardAuthFamily = .haproxy, _ change: Setup = Setup(),
        _ test: (ForwardAuthStage) async throws -> Void
    ) async throws {
        let site = GuardedSite()
        let resource =
            try change.resource?(site) ?? site.resource(identifier, scopes: ["tools:read", "tools:write"])
        let proxies = try TrustedProxies(change.networks)
        let configure = change.configure
        var setup = RunningServer.Setup()
        setup.metrics = change.metrics
        setup.configure = {
            $0.proxies = proxies
            configure(&$0)
        }
        let declare: (inout Routes) -> Void = { routes in
            routes.forwardAuth(at: "/_auth", for: family)
            routes.get(change.publicPath) { _ in .text("not run") }
            routes.protect(resource) { api in
                api.on([.get, .post, .put], "/", requiring: "tools:read") { _, _ in .text("not run") }
                api.get("/write", requiring: "tools:write") { _, _ in .text("not run") }
                change.block(&api)
            }
            change.routes(&routes, site)
        }
        try await withServer(setup, declare) { server async throws in
            try await test(ForwardAuthStage(server: server, site: site, family: family))
        }
    }

    /// The field with a token for the resource.
    var token: String { site.bearer(for: Self.identifier, scope: "tools:read") }

    /// The fields that describe a request, and the carrier's method and target.
    func carrier(
        _ target: String, _ method: String = "GET", host: String = "api.example.com", _ fields: [String] = []
    ) -> String {
        switch family {
        case .nginx, .haproxy:
            request(
                family == .haproxy ? "HEAD" : "GET", "/_auth",
                fields + [
                    "X-Original-URI: \(target)", "X-Original-Method: \(method)", "X-Original-Host: \(host)",
                ])
        case .traefik, .caddy:
            request(
                "GET", "/_auth",
                fields + [
                    "X-Forwarded-Uri: \(target)", "X-Forwarded-Method: \(method)",
                    "X-Forwarded-Host: \(host)",
                ])
        case .envoy:
            ([method + " /_auth" + target + " HTTP/1.1", "Host: \(host)", "Content-Length: 0"] + fields)
                .joined(separator: "\r\n") + "\r\n\r\n"
        }
    }

    /// Asks about a request.
    func ask(
        _ target: String, _ method: String = "GET", host: String = "api.example.com", _ fields: String...
    ) async throws -> Reply {
        try await server.exchange(carrier(target, method, host: host, fields))
    }

    /// Asks with any fields.
    func askWith(_ fields: String..., by method: String = "GET") async throws -> Reply {
        try await server.exchange(request(method, "/_auth", fields))
    }
}

extension ForwardAuthFamily {
    /// The status of an answer that a direct request would get with this status.
    func mapped(_ status: Int) -> Int { self == .nginx && [400, 404, 405].contains(status) ? 403 : status }
}
