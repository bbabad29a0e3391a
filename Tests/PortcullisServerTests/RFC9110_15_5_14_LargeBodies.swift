// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import PortcullisTesting
import Testing

/// A request whose declared length is too large passes through the same layers as any other.
@Suite("RFC 9110 §15.5.14 Content that is declared too large")
struct RFC9110_15_5_14_LargeBodies {
    private struct Mark: NonWaitingMiddleware {
        func intercept(_ request: inout Request) -> Interception {
            .proceedThenFinish { $0.fields["X-Mark"] = "1" }
        }
    }

    private struct WaitingMark: Middleware {
        func respond(to request: Request, next: Next) async throws -> Response {
            await Task.yield()
            var response = try await next(request)
            response.fields["X-Waiting-Mark"] = "\(response.status.code)"
            return response
        }
    }

    private let issuer = TestIssuer("https://login.example.com")
    private let lines = Lines()

    private func serving(_ test: (RunningServer) async throws -> Void) async throws {
        let notes = ProtectedResource("https://api.example.com/notes", trusting: issuer.trusted)
        var setup = RunningServer.Setup()
        setup.limits.maxBodyByteCount = 10
        let lines = lines
        setup.configure = { $0.accessLog = .lines(.json) { lines.add($0) } }
        try await withServer(
            setup,
            { routes in
                routes.use(Mark())
                routes.use(WaitingMark())
                routes.cors = .anyOrigin
                routes.post("/collect") { request async throws in
                    .text("\(try await request.body.collect().count)")
                }
                routes.protect(notes) { $0.post("/") { _, _ in .ok } }
            }, test)
    }

    private func post(_ path: String, _ fields: String...) -> String {
        request("POST", path, ["Content-Length: 11"] + fields) + "01234567890"
    }

    @Test func `middleware, CORS and the access log see the request and its 413`() async throws {
        try await serving { server in
            let reply = try await server.exchange(post("/collect", "Origin: https://app.example.com"))
            #expect(reply.status == 413 && reply.closes)
            #expect(reply["x-mark"] == "1" && reply["x-waiting-mark"] == "413")
            #expect(reply["access-control-allow-origin"] == "*")
            #expect(try await server.exchange(post("/nowhere")).status == 413)
            let waiting = try await server.exchange(
                request("POST", "/collect", ["Content-Length: 11", "Expect: 100-continue"]))
            #expect(waiting.status == 413)
        }
        let first = try #require(lines.objects.first)
        #expect(first["route"]?.string == "/collect" && first["path"]?.string == "/collect")
        #expect(first["status"]?.number?.integer == 413)
    }

    @Test func `the gate is passed first`() async throws {
        let token = issuer.mint(audience: "https://api.example.com/notes")
        try await serving { server in
            let refused = try await server.exchange(post("/notes"))
            #expect(refused.status == 401)
            let admitted = try await server.exchange(post("/notes", "Authorization: Bearer \(token)"))
            #expect(admitted.status == 413)
        }
        #expect(
            lines.objects.map { $0["resource"]?.string }
                == Array(repeating: "https://api.example.com/notes", count: 2))
    }
}
