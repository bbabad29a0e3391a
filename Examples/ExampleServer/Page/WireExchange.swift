// SPDX-License-Identifier: MIT

import Dispatch
import PortcullisTransport

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Sends the bytes of a request over a connection of its own, and returns the bytes of the answer.
enum WireExchange {
    private static let maxByteCount = 131_072
    private static let timeoutMilliseconds: Int32 = 10_000

    /// Returns what the server sent until it closed the connection; nothing if it cannot be reached.
    static func perform(_ request: [UInt8], host: String, port: Int) async -> [UInt8] {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(returning: exchange(request, host: host, port: port))
            }
        }
    }

    private static func exchange(_ request: [UInt8], host: String, port: Int) -> [UInt8] {
        guard let address = try? SocketAddress.resolve(host: host, port: port).first,
            let (descriptor, _) = try? ConnectingSocket.start(to: address)
        else { return [] }
        defer { close(descriptor) }
        var unsent = request[...]
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16_384)
        while answer.count < maxByteCount {
            var entry = pollfd(fd: descriptor, events: Int16(unsent.isEmpty ? POLLIN : POLLOUT), revents: 0)
            guard poll(&entry, 1, timeoutMilliseconds) > 0 else { break }
            if unsent.isEmpty {
                let count = piece.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
                guard count > 0 else { break }
                answer += piece.prefix(count)
            } else {
                let count = unsent.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
                guard count > 0 else { break }
                unsent = unsent.dropFirst(count)
            }
        }
        return answer
    }
}
