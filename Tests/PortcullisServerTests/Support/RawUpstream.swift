// SPDX-License-Identifier: MIT

import CPlatform
import Dispatch
import PortcullisTransport
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A server behind a gateway, that plays a script over each connection with blocking calls, on a thread each.
final class RawUpstream: Sendable {
    /// One accepted connection.
    struct Peer: Sendable {
        let descriptor: Int32
        /// The number of connections before this one.
        let number: Int
        fileprivate let upstream: RawUpstream

        /// Reads one head, byte by byte; `nil` at the end.
        func head() -> String? {
            var bytes: [UInt8] = []
            while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
                var byte: UInt8 = 0
                guard recv(descriptor, &byte, 1, 0) == 1 else { return nil }
                bytes.append(byte)
            }
            let text = String(decoding: bytes, as: UTF8.self)
            upstream.note(text)
            return text
        }

        /// Reads the body that a head declares, without its framing.
        func body(of head: String) -> [UInt8] {
            if head.contains("Transfer-Encoding: chunked") { return chunks() }
            for line in head.split(separator: "\r\n") where line.hasPrefix("Content-Length: ") {
                return take(Int(line.dropFirst(16)) ?? 0)
            }
            return []
        }

        func chunks() -> [UInt8] {
            var body: [UInt8] = []
            while let count = Int(line(), radix: 16), count > 0 {
                body += take(count)
                _ = line()
            }
            _ = line()
            return body
        }

        private func line() -> String {
            var bytes: [UInt8] = []
            while !bytes.suffix(2).elementsEqual("\r\n".utf8) {
                let byte = take(1)
                guard !byte.isEmpty else { return "" }
                bytes += byte
            }
            return String(decoding: bytes.dropLast(2), as: UTF8.self)
        }

        func take(_ count: Int) -> [UInt8] {
            var bytes: [UInt8] = []
            while bytes.count < count {
                guard let more = read(count - bytes.count) else { break }
                bytes += more
            }
            return bytes
        }

        /// Some bytes; `nil` at the end.
        func read(_ limit: Int = 65_536) -> [UInt8]? {
            var buffer = [UInt8](repeating: 0, count: min(limit, 65_536))
            let count = recv(descriptor, &buffer, buffer.count, 0)
            return count > 0 ? Array(buffer[..<count]) : nil
        }

        func write(_ text: String) { write(Array(text.utf8)) }

        func write(_ bytes: [UInt8]) {
            var rest = bytes[...]
            while !rest.isEmpty {
                let sent = rest.withUnsafeBytes { bytes in
                    cplatform_send_bytes(descriptor, bytes.baseAddress, bytes.count)
                }
                guard sent > 0 else { return }
                rest = rest.dropFirst(sent)
            }
        }

        /// Answers with a length.
        func answer(_ body: String = "ok", _ status: String = "200 OK", _ fields: String = "") {
            write("HTTP/1.1 \(status)\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
    }

    let port: Int
    private let listener: Int32
    private let count = Atomic<Int>(0)
    private let seen = Mutex<[String]>([])
    /// Whether the listener has its descriptor, which afterwards is another socket's.
    private let isListening = Mutex(true)

    var connectionCount: Int { count.load(ordering: .acquiring) }
    var url: String { "http://127.0.0.1:\(port)" }
    /// The heads that arrived.
    var heads: [String] { seen.withLock { $0 } }

    fileprivate func note(_ head: String) { seen.withLock { $0.append(head) } }

    init(_ script: @escaping @Sendable (Peer) -> Void) throws {
        let sockets = try ListeningSockets(host: "127.0.0.1", port: 0, count: 1)
        let listener = sockets.descriptors[0]
        _ = fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) & ~O_NONBLOCK)
        self.listener = listener
        port = sockets.address.port
        DispatchQueue(label: "raw upstream").async { [self] in
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { break }
                let number = count.add(1, ordering: .acquiringAndReleasing).oldValue
                let peer = Peer(descriptor: descriptor, number: number, upstream: self)
                DispatchQueue(label: "raw upstream peer").async {
                    script(peer)
                    _ = closeDescriptor(descriptor)
                }
            }
            isListening.withLock { isListening in
                isListening = false
                _ = closeDescriptor(listener)
            }
        }
    }

    /// Answers every request of every connection.
    static func repeating(_ answer: @escaping @Sendable (Peer, String) -> Void) throws -> RawUpstream {
        try RawUpstream { peer in
            while let head = peer.head() { answer(peer, head) }
        }
    }

    /// Stops accepting; may be called again.
    func stop() {
        isListening.withLock { if $0 { _ = shutdown(listener, Int32(SHUT_RDWR)) } }
    }
}

/// The lines of a head, without the line breaks.
extension String {
    var headLines: [String] { split(separator: "\r\n").map(String.init) }

    /// The values of a field in a head.
    func values(_ name: String) -> [String] {
        headLines.dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name.lowercased()
            else {
                return nil
            }
            return String(line[line.index(after: colon)...].drop { $0 == " " })
        }
    }
}
