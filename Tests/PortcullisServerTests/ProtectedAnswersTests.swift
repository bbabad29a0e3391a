// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisServer
import PortcullisTesting
import Testing

/// How the server answers for each way of sending a token.
@Suite("RFC 6750 §2.2, RFC 9449 §8.2 Answers after the gate")
struct ProtectedAnswersTests {
    static let identifier = "http://127.0.0.1:8080/notes"
    let issuer = TestIssuer("https://as.example.com")
    let client = TestDPoPClient()

    private func resource(_ change: (inout ProtectedResourceMetadata, inout TokenPolicy) -> Void) throws
        -> ProtectedResource
    {
        var metadata = ProtectedResourceMetadata(resource: "http://127.0.0.1:8080/notes")
        metadata.authorizationServers = [issuer.issuer]
        var policy = TokenPolicy()
        change(&metadata, &policy)
        return try ProtectedResource(validating: .init(metadata, trusting: [issuer.trusted], tokens: policy))
    }

    private func declare(_ resource: ProtectedResource, in routes: inout Routes) {
        routes.protect(resource) { notes in
            notes.post("/") { request, token in
                let body = try await request.body.collect()
                return .bytes(body, contentType: "text/plain")
            }
            notes.get("/") { _, token in .text("\(token.binding.rawValue)") }
            notes.get("/cached") { _, _ in
                Response(status: .ok, fields: [.cacheControl: "max-age=60"])
            }
            notes.get("/admin") { _, token in
                try token.require("notes:admin")
                return .ok
            }
        }
    }

    private func serve(
        _ resource: ProtectedResource, _ setup: RunningServer.Setup = RunningServer.Setup(),
        _ test: (RunningServer) async throws -> Void
    ) async throws {
        try await withServer(setup, { (routes: inout Routes) in declare(resource, in: &routes) }, test)
    }

