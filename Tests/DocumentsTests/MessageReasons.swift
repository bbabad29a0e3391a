// SPDX-License-Identifier: MIT

import PortcullisHTTP
import Testing

/// Compares the article's table of refused messages with the server's reasons.
@Suite("Documents: reasons of refused messages")
struct MessageReasons {
    @Test func `the article has each reason of a request with its status`() {
        let text = Document(path: "Sources/PortcullisServer/PortcullisServer.docc/RunningAServer.md").text
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") }.map(String.init)
        // Of responses, which clients of other servers read.
        for reason in MalformedMessage.allCases where reason != .invalidStatusLine {
            let row = "| `\(reason.code)` | \(reason.status.code) | \(reason) |"
            #expect(rows.contains(row), "\(row)")
        }
    }
}
