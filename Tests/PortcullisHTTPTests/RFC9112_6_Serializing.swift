// SPDX-License-Identifier: MIT

import PortcullisHTTP
import Testing

@Suite("RFC 9112 §6 Writing response heads")
struct RFC9112_6_Serializing {
    private static let dateLine = Array("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n".utf8)

    private func text(
        _ head: ResponseHead, _ framing: ResponseFraming = .length(0), keepAlive: Bool = true,
        to version: HTTPVersion = .http1_1
    ) -> String {
        var output: [UInt8] = []
        HeadSerializer.append(
            head, framing: framing, keepAlive: keepAlive, requestVersion: version, dateLine: Self.dateLine,
            to: &output
        )
        return String(decoding: output, as: UTF8.self)
    }

    @Test func `a head is written byte for byte`() {
        let head = ResponseHead(status: .ok, fields: [.contentType: "text/plain", "X-A": "b"])
        #expect(
            text(head, .length(42)) == """
                HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\n\
                X-A: b\r\nContent-Length: 42\r\n\r\n
                """)
    }

    @Test func `no-store at the end is a line like any other`() {
        var fields: Fields = ["X-A": "b"]
        fields.appendNoStore()
        let spelt: Fields = ["X-A": "b", .cacheControl: "no-store"]
        #expect(fields == spelt && fields.hashValue == spelt.hashValue && fields.count == 2)
        #expect(fields[.cacheControl] == "no-store" && fields.values(of: .cacheControl) == ["no-store"])
        #expect(fields.contains(.cacheControl) && fields.haveCacheControl && spelt.haveCacheControl)
        let written = [fields, spelt].map { text(ResponseHead(status: .ok, fields: $0)) }
        #expect(written[0] == written[1])
        fields.append("c", for: "X-C")
        #expect(fields.map(\.name.spelling) == ["X-A", "Cache-Control", "X-C"])
        fields[.cacheControl] = "private"
        #expect(fields.map(\.value) == ["b", "c", "private"])
        var alone = Fields()
        #expect(!alone.haveCacheControl)
        alone.appendNoStore()
        #expect(!alone.isEmpty && alone == [.cacheControl: "no-store"])
    }

    @Test(arguments: [0, 1, 40, 700, 100_000], [1, 12, 300])
    func `a head of any length is written whole`(valueByteCount: Int, fieldCount: Int) {
        var head = ResponseHead(status: 511)
        var fields = ""
        for index in 0..<fieldCount {
            let value = String(repeating: index % 2 == 0 ? "a" : "é", count: valueByteCount)
            head.fields.append(value, for: "X-Field")
            fields += "X-Field: \(value)\r\n"
        }
        let date = String(decoding: Self.dateLine, as: UTF8.self)
        #expect(
            text(head, .length(.max), keepAlive: false)
                == "HTTP/1.1 \(head.status)\r\n" + date + fields
                + "Content-Length: \(Int.max)\r\nConnection: close\r\n\r\n")
    }

    @Test(arguments: [200, 201, 204, 304, 400, 401, 403, 404, 405, 418, 431, 499, 500, 503, 599])
    func `RFC 9112 §4: every status line parses back`(code: Int) throws {
        let bytes = Array(text(ResponseHead(status: Status(code: code))).utf8)
        var parser = ResponseHeadParser(requestMethod: .get, limits: WireLimits())
        let head = try bytes.withUnsafeBytes { try parser.parse($0) }?.head
        #expect(head?.status == Status(code: code))
        #expect(
            text(ResponseHead(status: Status(code: code))).hasPrefix("HTTP/1.1 \(Status(code: code))\r\n"))
    }

    @Test func `chunked is written, and never to HTTP/1.0`() {
        #expect(text(ResponseHead(status: .ok), .chunked).contains("\r\nTransfer-Encoding: chunked\r\n"))
        let old = text(ResponseHead(status: .ok), .chunked, to: .http1_0)
        #expect(!old.contains("Transfer-Encoding"))
        #expect(old.contains("\r\nConnection: close\r\n"))
        #expect(ResponseFraming.chunked.permitted(for: .ok, requestVersion: .http1_0) == .untilClose)
    }

    @Test(arguments: [100, 103, 204, 304])
    func `RFC 9110 §8.6: a status without content has no framing field`(code: Int) {
        for framing in [ResponseFraming.length(5), .chunked, .untilClose, .none] {
            let text = text(ResponseHead(status: Status(code: code)), framing)
            #expect(!text.contains("Content-Length") && !text.contains("Transfer-Encoding"))
            #expect(framing.permitted(for: Status(code: code), requestVersion: .http1_1) == .none)
        }
    }

    @Test func `§9.6: Connection states what the server will do`() {
        #expect(!text(ResponseHead(status: .ok)).contains("Connection"))
        #expect(text(ResponseHead(status: .ok), keepAlive: false).contains("\r\nConnection: close\r\n"))
        #expect(text(ResponseHead(status: .ok), to: .http1_0).contains("\r\nConnection: keep-alive\r\n"))
        #expect(text(ResponseHead(status: .ok), .untilClose).contains("\r\nConnection: close\r\n"))
        #expect(
            text(ResponseHead(status: .ok), keepAlive: false, to: .http1_0).contains(
                "\r\nConnection: close\r\n"))
    }

    @Test func `fields that the server writes are left out of the app's fields`() {
        let fields: Fields = [
            .contentLength: "7", .transferEncoding: "gzip", .connection: "upgrade", .date: "x",
            .keepAlive: "y", .trailer: "z",
            "X-A": "b",
        ]
        let text = text(ResponseHead(status: .ok, fields: fields), .length(1))
        #expect(
            text.components(of: "\r\n") == [
                "HTTP/1.1 200 OK", "Date: Sun, 06 Nov 1994 08:49:37 GMT", "X-A: b", "Content-Length: 1", "",
                "",
            ])
    }

    @Test(arguments: ["a\r\nb", "a\nb", "a\rb", "a\u{0}b", "a\u{7F}", " a", "a ", "a\t", "\u{1B}"])
    func `RFC 9110 §5.5: a field cannot hold an invalid value`(value: String) {
        #expect(!Fields.isValid(value))
    }

    @Test(arguments: ["", "a b", "a:", "a\r\n", "caf\u{E9}", "\u{0}"])
    func `RFC 9110 §5.1: an invalid name cannot be made`(name: String) {
        #expect(FieldName(name) == nil)
    }

    @Test func `duplicates stay separate lines in their order`() {
        var fields = Fields()
        fields.append("Bearer", for: .wwwAuthenticate)
        fields.append("DPoP", for: .wwwAuthenticate)
        let text = text(ResponseHead(status: .unauthorized, fields: fields))
        #expect(text.contains("\r\nWWW-Authenticate: Bearer\r\nWWW-Authenticate: DPoP\r\n"))
    }

    @Test(arguments: [0, 9, 10, 99, 100, 1_048_576, Int.max])
    func `lengths are decimal`(length: Int) {
        #expect(
            text(ResponseHead(status: .ok), .length(length)).contains("\r\nContent-Length: \(length)\r\n"))
    }
}

