// SPDX-License-Identifier: MIT

// Behind nginx, which terminates TLS: only tokens that are bound to the client's certificate.

import PortcullisServer
import PortcullisTesting

let port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 8080
let origin = CommandLine.arguments.dropFirst(2).first ?? "https://localhost:8443"  // where nginx listens

// An authorization server for this example, in the same process. In production it is somebody else's.
let login = try TestAuthorizationServer(.init(issuer: "\(origin)/login"))
login.register(clientID: "app", secret: "app-secret")

// snippet: example-7
// The keys come from this process, not through nginx.
let trusted = TrustedIssuer.jwt(issuer: login.issuer)
var metadata = ProtectedResourceMetadata(resource: try ResourceIdentifier(validating: "\(origin)/notes"))
metadata.authorizationServers = [login.issuer]
metadata.scopesSupported = ["notes:read"]
metadata.tlsClientCertificateBoundAccessTokens = true
var declaration = ProtectedResource.Configuration(metadata, trusting: [trusted])
declaration.fetcher = login
let notes = try ProtectedResource(validating: declaration)

// nginx alone may say which certificate a client has. See nginx.conf for the field.
var configuration = Server.Configuration()
configuration.proxies = try TrustedProxies(["127.0.0.1"], sendsClientCertificates: true)
configuration.proxies.clientCertificateField = ClientCertificateField("X-SSL-Client-Cert", .pem)

let server = Server(port: port, configuration: configuration) { routes in
    login.mount(on: &routes)
    routes.protect(notes) { notes in
        notes.get("/", requiring: AccessRequirement("notes:read").senderConstrained()) { _, token in
            .text("Notes of \(token.clientID ?? "a client"), proven by \(token.binding.rawValue).\n")
        }
    }
}
// end

try await server.run(stoppingOn: [.terminate, .interrupt]) { _ in
    print(
        #"""
        # Paste these lines into another shell:
        TLS=.build/example-nginx
        bash Examples/7-BehindNginx/certificates.sh $TLS
        nginx -p $TLS -e error.log -c nginx.conf
        curl -si --cacert $TLS/ca.pem \#(origin)/notes
        """#)
}
