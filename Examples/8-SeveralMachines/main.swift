// SPDX-License-Identifier: MIT

// Two machines that serve one resource, and share in Valkey or Redis what one of them has seen.

import PortcullisRedis
import PortcullisServer
import PortcullisTesting

let port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 8080
let storeURL = CommandLine.arguments.dropFirst(2).first ?? "redis://127.0.0.1:6379"
let origin = "http://127.0.0.1:\(port)"  // in production, the address of the load balancer

// An authorization server for this example, in the same process. In production it is somebody else's.
var settings = TestAuthorizationServer.Configuration(issuer: "\(origin)/login")
settings.tokenFormat = .opaque
let login = try TestAuthorizationServer(settings)
login.register(clientID: "app", secret: "app-secret")
login.register(clientID: "notes-api", secret: "api-secret")

// snippet: example-8
// From a secret that all machines read; 32 or more random bytes.
let nonceKey = try NonceKey(validating: Array("a secret of example 8, and of no other program".utf8))

func machine(at port: Int) throws -> Server {
    let store = try RedisClient(RedisConfiguration(url: storeURL))
    var proofs = DPoPPolicy()
    proofs.replayStore = RedisReplayStore(store)
    proofs.nonce = .required
    proofs.nonceKeys = [nonceKey]

    var trusted = TrustedIssuer.introspection(
        issuer: login.issuer, authenticatedBy: .clientSecretBasic(id: "notes-api", secret: "api-secret"))
    trusted.introspection?.sharedCache = RedisIntrospectionCache(store)
    trusted.allowsInsecureLoopback = true  // for http on this machine; leave it out for https
    let notes = ProtectedResource(
        try ResourceIdentifier(validating: "\(origin)/notes"), trusting: trusted, scopes: ["notes:read"],
        dpop: .required(proofs))

    return Server(port: port) { routes in
        login.mount(on: &routes)
        routes.get("/introspections") { _ in .text("\(login.requestCount(at: .introspection))\n") }
        routes.protect(notes) { notes in
            notes.get("/", requiring: "notes:read") { _, _ in .text("Notes from port \(port).\n") }
        }
    }
}
// end

let instructions = #"""
    # Paste these lines into another shell:
    . Examples/4-DPoPOnly/proof.sh
    TOKEN=$(curl -s \#(login.issuer)/token -u app:app-secret -d grant_type=client_credentials \
        -H "DPoP: $(proof POST \#(login.issuer)/token)" \
        -d scope=notes:read -d resource=\#(origin)/notes | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
    curl -si \#(origin)/notes -H "Authorization: DPoP $TOKEN" \
        -H "DPoP: $(proof GET \#(origin)/notes "$TOKEN")"
    """#

let (first, second) = (try machine(at: port), try machine(at: port + 1))
async let running: Void = first.run()
try await second.run { _ in print(instructions) }
try await running
