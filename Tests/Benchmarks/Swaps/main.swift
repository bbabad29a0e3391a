// SPDX-License-Identifier: MIT

import Dispatch
import Portcullis
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting

// A server that replaces its resource for each line of its standard input, for Tests/Benchmarks/swaps. Every
// answer names the resource's version in several places, so that an answer mixed from two versions is
// visible.
//
//   swap-server routes PORT   replaces by Server.replace
//   swap-server set PORT      replaces by ResourceRegistry.replace, with a gate that stays
//   swap-server issue PORT    prints the keys and a token for another program's server, and exits

/// All versions of the resource at one port.
struct Versions: Sendable {
    let base: String
    let issuer = TestIssuer("https://as.example.com")

    init(port: Int) { base = "http://127.0.0.1:\(port)" }

    var identifier: ResourceIdentifier {
        get throws(ConfigurationError) { try ResourceIdentifier(validating: base + "/notes") }
    }

    /// A token that every version accepts.
    var token: String {
        let scope = (0...100).map { "read.\($0)" }.joined(separator: " ")
        return issuer.mint(audience: base + "/notes", scope: scope, lifetime: .seconds(3600))
    }

    func resource(_ number: Int) throws(ConfigurationError) -> ProtectedResource {
        var metadata = ProtectedResourceMetadata(resource: try identifier)
        metadata.authorizationServers = [issuer.issuer]
        metadata.scopesSupported = [scope(number)]
        metadata.resourceName = LocalizedText("name.\(number)")
        metadata.extensions["x-version"] = .string("x.\(number)")
        var publishing = MetadataPublishing()
        publishing.advertisedURL = "\(base)/meta/\(number)"
        publishing.linksFromAnswers = true
        return try ProtectedResource(
            validating: .init(
                metadata, trusting: [issuer.trusted],
                challengeParameters: [("realm", "r.\(number)"), ("x-version", "v.\(number)")],
                metadataMaxAge: .seconds(1000 + number), publishing: publishing))
    }

    func routes(_ number: Int) throws(ConfigurationError) -> Routes {
        var routes = Routes()
        let scope = scope(number)
        routes.protect(try resource(number)) { notes in
            notes.get("/", requiring: [scope]) { _, _ in .text("set.\(number)") }
        }
        return routes
    }

    private func scope(_ number: Int) -> Scope {
        guard let scope = Scope(token: "read.\(number)") else { preconditionFailure("This is a scope.") }
        return scope
    }
}

func say(_ line: String) { Server.logToStandardError(line) }

/// Serves, and replaces the resource once for each line; exits when standard input ends.
func serve(
    _ server: Server, replacing replace: @escaping @Sendable (Int) async throws -> Void
) async throws {
    let lines = AsyncStream<Void> { continuation in
        DispatchQueue(label: "standard input").async {
            while readLine() != nil { continuation.yield() }
            continuation.finish()
        }
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run { _ in say("ready") } }
        var number = 0
        for await _ in lines {
            number += 1
            try await replace(number)
            say("swapped \(number)")
        }
        group.cancelAll()
    }
}

let words = CommandLine.arguments
guard words.count == 3, let port = Int(words[2]) else {
    preconditionFailure("usage: swap-server routes|set|issue PORT")
}
let versions = Versions(port: port)
switch words[1] {
case "issue":
    let issued: JSONObject = [
        "jwks": .object(versions.issuer.keys.publicJSON), "token": .string(versions.token),
    ]
    print(String(decoding: issued.serialized(), as: UTF8.self))
case "routes":
    let server = try Server(
        validating: versions.routes(0), port: port, configuration: .init(eventLoopCount: 2, log: { _ in }))
    say("token \(versions.token)")
    try await serve(server) { number in try await server.replace(versions.routes(number)) }
default:
    let resources = try ResourceRegistry([versions.resource(0)], log: { _ in })
    var routes = Routes()
    routes.use(ResourceDocuments(resources))
    routes.use(RegistryGate(resources, try versions.identifier))
    routes.get("/notes") { _ in .text("in") }
    let server = try Server(
        validating: routes, port: port, configuration: .init(eventLoopCount: 2, log: { _ in }))
    say("token \(versions.token)")
    try await serve(server) { number in try resources.replace([versions.resource(number)]) }
}
