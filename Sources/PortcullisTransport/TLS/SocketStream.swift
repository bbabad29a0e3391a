// SPDX-License-Identifier: MIT

package import CPlatform

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The result of a call on a non-blocking stream.
package enum IOResult: Sendable, Hashable {
    /// This many bytes were read or written.
    case bytes(Int)
    /// The socket is not ready. A TLS connection may have to write in order to read.
    ///
    /// An empty set means not to wait for the socket, but to give other connections their turn.
    case wouldBlock(Readiness)
    /// The peer has ended its side properly.
    case closed
    /// The connection has failed.
    case failed(StreamError)
}

/// Why a stream failed.
package enum StreamError: Error, Sendable, Hashable {
    case socket(SocketError)
    case tls(TLSError)
}

/// The byte stream of a connection, plain or over TLS, on a non-blocking socket.
///
/// Does not own the socket: its owner closes it on the event loop, after ``shutDown()``.
package struct SocketStream {
    /// The most bytes in one TLS record, and so in one gathered write.
    ///
    /// RFC 8446 §5.1.
    private static let recordByteCount = 16384

    package let descriptor: Int32
    private let session: TLSSession?

    /// Makes a stream without TLS.
    package init(plain descriptor: Int32) {
        self.descriptor = descriptor
        session = nil
    }

    /// Makes a client's stream over TLS; call ``handshake()`` first.
    package init(descriptor: Int32, client context: TLSContext, server: ServerIdentity) throws(TLSError) {
        self.descriptor = descriptor
        session = try context.makeSession(descriptor: descriptor, server: server)
    }

    package var isEncrypted: Bool { session != nil }

    /// What the server showed in its handshake; `nil` without TLS.
    var peer: TLSPeer? { session?.peer }

    /// Continues the handshake; call it until it returns `bytes(0)`.
    ///
    /// Without TLS it returns `bytes(0)` at once.
    package func handshake() -> IOResult {
        session?.handshake() ?? .bytes(0)
    }

    /// Reads at most as many bytes as the buffer has room for.
    ///
    /// Over TLS, `bytes(0)` means that the record held no data and more may follow.
    package func read(into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        if let session { return session.read(into: buffer) }
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .closed }
            if errno == EINTR { continue }
            return Self.failure(of: .receive, wanting: .readable)
        }
    }

    /// Writes as much of the buffers as possible, in one system call or one TLS record.
    ///
    /// Never raises SIGPIPE. After `wouldBlock` the next call must begin with the same bytes.
    package func write(_ buffers: UnsafeBufferPointer<iovec>) -> IOResult {
        if let session { return Self.write(buffers, to: session) }
        while true {
            let count = cplatform_send(descriptor, buffers.baseAddress, Int32(buffers.count))
            if count >= 0 { return .bytes(count) }
            if errno == EINTR { continue }
            return Self.failure(of: .send, wanting: .writable)
        }
    }

    /// Writes as much of the bytes as possible.
    package func write(_ bytes: UnsafeRawBufferPointer) -> IOResult {
        if let session { return session.write(bytes) }
        var buffer = iovec(
            iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
        return withUnsafePointer(to: &buffer) { write(UnsafeBufferPointer(start: $0, count: 1)) }
    }

    /// Sends the TLS closure alert.
    ///
    /// Does not block, and does not close the socket.
    package func shutDown() {
        _ = session?.sendClosureAlert()
    }

    private static func failure(of call: SocketError.Call, wanting readiness: Readiness) -> IOResult {
        let code = errno
        if code == EAGAIN || code == EWOULDBLOCK { return .wouldBlock(readiness) }
        return .failed(.socket(SocketError(call: call, code: code)))
    }

    /// Gathers what fits into one record, so that a short head and its body share one.
    package static func write(_ buffers: UnsafeBufferPointer<iovec>, to session: TLSSession) -> IOResult {
        guard let first = buffers.first(where: { $0.iov_len > 0 }) else { return .bytes(0) }
        let start = UnsafeRawBufferPointer(start: first.iov_base, count: first.iov_len)
        guard start.count < recordByteCount, buffers.count > 1 else { return session.write(start) }
        return withUnsafeTemporaryAllocation(byteCount: recordByteCount, alignment: 16) { record in
            var count = 0
            for buffer in buffers where count < recordByteCount {
                let part = UnsafeRawBufferPointer(
                    start: buffer.iov_base, count: min(buffer.iov_len, recordByteCount - count))
                UnsafeMutableRawBufferPointer(rebasing: record[count...]).copyMemory(from: part)
                count += part.count
            }
            return session.write(UnsafeRawBufferPointer(rebasing: record[..<count]))
        }
    }
}

extension StreamError: CustomStringConvertible {
    /// A phrase for a log.
    package var description: String {
        switch self {
        case .socket(let error): error.description
        case .tls(let error): error.description
        }
    }
}
