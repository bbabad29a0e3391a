// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import PortcullisTransport
import Testing

@Suite("Test authorization server: a resource that trusts it")
struct GuardedByTestServer {
    static let identifier: ResourceIdentifier = "https://api.example.com/photos"

    static func head(_ token: String) throws -> RequestHead {
        try RequestHead(method: .get, target: "/photos/7", fields: [("Authorization", "Bearer \(token)")])
    }

    static func reason(_ work: () async throws -> AccessToken) async throws -> RefusalReason? {
        do {
            _ = try await work()
            return nil
        } catch let refusal as Refusal {
            return refusal.reason
        }
    }

    @Test func `its keys are discovered, without a socket`() async throws {
        let server = try TestAuthorizationServer(.init(issuer: "https://as.example.com"))
        let resource = ProtectedResource(
            Self.identifier, trusting: .jwt(issuer: server.issuer), fetcher: server)
        let token = try server.makeToken(.init(audience: [Self.identifier.text], scopes: ["photos.read"]))
        let accepted = try await resource.authorize(Self.head(token), requiring: "photos.read")
        #expect(accepted.subject == "alice")
        #expect(accepted.clientID == "test-client")
        #expect(server.requestCount(at: .metadata) == 1)
        #expect(server.requestCount(at: .keys) == 1)
    }

    @Test func `a token for another resource is refused`() async throws {
        let server = try TestAuthorizationServer(.init(issuer: "https://as.example.com"))
        let resource = ProtectedResource(
            Self.identifier, trusting: .jwt(issuer: server.issuer), fetcher: server)
        let token = try server.makeToken(.init(audience: ["https://api.example.com/notes"]))
        let reason = try await Self.reason { try await resource.authorize(Self.head(token)) }
        #expect(reason == .audienceMismatch)
    }

    @Test func `an opaque token is introspected, and revoked`() async throws {
        var configuration = TestAuthorizationServer.Configuration(issuer: "https://as.example.com")
        configuration.tokenFormat = .opaque
        let server = try TestAuthorizationServer(configuration)
        server.register(clientID: "rs:api", secret: "p%w d")
        var tokens = TokenPolicy()
        tokens.introspectionCacheLifetime = .zero
        let resource = ProtectedResource(
            Self.identifier,
            trusting: .introspection(
                issuer: server.issuer, authenticatedBy: .clientSecretBasic(id: "rs:api", secret: "p%w d")),
            tokens: tokens, fetcher: server)
        let token = try server.makeToken(.init(audience: [Self.identifier.text]))
        #expect(try await resource.authorize(Self.head(token)).format == .opaque)
        server.revoke(token)
        let reason = try await Self.reason { try await resource.authorize(Self.head(token)) }
        #expect(reason != nil)
    }

    @Test func `a failing authorization server is 503, not 401`() async throws {
        let server = try TestAuthorizationServer(.init(issuer: "https://as.example.com"))
        let resource = ProtectedResource(
            Self.identifier, trusting: .jwt(issuer: server.issuer), fetcher: server)
        let token = try server.makeToken(.init(audience: [Self.identifier.text]))
        for fault in [
            TestAuthorizationServer.Fault.status(.internalServerError), .wrongIssuer, .malformedBody,
            .redirect, .hang,
        ] {
            server.setFault(fault, at: .metadata)
            let head = try Self.head(token)
            do throws(Refusal) {
                _ = try await resource.authorize(head)
                Issue.record("it must not pass")
            } catch {
                #expect(error.status == .serviceUnavailable)
            }
        }
    }

    @Test func `its endpoints are served over a socket`() async throws {
        let socket = try ServerSocket(host: "127.0.0.1", port: 0, loopCount: 1)
        let issuer = "http://\(socket.address)"
        let authorizationServer = try TestAuthorizationServer(.init(issuer: issuer))
        var routes = Routes()
        authorizationServer.mount(on: &routes)
        let server = try Server(validating: routes, on: socket, configuration: .init(eventLoopCount: 1))
        let work = Task { try await server.run() }
        let client = HTTPClient()
        let metadata = try await client.execute(
            HTTPClient.Request(url: issuer + "/.well-known/oauth-authorization-server"))
        #expect(metadata.status == .ok)
        let registration = try await client.execute(
            HTTPClient.Request(
                url: issuer + "/register", method: .post, fields: [(.contentType, "application/json")],
                body: Array(#"{"redirect_uris": ["https://app.example.com/"]}"#.utf8)))
        #expect(registration.status == .created)
        #expect(authorizationServer.requestCount(at: .registration) == 1)
        work.cancel()
        try? await work.value
    }
}
