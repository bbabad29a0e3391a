// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The state of an encrypted connection.
final class ConnectionTLS {
    let context: TLSContext
    /// Made after the client's first byte, so that a silent client costs little.
    var session: TLSSession?
    /// The client's certificate in DER; the client has proved possession of the key.
    var clientCertificate: [UInt8]?
    /// Whether reading continues when the socket is writable, because TLS must send bytes first.
    var readsWhenWritable = false

    init(_ context: TLSContext) {
        self.context = context
    }
}

// The handshake, and reading and writing through TLS.
extension Connection {
    /// Whether output goes through TLS, so that no system call can send a file directly.
    var isEncrypted: Bool { tls != nil }

    /// The counterpart of ``Connection/handle(_:)`` for encrypted connections.
    func handleEncrypted(_ readiness: Readiness) {
        guard let tls else { return }
        guard !state.isNegotiating else { return negotiate(tls) }
        if readiness.contains(.writable), state.hasOutput(output.byteCount) { flush() }
        let mayRead =
            readiness.contains(.readable) || (tls.readsWhenWritable && readiness.contains(.writable))
        guard mayRead, !state.isClosed else { return }
        // Bytes left in the session would not make the socket ready again.
        read(untilEnd: true)
    }

    // MARK: The handshake

    func negotiate(_ tls: ConnectionTLS) {
        guard let session = tls.session ?? beginSession(tls) else { return }
        switch session.handshake() {
        case .bytes: open(tls, session)
        case .wouldBlock(let wanted): loop.rearm(descriptor, for: wanted)
        case .closed, .failed: endHandshake(.failed)
        }
    }

    /// Peeks at the first byte before OpenSSL reads it, because the client may not speak TLS.
    private func beginSession(_ tls: ConnectionTLS) -> TLSSession? {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, Int32(MSG_PEEK))
        if count < 0, errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR {
            loop.rearm(descriptor, for: .readable)
            return nil
        }
        guard count > 0 else {
            abort()
            return nil
        }
        guard byte == TLSRecord.handshake else {
            refuseWithoutTLS(byte)
            return nil
        }
        tls.session = try? tls.context.makeSession(descriptor: descriptor)
        execute(tls.session == nil ? state.close() : state.handshakeBegan(loop.now))
        return tls.session
    }

    /// Answers plain HTTP on a TLS port with plain HTTP; closes for anything else.
    private func refuseWithoutTLS(_ byte: UInt8) {
        guard CharacterClass.isTokenCharacter(byte) || byte == 0x0D else { return endHandshake(.failed) }
        tls = nil
        context.recorder?.record(.handshakeEnded(.plaintext))
        refuse(.plainTextToTLS, saying: "This port speaks HTTPS; the request came without TLS.\n")
        // Unread bytes would reset the connection, and are not reported again.
        read(untilEnd: true)
    }

    private func open(_ tls: ConnectionTLS, _ session: TLSSession) {
        tls.clientCertificate = session.peerCertificate
        context.recorder?.record(.handshakeEnded(session.isResumed ? .resumed : .full))
        execute(state.handshakeEnded(loop.now))
        read(untilEnd: true)
    }

    /// Closes a connection without a session; a reset must not discard the alert with the reason.
    private func endHandshake(_ outcome: HandshakeOutcome) {
        context.recorder?.record(.handshakeEnded(outcome))
        tls = nil
        execute(state.closeAfterOutput())
        read(untilEnd: true)
    }

    /// Counts a client that speaks TLS on a port without TLS.
    func noteUnexpectedTLS(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.first == TLSRecord.handshake else { return }
        context.recorder?.record(.handshakeEnded(.unexpected))
    }

    // MARK: Bytes

    /// Reads like `recv`: returns a count, zero at the end, or -1 with `errno`.
    func receiveEncrypted(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        // Discarded input need not be decrypted.
        guard !state.discardsInput, let tls, let session = tls.session else {
            return recv(descriptor, buffer.baseAddress, buffer.count, 0)
        }
        let result = session.read(into: buffer)
        tls.readsWhenWritable = result == .wouldBlock(.writable)
        if result == .closed { return 0 }
        if result == .bytes(0) {
            // The caller must read again, in this turn or the next.
            errno = EINTR
            return -1
        }
        return Self.count(of: result)
    }

    /// Sends like `send`: returns a count, or -1 with `errno`.
    func sendEncrypted() -> Int {
        guard let session = tls?.session else {
            errno = ENOTCONN
            return -1
        }
        return Self.count(of: output.send(through: session))
    }

    private static func count(of result: IOResult) -> Int {
        switch result {
        case .bytes(let count): return count
        case .wouldBlock: errno = EAGAIN
        case .closed, .failed: errno = EPIPE
        }
        return -1
    }

    /// Sends the closure alert on an encrypted connection.
    ///
    /// RFC 8446 §6.1.
    ///
    /// - Returns: Whether that is done; if not, it continues when the socket is writable.
    func sendClosure() -> Bool {
        guard let session = tls?.session else { return true }
        guard case .wouldBlock(let wanted) = session.sendClosureAlert() else { return true }
        loop.rearm(descriptor, for: wanted)
        return false
    }
}

/// The types of TLS records that the server detects without a session.
enum TLSRecord {
    /// The first record of every client.
    ///
    /// RFC 8446 §5.1.
    static let handshake: UInt8 = 22
}
