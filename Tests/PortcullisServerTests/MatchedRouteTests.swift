// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisServer
import PortcullisTesting
import Testing

/// What handlers and middleware know of the route.
@Suite("Routes: the matched route of a request")
struct MatchedRouteTests {
    /// Notes the route of each request on the way in.
    private struct Note: NonWaitingMiddleware {
        let seen: Logbook

        func intercept(_ request: inout Request) -> Interception {
            seen.add(request.matchedRoute?.pattern ?? "none")
            return .proceed
        }
    }

    private static let issuer = TestIssuer("https://login.example.com")
    private static let notes = ProtectedResource(
        "https://api.example.com/notes", trusting: issuer.trusted, scopes: ["notes:read"])

    private static func text(_ request: Request) -> Response {
        guard let route = request.matchedRoute else { return .text("none") }
        let methods = route.methods.map(\.name).joined(separator: ",")
        return .text("\(methods) \(route.pattern) \(route.resource ?? "public")")
    }

    private static func declare(_ routes: inout Routes, _ seen: Logbook) {
        routes.use(Note(seen: seen))
        routes.get("/health") { text($0) }
        routes.group("/files") { files in
            files.on([.put, .post], "/{name}/{rest...}") { request async in
                await Task.yield()
                return text(request)
            }
        }
        routes.protect(notes) { notes in
            notes.get("/") { request, _ in text(request) }
            notes.group("/{id}") { note in
                note.get("/parts/{part}") { request, _ in text(request) }
            }
        }
    }

    @Test func `handlers and middleware read pattern, methods and resource`() async throws {
        let seen = Logbook()
        let app = RouteTester { Self.declare(&$0, seen) }
        let reader = app.as(Self.issuer.mint(for: Self.notes))
        #expect(try await app.get("/health?a=1").text == "GET /health public")
        #expect(try await app.send(.head, "/health").status == .ok)
        #expect(try await app.post("/files/a/b/c", "{}").text == "PUT,POST /files/{name}/{rest...} public")
        let notes = "https://api.example.com/notes"
        #expect(try await reader.get("/notes").text == "GET /notes \(notes)")
        #expect(try await reader.get("/notes/7/parts/8").text == "GET /notes/{id}/parts/{part} \(notes)")
        #expect(
            seen.sentences == [
                "/health", "/health", "/files/{name}/{rest...}", "/notes", "/notes/{id}/parts/{part}",
            ])
    }

    @Test func `what no route of the app answers has none`() async throws {
        let seen = Logbook()
        let app = RouteTester { Self.declare(&$0, seen) }
        let reader = app.as(Self.issuer.mint(for: Self.notes))
        _ = try await app.get("/nowhere")
        _ = try await app.send(.delete, "/health")
        _ = try await app.send(.options, "/health")
        _ = try await reader.get("/notes/7")
        _ = try await app.get("/.well-known/oauth-protected-resource/notes")
        #expect(seen.sentences == Array(repeating: "none", count: 5))
    }

    @Test func `middleware knows the route of a 413 too`() async throws {
        let seen = Logbook()
        var setup = RunningServer.Setup()
        setup.limits.maxBodyByteCount = 2
        try await withServer(setup, { (routes: inout Routes) in Self.declare(&routes, seen) }) { server in
            let reply = try await server.get("/health")
            #expect(reply.text == "GET /health public")
            let large = try await server.exchange(
                request("PUT", "/files/a/b", ["Content-Length: 3"]) + "abc")
            #expect(large.status == 413)
        }
        #expect(seen.sentences == ["/health", "/files/{name}/{rest...}"])
    }
}
