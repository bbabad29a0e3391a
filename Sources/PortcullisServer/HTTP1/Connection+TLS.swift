// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// What a connection has only if it is encrypted.
final class ConnectionTLS {
    let context: TLSContext
    /// Made when the client has sent something, so that a silent client costs little.
    var session: TLSSession?
    /// The client's certificate, in DER; it has proved possession of the key.
    var clientCertificate: [UInt8]?
    /// Reading goes on once the socket takes the bytes that TLS has to send first.
    var readsWhenWritable = false

    init(_ context: TLSContext) {
        self.context = context
    }
}

// The handshake, and reading and writing through TLS in place of the socket.
extension Connection {
    /// Whether output has to go through TLS, so that no system call can send a file directly.
    var isEncrypted: Bool { tls != nil }

    /// Does what ``Connection/handle(_:)`` does for connections without TLS.
    func handleEncrypted(_ readiness: Readiness) {
        guard let tls else { return }
        guard !state.isNegotiating else { return negotiate(tls) }
        if readiness.contains(.writable), state.hasOutput(output.byteCount) { flush() }
        let mayRead =
            readiness.contains(.readable) || (tls.readsWhenWritable && readiness.contains(.writable))
        guard mayRead, !state.isClosed else { return }
        // What is left in the session would not make the socket ready again.
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

    /// Looks at the first byte before OpenSSL does, since a client may not know that it has to speak TLS.
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

    /// Answers plain HTTP on a port for TLS with plain HTTP; anything else is no HTTP either.
    private func refuseWithoutTLS(_ byte: UInt8) {
        guard CharacterClass.isTokenCharacter(byte) || byte == 0x0D else { return endHandshake(.failed) }
        tls = nil
        context.recorder?.record(.handshakeEnded(.plaintext))
        refuse(.badRequest, saying: "This port speaks HTTPS; the request came without TLS.\n")
        // What has been received and not read would reset the connection, and is not reported again.
        read(untilEnd: true)
    }

    private func open(_ tls: ConnectionTLS, _ session: TLSSession) {
        tls.clientCertificate = session.peerCertificate
        context.recorder?.record(.handshakeEnded(session.isResumed ? .resumed : .full))
        execute(state.handshakeEnded(loop.now))
        read(untilEnd: true)
    }

    /// Ends a connection without a session; the alert with the reason must not be lost to a reset.
    private func endHandshake(_ outcome: HandshakeOutcome) {
        context.recorder?.record(.handshakeEnded(outcome))
        tls = nil
        execute(state.closeAfterOutput())
        read(untilEnd: true)
    }

    /// Counts a client that speaks TLS to a port without it.
    func noteUnexpectedTLS(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.first == TLSRecord.handshake else { return }
        context.recorder?.record(.handshakeEnded(.unexpected))
    }

    // MARK: Bytes

    /// Reads as `recv` does: a count, zero at the end, or -1 with `errno`.
    func receiveEncrypted(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        // What is thrown away need not be decrypted.
        guard !state.discardsInput, let tls, let session = tls.session else {
            return recv(descriptor, buffer.baseAddress, buffer.count, 0)
        }
        let result = session.read(into: buffer)
        tls.readsWhenWritable = result == .wouldBlock(.writable)
        if result == .closed { return 0 }
        if result == .bytes(0) {
            // To be called again, in this turn or the next.
            errno = EINTR
            return -1
        }
        return Self.count(of: result)
    }

    /// Sends as `send` does: a count, or -1 with `errno`.
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

    /// Sends the closure alert, if the connection speaks TLS.
    ///
    /// RFC 8446 §6.1.
    ///
    /// - Returns: Whether that is done; if not, it goes on when the socket takes bytes again.
    func sendClosure() -> Bool {
        guard let session = tls?.session else { return true }
        guard case .wouldBlock(let wanted) = session.sendClosureAlert() else { return true }
        loop.rearm(descriptor, for: wanted)
        return false
    }
}

/// The types of TLS records that the server recognizes without a session.
enum TLSRecord {
    /// The first record of every client.
    ///
    /// RFC 8446 §5.1.
    static let handshake: UInt8 = 22
}
