// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import PortcullisTransport

/// Runs two protected resources and an authorization server on loopback, and prints commands to try them.
func runDemo(_ address: Invocation.Address) async -> Outcome {
    do {
        let demo = try Demo(address)
        return await run(
            [demo.server, demo.authorizationServer],
            onHangUp: { log("reload: ignored, since the demo has no configuration file") }
        ) { _ in
            StandardOutput.write("listening on \(demo.origin)\n\n\(demo.commands)")
        }
    } catch {
        StandardError.write("\(error)\n")
        return .failure
    }
}

struct Demo {
    private static let port = 8080
    private static let issuerPort = 8081

    /// The origin of the resources.
    let origin: String
    /// The issuer identifier and origin of the authorization server.
    let issuer: String
    let server: Server
    let authorizationServer: Server

    /// Binds both addresses first, since the identifiers contain the ports.
    init(_ address: Invocation.Address) throws {
        let port = address.port ?? Self.port
        let socket = try makeSocket(at: .commandLine, address.host ?? "127.0.0.1", port)
        let isTaken = port == 0 || socket.address.port == Self.issuerPort
        let issuerSocket = try Self.issuerSocket(port: isTaken ? 0 : Self.issuerPort)
        // http identifiers are allowed on loopback only, even if the server listens on another address.
        origin =
            socket.address.isLoopback ? "http://\(socket.address)" : "http://127.0.0.1:\(socket.address.port)"
        issuer = "http://\(issuerSocket.address)"

        let photos = try Self.resource("\(origin)/photos", "Photos", trusting: issuer, isRootAlias: true)
        let notes = try Self.resource("\(origin)/notes", "Notes", trusting: issuer, takesDPoP: true)
        var routes = Routes()
        Self.declare(&routes, photos, notes)
        let page = try Self.page(origin, issuer, at: socket.address, issuerSocket.address)
        page.declare(on: &routes)
        server = try Server(validating: routes, on: socket, configuration: .init(log: log))

        var configuration = TestAuthorizationServer.Configuration(issuer: issuer)
        configuration.resources = [photos, notes].map(\.identifier.text)
        configuration.scopes = ["photos.read", "photos.write", "notes.read", "notes.write"]
        var issuerRoutes = Routes()
        try TestAuthorizationServer(configuration).mount(on: &issuerRoutes)
        authorizationServer = try Server(
            validating: issuerRoutes, on: issuerSocket, configuration: .init(eventLoopCount: 1, log: log))
    }

    private static func issuerSocket(port: Int) throws -> ServerSocket {
        do throws(SocketError) {
            return try ServerSocket(host: "127.0.0.1", port: port, loopCount: 1)
        } catch {
            throw DemoFault(
                description: error.isAddressInUse
                    ? "port \(port), which the demo's authorization server needs, is in use by another program; "
                        + "--port 0 selects free ports"
                    : "the demo's authorization server cannot listen on 127.0.0.1: \(error)")
        }
    }

    private static func resource(
        _ identifier: String, _ name: String, trusting issuer: String, isRootAlias: Bool = false,
        takesDPoP: Bool = false
    ) throws -> ProtectedResource {
        var metadata = ProtectedResourceMetadata(resource: try ResourceIdentifier(validating: identifier))
        metadata.authorizationServers = [issuer]
        metadata.scopesSupported = try ["read", "write"].map { right in
            try Scope(validating: "\(name.lowercased()).\(right)")
        }
        metadata.bearerMethodsSupported = [.header]
        metadata.resourceName = LocalizedText(name)
        if takesDPoP { metadata.dpopSigningAlgorithmsSupported = ["ES256", "Ed25519"] }
        var trusted = TrustedIssuer.jwt(issuer: issuer)
        trusted.allowsInsecureLoopback = true
        return try ProtectedResource(validating: .init(metadata, trusting: [trusted], rootAlias: isRootAlias))
    }

    /// The page, with copies of the resources that explain requests.
    private static func page(
        _ origin: String, _ issuer: String, at address: SocketAddress, _ issuerAddress: SocketAddress
    ) throws -> DemoPage {
        let photos = try resource("\(origin)/photos", "Photos", trusting: issuer)
        let notes = try resource("\(origin)/notes", "Notes", trusting: issuer, takesDPoP: true)
        return DemoPage(
            origin: origin, issuer: issuer,
            places: .init(
                host: address.isLoopback ? address.host : "127.0.0.1", port: address.port,
                issuerHost: issuerAddress.host, issuerPort: issuerAddress.port),
            explaining: [
                .init(resource: photos) { $0 == .delete ? "photos.write" : "photos.read" },
                .init(resource: notes) { _ in "notes.read" },
            ])
    }

    private static func declare(
        _ routes: inout Routes, _ photos: ProtectedResource, _ notes: ProtectedResource
    ) {
        routes.protect(photos) { photos in
            photos.get("/{id}", requiring: "photos.read") { request, token in
                .json(["photo": .string(request.parameters["id"]), "client": .optional(token.clientID)])
            }
            photos.delete("/{id}", requiring: "photos.write") { _, _ in .noContent }
        }
        routes.protect(notes) { notes in
            notes.get("/", requiring: "notes.read") { _, token in
                .json(["notes": [], "client": .optional(token.clientID)])
            }
        }
    }
}

/// Why the demo cannot run.
private struct DemoFault: Error, CustomStringConvertible {
    let description: String
}

extension JSONValue {
    fileprivate static func optional(_ text: String?) -> JSONValue {
        text.map(JSONValue.string) ?? .null
    }
}
