// SPDX-License-Identifier: MIT

import PortcullisHTTP
import Testing

/// Heads combined from valid and invalid parts, read whole and in pieces.
@Suite("RFC 9112 §5 Heads in pieces")
struct RFC9112_5_SplitHeads {
    static let limits = WireLimits(maxTargetByteCount: 24, maxHeaderByteCount: 48, maxFieldCount: 2)

    static let lines = [
        "A: b\r\n", "A: b\n", "A b\r\n", " A: b\r\n", "A : b\r\n", "A: \u{0}b\r\n", "A: b\rc\r\n", "\r\r\n",
        "Content-Length: x\r\n", "Transfer-Encoding: a\r\n",
        "A: " + String(repeating: "b", count: 50) + "\r\n",
        "A b" + String(repeating: "b", count: 50) + "\r\n",
        "A: \u{0}" + String(repeating: "b", count: 50) + "\r\n",
        " " + String(repeating: "b", count: 50) + "\n",
    ]
    static let ends = ["\r\n", "\n", "\rx\r\n\r\n", "A: b\r\n\r\n"]

    /// Every first line with up to two field lines and every end.
    static func heads(_ firstLines: [String]) -> [[UInt8]] {
        let sections = [""] + lines + lines.flatMap { first in lines.map { first + $0 } }
        return firstLines.flatMap { line in
            sections.flatMap { section in ends.map { Array((line + section + $0).utf8) } }
        }
    }

    /// Reads bytes in pieces that end at these offsets, until there is an outcome.
    static func outcome<Head>(
        _ bytes: [UInt8], _ counts: [Int],
        _ parse: (UnsafeRawBufferPointer) throws(MalformedMessage) -> (head: Head, consumed: Int)?
    ) -> String {
        bytes.withUnsafeBytes { all in
            for count in counts {
                do throws(MalformedMessage) {
                    if let (_, consumed) = try parse(UnsafeRawBufferPointer(rebasing: all[..<count])) {
                        return "accepted, \(consumed) bytes"
                    }
                } catch {
                    return error.code
                }
            }
            return "incomplete"
        }
    }

    /// The heads whose outcome depends on the split.
    static func depending(_ heads: [[UInt8]], _ read: ([UInt8], [Int]) -> String) -> [String] {
        heads.compactMap { head in
            let whole = read(head, [head.count])
            let splits = [Array(1...head.count)] + (1..<head.count).map { [$0, head.count] }
            for split in splits {
                let other = read(head, split)
                if other != whole {
                    return
                        "\(String(decoding: head, as: UTF8.self)): \(whole), but \(other) split at "
                        + "\(split[0])"
                }
            }
            return nil
        }
    }

    static let statusLines = [
        "HTTP/1.1 200 OK\r\n", "HTTP/2.0 200 OK\r\n", "HTTP/1.1 20x OK\r\n", "HTTP/1.1 101 X\r\n",
        "HTTP/1.1 103 X\r\n\r\nHTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 " + String(repeating: "a", count: 50) + "\r\n",
        "HTTP/1.1 2x0 " + String(repeating: "a", count: 50) + "\r\n",
    ]

    @Test(arguments: statusLines) func `the reason for refusing a response does not depend on the split`(
        line: String
    ) {
        let depending = Self.depending(Self.heads([line])) { bytes, counts in
            var parser = ResponseHeadParser(requestMethod: .get, limits: Self.limits)
            return Self.outcome(bytes, counts) { (piece) throws(MalformedMessage) in try parser.parse(piece) }
        }
        #expect(depending.prefix(5) == [])
    }

    static let requestLines = [
        "GET / HTTP/1.1\r\n", "\r\nGET / HTTP/1.1\r\n", "GET / HTTP/2.0\r\n", "G@T / HTTP/1.1\r\n",
        "GET  / HTTP/1.1\r\n",
        "GET / HTTP/1.1\n", "GET /\u{0} HTTP/1.1\r\n",
        "GET /" + String(repeating: "a", count: 30) + " HTTP/1.1\r\n",
        "G@T /" + String(repeating: "a", count: 300) + " HTTP/1.1\r\n",
    ]

    @Test(arguments: requestLines) func `the reason for refusing a request does not depend on the split`(
        line: String
    ) {
        let depending = Self.depending(Self.heads([line])) { bytes, counts in
            var parser = HeadParser(limits: Self.limits)
            return Self.outcome(bytes, counts) { (piece) throws(MalformedMessage) in try parser.parse(piece) }
        }
        #expect(depending.prefix(5) == [])
    }

    @Test func `a line that is too long is refused for its length, whatever else is wrong with it`() {
        for line in ["A b", "A: \u{0}", " "] {
            let head = Array(
                ("HTTP/1.1 200 OK\r\n" + line + String(repeating: "b", count: 50) + "\r\n\r\n").utf8)
            var parser = ResponseHeadParser(requestMethod: .get, limits: Self.limits)
            let outcome = Self.outcome(head, [head.count]) { (piece) throws(MalformedMessage) in
                try parser.parse(piece)
            }
            #expect(outcome == "headerBlockTooLarge")
        }
    }
}
