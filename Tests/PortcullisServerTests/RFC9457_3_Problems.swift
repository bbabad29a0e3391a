// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("RFC 9457 §3 Problem details")
struct RFC9457_3 {
    private static func serving(
        _ details: ProblemDetails = .accept, named: Bool = false, _ test: (RunningServer) async throws -> Void
    ) async throws {
        let issuer = TestIssuer("https://login.example.com")
        let notes = ProtectedResource("https://api.example.com/notes", trusting: issuer.trusted)
        var setup = RunningServer.Setup()
        setup.configure = {
            $0.problemDetails = details
            $0.assignsRequestIDs = named
        }
        struct Failure: Error {}
        let declare: (inout Routes) -> Void = { routes in
            routes.protect(notes) { _ in }
            routes.get("/text") { _ in .text("mine", status: .badRequest) }
            routes.get("/throws") { _ in throw Failure() }
            routes.get("/waits") { _ in
                await Task.yield()
                throw Failure()
            }
        }
        try await withServer(setup, declare, test)
    }

    private static let wanted = "Accept: application/problem+json"

    @Test(arguments: [
        "application/problem+json", "application/json", "text/html, application/JSON;q=0.5",
        "application/json ; q=1",
    ])
    func `a client that accepts JSON gets a problem document`(accept: String) async throws {
        try await Self.serving { server in
            let reply = try await server.get("/none", "Accept: \(accept)")
            #expect(reply.status == 404)
            #expect(reply["content-type"] == "application/problem+json")
            #expect(reply["vary"] == "Accept")
            #expect(reply.text == #"{"type":"about:blank","title":"Not Found","status":404}"#)
        }
    }

    @Test(arguments: [
        "*/*", "application/*", "text/plain", "application/json;q=0", "application/json; Q=0.000",
        "application/jsonx", "", ";",
    ])
    func `any other client gets a line of text`(accept: String) async throws {
        try await Self.serving { server in
            let reply = try await server.get("/none", "Accept: \(accept)")
            #expect(reply["content-type"] == "text/plain; charset=utf-8")
            #expect(reply["vary"] == "Accept")
            #expect(reply.text == "Not Found\n")
        }
    }

    @Test(arguments: [("/throws", 500), ("/waits", 500), ("/none", 404), ("//", 400)])
    func `every error of the server is a problem document`(path: String, status: Int) async throws {
        try await Self.serving { server in
            let reply = try await server.get(path, Self.wanted)
            #expect(reply.status == status)
            #expect(try JSONValue.parse(reply.body).object?["status"]?.number?.integer == status)
        }
    }

    @Test func `405 keeps its Allow`() async throws {
        try await Self.serving { server in
            let reply = try await server.exchange(request("PUT", "/text", [Self.wanted]))
            #expect(reply.status == 405)
            #expect(reply["allow"] == "GET, HEAD")
            #expect(reply["content-type"] == "application/problem+json")
        }
    }

    @Test func `HEAD has the fields of GET and no body`() async throws {
        try await Self.serving { server in
            let client = try server.client()
            try await client.send(request("HEAD", "/none", [Self.wanted]))
            let reply = try await client.reply(to: "HEAD")
            #expect(reply["content-type"] == "application/problem+json")
            #expect(reply["content-length"] == "55")
        }
    }

    // RFC 6750 §3: the server does not change what OAuth clients read.
    @Test func `the gate's refusals and the handlers' answers are unchanged`() async throws {
        try await Self.serving(.always) { server in
            let refused = try await server.get("/notes", "Authorization: Bearer a.b.c", Self.wanted)
            #expect(refused["content-type"] == "application/json")
            #expect(try JSONValue.parse(refused.body).object?["error"] == "invalid_token")
            #expect(try await server.get("/notes", Self.wanted).body == [])
            #expect(try await server.get("/text", Self.wanted).text == "mine")
        }
    }

    @Test func `a message without a head gets the fixed text`() async throws {
        for (details, type) in [
            (ProblemDetails.accept, "text/plain; charset=utf-8"), (.always, "application/problem+json"),
        ] {
            try await Self.serving(details) { server in
                let reply = try await server.exchange("nonsense\r\n\r\n")
                #expect(reply.status == 400)
                #expect(reply["content-type"] == type)
            }
        }
        try await Self.serving(.never) { server in
            let reply = try await server.get("/none", Self.wanted)
            #expect(reply["content-type"] == "text/plain; charset=utf-8")
        }
    }

    @Test func `a problem document has the request ID`() async throws {
        try await Self.serving(named: true) { server in
            let reply = try await server.get("/none", Self.wanted)
            let id = try JSONValue.parse(reply.body).object?["request_id"]?.string
            #expect(id != nil && id == reply["x-request-id"])
        }
    }
}
