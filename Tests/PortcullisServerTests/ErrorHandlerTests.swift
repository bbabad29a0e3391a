// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisServer
import PortcullisTesting
import Testing

/// What answers an error that a handler or middleware throws.
@Suite("RFC 9110 §15.6.1 Errors of handlers")
struct ErrorHandlerTests {
    enum Kind: CaseIterable {
        case immediate, suspending, blocking
    }

    private struct Trouble: Error {
        var name = "secret"
    }

    private struct Other: Error {}

    /// Adds a field to every response, without waiting.
    private struct Mark: NonWaitingMiddleware {
        let name: FieldName

        func intercept(_ request: inout Request) -> Interception {
            .proceedThenFinish { $0.fields.append("\($0.status.code)", for: name) }
        }
    }

    /// Notes what `next` threw, and goes on with the error or answers it.
    private struct Watch: Middleware {
        let seen: Logbook
        var answer: Response?

        func respond(to request: Request, next: Next) async throws -> Response {
            do {
                let response = try await next(request)
                seen.add("\(response.status.code)")
                return response
            } catch {
                seen.add("\(type(of: error))")
                guard let answer else { throw error }
                return answer
            }
        }
    }

    /// Throws an error of its own.
    private struct Broken: Middleware {
        func respond(to request: Request, next: Next) async throws -> Response { throw Trouble() }
    }

    private static let issuer = TestIssuer("https://login.example.com")
    private static let notes = ProtectedResource(
        "https://api.example.com/notes", trusting: issuer.trusted, scopes: ["notes:read", "notes:write"])

    private static func fail(_ routes: inout Routes, _ path: String, _ kind: Kind) -> DeclaredRoute {
        switch kind {
        case .immediate: routes.get(path) { _ in throw Trouble() }
        case .suspending:
            routes.get(path) { _ async throws in
                await Task.yield()
                throw Trouble()
            }
        case .blocking: routes.on([.get], path, blocking: { _ in throw Trouble() })
        }
    }

    private static func text(_ name: String) -> DeclaredRoute.ErrorHandler {
        { error, request in error is Trouble ? .text("\(name) \(request.path)", status: .conflict) : nil }
    }

    @Test(arguments: Kind.allCases)
    func `the innermost block answers first`(kind: Kind) async throws {
        let app = RouteTester { routes in
            routes.onError(Self.text("app"))
            _ = Self.fail(&routes, "/app", kind)
            routes.group("/group") { group in
                group.onError(Self.text("group"))
                _ = Self.fail(&group, "/group", kind)
                Self.fail(&group, "/route", kind).onError(Self.text("route"))
                group.group("/inner") { inner in
                    inner.onError { _, _ in nil }
                    _ = Self.fail(&inner, "/group", kind)
                }
            }
        }
        for (path, name) in [
            ("/app", "app"), ("/group/group", "group"), ("/group/route", "route"),
            ("/group/inner/group", "group"),
        ] {
            let reply = try await app.get(path)
            #expect(reply.status == .conflict && reply.text == "\(name) \(path)")
        }
    }

    @Test(arguments: Kind.allCases)
    func `nil passes outwards, and so does another error`(kind: Kind) async throws {
        let app = RouteTester { routes in
            routes.onError { error, _ in error is Other ? .text("other", status: .badGateway) : nil }
            routes.onError(Self.text("second"))
            _ = Self.fail(&routes, "/second", kind)
            routes.group { group in
                group.onError { _, _ in nil }
                group.onError { _, _ in throw Other() }
                _ = Self.fail(&group, "/other", kind)
            }
        }
        #expect(try await app.get("/second").text == "second /second")
        let other = try await app.get("/other")
        #expect(other.status == .badGateway && other.text == "other")
    }

    @Test(arguments: Kind.allCases)
    func `an error that nothing answers is 500, with the type in the log and no more`(
        kind: Kind
    ) async throws {
        try await withServer(
            RunningServer.Setup(),
            { (routes: inout Routes) in
                routes.use(Mark(name: "X-Mark"))
                routes.onError { error, _ in error is Other ? .ok : nil }
                _ = Self.fail(&routes, "/fails", kind)
                Self.fail(&routes, "/answered", kind).onError(Self.text("route"))
            }
        ) { server in
            let answered = try await server.get("/answered")
            #expect(answered.status == 409 && answered["x-mark"] == "409")
            #expect(server.log.sentences.allSatisfy { !$0.hasPrefix("error") })
            let reply = try await server.get("/fails")
            #expect(reply.status == 500 && reply["x-mark"] == "500" && !reply.text.contains("secret"))
            let lines = server.log.sentences.filter { $0.hasPrefix("error") }
            #expect(lines == ["error: the handler of /fails threw an error of the type Trouble"])
        }
    }

