// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

extension LoopContext {
    /// Serves an accepted connection that already counts toward the connection limit.
    func welcome(_ descriptor: Int32, _ peer: SocketAddress) throws(SocketError) {
        if !peer.isUnix { try setOption(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY) }
        guard core.proxies.usesProxyProtocol, core.proxies.contains(peer) else {
            let connection = Connection(descriptor: descriptor, peer: peer, context: self)
            try loop.watch(descriptor, connection)
            add(connection, descriptor)
            return connection.assumeIsolated { $0.start() }
        }
        let handshake = ProxyProtocolHandshake(descriptor: descriptor, peer: peer, context: self)
        try loop.watch(descriptor, handshake)
        proxyHandshakes[descriptor] = handshake
        core.connectionOpened()
        handshake.start()
    }
}

/// Reads the PROXY protocol header at the start of a trusted proxy's connection, then passes the socket to a
/// ``Connection``.
///
/// Peeks first and then reads exactly the header, so that the protocol after it, TLS or HTTP, begins at its
/// own first byte.
///
// SAFETY: used on its loop only.
final class ProxyProtocolHandshake: ReadinessHandler, @unchecked Sendable {
    private let descriptor: Int32
    private let peer: SocketAddress
    private unowned let context: LoopContext
    /// The part of the header that has been read.
    private var taken: [UInt8] = []
    private var deadline = MonotonicInstant.distantFuture

    init(descriptor: Int32, peer: SocketAddress, context: LoopContext) {
        self.descriptor = descriptor
        self.peer = peer
        self.context = context
    }

    func start() {
        deadline = context.loop.now + context.terms.limits.headerTimeout
        context.loop.setDeadline(deadline, for: descriptor)
    }

    func ready(_ readiness: Readiness) {
        let buffer = context.readBuffer
        let room = ProxyHeader.maxByteCount - taken.count
        let count = recv(descriptor, buffer.baseAddress, room, Int32(MSG_PEEK))
        guard count > 0 else {
            guard count < 0, errno == EAGAIN || errno == EINTR else { return end() }
            return context.loop.rearm(descriptor, for: .readable)
        }
        do throws(ProxyHeader.Malformed) {
            let bytes = taken + buffer[..<count]
            let found = try ProxyHeader.parse(bytes[...])
            // An incomplete header is read completely: peeked bytes would be reported again and again.
            let rest = found.map { $0.byteCount - taken.count } ?? count
            guard recv(descriptor, buffer.baseAddress, rest, 0) == rest else { return end() }
            taken = bytes
            if let found { return open(found.header, readiness) }
            guard !readiness.contains(.closedByPeer) else { return end() }
            context.loop.rearm(descriptor, for: .readable)
        } catch {
            context.core.noteHeaderlessProxy(peer, context.loop.now)
            end()
        }
    }

    func deadlinePassed() {
        if !context.isDraining { context.recorder?.record(.timedOut(.header)) }
        end()
    }

    /// While the server stops, still serves a request whose header has arrived or arrives within the parting
    /// time.
    ///
    /// ``Connection/drain()`` does the same for connections without a header.
    func drain() {
        ready([])
        guard context.proxyHandshakes[descriptor] === self else { return }
        deadline = min(deadline, context.loop.now + Server.Limits.partingTime)
        context.loop.setDeadline(deadline, for: descriptor)
    }

    private func open(_ header: ProxyHeader, _ readiness: Readiness) {
        var peer = peer
        if case .client(let address, let port) = header { peer = SocketAddress(address, port: port) }
        context.proxyHandshakes[descriptor] = nil
        let connection = Connection(descriptor: descriptor, peer: peer, context: context)
        context.loop.handOver(descriptor, to: connection)
        // For a moment the connection is counted twice, but never zero times: a stopping server waits only
        // for counted connections.
        context.add(connection, descriptor)
        context.core.connectionClosed()
        connection.assumeIsolated { $0.start() }
        connection.ready(readiness.union(.readable))
        if context.isDraining { connection.assumeIsolated { $0.drain() } }
    }

    /// Closes without a response: the client has not sent a request.
    func end() {
        guard context.proxyHandshakes.removeValue(forKey: descriptor) != nil else { return }
        context.loop.close(descriptor)
        context.core.connectionClosed()
        context.giveBackPlace()
    }
}
