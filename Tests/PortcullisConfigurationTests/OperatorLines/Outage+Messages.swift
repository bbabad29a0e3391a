// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisRedis
import PortcullisServer
import Synchronization

extension Outage {
    /// The line of the access log for a message that the server refuses.
    private static func message(_ name: String, _ text: String) -> Outage {
        Outage(name) {
            var parser = HeadParser(limits: WireLimits())
            let malformation: MalformedMessage? = Array(text.utf8).withUnsafeBytes { bytes in
                do throws(MalformedMessage) {
                    guard let (head, _) = try parser.parse(bytes) else { return nil }
                    let semantics = try RequestSemantics(head, maxBodyByteCount: 1000)
                    _ = try RequestPath(head, semantics)
                    return nil
                } catch {
                    return error
                }
            }
            guard let malformation else { return [] }
            let line = AccessLogLine(
                RequestSummary(
                    route: "malformed", method: .get, status: malformation.status, isComplete: true,
                    duration: .zero, malformation: malformation), client: "192.0.2.1", path: nil)
            var bytes: [UInt8] = []
            line.append(.text, at: 0, to: &bytes)
            return [String(decoding: bytes.dropLast(), as: UTF8.self)]
        }
    }

    static let messages: [Outage] = [
        message("message: no version", "GET /x\r\nHost: a\r\n\r\n"),
        message("message: HTTP/2 in the version", "GET /x HTTP/2.0\r\nHost: a\r\n\r\n"),
        message("message: TLS to a plain port", "\u{16}\u{3}\u{1}\u{2}\u{0}\r\n\r\n"),
        message("message: no Host", "GET /x HTTP/1.1\r\n\r\n"),
        message("message: two Hosts", "GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        message("message: a bare line feed", "GET /x HTTP/1.1\nHost: a\n\n"),
        message("message: a space before the colon", "GET /x HTTP/1.1\r\nHost : a\r\n\r\n"),
        message("message: a folded field", "GET /x HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"),
        message(
            "message: both lengths",
            "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        message(
            "message: a body that is too large", "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n"
        ),
        message("message: dot segments", "GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n"),
        message("message: an unknown expectation", "GET /x HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n"),
    ]

    static let stores: [Outage] = [
        store("store: away", .unavailable(.unreachable)), store("store: TLS", .unavailable(.insecure)),
        store("store: credentials", .unavailable(.rejectedCredentials)),
        store("store: slow", .unavailable(.timeout)),
        store("store: full", .unavailable(.refusing)), store("store: eviction", .evicting),
        store("store: another clock", .clockAhead),
    ]

    private static func store(_ name: String, _ event: RedisEvent) -> Outage {
        Outage(name) { [event.description] }
    }

    static func lossOfLines() async -> [String] {
        let sentences = Mutex<[String]>([])
        let log = AccessLog(
            .text, file: nil, now: { 0 }, log: { sentence in sentences.withLock { $0.append(sentence) } }
        ) { bytes in
            LogFile.Loss(unwrittenCount: bytes.count { $0 == 0x0A }, error: LogFileError(code: 28))
        }
        log.add(
            AccessLogLine(
                RequestSummary(
                    route: "/x", method: .get, status: .ok, isComplete: true, duration: .zero), client: "",
                path: nil))
        await log.flush()
        return sentences.withLock { $0 }
    }
}
