// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// What a connection under TLS has that others have not.
final class ConnectionTLS {
    let context: TLSContext
    /// Made when the client has sent something, so that one that sends nothing costs little.
    var session: TLSSession?
    /// The handshake is done.
    var isOpen = false
    /// The certificate that the client has proved to have the key of, in DER.
    var clientCertificate: [UInt8]?
    /// Reading goes on once the socket takes what the protocol has to say first.
    var readsWhenWritable = false

    init(_ context: TLSContext) {
        self.context = context
    }
}

// The handshake, and then bytes under TLS in place of those of the socket: what calls these sees no difference.
extension Connection {
    /// Whether what is sent has to go through TLS, so that no system call can send it from elsewhere.
    var isEncrypted: Bool { tls != nil }

    /// Does what ``Connection/handle(_:)`` does for connections without TLS.
    func handleEncrypted(_ readiness: Readiness) {
        guard let tls else { return }
        guard tls.isOpen else { return negotiate(tls) }
        if readiness.contains(.writable), !output.isEmpty || closesAfterOutput || pending?.file != nil {
            flush()
        }
        let mayRead =
            readiness.contains(.readable) || (tls.readsWhenWritable && readiness.contains(.writable))
        guard phase != .closed, mayRead else { return }
        // What is left in the session would not make the socket ready again.
        read(untilEnd: true)
    }

    // MARK: The handshake

    private func negotiate(_ tls: ConnectionTLS) {
        guard phase == .head, let session = tls.session ?? beginSession(tls) else { return }
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
        if tls.session == nil { abort() }
        if context.isDraining {
            stateDeadline = loop.now + Server.Limits.lingerTimeout
            applyDeadline()
        }
        return tls.session
    }

    /// Answers a request on a port for TLS, in its own language; anything else is no HTTP either.
    private func refuseWithoutTLS(_ byte: UInt8) {
        guard CharacterClass.isTokenCharacter(byte) || byte == 0x0D else { return endHandshake(.failed) }
        tls = nil
        context.recorder?.record(.handshakeEnded(.plaintext))
        refuse(.badRequest, saying: "This port speaks HTTPS; the request came without TLS.\n")
        flush()
    }

    private func open(_ tls: ConnectionTLS, _ session: TLSSession) {
        tls.isOpen = true
        tls.clientCertificate = session.peerCertificate
        context.recorder?.record(.handshakeEnded(session.isResumed ? .resumed : .full))
        if context.isDraining { hurry() } else { waitForRequest() }
        applyDeadline()
        read(untilEnd: true)
    }

    /// Ends a connection without a session; the alert that tells why must not be lost to a reset.
    private func endHandshake(_ outcome: HandshakeOutcome) {
        context.recorder?.record(.handshakeEnded(outcome))
        tls = nil
        closeAfterOutput()
        flush()
    }

    /// Ends a connection whose handshake has taken too long.
    ///
    /// - Returns: Whether it was one.
    func expireHandshake() -> Bool {
        guard let tls, !tls.isOpen, phase == .head else { return false }
        // A client that says nothing while the server stops has failed at nothing.
        if tls.session != nil || !context.isDraining {
            context.recorder?.record(.timedOut(.header))
            context.recorder?.record(.handshakeEnded(.failed))
        }
        abort()
        return true
    }

    /// Lets a handshake that has begun, or begins in the next moment, come to its end, and one request be answered, while the
    /// server stops.
    ///
    /// - Returns: Whether there is one.
    func drainHandshake() -> Bool {
        guard let tls, !tls.isOpen, phase == .head else { return false }
        negotiate(tls)
        guard let tls = self.tls, !tls.isOpen else { return true }
        let limit = tls.session == nil ? Server.Limits.partingTime : Server.Limits.lingerTimeout
        stateDeadline = min(stateDeadline, loop.now + limit)
        applyDeadline()
        return true
    }

    private func hurry() {
        stateDeadline = min(stateDeadline, loop.now + Server.Limits.lingerTimeout)
    }

    /// Counts a client that speaks TLS to a port without it.
    func noteUnexpectedTLS(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.first == TLSRecord.handshake else { return }
        context.recorder?.record(.handshakeEnded(.unexpected))
    }

    // MARK: Bytes

    /// Reads as `recv` does: a count, zero at the end, or -1 with `errno`.
    func receiveEncrypted(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        // Nobody will look at it any more.
        guard phase != .lingering, let tls, let session = tls.session else {
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

    /// Tells the client that nothing more will come.
    ///
    /// RFC 8446 §6.1.
    ///
    /// - Returns: Whether that is done; if not, it goes on when the socket takes bytes again, and not for ever.
    func sendClosure() -> Bool {
        guard let session = tls?.session else { return true }
        guard case .wouldBlock(let wanted) = session.sendClosureAlert() else { return true }
        loop.rearm(descriptor, for: wanted)
        if stateDeadline == .distantFuture { stateDeadline = loop.now + limits.writeTimeout }
        applyDeadline()
        return false
    }
}

/// The types of TLS records that a server has to know without a session.
enum TLSRecord {
    /// What every client begins with.
    ///
    /// RFC 8446 §5.1.
    static let handshake: UInt8 = 22
}
