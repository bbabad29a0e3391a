// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("Tests: the routes of an app without sockets")
struct RouteTesterTests {
    static let issuer = TestIssuer("https://login.example.com")
    static let notes = ProtectedResource(
        "https://api.example.com/notes", trusting: issuer.trusted, scopes: ["notes:read", "notes:write"])

    struct Note: Codable, Equatable {
        var title: String
        var stars: Int?
    }

    /// Names the subject of the token in each response, as middleware behind the gate.
    struct Greeter: NonWaitingMiddleware {
        func intercept(_ request: inout Request) -> Interception {
            let name = request.token?.subject ?? "nobody"
            return .proceedThenFinish { $0.fields["X-Subject"] = name }
        }
    }

    /// Doubles the content of each request.
    struct Doubler: Middleware {
        func respond(to request: Request, next: Next) async throws -> Response {
            var request = request
            let content = try await request.body.collect()
            request.body = .bytes(content + content)
            return try await next(request)
        }
    }

    let app = RouteTester { routes in
        routes.get("/health") { _ in .text("fine") }
        routes.group("/doubled") { group in
            group.use(Doubler())
            group.post("/echo") { request in
                .text(String(decoding: try await request.body.collect(), as: UTF8.self))
            }
        }
        routes.get("/pieces") { _ in
            .stream(contentType: "text/plain") { writer in
                for piece in ["one ", "two"] { try await writer.write(Array(piece.utf8)) }
            }
        }
        routes.protect(Self.notes) { notes in
            notes.use(Greeter())
            notes.get("/", requiring: "notes:read") { _, token in .text(token.subject ?? "") }
            notes.post("/", requiring: "notes:write") { request, _ in
                var note = try await request.decode(Note.self)
                note.stars = (note.stars ?? 0) + 1
                return try .json(note, status: .created)
            }
            notes.put("/", requiring: "notes:write") { request, _ in
                .json(try await request.json(upTo: 64))
            }
            notes.get("/{id}") { request, _ in .text(request.parameters["id"]) }
        }
    }

    private var reader: RouteTester { app.as(Self.issuer.mint(for: Self.notes, scope: "notes:read")) }
    private var writer: RouteTester { app.as(Self.issuer.mint(for: Self.notes, scope: "notes:write")) }

    @Test func `public routes, parameters, streams and HEAD are answered`() async throws {
        #expect(try await app.get("/health").text == "fine")
        #expect(try await app.get("/pieces").text == "one two")
        #expect(try await reader.get("/notes/a%20b").text == "a b")
        let head = try await app.send(.head, "/health")
        #expect(head.status == .ok && head.content.isEmpty)
        #expect(try await app.get("/nothing").status == .notFound)
        #expect(try await app.send(.delete, "/health").status == .methodNotAllowed)
    }

    @Test func `the gate guards, challenges and publishes as in a server`() async throws {
        let refused = try await app.get("/notes")
        #expect(refused.status == .unauthorized)
        #expect(refused.fields["WWW-Authenticate"]?.contains("resource_metadata=") == true)
        #expect(try await reader.get("/notes").text == "user-1")
        #expect(try await reader.get("/notes").fields["X-Subject"] == "user-1")
        #expect(try await writer.get("/notes").status == .forbidden)
        let document = try await app.get("/.well-known/oauth-protected-resource/notes").json()
        #expect(document.object?["resource"]?.string == "https://api.example.com/notes")
    }

    @Test func `middleware may replace the content`() async throws {
        let reply = try await app.post("/doubled/echo", "ab", contentType: "text/plain")
        #expect(reply.text == "abab")
    }

    @Test func `values of the app's types come and go as JSON`() async throws {
        let reply = try await writer.post("/notes", #"{"title":"a/b","stars":4}"#)
        #expect(reply.status == .created)
        #expect(reply.fields["Content-Type"] == "application/json")
        #expect(reply.text == #"{"stars":5,"title":"a/b"}"#)
    }

    @Test(arguments: [
        (#"{"title":1}"#, "application/json", 422, "the member /title has the wrong type"),
        (#"{"stars":1}"#, "application/json; charset=utf-8", 422, "the member /title is missing"),
        (#"{"title":null}"#, "application/json", 422, "the member /title"),
        (#"{"title":"a",}"#, "application/json", 400, "line 1, column"),
        (#"{"title":"a","title":"b"}"#, "application/json", 400, "more than once"),
        ("", "application/json", 400, "empty document"),
        ("[]", "application/vnd.notes+json", 422, "the content has the wrong type"),
        (#"{"title":"a"}"#, "text/plain", 415, "Content-Type: application/json"),
        (#"{"title":"a"}"#, "application/jsonp", 415, "Content-Type: application/json"),
    ])
    func `RFC 9110 §15.5: content that does not fit gets its status and a sentence`(
        content: String, type: String, status: Int, sentence: String
    ) async throws {
        let fields = [("Accept", "application/problem+json")]
        let reply = try await writer.post("/notes", content, contentType: type, fields: fields)
        #expect(reply.status.code == status)
        let problem = try reply.json().object
        #expect(problem?["status"]?.number?.integer == status)
        let detail = problem?["detail"]?.string ?? ""
        #expect(detail.lowercased().contains(sentence.lowercased()), "\(detail)")
        let text = try await writer.post("/notes", content, contentType: type)
        #expect(text.text.hasSuffix(detail + "\n"))
        // RFC 9110 §15.5.16.
        #expect((reply.fields["Accept"] == "application/json") == (status == 415))
    }

    @Test(arguments: [
        (#"{"a": [1, null]}"#, "application/json", 200), (#"{"a":1,"a":2}"#, "application/json", 400),
        (#"{"a":1}"#, "text/plain", 415),
        (#"{"a":"\#(String(repeating: "b", count: 64))"}"#, "application/json", 413),
    ])
    func `content is read member by member, with the same errors`(
        content: String, type: String, status: Int
    ) async throws {
        let fields = [("Content-Type", type)]
        let reply = try await writer.send(.put, "/notes", fields: fields, content: Array(content.utf8))
        #expect(reply.status.code == status)
        if status == 200 { #expect(try reply.json() == ["a": [1, .null]]) }
    }

    @Test func `RFC 9110 §15.5.14: larger content than the limit is 413`() async throws {
        let content = #"{"title":""# + String(repeating: "a", count: Request.maximumJSONByteCount) + #""}"#
        #expect(try await writer.post("/notes", content).status == .contentTooLarge)
    }

    @Test(arguments: WrongToken.allCases)
    func `each wrong token is refused, and the right one is not`(wrong: WrongToken) async throws {
        let token = Self.issuer.mint(wrong, for: Self.notes, scope: "notes:read")
        #expect(try await app.as(token).get("/notes").status == .unauthorized)
        #expect(try await reader.get("/notes").status == .ok)
    }

    @Test func `RFC 9449 §7.1: a bound token goes with a new proof in each request`() async throws {
        let resource = ProtectedResource(
            "https://api.example.com/dpop", trusting: Self.issuer.trusted, dpop: .accepted)
        let app = RouteTester { $0.protect(resource) { $0.get("/") { _, _ in .ok } } }
        let client = TestDPoPClient()
        let bound = app.as(Self.issuer.mint(for: resource, boundTo: client), provenBy: client)
        #expect(try await bound.get("/dpop").status == .ok)
        #expect(try await bound.get("/dpop?again=1").status == .ok)
        let stranger = app.as(Self.issuer.mint(for: resource, boundTo: client), provenBy: TestDPoPClient())
        #expect(try await stranger.get("/dpop").status == .unauthorized)
    }
}
