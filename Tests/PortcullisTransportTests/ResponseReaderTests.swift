// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisTransport
import Testing

@Suite("RFC 9112 §6.3 Responses in pieces")
struct ResponseReaderTests {
    private static let limits = WireLimits(maxHeaderByteCount: 64, maxFieldCount: 3)

    private static let responses = [
        "HTTP/1.1 200 OK\r\nA b" + String(repeating: "b", count: 70) + "\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: \u{0}" + String(repeating: "b", count: 70) + "\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA b\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\nA: b\r\nA: b\r\nA b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 204 N\r\n\r\n", "HTTP/1.1 101 S\r\n\r\n", "HTTP/1.1 999 X\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcx\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabcdefghi\r\nx\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabcdefghix",
    ]

    private static func outcome(_ bytes: [UInt8], cutAt cuts: [Int]) -> String {
        var reader = ResponseReader(method: .get, maxByteCount: 8, limits: limits)
        var start = 0
        for end in cuts + [bytes.count] {
            let progress = bytes[start..<end].withUnsafeBytes { reader.take($0) }
            start = end
            switch progress {
            case .incomplete: continue
            case .complete(let response, keepAlive: _): return "\(response.status) \(response.body)"
            case .failed(let error): return "\(error)"
            }
        }
        return "incomplete"
    }

    @Test(arguments: responses) func `the outcome does not depend on the split`(response: String) {
        let bytes = Array(response.utf8)
        let whole = Self.outcome(bytes, cutAt: [])
        #expect(whole != "incomplete")
        #expect(Self.outcome(bytes, cutAt: Array(1..<bytes.count)) == whole)
        for cut in 1..<bytes.count { #expect(Self.outcome(bytes, cutAt: [cut]) == whole, "cut at \(cut)") }
    }
}
