// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("MCP 2025-03-26 §2.3 Authorization server metadata at the resource's origin")
struct AuthorizationServerMirrorTests {
    static let path = "/.well-known/oauth-authorization-server"
    /// The order of the members and the blanks are the authorization server's.
    static let document =
        #"{ "token_endpoint": "https://as.example.com/t",  "issuer":"https://as.example.com" }"#

    static func table(_ network: ScriptedFetcher, _ identifiers: String..., mirrors: Bool = true) throws
        -> AskedTable
    {
        try AskedTable { routes in
            for text in identifiers {
                var publishing = MetadataPublishing()
                publishing.mirrorsAuthorizationServer = mirrors
                var metadata = ProtectedResourceMetadata(resource: try ResourceIdentifier(validating: text))
                metadata.authorizationServers = ["https://as.example.com"]
                let resource = try ProtectedResource(
                    validating: .init(
                        metadata, trusting: [.jwt(issuer: "https://as.example.com")],
                        publishing: publishing, fetcher: network))
                routes.protect(resource) { _ in }
            }
        }
    }

    @Test func `the mirror serves the metadata unchanged, with the resource's path appended and without`()
        async throws
    {
        let network = ScriptedFetcher()
        network.on("https://as.example.com\(Self.path)") { _ in
            FetchResponse(status: .ok, body: Array(Self.document.utf8))
        }
        let table = try Self.table(network, "https://a.example/mcp", "https://a.example/other/")
        for suffix in ["", "/mcp", "/other"] {
            let answer = try await table.ask(Self.path + suffix, host: "x")
            #expect(answer.status == .ok && answer.bytes == Array(Self.document.utf8))
            #expect(answer.fields[.contentType] == "application/json")
            #expect(answer.fields["Access-Control-Allow-Origin"] == "*")
        }
        #expect(try await table.ask(Self.path + "/nope", host: "x").status == .notFound)
        #expect(try await table.ask(Self.path, host: "x", method: .post).status == .methodNotAllowed)
    }

    @Test func `without the mirror the location is 404`() async throws {
        let table = try Self.table(ScriptedFetcher(), "https://a.example/mcp", mirrors: false)
        #expect(try await table.ask(Self.path, host: "x").status == .notFound)
    }

    @Test func `while the authorization server is unreachable the mirror answers 503 with Retry-After`()
        async throws
    {
        let answer = try await Self.table(ScriptedFetcher(), "https://a.example").ask(Self.path, host: "x")
        #expect(answer.status == .serviceUnavailable && answer.fields[.retryAfter] == "5")
    }
}
