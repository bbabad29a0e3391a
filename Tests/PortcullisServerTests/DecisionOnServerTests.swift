// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("AuthZEN 1.0 §6 Decisions of the app on a server", .timeLimit(.minutes(1)))
struct DecisionOnServerTests {
    @Test func `a decision holds up no other request of its loop`() async throws {
        let site = GuardedSite()
        let resource = try site.resource("https://api.example.com/notes")
        let gate = Gate()
        let asked = Counter()
        let slow = ExternalDecision(timeout: .seconds(30)) { _ in
            asked.increment()
            await gate.wait()
            return .permit
        }
        var setup = RunningServer.Setup()
        setup.loops = 1
        try await withServer(
            setup,
            { routes in
                routes.protect(resource) { notes in
                    notes.get("/", requiring: AccessRequirement.anyValidToken.decided(by: slow)) { _, token in
                        .text(token.subject ?? "")
                    }
                    notes.get("/fast") { _, _ in .ok }
                }
            }
        ) { server in
            let bearer = site.bearer(for: "https://api.example.com/notes")
            async let waiting = server.get("/notes", bearer)
            #expect(await eventually { asked.value == 1 })
            let fast = try await server.get("/notes/fast", bearer)
            #expect(fast.status == 200)
            gate.open()
            let reply = try await waiting
            #expect(reply.text == "user-1")
        }
    }

    @Test func `denial and outage are 403 and 503, and the access log names them`() async throws {
        let site = GuardedSite()
        let resource = try site.resource("https://api.example.com/notes")
        try await withServer(
            RunningServer.Setup(),
            { routes in
                routes.protect(resource) { notes in
                    notes.get(
                        "/denied",
                        requiring: AccessRequirement.anyValidToken.decided(
                            by: ExternalDecision { _ in .deny("secret policy") })
                    ) { _, _ in .ok }
                    notes.get(
                        "/silent",
                        requiring: AccessRequirement.anyValidToken.decided(
                            by: ExternalDecision(timeout: .milliseconds(10)) { _ in
                                try await Task.sleep(for: .seconds(60))
                                return .permit
                            })
                    ) { _, _ in .ok }
                }
            }
        ) { server in
            let bearer = site.bearer(for: "https://api.example.com/notes")
            let denied = try await server.get("/notes/denied", bearer)
            #expect(denied.status == 403 && denied["WWW-Authenticate"] == nil)
            #expect(denied.text == #"{"error":"access_denied","error_description":"The request was denied"}"#)
            let silent = try await server.get("/notes/silent", bearer)
            #expect(silent.status == 503 && silent["Retry-After"] == "5")
            #expect(try await server.get("/notes/denied").status == 401)
        }
    }
}
