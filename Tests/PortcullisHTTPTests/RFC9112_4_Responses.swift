// SPDX-License-Identifier: MIT

import PortcullisHTTP
import Testing

@Suite("RFC 9112 §4 Response heads")
struct RFC9112_4_ResponseHeads {
    private func read(
        _ text: String, to method: Method = .get, limits: WireLimits = WireLimits()
    ) throws(MalformedMessage) -> (head: ParsedResponseHead, consumed: Int)? {
        let bytes = Array(text.utf8)
        var stepped: Result<(head: ParsedResponseHead, consumed: Int)?, MalformedMessage> = .success(nil)
        var stepper = ResponseHeadParser(requestMethod: method, limits: limits)
        for count in 1...max(1, bytes.count) {
            stepped = Self.step(&stepper, Array(bytes.prefix(count)))
            if case .success(.none) = stepped { continue }
            break
        }
        var parser = ResponseHeadParser(requestMethod: method, limits: limits)
        let whole = Self.step(&parser, bytes)
        #expect((try? stepped.get())?.head == (try? whole.get())?.head)
        return try whole.get()
    }

    private static func step(
        _ parser: inout ResponseHeadParser, _ bytes: [UInt8]
    ) -> Result<(head: ParsedResponseHead, consumed: Int)?, MalformedMessage> {
        do throws(MalformedMessage) {
            return .success(
                try bytes.withUnsafeBufferPointer { pointer throws(MalformedMessage) in
                    try parser.parse(UnsafeRawBufferPointer(pointer))
                })
        } catch {
            return .failure(error)
        }
    }

    @Test func `status, version and fields are returned`() throws {
        let result = try read("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nX-A: b\r\n\r\nabc")
        #expect(result?.head.status == .notFound)
        #expect(result?.head.version == .http1_1)
        #expect(result?.head.fields["x-a"] == "b")
        #expect(result?.head.framing == .length(3))
        #expect(result?.head.keepAlive == true)
        #expect(result?.consumed == 53)
    }

    @Test(arguments: ["HTTP/1.1 200 \r\n\r\n", "HTTP/1.1 200\r\n\r\n", "HTTP/1.1 200 caf\u{E9} \t!\r\n\r\n"])
    func `the reason phrase may be absent or any text`(text: String) throws {
        #expect(try read(text)?.head.status == .ok)
    }

    @Test(arguments: [
        "HTTP/1.1  200 OK\r\n\r\n", "http/1.1 200 OK\r\n\r\n", "HTTP/1.1 2OO OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 X\r\n\r\n", "HTTP/1.1 600 X\r\n\r\n",
        "HTTP/1.1 200 OK\n\r\n", "ICY 200 OK\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 O\u{0}K\r\n\r\n", "HTTP/1.1 200OK\r\n\r\n",
        "HTTP/1.1 101 Switching\r\n\r\n",
        "HTTP/1.1\t200 OK\r\n\r\n",
    ])
    func `a malformed status line is refused`(text: String) {
        #expect(throws: MalformedMessage.invalidStatusLine) { try read(text) }
    }

    @Test func `another version is refused`() {
        #expect(throws: MalformedMessage.unsupportedVersion) { try read("HTTP/2.0 200 OK\r\n\r\n") }
        #expect(throws: MalformedMessage.unsupportedVersion) { try read("HTTP/1.2 200 OK\r\n\r\n") }
    }

