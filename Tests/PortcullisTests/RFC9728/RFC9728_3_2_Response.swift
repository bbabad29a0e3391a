// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisTesting
import Testing

@Suite("RFC 9728 §3.2 The metadata response")
struct RFC9728_3_2_Response {
    let document = Scene().resource.metadataDocument

    @Test(arguments: [
        [], [("Authorization", "Bearer x")], [("Host", "evil.example")], [("Accept", "text/html")],
    ])
    func `GET returns the same document for any request fields`(fields: [(String, String)]) {
        let answer = document.response(to: .get(Scene.metadataURL, fields: fields))
        #expect(
            answer.head.lines == [
                "HTTP/1.1 200 OK", "Cache-Control: public, max-age=300", "ETag: \(document.etag)",
                "Access-Control-Allow-Origin: *", "Content-Type: application/json",
            ])
        #expect(answer.body == document.body)
        #expect(!String(decoding: answer.body, as: UTF8.self).contains("evil"))
    }

    @Test func `HEAD gets the head of GET`() {
        let head = document.response(to: .test(.head, "/x")).head
        #expect(head == document.response(to: .get("/x")).head)
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "PATCH", "TRACE", "get", "PROPFIND"])
    func `another method is 405 with the allowed methods`(name: String) {
        let answer = document.response(to: .test(Method(token: name), "/x"))
        #expect(
            answer.head.lines == [
                "HTTP/1.1 405 Method Not Allowed", "Allow: GET, HEAD, OPTIONS",
                "Access-Control-Allow-Origin: *",
            ])
        #expect(answer.body.isEmpty)
    }

    @Test func `RFC 9110 §13.1.2: a matching tag is 304 without body`() {
        for value in [
            document.etag, "W/\(document.etag)", "*", "\"a,b\", \(document.etag)", " , \(document.etag),",
        ] {
            let answer = document.response(to: .get("/x", fields: [("If-None-Match", value)]))
            #expect(
                answer.head.lines == [
                    "HTTP/1.1 304 Not Modified", "Cache-Control: public, max-age=300",
                    "ETag: \(document.etag)",
                    "Access-Control-Allow-Origin: *",
                ])
            #expect(answer.body.isEmpty)
        }
    }

    @Test func `RFC 9110 §13.1.2: other and malformed tags get the document`() {
        let bare = String(document.etag.dropFirst().dropLast())
        for value in ["\"other\"", bare, "\"\(bare)", "w/\(document.etag)", "\(document.etag)x", "\"*\"", ""]
        {
            let answer = document.response(to: .get("/x", fields: [("If-None-Match", value)]))
            #expect(answer.head.status == .ok)
        }
    }

    @Test func `the tag depends on the body and changes with it`() {
        let etag = document.etag
        #expect(etag.utf8.count == 24 && etag.hasPrefix("\"") && etag.hasSuffix("\""))
        #expect(etag == Scene().resource.metadataDocument.etag)
        let other = ProtectedResource(
            "https://api.example.com/notes", trusting: TestIssuer("https://as.example.com").trusted,
            scopes: ["x"])
        #expect(other.metadataDocument.etag != etag)
    }

    @Test(arguments: [
        ("mcp-protocol-version", "mcp-protocol-version"), ("a, B,c", "a, B,c"), ("a b", "*"), ("a,,b", "*"),
        ("", "*"),
        (String(repeating: "a", count: 1025), "*"),
    ])
    func `a preflight may request any header`(requested: String, allowed: String) {
        let head = document.response(
            to: .test(.options, "/x", fields: [("Access-Control-Request-Headers", requested)])
        ).head
        #expect(
            head.lines == [
                "HTTP/1.1 204 No Content", "Access-Control-Allow-Origin: *",
                "Access-Control-Allow-Methods: GET, HEAD, OPTIONS",
                "Access-Control-Allow-Headers: \(allowed)",
                "Vary: Access-Control-Request-Headers",
            ])
    }
}
