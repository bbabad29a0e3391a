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

/// A server on loopback that plays a script over each connection, on one thread each, with blocking calls.
final class ScriptedServer: Sendable {
    /// One accepted connection.
    struct Peer: Sendable {
        let descriptor: Int32
        /// The number of connections before this one.
        let number: Int

        /// Reads one request with its body; `nil` if the client has closed.
        func readRequest() -> String? {
            var bytes: [UInt8] = []
            while true {
                let text = String(decoding: bytes, as: UTF8.self)
                if let end = text.utf8.firstRange(of: "\r\n\r\n".utf8) {
                    let head = String(text[..<end.lowerBound])
                    let missing = Self.length(in: head) - text[end.upperBound...].utf8.count
                    if missing <= 0 { return text }
                }
                guard let more = read(), !more.isEmpty else { return nil }
                bytes += more
            }
        }

        private static func length(in head: String) -> Int {
            for line in head.split(separator: "\r\n") where line.hasPrefix("Content-Length: ") {
                return Int(line.dropFirst(16)) ?? 0
            }
            return 0
        }

        /// The next bytes; empty at the end.
        func read() -> [UInt8]? {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            return count > 0 ? Array(buffer[..<count]) : nil
        }

        func write(_ text: String) { write(Array(text.utf8)) }

        func write(_ bytes: [UInt8]) {
            var rest = bytes[...]
            while !rest.isEmpty {
                let sent = rest.withUnsafeBytes { bytes in
                    var buffer = iovec(
                        iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
                    return cplatform_send(descriptor, &buffer, 1)
                }
                guard sent > 0 else { return }
                rest = rest.dropFirst(sent)
            }
        }

        /// Answers with a length, and keeps the connection.
        func answer(_ body: String = "", status: String = "200 OK", fields: String = "") {
            write("HTTP/1.1 \(status)\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }

        /// Makes the close send a reset instead of an orderly end.
        func resetOnClose() {
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(
                descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        }
    }

    let port: Int
    private let listener: Int32
    private let count = Atomic<Int>(0)

    /// How many connections were accepted.
    var connectionCount: Int { count.load(ordering: .acquiring) }
    var url: String { "http://127.0.0.1:\(port)" }

    init(host: String = "127.0.0.1", _ script: @escaping @Sendable (Peer) -> Void) throws {
        let sockets = try ListeningSockets(host: host, port: 0, count: 1)
        let listener = sockets.descriptors[0]
        _ = fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) & ~O_NONBLOCK)
        self.listener = listener
        port = sockets.address.port
        DispatchQueue(label: "scripted server").async { [self] in
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { break }
                let peer = Peer(
                    descriptor: descriptor, number: count.add(1, ordering: .acquiringAndReleasing).oldValue)
                DispatchQueue(label: "scripted peer").async {
                    script(peer)
                    _ = closeDescriptor(descriptor)
                }
            }
            _ = closeDescriptor(listener)
        }
    }

    /// Accepts no more connections.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
    }

    /// Answers every request of every connection alike.
    static func repeating(_ answer: @escaping @Sendable (Peer, String) -> Void) throws -> ScriptedServer {
        try ScriptedServer { peer in
            while let request = peer.readRequest() { answer(peer, request) }
        }
    }
}

/// The clients for tests: on loops with either kind of readiness.
func makeClient(
    _ readiness: ReadinessKind = .preferred,
    maxConnectionCount: Int = 8,
    maxWaitingCount: Int = 1024,
    idleTimeout: Duration = .seconds(30),
    roots: TrustedRoots = .system,
    identity: TLSIdentity? = nil,
    resolver: Resolver = Resolver(),
    addresses: AddressPolicy = .any,
    proxies: OutboundProxies = .none
) throws -> HTTPClient {
    let configuration = HTTPClient.Configuration(
        roots: roots, identity: identity, maxConnectionCount: maxConnectionCount,
        maxWaitingCount: maxWaitingCount, idleTimeout: idleTimeout, addresses: addresses, proxies: proxies)
    return HTTPClient(
        configuration: configuration, loops: try EventLoopGroup(count: 1, readiness: readiness),
        resolver: resolver)
}
extension HTTPClient.Response {
    var text: String { String(decoding: body, as: UTF8.self) }
}

extension ScriptedServer.Peer {
    /// A connection to another server on loopback.
    static func connected(to port: Int) -> ScriptedServer.Peer? {
        guard let address = try? SocketAddress.resolve(host: "127.0.0.1", port: port).first else {
            return nil
        }
        let descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue), 0)
        guard address.withSockAddr({ connect(descriptor, $0, $1) }) == 0 else { return nil }
        return ScriptedServer.Peer(descriptor: descriptor, number: 0)
    }

    /// Shuts down both directions, also while another thread reads.
    func shutDown() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Forwards TLS records until one of this type arrives, and keeps that one.
    ///
    /// RFC 5246 §6.2.1.
    func forwardRecords(to other: ScriptedServer.Peer, upTo last: UInt8) {
        var pending: [UInt8] = []
        while let bytes = read() {
            pending += bytes
            while pending.count >= 5 {
                let count = 5 + Int(pending[3]) << 8 + Int(pending[4])
                guard pending.count >= count else { break }
                guard pending[0] != last else { return }
                other.write(Array(pending[..<count]))
                pending.removeFirst(count)
            }
        }
    }
}
