// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Synchronization
import Testing

@Suite("MCX-22 Client ID metadata documents (draft-ietf-oauth-client-id-metadata-document-00)")
struct ClientDocumentTests {
    static let url = "https://client.example.com/oauth/client.json"

    /// Answers every request with one document, and counts.
    final class Documents: Fetcher {
        let document: JSONObject
        let type: String
        let status: Status
        private let urls = Mutex<[String]>([])

        init(_ document: JSONObject, type: String = "application/json", status: Status = .ok) {
            self.document = document
            self.type = type
            self.status = status
        }

        var fetched: [String] { urls.withLock { $0 } }

        func fetch(_ request: FetchRequest) async throws(FetchError) -> FetchResponse {
            urls.withLock { $0.append(request.url) }
            let body = document.serialized()
            guard body.count <= request.maxResponseByteCount else { throw .tooLarge }
            return FetchResponse(status: status, fields: [.contentType: type], body: body)
        }
    }

    private final class Clock: Sendable {
        let seconds = Mutex(1_790_000_000)
    }

    static func document(_ changes: JSONObject = [:]) -> JSONObject {
        var document: JSONObject = [
            "client_id": .string(url), "client_name": "Notebook",
            "redirect_uris": ["http://127.0.0.1:1/cb"],
            "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none",
        ]
        for member in changes.members { document[member.name] = member.value }
        return document
    }

    private func query(_ url: String = Self.url, redirect: String = "http%3A%2F%2F127.0.0.1%3A5%2Fcb")
        -> String
    {
        "response_type=code&client_id=\(url)&redirect_uri=\(redirect)"
            + "&code_challenge=\(AuthorizationServerClient.challenge)&code_challenge_method=S256"
    }

    private func server(
        _ documents: Documents, now: @escaping @Sendable () -> NumericDate = { NumericDate(1_790_000_000) }
    ) throws -> TestAuthorizationServer {
        try TestAuthorizationServer(
            .init(issuer: "https://as.example.com"), fetchingClientsWith: documents, now: now)
    }

    @Test func `a client is its document's URL, from consent to refresh`() async throws {
        let documents = Documents(Self.document())
        let server = try server(documents)
        let page = await server.respond(method: "GET", target: "/authorize?" + query())
        #expect(page.status == .ok)
        #expect(page.text.contains("Notebook, of client.example.com,"))
        let consent = await server.respond(
            method: "POST", target: "/authorize", body: Array((query() + "&decision=allow").utf8))
        let location = try #require(consent.fields[.location])
        #expect(location.hasPrefix("http://127.0.0.1:5/cb?code=") && location.contains("&iss=https%3A%2F%2F"))
        let code = try #require(location.split(separator: "code=").last).prefix { $0 != "&" }
        let form =
            "grant_type=authorization_code&code=\(code)&code_verifier=\(AuthorizationServerClient.verifier)"
            + "&redirect_uri=http%3A%2F%2F127.0.0.1%3A5%2Fcb&client_id=\(Self.url)"
        let answer = try await server.respond(method: "POST", target: "/token", body: Array(form.utf8)).object
        let access = try #require(answer["access_token"]?.string)
        #expect(try claims(of: access)["client_id"]?.string == Self.url)
        let refresh = try #require(answer["refresh_token"]?.string)
        let next = await server.respond(
            method: "POST", target: "/token",
            body: Array("grant_type=refresh_token&refresh_token=\(refresh)&client_id=\(Self.url)".utf8))
        #expect(next.status == .ok)
        #expect(documents.fetched == [Self.url])
    }

    @Test func `the metadata announce it only where documents can be fetched`() async throws {
        let target = "/.well-known/oauth-authorization-server"
        let with = try await server(Documents([:])).respond(method: "GET", target: target)
        #expect(try with.object["client_id_metadata_document_supported"]?.bool == true)
        let without = try TestAuthorizationServer(.init(issuer: "https://as.example.com"))
        #expect(
            try without.handle(method: "GET", target: target).object["client_id_metadata_document_supported"]
                == nil)
    }

    @Test(
        arguments: [
            ["client_id": "https://client.example.com/other.json"], ["client_id": 1],
            ["redirect_uris": []], ["redirect_uris": ["javascript:alert(1)"]],
            ["redirect_uris": "https://a/"],
            ["client_secret": "s"], ["client_secret_expires_at": 0],
            ["token_endpoint_auth_method": "client_secret_basic"], ["grant_types": ["client_credentials"]],
            ["client_name": .string(String(repeating: "x", count: 6_000))],
        ] as [JSONObject])
    func `documents that make no client`(changes: JSONObject) async throws {
        let server = try server(Documents(Self.document(changes)))
        let answer = await server.respond(method: "GET", target: "/authorize?" + query())
        #expect(answer.status == .badRequest && answer.fields[.location] == nil)
    }

    @Test(arguments: [
        ("text/html", Status.ok), ("application/json", .notFound), ("application/json", .found),
    ])
    func `answers that are no document`(type: String, status: Status) async throws {
        let server = try server(Documents(Self.document(), type: type, status: status))
        #expect(await server.respond(method: "GET", target: "/authorize?" + query()).status == .badRequest)
    }

    @Test(arguments: [
        "http://client.example.com/c.json", "https://client.example.com", "https://client.example.com/",
        "https://client.example.com/a/../c.json", "https://user@client.example.com/c.json",
        "https://client.example.com/c.json%23f", "notebook",
    ])
    func `URLs that are never fetched`(url: String) async throws {
        let documents = Documents(Self.document(["client_id": .string(url)]))
        let answer = try await server(documents).respond(method: "GET", target: "/authorize?" + query(url))
        #expect(answer.status == .badRequest && documents.fetched.isEmpty)
    }

    @Test func `a redirect URI that the document does not list is never redirected to`() async throws {
        let server = try server(Documents(Self.document()))
        let answer = await server.respond(
            method: "GET", target: "/authorize?" + query(redirect: "https%3A%2F%2Fevil.example.com"))
        #expect(answer.status == .badRequest && answer.fields[.location] == nil)
    }

    @Test func `a document is fetched again after five minutes`() async throws {
        let documents = Documents(Self.document())
        let clock = Clock()
        let server = try server(documents) { NumericDate(clock.seconds.withLock { $0 }) }
        for (seconds, count) in [(0, 1), (299, 1), (1, 2)] {
            clock.seconds.withLock { $0 += seconds }
            _ = await server.respond(method: "GET", target: "/authorize?" + query())
            #expect(documents.fetched.count == count)
        }
    }

    @Test func `a failure is not remembered`() async throws {
        let documents = Documents([:])
        let server = try server(documents)
        for count in 1...2 {
            _ = await server.respond(method: "GET", target: "/authorize?" + query())
            #expect(documents.fetched.count == count)
        }
    }
}
