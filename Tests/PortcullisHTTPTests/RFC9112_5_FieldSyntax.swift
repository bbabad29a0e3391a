// SPDX-License-Identifier: MIT

import PortcullisHTTP
import Testing

@Suite("RFC 9112 §5 Field syntax")
struct RFC9112_5_FieldSyntax {
    private func value(_ line: String) throws -> String? {
        try parseHead("GET / HTTP/1.1\r\n\(line)\r\n\r\n").fields["X-A"]
    }

    private func refusal(_ lines: String) -> MalformedMessage? {
        if case .refused(let reason) = WireReader.read("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n") {
            reason
        } else {
            nil
        }
    }

    @Test func `whitespace around a value is not part of it`() throws {
        #expect(try value("X-A: b") == "b")
        #expect(try value("X-A:b") == "b")
        #expect(try value("X-A: \t b c\t \t") == "b c")
        #expect(try value("X-A:") == "")
        #expect(try value("X-A: \t ") == "")
    }

    @Test func `names match in any case, fields keep their order and duplicates`() throws {
        let head = try parseHead("GET / HTTP/1.1\r\nX-A: 1\r\nhOsT: h\r\nx-a: 2\r\n\r\n")
        #expect(head.fields.values(of: "x-A") == ["1", "2"])
        #expect(head.fields.map(\.name) == ["X-A", "hOsT", "x-a"])
        #expect(head.find(.host)?.count == 1)
    }

    @Test(arguments: [
        ("Host", KnownFieldName.host), ("content-length", .contentLength),
        ("TRANSFER-ENCODING", .transferEncoding),
        ("Connection", .connection), ("expect", .expect), ("Authorization", .authorization), ("dpop", .dpop),
        ("Origin", .origin), ("Content-Type", .contentType), ("If-None-Match", .ifNoneMatch),
        ("Upgrade", .upgrade), ("CACHE-control", .cacheControl), ("Content-Typo", .other),
        ("Kontent-Type", .other), ("Transfer-Encodinf", .other),
        ("Hosts", .other), ("Content_Length", .other), ("X", .other),
    ])
    func `known names are classified while parsing`(name: String, expected: KnownFieldName) throws {
        #expect(try parseHead("GET / HTTP/1.1\r\n\(name): 1\r\n\r\n").slots.first?.known == expected)
    }

    @Test func `§5.1: a name is a token, and the colon follows it directly`() {
        #expect(refusal("X A: b\r\n") == .invalidFieldName)
        #expect(refusal("X-A : b\r\n") == .invalidFieldName)
        #expect(refusal("X-A\r\n") == .invalidFieldName)
        #expect(refusal(": b\r\n") == .invalidFieldName)
    }

    @Test func `RFC 9110 §5.6.2: every byte of a name is checked alike in every position`() {
        for byte in UInt8.min...UInt8.max where ![0x0A, 0x0D, 0x3A].contains(byte) {
            for length in 1..<18 {
                var bytes =
                    Array("GET / HTTP/1.1\r\nHost: a\r\n".utf8) + Array(repeating: 0x6E, count: length)
                bytes.append(byte)
                bytes += Array("nnnnnnnnn: v\r\n\r\n".utf8)
                let isRefused = WireReader.read(bytes) == .refused(.invalidFieldName)
                #expect(isRefused != CharacterClass.isTokenCharacter(byte))
            }
        }
    }

    @Test(arguments: [0x00, 0x08, 0x09, 0x1F, 0x20, 0x21, 0x7E, 0x7F, 0x80, 0x9F, 0xA0, 0xDF, 0xE0, 0xFF])
    func `RFC 9110 §5.5: every byte is judged alike wherever it stands in a value`(byte: UInt8) {
        for length in 1..<90 {
            for rest in [1, 7, 8, 40, 70] {
                var bytes = Array("GET / HTTP/1.1\r\nHost: a\r\nX-A: ".utf8)
                bytes += Array(repeating: 0x76, count: length) + [byte] + Array(repeating: 0x7E, count: rest)
                bytes += Array("\r\n\r\n".utf8)
                let isRefused = WireReader.read(bytes) == .refused(.invalidFieldValue)
                #expect(isRefused != CharacterClass.isFieldValueCharacter(byte))
            }
        }
    }

    @Test func `§5.2: obs-fold is refused`() {
        #expect(refusal("X-A: b\r\n c\r\n") == .foldedField)
        #expect(refusal("X-A: b\r\n\tc\r\n") == .foldedField)
    }

    @Test func `RFC 9110 §5.5: control characters are refused in every position`() {
        for control in (0..<32).filter({ ![0x09, 0x0A, 0x0D].contains($0) }) + [0x7F] {
            for length in 0..<18 {
                var line = Array("X-A: ".utf8) + Array(repeating: 0x76, count: length)
                line.append(UInt8(control))
                line += Array("wwwwwwwww\r\n".utf8)
                #expect(refusal(String(decoding: line, as: UTF8.self)) == .invalidFieldValue)
            }
        }
    }

