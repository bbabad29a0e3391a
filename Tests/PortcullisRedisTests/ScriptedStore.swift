// SPDX-License-Identifier: MIT

import Dispatch
import PortcullisRedis
import PortcullisTransport
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A server on loopback that violates the store's protocol by a test's script, with one thread per
/// connection.
final class ScriptedStore: Sendable {
    /// One accepted connection.
    final class Peer {
        /// The number of connections before this one.
        let number: Int
        private let descriptor: Int32
        private var parser = RESPParser()

        fileprivate init(_ descriptor: Int32, number: Int) {
            self.descriptor = descriptor
            self.number = number
        }

        /// The name of the next command, or `nil` if the client has closed.
        func command() -> String? {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                guard let value = try? parser.next() else {
                    let count = recv(descriptor, &buffer, buffer.count, 0)
                    guard count > 0 else { return nil }
                    buffer.withUnsafeBytes { parser.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
                    continue
                }
                guard case .array(let words) = value, let word = words.first?.payload else { return nil }
                return String(decoding: word, as: UTF8.self)
            }
        }

        /// Sends all bytes, unless the client has closed.
        @discardableResult
        func write(_ text: String) -> Bool {
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                let sent = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Self.flags) }
                guard sent > 0 else { return false }
                rest = rest.dropFirst(sent)
            }
            return true
        }

        /// Sends a byte at intervals until the client closes.
        func drip() {
            while write("a") { usleep(5000) }
        }

        /// Sends endlessly until the client closes.
        func flood() {
            let zeros = String(repeating: "0", count: 65_536)
            while write(zeros) {}
        }

        /// Answers one command as an empty store does.
        func answer(_ command: String) {
            switch command {
            case "PING": write("+PONG\r\n")
            case "SUBSCRIBE": write("*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n")
            default: write("+OK\r\n")
            }
        }

        /// Answers until the client closes.
        func answerAll() {
            while let command = command() { answer(command) }
        }

        #if canImport(Glibc)
            private static let flags = Int32(MSG_NOSIGNAL)
        #else
            private static let flags: Int32 = 0
        #endif
    }

    let port: Int
    private let listener: Int32
    private let accepted = Atomic<Int>(0)
    private let ended = Atomic<Int>(0)

    /// How many connections were accepted.
    var connectionCount: Int { accepted.load(ordering: .acquiring) }
    /// The number of connections whose script has ended.
    var endedCount: Int { ended.load(ordering: .acquiring) }

    init(_ script: @escaping @Sendable (Peer) -> Void) throws {
        let sockets = try ListeningSockets(host: "127.0.0.1", port: 0, count: 1)
        let listener = sockets.descriptors[0]
        _ = fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) & ~O_NONBLOCK)
        self.listener = listener
        port = sockets.address.port
        DispatchQueue(label: "scripted store").async { [self] in
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { break }
                let number = accepted.add(1, ordering: .acquiringAndReleasing).oldValue
                DispatchQueue(label: "scripted peer").async { [self] in
                    script(Peer(descriptor, number: number))
                    ended.add(1, ordering: .acquiringAndReleasing)
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

    func client(
        timeout: Duration, host: String = "127.0.0.1", resolver: Resolver = Resolver(),
        onEvent: (@Sendable (RedisEvent) -> Void)? = nil
    ) throws -> RedisClient {
        var configuration = RedisConfiguration(url: "redis://\(host):\(port)")
        configuration.timeout = timeout
        return try RedisClient(configuration, resolver: resolver, onEvent: onEvent)
    }
}
