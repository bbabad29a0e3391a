// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisServer
import PortcullisTesting
import PortcullisTransport

/// Runs a gateway and a demo authorization server in front of another server, and prints how to use it.
func runGuard(_ words: GuardWords) async -> Outcome {
    do {
        let guarded = try Guard(words)
        return await run(
            [guarded.server, guarded.authorizationServer],
            onHangUp: { log("reload: ignored, since --guard has no configuration file") }
        ) { _ in
            StandardOutput.write("listening on \(guarded.origin)\n\n\(guarded.instructions)")
        }
    } catch {
        StandardError.write("\(error)\n")
        return .failure
    }
}

/// A gateway with one resource, and the authorization server that issues its tokens, both on loopback.
struct Guard {
    static let port = 8080
    static let issuerPort = 8081

    let words: GuardWords
    /// Where the gateway listens.
    let origin: String
    let resource: ResourceIdentifier
    /// The issuer identifier and origin of the authorization server.
    let issuer: String
    let server: Server
    let authorizationServer: Server

    /// Binds both addresses first, since the identifiers contain the ports.
    init(_ words: GuardWords) throws {
        self.words = words
        let host = words.address.host ?? "127.0.0.1"
        let socket = try makeSocket(at: .commandLine, host, words.address.port ?? Self.port)
        let issuerSocket = try makeSocket(
            at: .demoIssuer, "127.0.0.1", words.issuerPort ?? Self.issuerPort, loopCount: 1)
        origin = "http://\(socket.address)"
        issuer = "http://\(issuerSocket.address)"
        resource = try words.resource ?? ResourceIdentifier(validating: origin + "/")

        var routes = Routes()
        let proxy = try Self.proxy(to: words.upstream)
        routes.protect(try Self.protectedResource(resource, trusting: issuer)) { block in
            block.proxy("/", to: proxy)
            block.proxy("/{rest...}", to: proxy)
        }
        server = try Server(validating: routes, on: socket, configuration: .init(log: log))

        var configuration = TestAuthorizationServer.Configuration(issuer: issuer)
        configuration.resources = [resource.text]
        var issuerRoutes = Routes()
        try TestAuthorizationServer(configuration, fetchingClientsWith: ClientDocumentFetcher())
            .mount(on: &issuerRoutes)
        authorizationServer = try Server(
            validating: issuerRoutes, on: issuerSocket, configuration: .init(eventLoopCount: 1, log: log))
    }

    private static func proxy(to upstream: String) throws -> ReverseProxy {
        let gatewayLog = GatewayLog(log)
        var configuration = ReverseProxy.Configuration(upstream)
        configuration.upgrades = ReverseProxy.Configuration.knownUpgrades
        configuration.onEvent = { gatewayLog.record($0) }
        return try ReverseProxy(validating: configuration)
    }

    private static func protectedResource(
        _ identifier: ResourceIdentifier, trusting issuer: String
    ) throws -> ProtectedResource {
        var metadata = ProtectedResourceMetadata(resource: identifier)
        metadata.authorizationServers = [issuer]
        metadata.bearerMethodsSupported = [.header]
        var trusted = TrustedIssuer.jwt(issuer: issuer)
        trusted.allowsInsecureLoopback = true
        return try ProtectedResource(validating: .init(metadata, trusting: [trusted], rootAlias: true))
    }
}

/// Fetches client ID metadata documents from public addresses, and from this machine.
///
/// Clients choose the URL, so no other machine of a private network is asked.
private struct ClientDocumentFetcher: Fetcher {
    private let elsewhere = HTTPClientFetcher.publicAddressesOnly
    private let here = HTTPClientFetcher()

    func fetch(_ request: FetchRequest) async throws(FetchError) -> FetchResponse {
        let isHere = (try? HTTPURL(request.url))?.isLoopback ?? false
        return try await (isHere ? here : elsewhere).fetch(request)
    }
}
