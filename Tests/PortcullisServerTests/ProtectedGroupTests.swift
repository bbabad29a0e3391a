// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisServer
import PortcullisTesting
import Testing

/// Groups inside protected blocks.
@Suite("RFC 6750 §3.1 Groups of a resource's routes")
struct ProtectedGroupTests {
    /// Adds the name of a group and the subject of the token to each response.
    private struct Mark: NonWaitingMiddleware {
        let name: String

        func intercept(_ request: inout Request) -> Interception {
            let subject = request.token?.subject ?? "nobody"
            return .proceedThenFinish { [name] in $0.fields.append("\(name) \(subject)", for: "X-Mark") }
        }
    }

    private static let issuer = TestIssuer("https://login.example.com")
    private static let notes = ProtectedResource(
        "https://api.example.com/notes", trusting: issuer.trusted,
        scopes: ["notes:read", "notes:write", "notes:admin"])

    private static func declare(_ routes: inout Routes) {
        routes.protect(notes) { notes in
            notes.use(Mark(name: "notes"))
            notes.get("/", requiring: "notes:read") { _, _ in .text("all") }
            notes.group("/{id}", requiring: "notes:read") { note in
                note.use(Mark(name: "note"))
                note.get("/") { request, _ in .text("note \(request.parameters["id"])") }
                note.put("/", requiring: "notes:write") { _, _ in .text("changed") }
                note.group("/parts", requiring: "notes:admin") { parts in
                    parts.use(Mark(name: "parts"))
                    parts.get("/{part}") { request, _ in
                        .text("\(request.parameters["id"]) \(request.parameters["part"])")
                    }
                }
            }
            notes.group { plain in plain.delete("/", requiring: "notes:admin") { _, _ in .text("deleted") } }
        }
    }

    private let app = RouteTester { Self.declare(&$0) }

    private func `as`(_ scope: String?) -> RouteTester {
        app.as(Self.issuer.mint(for: Self.notes, scope: scope))
    }

    @Test func `a group adds its prefix and its middleware behind the gate`() async throws {
        let admin = `as`("notes:read notes:write notes:admin")
        let calls: [(Method, String, String, [String])] = [
            (.get, "/notes", "all", ["notes"]), (.get, "/notes/7", "note 7", ["note", "notes"]),
            (.put, "/notes/7", "changed", ["note", "notes"]),
            (.get, "/notes/7/parts/8", "7 8", ["parts", "note", "notes"]),
            (.delete, "/notes", "deleted", ["notes"]),
        ]
        for (method, path, text, marks) in calls {
            let reply = try await admin.send(method, path)
            #expect(reply.text == text)
            #expect(reply.fields.values(of: "X-Mark") == marks.map { "\($0) user-1" })
        }
        #expect(try await admin.get("/notes/7/parts").status == .notFound)
        let wrong = try await admin.send(.post, "/notes/7")
        #expect(wrong.status == .methodNotAllowed && wrong.fields["Allow"] == "GET, PUT, HEAD")
    }

    @Test(arguments: [
        ("/notes/7", Method.get, "notes:read"), ("/notes/7", .put, "notes:read notes:write"),
        ("/notes/7/parts/8", .get, "notes:read notes:admin"),
    ])
    func `a group's requirement is added to that of each route`(
        path: String, method: Method, scopes: String
    ) async throws {
        #expect(try await app.send(method, path).status == .unauthorized)
        let needed = scopes.split(separator: " ")
        #expect(try await `as`(scopes).send(method, path).status == .ok)
        for missing in needed {
            let rest = needed.filter { $0 != missing }.joined(separator: " ")
            let reply = try await `as`(rest.isEmpty ? "notes:other" : rest).send(method, path)
            #expect(reply.status == .forbidden)
            let challenge = reply.fields["WWW-Authenticate"] ?? ""
            #expect(challenge.contains("scope=\"\(scopes)\""))
        }
    }