    // RFC 6750 §3.1: the challenge names the scopes that the client lacks.
    @Test func `a refusal of the handler keeps its challenge`() async throws {
        let seen = Logbook()
        let app = RouteTester { routes in
            routes.onError { _, _ in .text("app", status: .conflict) }
            routes.use(Watch(seen: seen))
            routes.protect(Self.notes) { notes in
                notes.onError { _, _ in .text("notes", status: .conflict) }
                notes.get("/") { _, token in
                    try token.require("notes:write")
                    return .ok
                }
                notes.get("/waits") { _, token in
                    await Task.yield()
                    try token.require("notes:write")
                    return .ok
                }.onError { _, _ in .text("route", status: .conflict) }
                notes.get("/throws") { _, _ in throw Trouble() }.onError { _, request in
                    try request.token?.require("notes:write")
                    return nil
                }
            }
        }
        let reader = app.as(Self.issuer.mint(for: Self.notes, scope: "notes:read"))
        for path in ["/notes", "/notes/waits", "/notes/throws"] {
            let reply = try await reader.get(path)
            #expect(reply.status == .forbidden)
            #expect(reply.fields["WWW-Authenticate"]?.contains("insufficient_scope") == true)
        }
        #expect(seen.sentences == ["403", "403", "403"])
    }

    @Test(arguments: Kind.allCases)
    func `middleware that waits sees the error of what it surrounds`(kind: Kind) async throws {
        let outer = Logbook()
        let inner = Logbook()
        let app = RouteTester { routes in
            routes.use(Watch(seen: outer))
            routes.onError(Self.text("app"))
            _ = Self.fail(&routes, "/app", kind)
            routes.group("/answered") { group in
                group.use(Watch(seen: inner))
                Self.fail(&group, "/inside", kind).onError(Self.text("route"))
                group.onError(Self.text("group"))
                _ = Self.fail(&group, "/around", kind)
            }
            routes.group("/replaced") { group in
                group.use(Watch(seen: inner, answer: .text("replaced")))
                group.onError(Self.text("group"))
                _ = Self.fail(&group, "/it", kind)
            }
        }
        func sees(_ path: String, _ text: String, _ seenInside: String?, _ seenOutside: String) async throws {
            let before = (inner.sentences.count, outer.sentences.count)
            #expect(try await app.get(path).text == text)
            #expect(inner.sentences.dropFirst(before.0) == (seenInside.map { [$0] } ?? [])[...])
            #expect(outer.sentences.dropFirst(before.1) == [seenOutside])
        }
        try await sees("/app", "app /app", nil, "Trouble")
        try await sees("/answered/inside", "route /answered/inside", "409", "409")
        try await sees("/answered/around", "group /answered/around", "Trouble", "409")
        try await sees("/replaced/it", "replaced", "Trouble", "200")
    }

    @Test func `an error of middleware is answered by its own block`() async throws {
        let app = RouteTester { routes in
            routes.onError(Self.text("app"))
            routes.group("/group") { group in
                group.onError(Self.text("group"))
                group.use(Broken())
                group.get("/") { _ in .ok }.onError(Self.text("route"))
            }
        }
        #expect(try await app.get("/group/").text == "group /group/")
        let plain = RouteTester { routes in
            routes.use(Broken())
            routes.get("/") { _ in .ok }
        }
        #expect(try await plain.get("/").status == .internalServerError)
        #expect(try await plain.get("/nowhere").status == .internalServerError)
    }

    @Test(arguments: [false, true], Kind.allCases)
    func `fields of every response are also in the response to an error`(
        isReplaced: Bool, kind: Kind
    ) async throws {
        let app = RouteTester { routes in
            routes.use(Mark(name: "X-Outer"))
            routes.use(Watch(seen: Logbook(), answer: isReplaced ? .text("replaced") : nil))
            routes.use(Mark(name: "X-Inner"))
            routes.onError(Self.text("app"))
            _ = Self.fail(&routes, "/fails", kind)
            routes.group { group in
                group.use(Watch(seen: Logbook()))
                group.use(Mark(name: "X-Innermost"))
                _ = Self.fail(&group, "/twice", kind)
            }
        }
        let status = isReplaced ? "200" : "409"
        for path in ["/fails", "/twice"] {
            let reply = try await app.get(path)
            #expect(reply.fields.values(of: "X-Outer") == [status])
            #expect(reply.fields.values(of: "X-Inner") == [status])
            #expect(reply.fields.values(of: "X-Innermost") == (path == "/twice" ? [status] : []))
        }
    }