    private func form(_ body: String, _ fields: String...) -> String {
        let type = "Content-Type: application/x-www-form-urlencoded"
        let lines =
            ["POST /notes HTTP/1.1", "Host: 127.0.0.1:8080", type, "Content-Length: \(body.utf8.count)"]
            + fields
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    @Test func `§2.2: the handler gets the form byte for byte, including the token`() async throws {
        let token = issuer.mint(audience: Self.identifier)
        let resource = try resource { metadata, _ in metadata.bearerMethodsSupported = [.header, .body] }
        try await serve(resource) { server in
            let body = "a=%20+b&access_token=\(token)&&x"
            let reply = try await server.exchange(form(body))
            #expect(reply.status == 200)
            #expect(reply.text == body)
            #expect(reply["Cache-Control"] == "no-store")
            // The same form in chunks.
            let head = [
                "POST /notes HTTP/1.1", "Host: 127.0.0.1:8080", "Transfer-Encoding: chunked",
                "Content-Type: application/x-www-form-urlencoded",
            ]
            let chunks =
                "5\r\na=%20\r\n\(String(body.utf8.count - 5, radix: 16))\r\n\(body.dropFirst(5))\r\n0\r\n\r\n"
            let chunked = try await server.exchange(head.joined(separator: "\r\n") + "\r\n\r\n" + chunks)
            #expect(chunked.text == body)
            let both = try await server.exchange(form(body, "Authorization: Bearer \(token)"))
            #expect(both.status == 400)
            let other = try await server.exchange(form("x=1", "Authorization: Bearer \(token)"))
            #expect(other.text == "x=1")
            #expect(try await server.exchange(form("x=1")).status == 401)
        }
    }

    @Test func `RFC 9110 §15.5.14: a form above the limit is too large, with or without a token`()
        async throws
    {
        let token = issuer.mint(audience: Self.identifier)
        let resource = try resource { metadata, _ in metadata.bearerMethodsSupported = [.header, .body] }
        var setup = RunningServer.Setup()
        setup.limits.maxBodyByteCount = 4_000_000
        try await serve(resource, setup) { server in
            let body = String(repeating: "a", count: 1_048_577)
            let reply = try await server.exchange(form(body, "Authorization: Bearer \(token)"))
            #expect(reply.status == 413)
        }
    }

    @Test func `RFC 9449 §8.2: a nonce is demanded once, and every later answer has one`() async throws {
        let token = issuer.mint(audience: Self.identifier, boundTo: client)
        let resource = try resource { metadata, policy in
            metadata.dpopSigningAlgorithmsSupported = ["ES256"]
            policy.dpop.nonce = .required
        }
        try await serve(resource) { server in
            func get(_ path: String, nonce: String?) async throws -> Reply {
                let uri = "http://127.0.0.1:8080" + path
                let proof = client.proof(.get, uri, token: token, nonce: nonce)
                return try await server.get(path, "Authorization: DPoP \(token)", "DPoP: \(proof)")
            }
            let first = try await get("/notes", nonce: nil)
            #expect(first.status == 401)
            let nonce = try #require(first["DPoP-Nonce"])
            let second = try await get("/notes", nonce: nonce)
            #expect(second.text == "dpop")
            #expect(second.all("DPoP-Nonce") == [nonce])
            #expect(second.all("Cache-Control") == ["no-store"])
            let cached = try await get("/notes/cached", nonce: nonce)
            #expect(cached.all("Cache-Control") == ["no-store, max-age=60"])
            let missing = try await get("/notes/nothing", nonce: nonce)
            #expect(missing.status == 404)
            #expect(missing.all("DPoP-Nonce") == [nonce])
            let refused = try await get("/notes/admin", nonce: nonce)
            #expect(refused.status == 403)
            #expect(refused["WWW-Authenticate"]?.hasPrefix("DPoP ") == true)
            #expect(refused.all("DPoP-Nonce") == [nonce])
        }
    }

    // RFC 9449 §8.2: with a nonce at hand, the client's first proof succeeds.
    @Test(arguments: [true, false])
    func `RFC 9449 §8.2: every answer has a nonce where nonces are required`(describesRefusals: Bool)
        async throws
    {
        let bearer = issuer.mint(audience: Self.identifier)
        let bound = issuer.mint(audience: Self.identifier, boundTo: client)
        let resource = try resource { metadata, policy in
            metadata.dpopSigningAlgorithmsSupported = ["ES256"]
            policy.dpop.nonce = .required
        }
        var setup = RunningServer.Setup()
        if describesRefusals { setup.configure = { $0.accessLog = .lines(.json, to: { _ in }) } }
        try await serve(resource, setup) { server in
            let cases: [(Int, String, [String])] = [
                (401, "/notes", []), (401, "/notes/nothing", []), (400, "/notes", ["Authorization: Bearer"]),
                (401, "/notes", ["Authorization: DPoP \(bound)", "DPoP: a", "DPoP: b"]),
                (401, "/notes", ["Authorization: Basic eDp5"]),
                (401, "/notes", ["Authorization: Bearer a.b.c"]),
                (401, "/notes", ["Authorization: DPoP \(bound)"]),
                (401, "/notes", ["Authorization: Bearer \(bound)"]),
                (200, "/notes", ["Authorization: Bearer \(bearer)"]),
                (403, "/notes/admin", ["Authorization: Bearer \(bearer)"]),
                (404, "/notes/nothing", ["Authorization: Bearer \(bearer)"]),
            ]
            for (status, path, fields) in cases {
                let reply = try await server.exchange(request("GET", path, fields))
                #expect(reply.status == status, "\(path) \(fields)")
                #expect(reply.all("DPoP-Nonce").count == 1, "\(path) \(fields)")
                #expect(reply.all("Cache-Control") == ["no-store"], "\(path) \(fields)")
            }
        }
    }

    @Test func `RFC 9449 §8.2: no answer has a nonce where none is required`() async throws {
        let resource = try resource { metadata, _ in metadata.dpopSigningAlgorithmsSupported = ["ES256"] }
        try await serve(resource) { server in
            let reply = try await server.get("/notes")
            #expect(reply.status == 401 && reply.all("DPoP-Nonce") == [])
        }
    }

    @Test func `RFC 6750 §2.3: a token in the query makes the answer private`() async throws {
        let token = issuer.mint(audience: Self.identifier)
        let resource = try resource { metadata, _ in metadata.bearerMethodsSupported = [.header, .query] }
        try await serve(resource) { server in
            let reply = try await server.get("/notes?access_token=\(token)")
            #expect(reply.status == 200)
            #expect(reply.all("Cache-Control") == ["private, no-store"])
            let field = try await server.get("/notes", "Authorization: Bearer \(token)")
            #expect(field.all("Cache-Control") == ["no-store"])
        }
    }
}