    @Test func `RFC 9110 §5.5: obs-text is accepted in every position`() throws {
        for length in 0..<18 {
            var bytes = Array("GET / HTTP/1.1\r\nX-A: ".utf8) + Array(repeating: 0x76, count: length)
            bytes += [0x80, 0xFF, 0xA0, 0x7E, 0x21] + Array("\r\n\r\n".utf8)
            let head = try parseHead(bytes).head
            #expect(head.slots.first?.valueRange.count == length + 5)
        }
    }

    @Test func `§2.2: bare CR and bare LF are not line ends`() {
        #expect(refusal("X-A: b\nX-B: c\r\n") == .bareLineEnd)
        #expect(refusal("X-A: b\rX-B: c\r\n") == .bareLineEnd)
        #expect(WireReader.read("GET / HTTP/1.1\r\nHost: a\n\n") == .refused(.bareLineEnd))
    }

    @Test func `the first of two faults is reported`() {
        #expect(refusal("X A: b\r\n c\r\n") == .invalidFieldName)
        #expect(refusal(" c\r\nX A: b\r\n") == .foldedField)
    }

    @Test func `a fault is not reported before its line has ended`() {
        #expect(WireReader.read("GET / HTTP/1.1\r\nX A: b") == .incomplete)
    }
}

@Suite("RFC 6585 §5, RFC 9112 §3 Limits of a head")
struct RFC6585_5_HeadLimits {
    private let limits = WireLimits(maxTargetByteCount: 20, maxHeaderByteCount: 64, maxFieldCount: 3)

    private func outcome(_ text: String) -> WireOutcome {
        let bytes = Array(text.utf8)
        let outcome = WireReader.read(bytes, limits: limits)
        #expect(WireReader.read(bytes, cutAt: Array(bytes.indices), limits: limits) == outcome)
        return outcome
    }

    private func isAccepted(_ text: String) -> Bool {
        if case .accepted = outcome(text) { true } else { false }
    }

    private func get(target: Int) -> String {
        "GET /\(String(repeating: "t", count: target - 1)) HTTP/1.1\r\nHost: a\r\n\r\n"
    }

    private func head(block: Int) -> String {
        "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "v", count: block - 16))\r\n\r\n"
    }

    @Test func `target just below, at and beyond its limit`() {
        #expect(isAccepted(get(target: 19)))
        #expect(isAccepted(get(target: 20)))
        #expect(outcome(get(target: 21)) == .refused(.targetTooLong))
    }

    @Test func `header block just below, at and beyond its limit`() {
        #expect(isAccepted(head(block: 63)))
        #expect(isAccepted(head(block: 64)))
        #expect(outcome(head(block: 65)) == .refused(.headerBlockTooLarge))
    }

    @Test func `number of fields just below, at and beyond its limit`() {
        #expect(isAccepted("GET / HTTP/1.1\r\nHost: a\r\nA:\r\n\r\n"))
        #expect(isAccepted("GET / HTTP/1.1\r\nHost: a\r\nA:\r\nB:\r\n\r\n"))
        #expect(outcome("GET / HTTP/1.1\r\nHost: a\r\nA:\r\nB:\r\nC:\r\n\r\n") == .refused(.tooManyFields))
    }

    @Test func `a line or block without an end is refused as soon as it exceeds its limit`() {
        let line = String(repeating: "G", count: 20 + WireLimits.maxRequestLineRestByteCount)
        #expect(outcome(String(line.dropLast())) == .incomplete)
        #expect(outcome(line) == .refused(.targetTooLong))
        let block = "GET / HTTP/1.1\r\nX: " + String(repeating: "v", count: 61)
        #expect(outcome(String(block.dropLast())) == .incomplete)
        #expect(outcome(block) == .refused(.headerBlockTooLarge))
    }

    @Test func `size and count are checked before grammar, grammar before the version`() {
        #expect(outcome("GET / HTTP/1.1\r\nA B: c\r\nA:\r\nB:\r\nC:\r\n\r\n") == .refused(.tooManyFields))
        #expect(outcome("GET / HTTP/2.0\r\nA B: c\r\n\r\n") == .refused(.invalidFieldName))
        #expect(outcome("GET / HTTP/2.0\r\nA: c\r\n\r\n") == .refused(.unsupportedVersion))
    }

    @Test func `the defaults are the documented ones`() {
        let limits = WireLimits()
        #expect(limits.maxTargetByteCount == 8192)
        #expect(limits.maxHeaderByteCount == 32_768)
        #expect(limits.maxFieldCount == 100)
        #expect(limits.maxChunkOverheadByteCount == 16_384)
        #expect(limits.maxTrailerByteCount == 8192)
        #expect(limits.maxTrailerFieldCount == 32)
    }
}