    @Test func `requirements that no challenge can express together are a mistake`() {
        let problems = routingProblems { routes in
            routes.protect(Self.notes) { notes in
                notes.group("/a", requiring: .any(of: ["notes:read", "notes:write"])) { group in
                    group.get("/b", requiring: .any(of: ["notes:write", "notes:admin"])) { _, _ in .ok }
                    group.get("/c", requiring: "notes:write") { _, _ in .ok }
                }
            }
        }
        #expect(
            problems.contains(
                "https://api.example.com/notes: /a/b requires what cannot be required together with its "
                    + "group's requirement"))
        #expect(!problems.contains("/a/c"))
    }

    @Test func `a route of a group needs a declared scope, and is declared once`() {
        let problems = routingProblems { routes in
            routes.protect(Self.notes) { notes in
                notes.get("/{id}/a") { _, _ in .ok }
                notes.group("/{name}", requiring: "notes:unknown") { $0.get("/a") { _, _ in .ok } }
            }
        }
        #expect(problems.contains("requires the scope notes:unknown"))
        #expect(problems.contains("is declared twice"))
    }

    @Test func `routes with the same requirement share a gate, also in groups`() async throws {
        let app = RouteTester { routes in
            routes.protect(Self.notes) { notes in
                for name in ["a", "b"] {
                    notes.group("/\(name)") { group in
                        group.onError { _, _ in .text(name) }
                        group.get("/fails") { _, _ in throw CancellationError() }
                        group.get("/works") { _, _ in .text("works") }
                    }
                }
            }
        }
        let reader = app.as(Self.issuer.mint(for: Self.notes))
        for name in ["a", "b"] {
            #expect(try await reader.get("/notes/\(name)/fails").text == name)
            #expect(try await reader.get("/notes/\(name)/works").text == "works")
            #expect(try await app.get("/notes/\(name)/works").status == .unauthorized)
        }
    }

    @Test func `a group's routes may need no token where the resource allows that`() async throws {
        let app = RouteTester { routes in
            routes.optionallyProtect(Self.notes) { notes in
                notes.group("/open") { group in
                    group.use(Mark(name: "open"))
                    group.get("/") { _, token in .text(token?.subject ?? "nobody") }
                    group.get("/read", requiring: "notes:read") { _, token in .text(token?.subject ?? "") }
                }
                notes.group("/closed", requiring: .anyValidToken) { group in
                    group.onError { _, _ in .text("answered", status: .conflict) }
                    group.get("/") { _, token in .text(token?.subject ?? "nobody") }
                    group.get("/fails") { _, _ in throw CancellationError() }
                }
            }
        }
        #expect(try await app.get("/notes/open").text == "nobody")
        #expect(try await app.get("/notes/open").fields["X-Mark"] == "open nobody")
        for path in ["/notes/open/read", "/notes/closed", "/notes/closed/fails", "/notes/open/nowhere"] {
            #expect(try await app.get(path).status == .unauthorized)
        }
        let reader = app.as(Self.issuer.mint(for: Self.notes, scope: "notes:read"))
        for path in ["/notes/open", "/notes/open/read", "/notes/closed"] {
            #expect(try await reader.get(path).text == "user-1")
        }
        #expect(try await reader.get("/notes/closed/fails").status == .conflict)
    }

    @Test func `the token is also in the request behind a gate that is middleware`() async throws {
        let app = RouteTester { routes in
            routes.group("/notes") { group in
                group.use(ResourceGate(Self.notes, requiring: "notes:read"))
                group.use(Mark(name: "gate"))
                group.get("/mine") { .text($0.token?.subject ?? "nobody") }
            }
        }
        #expect(try await app.get("/notes/mine").status == .unauthorized)
        let reader = app.as(Self.issuer.mint(for: Self.notes, scope: "notes:read"))
        let reply = try await reader.get("/notes/mine")
        #expect(reply.text == "user-1" && reply.fields["X-Mark"] == "gate user-1")
    }
}