@Suite("RFC 9112 §3 Writing request heads")
struct RFC9112_3_SerializingRequests {
    private func text(
        _ method: Method = .get, _ target: String = "/keys?x=1", host: String = "login.example.com",
        fields: Fields = [:],
        bodyByteCount: Int = 0, keepAlive: Bool = true
    ) throws(MalformedMessage) -> String {
        var output: [UInt8] = []
        try HeadSerializer.appendRequest(
            method: method, target: target, host: host, fields: fields, bodyByteCount: bodyByteCount,
            keepAlive: keepAlive, to: &output
        )
        return String(decoding: output, as: UTF8.self)
    }

    @Test func `a head is written byte for byte`() throws {
        #expect(
            try text(fields: [.accept: "application/json", .host: "other", .contentLength: "9"])
                == "GET /keys?x=1 HTTP/1.1\r\nHost: login.example.com\r\nAccept: application/json\r\n\r\n")
        #expect(
            try text(.post, "/i", bodyByteCount: 7, keepAlive: false)
                == "POST /i HTTP/1.1\r\nHost: login.example.com\r\nContent-Length: 7\r\nConnection: close\r\n"
                + "\r\n"
        )
        #expect(try text(.post).contains("\r\nContent-Length: 0\r\n"))
    }

    @Test(arguments: ["", "a", "*", "/a b", "/a\r\nX: y", "/a\u{0}", "/#a", "http://a/"])
    func `a target outside the origin form is refused`(target: String) {
        #expect(throws: MalformedMessage.invalidTarget) { try text(.get, target) }
    }

    @Test(arguments: ["", "a b", "a\r\nX: y", "a/b", "u@a", "a:99999"])
    func `a malformed host is refused`(host: String) {
        #expect(throws: MalformedMessage.invalidHost) { try text(host: host) }
    }

    @Test func `a malformed method is refused`() {
        #expect(throws: MalformedMessage.invalidMethod) { try text(Method(token: "GET /\r\n")) }
    }
}

extension String {
    fileprivate func components(of separator: String) -> [String] {
        var parts: [String] = []
        var rest = utf8[...]
        while let range = rest.firstRange(of: separator.utf8) {
            parts.append(String(decoding: rest[..<range.lowerBound], as: UTF8.self))
            rest = rest[range.upperBound...]
        }
        return parts + [String(decoding: rest, as: UTF8.self)]
    }
}
