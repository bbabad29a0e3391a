// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisDiscovery
import PortcullisServer

/// The snippets of the articles about running a server.
struct Operating {
    // snippet: tls
    func makeServer() throws -> Server {
        var configuration = Server.Configuration()
        configuration.tls = try Server.TLS(
            TLSIdentity(certificateChain: .file("server.pem"), privateKey: .file("server.key")),
            clientCertificates: .request(issuedBy: .file("clients.pem")))
        return Server(host: "0.0.0.0", port: 8443, configuration: configuration) { routes in
            routes.get("/health") { _ in .ok }
        }
    }
    // end

    // snippet: edge
    func makeServerBehindProxy() throws -> Server {
        var configuration = Server.Configuration()
        configuration.accessLog = .standardError(.json)
        configuration.proxies = try TrustedProxies(["10.0.0.0/8"], forwarded: .forwarded)
        let cors = try CORSPolicy(allowing: ["https://app.example.com"])
        return Server(host: "unix:/run/api.sock", configuration: configuration) { routes in
            routes.protect(notes) { notes in
                notes.cors = cors
                notes.get("/", requiring: "notes:read") { _, _ in .ok }
            }
        }
    }
    // end

    // snippet: forward auth
    func makeServerForProxy() throws -> Server {
        var configuration = Server.Configuration()
        configuration.proxies = try TrustedProxies(["10.0.0.5"])
        return Server(host: "10.0.0.4", configuration: configuration) { routes in
            routes.forwardAuth(at: "/_auth", for: .nginx)
            routes.protect(notes) { notes in
                notes.on([.get, .post], "/{rest...}", requiring: "notes:read") { _, _ in .ok }
            }
        }
    }
    // end

    // snippet: metrics
    func makeMeasuredServers() -> (api: Server, operators: Server) {
        let metrics = MetricsRegistry()
        var configuration = Server.Configuration()
        configuration.metrics = metrics
        let api = Server(port: 8080, configuration: configuration) { routes in
            routes.protect(notes) { notes in
                notes.get("/", requiring: "notes:read") { _, _ in .ok }
            }
        }
        let operators = Server(port: 9090) { routes in
            routes.addOperatorRoutes(watching: { [notes] }, metrics: metrics)
        }
        return (api, operators)
    }
    // end

    // snippet: discovery
    func read() async throws {
        let found = try await ProtectedResourceDiscovery().discover("https://api.example.com/notes")
        print(found.metadata.metadata.scopesSupported)  // signed values win over plain ones
        print(found.authorizationServers.first?.tokenEndpoint ?? "no authorization server")
    }
    // end
}
