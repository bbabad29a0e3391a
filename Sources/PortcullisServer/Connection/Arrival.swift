// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

extension LoopContext {
    /// Takes up an accepted connection, whose place has been counted.
    func welcome(_ descriptor: Int32, _ peer: SocketAddress) throws(SocketError) {
        if !peer.isUnix { try setOption(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY) }
        guard core.proxies.usesProxyProtocol, core.proxies.contains(peer) else {
            let connection = Connection(descriptor: descriptor, peer: peer, context: self)
            try loop.watch(descriptor, connection)
            add(connection, descriptor)
            return connection.assumeIsolated { $0.start() }
        }
        let arrival = Arrival(descriptor: descriptor, peer: peer, context: self)
        try loop.watch(descriptor, arrival)
        arrivals[descriptor] = arrival
        core.connectionOpened()
        arrival.start()
    }
}

/// A proxy's connection that has yet to say whose it is.
///
/// The header is looked at where it lies and taken out to its last byte, so that whoever comes next, TLS or HTTP, begins with its own
/// first one.
///
// SAFETY: used on its loop only.
final class Arrival: ReadinessHandler, @unchecked Sendable {
    private let descriptor: Int32
    private let peer: SocketAddress
    private unowned let context: LoopContext
    /// The beginning of a header that has not come whole.
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
            // While the header is not whole, every byte is a part of it; and what was only looked at would be told again and again.
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

    /// Lets a header that has arrived, or comes in the next moment, be followed by its request while the server stops, as
    /// ``Connection/drain()`` does for connections without one.
    func drain() {
        ready([])
        guard context.arrivals[descriptor] === self else { return }
        deadline = min(deadline, context.loop.now + Server.Limits.partingTime)
        context.loop.setDeadline(deadline, for: descriptor)
    }

    private func open(_ header: ProxyHeader, _ readiness: Readiness) {
        var peer = peer
        if case .client(let address, let port) = header { peer = SocketAddress(address, port: port) }
        context.arrivals[descriptor] = nil
        let connection = Connection(descriptor: descriptor, peer: peer, context: context)
        context.loop.handOver(descriptor, to: connection)
        // Counted twice for a moment rather than not at all: a server that stops waits for what is counted.
        context.add(connection, descriptor)
        context.core.connectionClosed()
        connection.assumeIsolated { $0.start() }
        connection.ready(readiness.union(.readable))
        if context.isDraining { connection.assumeIsolated { $0.drain() } }
    }

    /// Ends without a word: nothing has been said in any protocol that the other side could be answered in.
    func end() {
        guard context.arrivals.removeValue(forKey: descriptor) != nil else { return }
        context.loop.close(descriptor)
        context.core.connectionClosed()
        context.giveBackPlace()
    }
}
