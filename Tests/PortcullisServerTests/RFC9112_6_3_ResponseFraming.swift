// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisServer
import PortcullisTransport
import Testing

@Suite("RFC 9112 §6.3 The length of responses")
struct RFC9112_6_3_ResponseFraming {
    private static func routes(_ routes: inout Routes) {
        for code in [200, 204, 205, 304, 404] {
            routes.get("/whole/\(code)") { _ in
                Response(status: Status(code: code), body: .bytes(Array("text".utf8)))
            }
            routes.get("/stream/\(code)") { _ in
                Response(status: Status(code: code), body: .stream { try await $0.write("text") })
            }
        }
        routes.get("/liar") { _ in
            Response(
                status: .ok,
                fields: [
                    "Content-Length": "999", "Transfer-Encoding": "gzip", "Connection": "upgrade",
                    "Date": "yesterday", "X-Kept": "1",
                ],
                body: .bytes(Array("text".utf8)))
        }
        routes.get("/empty-pieces") { _ in
            .stream(contentType: "text/plain") { writer in
                for piece in ["", "a", "", "b", ""] { try await writer.write(piece) }
            }
        }
    }

    @Test(arguments: ReadinessKind.allCases, ["whole", "stream"])
    func `204 and 304 have no content and no framing field`(
        _ kind: ReadinessKind, _ form: String
    ) async throws {
        try await withServer(kind, Self.routes) { server in
            let client = try server.client()
            for code in [204, 304, 200, 204, 404, 304] {
                let reply = try await client.exchange(request("GET", "/\(form)/\(code)"))
                #expect(reply.status == code && !reply.closes)
                let isEmpty = code == 204 || code == 304
                #expect(reply.text == (isEmpty ? "" : "text"))
                #expect(reply["transfer-encoding"] == (isEmpty || form == "whole" ? nil : "chunked"))
                #expect(reply["content-length"] == (isEmpty || form == "stream" ? nil : "4"))
            }
        }
    }

    @Test func `205 has no content`() async throws {
        try await withServer(.init(), Self.routes) { server in
            let client = try server.client()
            for form in ["whole", "stream"] {
                #expect(try await client.exchange(request("GET", "/\(form)/205")).text.isEmpty)
            }
        }
    }

    @Test func `the server replaces a handler's framing fields`() async throws {
        try await withServer(.init(), Self.routes) { server in
            let reply = try await server.get("/liar")
            #expect(reply.all("content-length") == ["4"])
            #expect(reply["transfer-encoding"] == nil && reply["connection"] == nil)
            #expect(reply["x-kept"] == "1" && reply.all("date").count == 1)
            #expect(reply["date"]?.hasSuffix(" GMT") == true)
        }
    }

    @Test func `an empty chunk does not end a stream`() async throws {
        try await withServer(.init(), Self.routes) { server in
            let reply = try await server.get("/empty-pieces")
            #expect(reply.chunks == [[0x61], [0x62]])
        }
    }

    @Test func `trailers of a request are read and dropped, and the next request follows them`()
        async throws
    {
        try await withServer(
            .init(),
            {
                $0.post("/") { request async throws in
                    .text("\(try await request.body.collect().count) \(request.fields["X-Late"] ?? "-")")
                }
            }
        ) { server in
            let client = try server.client()
            let body = "5\r\nhello\r\n0\r\nX-Late: 1\r\nX-Later: 2\r\n\r\n"
            let message = request("POST", "/", ["Transfer-Encoding: chunked", "Trailer: X-Late"]) + body
            try await client.send(message + message)
            for _ in 0..<2 { #expect(try await client.reply().text == "5 -") }
        }
    }
}
