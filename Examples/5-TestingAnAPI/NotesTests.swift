// SPDX-License-Identifier: MIT

// An API's routes, and the tests that an author writes for them: no network, no authorization server.

import PortcullisServer
import PortcullisTesting
import Testing

/// The routes, in a function of the resource, so that a test can pass one that trusts the test's issuer.
func declare(_ routes: inout Routes, guardedBy notes: ProtectedResource) {
    routes.get("/") { _ in .text("Everybody may read this page.") }
    routes.protect(notes) { notes in
        notes.get("/", requiring: "notes:read") { _, token in .text("Notes of \(token.subject ?? "a client")")
        }
        notes.post("/", requiring: "notes:write") { request, _ in
            let note = try await request.decode([String: String].self)
            return try .json(note, status: .created)
        }
    }
}

// snippet: example-5
@Suite struct NotesTests {
    let issuer = TestIssuer("https://login.example.com")
    let notes: ProtectedResource
    let app: RouteTester

    init() {
        let notes = ProtectedResource(
            "https://api.example.com/notes", trusting: issuer.trusted, scopes: ["notes:read", "notes:write"])
        self.notes = notes
        app = RouteTester { declare(&$0, guardedBy: notes) }
    }

    @Test func `the page is public, the notes are not`() async throws {
        #expect(try await app.get("/").status == .ok)
        #expect(try await app.get("/notes").status == .unauthorized)
        #expect(try await app.get("/notes/no-such-route").status == .unauthorized)
    }

    @Test func `a reader reads, and does not write`() async throws {
        let reader = app.as(issuer.mint(for: notes, scope: "notes:read", subject: "ada"))
        #expect(try await reader.get("/notes").text == "Notes of ada")
        let refusal = try await reader.post("/notes", #"{"text": "Hello"}"#)
        #expect(refusal.status == .forbidden)
        #expect(refusal.fields[.wwwAuthenticate]?.contains(#"scope="notes:write""#) == true)
    }

    @Test func `a writer's note is created, and one that is no JSON is refused`() async throws {
        let writer = app.as(issuer.mint(for: notes, scope: "notes:write"))
        let created = try await writer.post("/notes", #"{"text": "Hello"}"#)
        #expect(created.status == .created)
        #expect(try created.json() == ["text": "Hello"])
        #expect(try await writer.post("/notes", "Hello").status == .badRequest)
    }

    @Test(arguments: WrongToken.allCases) func `a wrong token is refused`(wrong: WrongToken) async throws {
        let stranger = app.as(issuer.mint(wrong, for: notes, scope: "notes:read"))
        #expect(try await stranger.get("/notes").status == .unauthorized)
    }

    @Test func `a bound token needs its key`() async throws {
        let client = TestDPoPClient()
        let token = issuer.mint(for: notes, scope: "notes:read", boundTo: client)
        #expect(try await app.as(token).get("/notes").status == .unauthorized)
    }
}
// end
