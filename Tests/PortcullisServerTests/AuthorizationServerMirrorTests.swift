// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("MCP 2025-03-26: the authorization server's metadata at the resource's origin")
struct AuthorizationServerMirrorTests {
    static let path = "/.well-known/oauth-authorization-server"
    /// Neither the order of the members nor the blanks are ours.
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

    @Test func `MCP-14: switched on, it is there unchanged, with the resource's path behind it and without`()
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

    @Test func `MCP-14: switched off, it is not there`() async throws {
        let table = try Self.table(ScriptedFetcher(), "https://a.example/mcp", mirrors: false)
        #expect(try await table.ask(Self.path, host: "x").status == .notFound)
    }

    @Test func `while the server is out of reach it is 503, with a time to try again`() async throws {
        let answer = try await Self.table(ScriptedFetcher(), "https://a.example").ask(Self.path, host: "x")
        #expect(answer.status == .serviceUnavailable && answer.fields[.retryAfter] == "5")
    }
}