    // RFC 9111 §3.5, RFC 9449 §8.2: it belongs to the client with the token.
    @Test(arguments: [false, true], Kind.allCases)
    func `an error behind a gate gets what every answer behind it gets`(
        isReplaced: Bool, kind: Kind
    ) async throws {
        var policy = DPoPPolicy()
        policy.nonce = .required
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: Self.issuer.trusted, dpop: .accepted(policy))
        let seen = Logbook()
        let app = RouteTester { routes in
            routes.use(Watch(seen: seen, answer: isReplaced ? .text("replaced", status: .conflict) : nil))
            routes.onError { _, request in .text("app", status: .conflict) }
            routes.protect(resource) { notes in
                switch kind {
                case .immediate: notes.get("/") { _, _ in throw Trouble() }
                case .suspending:
                    notes.get("/") { _, _ async throws in
                        await Task.yield()
                        throw Trouble()
                    }
                case .blocking: notes.on([.get], "/", blocking: { _, _ in throw Trouble() })
                }
            }
        }
        let reply = try await app.as(Self.issuer.mint(for: resource)).get("/notes")
        #expect(seen.sentences == ["Trouble"])
        #expect(reply.status == .conflict && reply.text == (isReplaced ? "replaced" : "app"))
        #expect(reply.fields["Cache-Control"] == "no-store")
        #expect(reply.fields.values(of: "DPoP-Nonce").count == 1)
    }

    @Test func `the token is in the request of a resource's answer to an error`() async throws {
        let app = RouteTester { routes in
            routes.protect(Self.notes) { notes in
                notes.onError { _, request in .text(request.token?.subject ?? "nobody") }
                notes.get("/") { _, _ in throw Trouble() }
                notes.get("/waits") { _, _ async throws in
                    await Task.yield()
                    throw Trouble()
                }
            }
        }
        let reader = app.as(Self.issuer.mint(for: Self.notes, scope: "notes:read"))
        #expect(try await reader.get("/notes").text == "user-1")
        #expect(try await reader.get("/notes/waits").text == "user-1")
        #expect(try await app.get("/notes").status == .unauthorized)
    }

    @Test func `errors about the content of a request can get the app's own form`() async throws {
        struct Note: Decodable {
            let title: String
        }
        let app = RouteTester { routes in
            routes.onError { error, _ in
                guard let error = error as? RequestContentError else { return nil }
                return .text("own: \(error)", status: .badRequest)
            }
            routes.post("/decode") { request in .text(try await request.decode(Note.self).title) }
            routes.post("/collect") { request in .text("\(try await request.body.collect(upTo: 2).count)") }
        }
        #expect(try await app.post("/decode", "{}").text == "own: The member /title is missing.")
        #expect(try await app.post("/collect", "{  }").status == .contentTooLarge)
    }

    @Test func `a body that is too long gets the app's own form, however its length is known`() async throws {
        let seen = Logbook()
        var setup = RunningServer.Setup()
        setup.limits.maxBodyByteCount = 2
        try await withServer(
            setup,
            { (routes: inout Routes) in
                routes.use(Watch(seen: seen))
                routes.onError { error, _ in
                    guard let error = error as? MalformedMessage else { return nil }
                    return .text("own: \(error.code)", status: error.status)
                }
                routes.post("/collect") { request in .text("\(try await request.body.collect().count)") }
            }
        ) { server in
            for body in [
                request("POST", "/collect", ["Content-Length: 3"]) + "abc",
                request("POST", "/nowhere", ["Content-Length: 3"]) + "abc",
                request("POST", "/collect", ["Transfer-Encoding: chunked"]) + "3\r\nabc\r\n0\r\n\r\n",
            ] {
                let reply = try await server.exchange(body)
                #expect(reply.status == 413 && reply.text == "own: bodyTooLarge")
            }
        }
        #expect(seen.sentences == ["413", "413", "MalformedMessage"])
    }

    @Test func `a client that leaves is no error`() async throws {
        let seen = Logbook()
        let begun = Gate()
        try await withServer(
            RunningServer.Setup(grace: .milliseconds(50)),
            { (routes: inout Routes) in
                routes.onError { error, _ in
                    seen.add("\(error)")
                    return nil
                }
                routes.get("/waits") { _ in
                    begun.open()
                    try await Task.sleep(for: .seconds(60))
                    return .ok
                }
            }
        ) { server in
            let client = try server.client()
            try await client.send(request("GET", "/waits"))
            await begun.wait()
            server.cancel()
            _ = await client.rest()
        }
        #expect(seen.sentences == [])
    }
}
