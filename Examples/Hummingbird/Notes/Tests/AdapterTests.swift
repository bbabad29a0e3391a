// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisTesting
import Testing

extension ProtectedResource {
    static func notes(trusting issuer: TestIssuer, dpop: DPoPUse = .none) -> ProtectedResource {
        ProtectedResource(
            "https://api.example.com/notes", trusting: issuer.trusted,
            scopes: ["notes:read", "notes:write", "notes:admin"], dpop: dpop)
    }
}

@Suite("What the adapter does with a request")
struct AdapterTests {
    private let issuer = TestIssuer("https://login.example.com")

    private func token(_ scope: String) -> String {
        issuer.mint(audience: "https://api.example.com/notes", scope: scope)
    }

    private func send(
        _ url: String, _ method: Method = .get, token: String? = nil, body: String = ""
    ) async throws -> FetchResponse {
        let fields: Fields = token.map { [.authorization: "Bearer \($0)"] } ?? [:]
        return try await HTTPClientFetcher().fetch(
            FetchRequest(url: url, method: method, fields: fields, body: Array(body.utf8)))
    }

    @Test func `a handler gets the token, and the answer to a path without a route is 404 only with one`()
        async throws
    {
        try await withNotes([.notes(trusting: issuer)]) { origin, _ in
            let note = try await send(origin + "/notes/7", token: token("notes:read"))
            #expect(String(decoding: note.body, as: UTF8.self) == "note 7 of user-1")
            #expect(note.fields[.cacheControl] == "no-store")
            #expect(try await send(origin + "/health").status == .ok)
            #expect(try await send(origin + "/elsewhere").status == .notFound)
            #expect(try await send(origin + "/notes/7/nowhere").status == .unauthorized)
            let nowhere = try await send(origin + "/notes/7/nowhere", token: token("notes:read"))
            #expect(nowhere.status == .notFound)
            #expect(nowhere.fields[.cacheControl] == "no-store")
        }
    }

    @Test func `a route that a path of another case reaches is 404, not public`() async throws {
        try await withNotes([.notes(trusting: issuer)]) { origin, _ in
            let other = try await send(origin + "/NOTES/7")
            #expect(other.status == .notFound)
            let same = try await send(origin + "/n%6ftes/7")
            #expect(same.status == .unauthorized)
        }
    }

    @Test func `a POST needs the scope to write, and its handler gets the body`() async throws {
        try await withNotes([.notes(trusting: issuer)]) { origin, _ in
            let body = String(repeating: "a note ", count: 20_000)
            let refused = try await send(origin + "/notes", .post, token: token("notes:read"), body: body)
            #expect(refused.status == .forbidden)
            #expect(refused.fields[.wwwAuthenticate]?.contains("scope=\"notes:write\"") == true)
            let created = try await send(origin + "/notes", .post, token: token("notes:write"), body: body)
            #expect(created.status == .created)
            #expect(String(decoding: created.body, as: UTF8.self) == body)
        }
    }

    @Test func `a stream passes`() async throws {
        try await withNotes([.notes(trusting: issuer)]) { origin, _ in
            let answer = try await send(origin + "/notes/events", token: token("notes:read"))
            #expect(answer.status == .ok)
            #expect(String(decoding: answer.body, as: UTF8.self) == "line 1\nline 2\nline 3\n")
        }
    }

    @Test func `a handler's refusal is answered with its challenge`() async throws {
        try await withNotes([.notes(trusting: issuer)]) { origin, _ in
            let answer = try await send(origin + "/notes/7", .delete, token: token("notes:write"))
            #expect(answer.status == .forbidden)
            #expect(answer.fields[.wwwAuthenticate]?.contains("scope=\"notes:admin\"") == true)
            let all = token("notes:write notes:admin")
            #expect(try await send(origin + "/notes/7", .delete, token: all).status == .noContent)
        }
    }

    @Test func `RFC 9449 §8: an answer has the nonce for the next proof`() async throws {
        var policy = DPoPPolicy()
        policy.nonce = .required
        let client = TestDPoPClient()
        let resource = ProtectedResource.notes(trusting: issuer, dpop: .accepted(policy))
        try await withNotes([resource]) { origin, _ in
            let bound = issuer.mint(
                audience: "https://api.example.com/notes", scope: "notes:read", boundTo: client)
            func call(_ path: String, nonce: String?) async throws -> FetchResponse {
                let proof = client.proof(.get, "https://api.example.com" + path, token: bound, nonce: nonce)
                return try await HTTPClientFetcher().fetch(
                    FetchRequest(
                        url: origin + path,
                        fields: [.authorization: "DPoP \(bound)", .dpop: proof]))
            }
            let first = try await call("/notes/7", nonce: nil)
            #expect(first.status == .unauthorized)
            #expect(first.fields[.wwwAuthenticate]?.contains("use_dpop_nonce") == true)
            let nonce = try #require(first.fields["DPoP-Nonce"])
            let second = try await call("/notes/7", nonce: nonce)
            #expect(second.status == .ok)
            #expect(second.fields["DPoP-Nonce"] != nil)
            #expect(second.fields[.cacheControl] == "no-store")
            let nowhere = try await call("/notes/7/nowhere", nonce: nonce)
            #expect(nowhere.status == .notFound)
            #expect(nowhere.fields["DPoP-Nonce"] != nil)
        }
    }

    @Test func `RFC 9728 §5.2: resources are replaced while the server runs`() async throws {
        let other = TestIssuer("https://other.example.com")
        try await withNotes([.notes(trusting: issuer)]) { origin, registry in
            let token = token("notes:read")
            #expect(try await send(origin + "/notes/7", token: token).status == .ok)
            try registry.replace([.notes(trusting: other)])
            #expect(try await send(origin + "/notes/7", token: token).status == .unauthorized)
            let path = "/.well-known/oauth-protected-resource/notes"
            let document = try await send(origin + path)
            #expect(String(decoding: document.body, as: UTF8.self).contains("https://other.example.com"))
            // Without its resource a guarded route is not public.
            try registry.replace([])
            #expect(try await send(origin + "/notes/7", token: token).status == .notFound)
            #expect(try await send(origin + path).status == .notFound)
        }
    }
}
