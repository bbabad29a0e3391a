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
        let notes = try Self.resource("\(origin)/notes", "Notes", trusting: issuer)
        var routes = Routes()
        Self.declare(&routes, photos, notes)
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
        _ identifier: String, _ name: String, trusting issuer: String, isRootAlias: Bool = false
    ) throws -> ProtectedResource {
        var metadata = ProtectedResourceMetadata(resource: try ResourceIdentifier(validating: identifier))
        metadata.authorizationServers = [issuer]
        metadata.scopesSupported = try ["read", "write"].map { right in
            try Scope(validating: "\(name.lowercased()).\(right)")
        }
        metadata.bearerMethodsSupported = [.header]
        metadata.resourceName = LocalizedText(name)
        var trusted = TrustedIssuer.jwt(issuer: issuer)
        trusted.allowsInsecureLoopback = true
        return try ProtectedResource(validating: .init(metadata, trusting: [trusted], rootAlias: isRootAlias))
    }

    private static func declare(
        _ routes: inout Routes, _ photos: ProtectedResource, _ notes: ProtectedResource
    ) {
        routes.get("/") { _ in .text("This page is public. The photos and the notes are not.\n") }
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