    @Test func `fields are parsed as strictly as in requests`() {
        #expect(throws: MalformedMessage.invalidFieldName) { try read("HTTP/1.1 200 OK\r\nX : a\r\n\r\n") }
        #expect(throws: MalformedMessage.foldedField) { try read("HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n") }
        #expect(throws: MalformedMessage.bareLineEnd) { try read("HTTP/1.1 200 OK\r\nX: a\n\r\n") }
        #expect(throws: MalformedMessage.invalidFieldValue) {
            try read("HTTP/1.1 200 OK\r\nX: \u{0}\r\n\r\n")
        }
    }

    @Test func `interim responses are skipped, eight at most`() throws {
        let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
        let final = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        let result = try read(interim + final)
        #expect(result?.head.status == .ok)
        #expect(result?.head.fields.count == 1)
        #expect(result?.consumed == interim.utf8.count + final.utf8.count)
        #expect(try read(String(repeating: interim, count: 4) + final) != nil)
        #expect(throws: MalformedMessage.headerBlockTooLarge) {
            try read(String(repeating: interim, count: 5) + final)
        }
    }

    @Test func `heads have a limit`() {
        let limits = WireLimits(maxHeaderByteCount: 40, maxFieldCount: 1)
        #expect(throws: MalformedMessage.headerBlockTooLarge) {
            try read("HTTP/1.1 200 " + String(repeating: "O", count: 40), limits: limits)
        }
        #expect(throws: MalformedMessage.headerBlockTooLarge) {
            try read("HTTP/1.1 200 OK\r\nX: " + String(repeating: "v", count: 40), limits: limits)
        }
        #expect(throws: MalformedMessage.tooManyFields) {
            try read("HTTP/1.1 200 OK\r\nA:\r\nB:\r\n\r\n", limits: limits)
        }
    }
}

@Suite("RFC 9112 §6.3 Body length of responses")
struct RFC9112_6_3_ResponseBodyLength {
    private func head(
        _ status: Int, _ fields: String..., to method: Method = .get, version: String = "HTTP/1.1"
    ) throws(MalformedMessage) -> ParsedResponseHead? {
        let bytes = Array((["\(version) \(status) X"] + fields + ["", ""]).joined(separator: "\r\n").utf8)
        var parser = ResponseHeadParser(requestMethod: method, limits: WireLimits())
        return try bytes.withUnsafeBufferPointer { pointer throws(MalformedMessage) in
            try parser.parse(UnsafeRawBufferPointer(pointer))?.head
        }
    }

    @Test func `¶1: HEAD, 204 and 304 have no body, whatever the fields say`() throws {
        #expect(try head(200, "Content-Length: 5", to: .head)?.framing == BodyFraming.none)
        #expect(try head(200, "Transfer-Encoding: chunked", to: .head)?.framing == BodyFraming.none)
        #expect(try head(204, "Content-Length: 5")?.framing == BodyFraming.none)
        #expect(try head(304, "Content-Length: 5")?.framing == BodyFraming.none)
        #expect(try head(304)?.keepAlive == true)
    }

    @Test func `chunked, length, or until the end of the connection`() throws {
        #expect(try head(200, "Transfer-Encoding: chunked")?.framing == .chunked)
        #expect(try head(200, "Content-Length: 5")?.framing == .length(5))
        let untilClose = try head(200)
        #expect(untilClose?.framing == .untilClose)
        #expect(untilClose?.keepAlive == false)
    }

    @Test func `ambiguous framing is refused`() {
        #expect(throws: MalformedMessage.ambiguousFraming) {
            try head(200, "Content-Length: 5", "Transfer-Encoding: chunked")
        }
        #expect(throws: MalformedMessage.invalidContentLength) {
            try head(200, "Content-Length: 5", "Content-Length: 6")
        }
        #expect(throws: MalformedMessage.invalidTransferEncoding) {
            try head(200, "Transfer-Encoding: chunked", version: "HTTP/1.0")
        }
        #expect(throws: MalformedMessage.unsupportedTransferCoding) {
            try head(200, "Transfer-Encoding: gzip, chunked")
        }
    }

    @Test func `§9.3: close and HTTP/1.0 end the connection`() throws {
        #expect(try head(200, "Content-Length: 5", "Connection: x, CLOSE")?.keepAlive == false)
        #expect(try head(200, "Content-Length: 5", version: "HTTP/1.0")?.keepAlive == false)
        #expect(
            try head(200, "Content-Length: 5", "Connection: keep-alive", version: "HTTP/1.0")?.keepAlive
                == true)
    }
}
