// SPDX-License-Identifier: MIT

import PortcullisHTTP
import Testing

@Suite("RFC 9112 §6.3 Body length of requests")
struct RFC9112_6_3_BodyLength {
    private func framing(_ fields: String..., version: String = "HTTP/1.1") throws -> BodyFraming {
        let head = try parseHead(
            (["POST / \(version)", "Host: a"] + fields + ["", ""]).joined(separator: "\r\n"))
        return try RequestSemantics(head).framing
    }

    private func refusal(_ fields: String..., version: String = "HTTP/1.1") -> MalformedMessage? {
        let lines = ["POST / \(version)", "Host: a"] + fields + ["", ""]
        if case .refused(let reason) = WireReader.read(lines.joined(separator: "\r\n")) { return reason }
        return nil
    }

    @Test func `without a framing field there is no body`() throws {
        #expect(try framing() == .none)
    }

    @Test func `Content-Length is a number of bytes`() throws {
        #expect(try framing("Content-Length: 0") == .length(0))
        #expect(try framing("Content-Length: 42") == .length(42))
        #expect(try framing("Content-Length: 00042") == .length(42))
        #expect(try framing("Content-Length: 9223372036854775807") == .length(.max))
    }

    @Test(arguments: [
        "", "-1", "+1", "1 1", "1,1", "0x1", "1.0", "9223372036854775808", "99999999999999999999", "one",
    ])
    func `a length that is not a number or overflows is refused`(value: String) {
        #expect(refusal("Content-Length: \(value)") == .invalidContentLength)
    }

    @Test func `a second length is refused even if it is equal`() {
        #expect(refusal("Content-Length: 1", "Content-Length: 1") == .invalidContentLength)
        #expect(refusal("Content-Length: 1", "Content-Length: 2") == .invalidContentLength)
    }

    @Test func `§6.1: chunked alone is the chunked coding`() throws {
        #expect(try framing("Transfer-Encoding: chunked") == .chunked)
        #expect(try framing("transfer-encoding:\tCHUNKED ") == .chunked)
    }

    @Test func `§6.1: Content-Length with Transfer-Encoding is refused`() {
        #expect(refusal("Content-Length: 1", "Transfer-Encoding: chunked") == .ambiguousFraming)
        #expect(refusal("Transfer-Encoding: chunked", "Content-Length: 0") == .ambiguousFraming)
    }

    @Test func `§6.1: a coding in HTTP/1.0 is refused`() {
        #expect(refusal("Transfer-Encoding: chunked", version: "HTTP/1.0") == .invalidTransferEncoding)
    }

    @Test(arguments: ["gzip", "gzip, chunked", "identity", "xchunked", "gzip;q=1", "br,gzip,chunked"])
    func `§6.1: well-formed codings that are not implemented are 501`(value: String) {
        #expect(refusal("Transfer-Encoding: \(value)") == .unsupportedTransferCoding)
        #expect(MalformedMessage.unsupportedTransferCoding.status == 501)
    }

    @Test(arguments: [
        "", ",", "chunked,", ",chunked", "chunked, chunked", "chunked, gzip", "gzip, deflate", "\"chunked\"",
        "chunked;a=b", "chunked;", "chun ked", "gzip;", "gzip;q=\"1\"", "gzip chunked",
        "chunked, gzip, chunked",
    ])
    func `§6.1: codings that are malformed, repeated or not chunked at the end are 400`(value: String) {
        #expect(refusal("Transfer-Encoding: \(value)") == .invalidTransferEncoding)
    }

    @Test func `§6.1: several lines form one list`() {
        #expect(
            refusal("Transfer-Encoding: gzip", "Transfer-Encoding: chunked") == .unsupportedTransferCoding)
        #expect(
            refusal("Transfer-Encoding: chunked", "Transfer-Encoding: chunked") == .invalidTransferEncoding)
        #expect(refusal("Transfer-Encoding: chunked", "Transfer-Encoding: x") == .invalidTransferEncoding)
    }

    @Test func `RFC 9110 §15.5.14: a declared length just below, at and beyond the limit`() throws {
        for (length, isRefused) in [(99, false), (100, false), (101, true)] {
            let head = try parseHead("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n")
            let reason: MalformedMessage? = isRefused ? .bodyTooLarge : nil
            do throws(MalformedMessage) {
                _ = try RequestSemantics(head, maxBodyByteCount: 100)
                #expect(reason == nil)
            } catch {
                #expect(error == reason)
            }
        }
    }
}

@Suite("RFC 9112 §9.3 Persistence")
struct RFC9112_9_3_Persistence {
    @Test(arguments: [
        ([], true), (["close"], false), (["CLOSE"], false), (["keep-alive"], true), (["foo, Close"], false),
        (["foo", "close"], false), (["keep-alive, close"], false), (["closed"], true), ([", ,"], true),
        (["\"close\""], false),
        (["close\t,foo"], false), (["x close"], false),
    ])
    func `HTTP/1.1 persists unless the request says close`(values: [String], expected: Bool) throws {
        let fields = values.map { "Connection: \($0)\r\n" }.joined()
        let head = try parseHead("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
        #expect(try RequestSemantics(head).keepAlive == expected)
    }

    @Test(arguments: [
        ([], false), (["close"], false), (["Keep-Alive"], true), (["foo", "keep-alive"], true),
        (["keep-alive, close"], false), (["keep-alives"], false),
    ])
    func `HTTP/1.0 persists only with keep-alive`(values: [String], expected: Bool) throws {
        let fields = values.map { "Connection: \($0)\r\n" }.joined()
        let head = try parseHead("GET / HTTP/1.0\r\n\(fields)\r\n")
        #expect(try RequestSemantics(head).keepAlive == expected)
    }
}

@Suite("RFC 9110 §10.1.1 Expect")
struct RFC9110_10_1_1_Expect {
    @Test func `100-continue before a body is recognized, in any case`() throws {
        #expect(
            try semantics("POST / HTTP/1.1", "Expect: 100-continue", "Content-Length: 1").meaning
                .expectsContinue)
        #expect(
            try semantics("POST / HTTP/1.1", "Expect: 100-Continue", "Content-Length: 1").meaning
                .expectsContinue)
        let chunked = try semantics("POST / HTTP/1.1", "expect: 100-continue", "Transfer-Encoding: chunked")
        #expect(chunked.meaning.expectsContinue)
    }

    @Test func `100-continue without a body is ignored`() throws {
        #expect(try !semantics("POST / HTTP/1.1", "Expect: 100-continue").meaning.expectsContinue)
        #expect(
            try !semantics("POST / HTTP/1.1", "Expect: 100-continue", "Content-Length: 0").meaning
                .expectsContinue)
        #expect(try !semantics("POST / HTTP/1.1", "Content-Length: 1").meaning.expectsContinue)
    }

    @Test func `100-continue in HTTP/1.0 is ignored`() throws {
        #expect(
            try !semantics("POST / HTTP/1.0", "Expect: 100-continue", "Content-Length: 1").meaning
                .expectsContinue)
    }

    @Test(arguments: ["other", "100-continue, other", "100-continue;a=b", "", "100-continue,", "200-ok"])
    func `another expectation is 417`(value: String) {
        #expect(throws: MalformedMessage.unsupportedExpectation) {
            try semantics("POST / HTTP/1.1", "Expect: \(value)")
        }
        #expect(MalformedMessage.unsupportedExpectation.status == 417)
    }
}
