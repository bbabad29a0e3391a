// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisServer
import PortcullisStatusList
import PortcullisTesting
import Testing

@Suite("RFC 6750 §3.1 A streamed answer ends with its token")
struct StreamExpiryTests {
    let clock = ManualClock()
    let issuer: TestIssuer
    let resource: ProtectedResource

    init() {
        issuer = TestIssuer("https://as.example.com", time: clock.time)
        resource = ProtectedResource(
            "https://api.example.com/notes", trusting: issuer.trusted, time: clock.time)
    }

    private func token(_ lifetime: Duration = .seconds(60)) -> String {
        issuer.mint(audience: "https://api.example.com/notes", lifetime: lifetime)
    }

    /// Streams two pieces and advances the clock between them.
    private func reply(
        _ expiry: StreamExpiry?, passing time: Duration, isImmediate: Bool = true
    ) async throws -> Reply {
        let clock = clock
        let write: @Sendable (ResponseBodyWriter) async throws -> Void = { writer in
            try await writer.write("one ")
            clock.advance(by: time)
            try await writer.write("two ")
        }
        return try await withServer(
            .preferred,
            { routes in
                routes.protect(resource) { notes in
                    if let expiry { notes.streamExpiry = expiry }
                    if isImmediate {
                        notes.get("/") { _, _ in .stream(contentType: "text/plain", write) }
                    } else {
                        notes.get("/") { _, _ in
                            await Task.yield()
                            return .stream(contentType: "text/plain", write)
                        }
                    }
                }
            },
            { server in try await server.get("/notes", "Authorization: Bearer \(token())") })
    }

    @Test(arguments: [true, false])
    func `the connection is cut, so that the client notices`(isImmediate: Bool) async throws {
        let reply = try await reply(nil, passing: .seconds(90), isImmediate: isImmediate)
        #expect(reply.status == 200 && reply.text == "one " && reply.isCutOff)
    }

    @Test func `before its expiry the stream continues, within the leeway too`() async throws {
        let reply = try await reply(nil, passing: .milliseconds(89_500))
        #expect(reply.text == "one two " && !reply.isCutOff)
    }

    @Test func `the app may send a last event, and the answer is whole`() async throws {
        let reply = try await reply(.finish { try await $0.write("bye") }, passing: .seconds(90))
        #expect(reply.text == "one bye" && !reply.isCutOff)
    }

    @Test func `the app may let the stream continue`() async throws {
        let reply = try await reply(.ignore, passing: .seconds(90))
        #expect(reply.text == "one two " && !reply.isCutOff)
    }

    /// Streams two pieces, with a revocation and a refresh of the list between them.
    @Test(arguments: [true, false])
    func `TSL-30 a stream ends when a list withdraws its token`(isRevoked: Bool) async throws {
        let list = TestStatusListIssuer(of: issuer)
        let clock = clock
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: list.trusted(inflatingWith: ZlibInflater()),
            time: clock.time)
        let token = issuer.mint(
            audience: "https://api.example.com/notes", lifetime: .seconds(3000), claims: list.claims(at: 7))
        let reply = try await withServer(
            .preferred,
            { routes in
                routes.protect(resource) { notes in
                    notes.get("/") { _, _ in
                        .stream(contentType: "text/plain") { writer in
                            try await writer.write("one ")
                            if isRevoked { list.revoke(7) }
                            clock.advance(by: .seconds(301))
                            await resource.refreshDueStatusLists()
                            try await writer.write("two ")
                        }
                    }
                }
            },
            { server in try await server.get("/notes", "Authorization: Bearer \(token)") })
        #expect(reply.text == (isRevoked ? "one " : "one two "))
        #expect(reply.isCutOff == isRevoked)
    }

    @Test func `TSL-30 a stream that writes nothing ends too`() async throws {
        let list = TestStatusListIssuer(of: issuer)
        let clock = clock
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: list.trusted(inflatingWith: ZlibInflater()),
            time: clock.time)
        let token = issuer.mint(
            audience: "https://api.example.com/notes", lifetime: .seconds(3000), claims: list.claims(at: 7))
        let reply = try await withServer(
            .preferred,
            { routes in
                routes.protect(resource) { notes in
                    notes.get("/") { _, _ in
                        .stream(contentType: "text/plain") { writer in
                            try await writer.write("one ")
                            list.revoke(7)
                            clock.advance(by: .seconds(301))
                            await resource.refreshDueStatusLists()
                            try await Task.sleep(for: .seconds(20))
                            try await writer.write("two ")
                        }
                    }
                }
            },
            { server in try await server.get("/notes", "Authorization: Bearer \(token)") })
        #expect(reply.text == "one " && reply.isCutOff)
    }

    @Test func `the stream is also cut after its resource is removed`() async throws {
        let resources = try ResourceRegistry([resource], log: { _ in })
        let clock = clock
        let reply = try await withServer(
            .preferred,
            { routes in
                routes.group { routes in
                    routes.use(RegistryGate(resources, resource.identifier))
                    routes.get("/notes") { _ in
                        .stream(contentType: "text/plain") { writer in
                            try await writer.write("one ")
                            try resources.replace([])
                            clock.advance(by: .seconds(90))
                            try await writer.write("two ")
                        }
                    }
                }
            },
            { server in try await server.get("/notes", "Authorization: Bearer \(token())") })
        #expect(reply.status == 200 && reply.text == "one " && reply.isCutOff)
    }

    @Test func `a handler that writes nothing and ignores cancellation is cut too`() async throws {
        let door = Gate()
        try await withServer(
            .preferred,
            { routes in
                routes.protect(resource) { notes in
                    notes.get("/") { _, _ in
                        .stream(contentType: "text/plain") { writer in
                            try await writer.write("one ")
                            await door.wait()
                        }
                    }
                }
            },
            { server in
                // Expired, except for the last moment of its leeway.
                let token = token(.seconds(-29))
                clock.advance(by: .milliseconds(700))
                let reply = try await server.get("/notes", "Authorization: Bearer \(token)")
                #expect(reply.status == 200 && reply.text == "one " && reply.isCutOff)
            })
        door.open()
    }
}
