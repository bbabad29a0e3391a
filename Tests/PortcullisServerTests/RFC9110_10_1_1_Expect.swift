// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import PortcullisTesting
import PortcullisTransport
import Testing

@Suite("RFC 9110 §10.1.1 Expect")
struct RFC9110_10_1_1_Expect {
    private static let goOn = "HTTP/1.1 100 Continue\r\n\r\n"

    private static func routes(_ routes: inout Routes) {
        routes.get("/now") { _ in .text("now") }
        routes.post("/ignored") { _ in .text("ignored") }
        routes.post("/collect") { request async throws in .text("\(try await request.body.collect().count)") }
        routes.post("/echo") { request in
            .stream(contentType: "text/plain") { writer in
                for try await piece in request.body { try await writer.write(piece) }
            }
        }
        routes.post("/greet") { request in
            .stream(contentType: "text/plain") { writer in
                try await writer.write("hello ")
                for try await piece in request.body { try await writer.write(piece) }
            }
        }
    }

    private static func expecting(_ target: String, _ fields: String...) -> String {
        request("POST", target, ["Expect: 100-Continue"] + fields)
    }

    @Test(arguments: ReadinessKind.allCases)
    func `100 is sent when the handler asks for the body`(_ kind: ReadinessKind) async throws {
        try await withServer(kind, Self.routes) { server in
            for framing in ["Content-Length: 5", "Transfer-Encoding: chunked"] {
                let client = try server.client()
                try await client.send(Self.expecting("/collect", framing))
                let interim = try await client.receive(atLeast: Self.goOn.utf8.count)
                #expect(String(decoding: interim, as: UTF8.self) == Self.goOn)
                try await client.send(framing.hasSuffix("5") ? "hello" : "5\r\nhello\r\n0\r\n\r\n")
                let reply = try await client.reply()
                #expect(reply.status == 200 && reply.text == "5" && !reply.closes)
                #expect(try await client.exchange(request("GET", "/now")).text == "now")
            }
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a streamed answer begins after 100, not before it`(_ kind: ReadinessKind) async throws {
        try await withServer(kind, Self.routes) { server in
            let client = try server.client()
            try await client.send(
                request("POST", "/echo", ["Expect: 100-continue", "Content-Length: 5", "Connection: close"]))
            let interim = try await client.receive(atLeast: Self.goOn.utf8.count)
            #expect(String(decoding: interim, as: UTF8.self) == Self.goOn)
            try await client.send("hello")
            let text = await client.restText()
            #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(text.hasSuffix("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
        }
    }

    @Test func `no 100 if the body arrived with the head`() async throws {
        try await withServer(.init(), Self.routes) { server in
            let client = try server.client()
            for framed in [
                Self.expecting("/collect", "Content-Length: 5") + "hello",
                Self.expecting("/collect", "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n",
            ] {
                let reply = try await client.exchange(framed)
                #expect(reply.status == 200 && reply.text == "5")
            }
        }
    }

    @Test func `no 100 without content, and none to HTTP/1.0`() async throws {
        try await withServer(.init(), Self.routes) { server in
            #expect(try await server.exchange(Self.expecting("/collect", "Content-Length: 0")).text == "0")
            #expect(try await server.exchange(Self.expecting("/collect")).text == "0")
            let client = try server.client()
            try await client.send(
                "POST /collect HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            try await Task.sleep(for: .milliseconds(30))
            try await client.send("hello")
            #expect(try await client.reply().text == "5")
        }
    }

    @Test func `an answer that does not need the body is sent at once, and ends the connection`() async throws
    {
        let issuer = TestIssuer("https://as.example.com")
        let resource = ProtectedResource("https://api.example.com/notes", trusting: issuer.trusted)
        func routes(_ routes: inout Routes) {
            Self.routes(&routes)
            routes.protect(resource) { $0.post("/") { _, _ in .ok } }
        }
        try await withServer(.init(), routes) { server in
            for (target, status) in [("/ignored", 200), ("/none", 404), ("/now", 405), ("/notes", 401)] {
                let client = try server.client()
                let hidden = request("GET", "/now")
                let head = Self.expecting(target, "Content-Length: \(hidden.utf8.count)")
                let reply = try await client.exchange(head)
                #expect(reply.status == status && reply.closes)
                // The client may send the body all the same: RFC 9110 allows it, and the server could not
                // distinguish it from a request.
                _ = await client.sendSome(Array((hidden + hidden).utf8))
                #expect(await client.rest().bytes.isEmpty)
            }
        }
    }

    @Test func `a stream that begins before the handler reads the body is the final answer`() async throws {
        try await withServer(.init(), Self.routes) { server in
            let client = try server.client()
            try await client.send(Self.expecting("/greet", "Content-Length: 5"))
            let start = try await client.receive(atLeast: 20)
            #expect(String(decoding: start, as: UTF8.self).hasPrefix("HTTP/1.1 200 OK\r\n"))
        }
    }

    @Test func `417 for any other expectation, and nothing after it is answered`() async throws {
        try await withServer(.init(), Self.routes) { server in
            for value in ["200-ok", "100-continue, x", "100-continue=1", "100"] {
                let client = try server.client()
                try await client.send(
                    request("POST", "/collect", ["Expect: " + value, "Content-Length: 5"]) + "hello"
                        + request("GET", "/now"))
                let reply = try await client.reply()
                #expect(reply.status == 417 && reply.closes)
                #expect(await client.rest().bytes.isEmpty)
            }
        }
    }

    @Test func `413 and 400 take precedence over 417 and 100`() async throws {
        try await withServer(.init(), Self.routes) { server in
            for expectation in ["100-continue", "x"] {
                let tooLarge = request(
                    "POST", "/collect", ["Expect: " + expectation, "Content-Length: 999999999999"])
                let refusal = try await server.exchange(tooLarge)
                #expect(refusal.status == 413)
                let wrong = request("POST", "/collect", ["Expect: " + expectation, "Content-Length: x"])
                let reply = try await server.exchange(wrong)
                #expect(reply.status == 400)
            }
        }
    }
}
