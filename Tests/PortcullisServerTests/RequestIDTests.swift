// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("Request IDs")
struct RequestIDTests {
    private let lines = Lines()

    private func serving(
        _ configure: @escaping @Sendable (inout Server.Configuration) -> Void = { _ in },
        _ declare: (inout Routes) -> Void, _ test: (RunningServer) async throws -> Void
    ) async throws {
        let lines = lines
        var setup = RunningServer.Setup()
        setup.configure = { configuration in
            configuration.accessLog = .lines(.json) { lines.add($0) }
            configure(&configuration)
        }
        try await withServer(setup, declare, test)
    }

    @Test func `the answer's field, the request and the log line have the same ID`() async throws {
        var id: String?
        try await serving({ _ in }, { $0.get("/") { .text($0.id ?? "none") } }) { server in
            let reply = try await server.get("/")
            id = reply["x-request-id"]
            #expect(reply.text == id)
        }
        #expect(id?.utf8.count == 13)
        #expect(lines.objects.first?["request_id"]?.string == id)
    }

    @Test func `no two requests have the same ID`() async throws {
        try await serving({ _ in }, { $0.get("/") { _ in .ok } }) { server in
            for _ in 0..<4 {
                let client = try server.client()
                for _ in 0..<10 { _ = try await client.exchange(request("GET", "/")) }
            }
        }
        #expect(Set(lines.objects.compactMap { $0["request_id"]?.string }).count == 40)
    }

    @Test func `a refusal's body has the request ID`() async throws {
        let issuer = TestIssuer("https://login.example.com")
        let notes = ProtectedResource("https://api.example.com/notes", trusting: issuer.trusted)
        try await serving({ _ in }, { $0.protect(notes) { _ in } }) { server in
            let refused = try await server.get("/notes", "Authorization: Bearer a.b.c")
            let body = try JSONValue.parse(refused.body)
            #expect(body.object?["error"] == "invalid_token")
            #expect(body.object?["error_description"] != nil)
            #expect(body.object?["request_id"]?.string == refused["x-request-id"])
            let anonymous = try await server.get("/notes")
            #expect(anonymous.body == [])
            #expect(anonymous["x-request-id"] != nil)
        }
    }

    @Test func `a malformed message has an ID too`() async throws {
        try await serving({ _ in }, { _ in }) { server in
            let reply = try await server.exchange("GET / HTTP/1.1\r\n\r\n")
            #expect(reply.status == 400)
            #expect(reply["x-request-id"] != nil)
        }
    }

    @Test func `a stream's head has an ID`() async throws {
        try await serving(
            { _ in },
            { $0.get("/") { _ in .stream(contentType: "text/plain") { try await $0.write("piece") } } }
        ) { server in
            let reply = try await server.get("/")
            #expect(reply["x-request-id"] != nil)
        }
    }

    @Test func `the field of an untrusted peer is ignored`() async throws {
        try await serving({ _ in }, { $0.get("/") { _ in .ok } }) { server in
            let reply = try await server.get("/", "X-Request-Id: mine")
            #expect(reply["x-request-id"] != "mine")
        }
    }

    @Test func `request IDs work without a log, and can be switched off with one`() async throws {
        var setup = RunningServer.Setup()
        setup.configure = { $0.assignsRequestIDs = true }
        try await withServer(setup, { $0.get("/") { _ in .ok } }) { server in
            let reply = try await server.get("/")
            #expect(reply["x-request-id"] != nil)
        }
        try await serving({ $0.assignsRequestIDs = false }, { $0.get("/") { _ in .ok } }) { server in
            let reply = try await server.get("/")
            #expect(reply["x-request-id"] == nil)
        }
        #expect(lines.objects.first?["request_id"] == .null)
    }

    @Test func `without either there is no ID`() async throws {
        try await withServer(.init(), { $0.get("/") { .text($0.id ?? "none") } }) { server in
            let reply = try await server.get("/")
            #expect(reply.text == "none")
            #expect(reply["x-request-id"] == nil)
        }
    }
}
