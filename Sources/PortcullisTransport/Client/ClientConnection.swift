// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// One connection of the client: it connects, then performs one exchange at a time.
///
/// Belongs to the loop of its pool, which calls it as readiness comes; it never waits.
// SAFETY: used on its loop only, where both its callers are: the loop and the pool. An actor would check
// the executor, and allocate, for each call.
final class ClientConnection: ReadinessHandler, @unchecked Sendable {
    enum Phase {
        case connecting, tunnelling, handshaking, exchanging, idle, closed
    }

    /// The most reads before other connections get their turn.
    private static let readsPerTurn = 16
    /// The least time for one connection attempt while there are other addresses to try.
    private static let leastAttempt = Duration.milliseconds(250)

    /// The connections to the same origin.
    let place: ConnectionPool.OriginState
    private var origin: Origin { place.origin }
    let loop: EventLoop
    private let pool: ConnectionPool
    /// Present for an https origin.
    private let context: TLSContext?
    /// The proxy that it connects to, instead of the origin.
    private let proxy: OutboundProxy?
    /// The exchange of CONNECT with the proxy, while it lasts.
    private var tunnel: ProxyTunnel?
    private var addresses: ArraySlice<ResolvedAddress>
    private(set) var phase = Phase.connecting
    private(set) var stream = SocketStream(plain: -1)
    private(set) var exchange: Exchange?
    /// Whether its current exchange has priority.
    var isBusyWithPriority: Bool { exchange?.goesFirst ?? false }
    private var sentByteCount = 0
    var cannotSend = false
    private var reader = ResponseReader(method: .get, maxByteCount: 0)
    /// Decodes a streamed response; `nil` if the current response is gathered.
    var decoder: ResponseDecoder?
    private var isReused = false
    private var isTransferring = false
    private var isResumeScheduled = false
    /// Whether there may be unread bytes that no readiness event will report.
    var mayHaveUnread = true
    /// Whether the peer has ended its side; only a read shows the end of stream.
    private var expectsEnd = false

    init(
        in place: ConnectionPool.OriginState, _ addresses: [ResolvedAddress], under context: TLSContext?,
        through proxy: OutboundProxy?, pool: ConnectionPool
    ) {
        self.place = place
        self.proxy = proxy
        self.context = context
        self.addresses = addresses[...]
        self.pool = pool
        loop = pool.loop
    }

    // MARK: Called by the loop

    func ready(_ readiness: Readiness) {
        mayHaveUnread = true
        expectsEnd = readiness.contains(.closedByPeer)
        resume()
    }

    func deadlinePassed() {
        expire()
    }

    private func resume() {
        switch phase {
        case .connecting: finishConnecting()
        case .tunnelling: openTunnel()
        case .handshaking: handshake()
        case .exchanging: transfer()
        case .idle: _ = rest(isReusedNow: false)
        case .closed: break
        }
    }

    private func expire() {
        switch phase {
        case .connecting where !addresses.isEmpty && (exchange?.deadline ?? .distantFuture) > loop.now:
            connectToNextAddress(lastCode: 0)
        case .idle: close()
        case .connecting: fail(.timeout(.connecting))
        case .tunnelling: fail(.timeout(.tunnelling))
        case .handshaking: fail(.timeout(.handshaking))
        case .exchanging: fail(.timeout(.answering))
        case .closed: break
        }
    }

    // MARK: Called by the pool

    /// Connects, then sends the exchange.
    func connect(for exchange: Exchange) {
        self.exchange = exchange
        connectToNextAddress(lastCode: 0)
    }

    /// Sends an exchange over the open connection.
    func send(_ exchange: Exchange) {
        self.exchange = exchange
        sentByteCount = 0
        phase = .exchanging
        if let streamed = exchange.stream {
            begin(streamed, exchange)
        } else {
            decoder = nil
            reader = ResponseReader(method: exchange.method, maxByteCount: exchange.maxResponseByteCount)
            loop.setDeadline(exchange.deadline, for: stream.descriptor)
        }
        transfer()
    }

    /// Makes the connection idle until the next exchange, or until the peer closes it.
    ///
    /// Closes it if the peer sends anything else: no request is pending.
    ///
    /// - Parameter isReusedNow: Whether to read now, because stray bytes would be taken for the next
    ///   response.
    /// - Returns: Whether the connection is still open.
    func rest(isReusedNow: Bool) -> Bool {
        if phase != .idle {
            phase = .idle
            isReused = true
            loop.setDeadline(loop.now + pool.settings.idleTimeout, for: stream.descriptor)
        }
        var wanted: Readiness = .readable
        if mayHaveUnread || isReusedNow {
            guard case .wouldBlock(let more) = read() else {
                close()
                return false
            }
            wanted.formUnion(more)
        }
        loop.rearm(stream.descriptor, for: wanted)
        return true
    }

    /// Closes the connection if this exchange is on it.
    func abandon(_ exchange: Exchange) {
        guard self.exchange === exchange else { return }
        fail(.cancelled)
    }

    /// Closes the connection.
    ///
    /// An exchange on it fails.
    func close() {
        fail(.closed)
    }

    // MARK: Connecting

    private func connectToNextAddress(lastCode: Int32) {
        closeSocket()
        var code = lastCode
        while let address = addresses.popFirst() {
            do throws(SocketError) {
                let (descriptor, isConnected) = try ConnectingSocket.start(to: address)
                stream = SocketStream(plain: descriptor)
                do throws(SocketError) {
                    try loop.watch(descriptor, self)
                } catch {
                    _ = closeDescriptor(descriptor)
                    throw error
                }
                setAttemptDeadline()
                if isConnected { connected() }
                return
            } catch {
                code = error.code
            }
        }
        fail(proxy == nil ? .connectFailed(code) : .proxy(.connectFailed(code)))
    }

    /// Leaves time for the remaining addresses.
    private func setAttemptDeadline() {
        guard let deadline = exchange?.deadline else { return }
        let share = (deadline - loop.now) / (addresses.count + 1)
        let attempt = addresses.isEmpty ? deadline : min(deadline, loop.now + max(share, Self.leastAttempt))
        loop.setDeadline(attempt, for: stream.descriptor)
    }

    private func finishConnecting() {
        switch ConnectingSocket.outcome(of: stream.descriptor) {
        case .success(true): connected()
        case .success(false): loop.rearm(stream.descriptor, for: .writable)
        case .failure(let error):
            connectToNextAddress(lastCode: error.code)
        }
    }

    private func connected() {
        addresses = []
        guard origin.isEncrypted else { return beginExchange() }
        guard let proxy else { return beginHandshake() }
        guard let exchange else { return close() }
        loop.setDeadline(exchange.deadline, for: stream.descriptor)
        phase = .tunnelling
        tunnel = ProxyTunnel(to: origin, through: proxy, userAgent: pool.settings.userAgent)
        openTunnel()
    }

    /// Sends CONNECT and reads its answer, until the socket would block.
    private func openTunnel() {
        switch tunnel?.advance(stream, pool.readBuffer) {
        case .wouldBlock(let wanted): loop.rearm(stream.descriptor, for: wanted)
        case .open:
            tunnel = nil
            beginHandshake()
        case .failed(let fault): fail(.proxy(fault))
        case nil: close()
        }
    }

    private func beginHandshake() {
        guard let context else { return fail(.tls(.unavailable)) }
        do throws(TLSError) {
            stream = try SocketStream(
                descriptor: stream.descriptor, client: context, server: origin.serverIdentity)
        } catch {
            return fail(.tls(error))
        }
        guard let exchange else { return close() }
        loop.setDeadline(exchange.deadline, for: stream.descriptor)
        phase = .handshaking
        handshake()
    }

    private func handshake() {
        switch stream.handshake() {
        case .bytes:
            if let whenSecured = pool.settings.whenSecured, let peer = stream.peer {
                whenSecured(origin.host, peer)
            }
            beginExchange()
        case .wouldBlock(let wanted) where wanted.isEmpty: resumeLater()
        case .wouldBlock(let wanted): loop.rearm(stream.descriptor, for: wanted)
        case .closed: fail(.tls(.truncated))
        case .failed(let error): fail(Self.clientError(error))
        }
    }

    private func beginExchange() {
        guard let exchange else { return close() }
        send(exchange)
    }

    // MARK: One exchange

    /// Writes and reads until the socket would block.
    ///
    /// The same call continues with the next exchange on the connection.
    func transfer() {
        guard !isTransferring else { return }
        isTransferring = true
        defer {
            isTransferring = false
            if let streamed = exchange?.stream { applyDeadline(of: streamed) }
        }
        for _ in 0..<Self.readsPerTurn {
            guard phase == .exchanging else { return }
            sendMore()
            // Backpressure: the next piece is read when the last one has been taken.
            if let streamed = exchange?.stream, !streamed.wantsInput { return }
            // A reused connection was read until it would block: an event will report the response.
            guard mayHaveUnread else { return loop.rearm(stream.descriptor, for: .readable) }
            switch read() {
            // Under TLS: the peer sent records without data, so other connections get their turn.
            case .bytes(0): return resumeLater()
            case .bytes: continue
            case .wouldBlock(let wanted): return loop.rearm(stream.descriptor, for: wanted)
            case .closed: takeEnd()
            case .failed(let error): fail(Self.clientError(error))
            }
        }
        resumeLater()
    }

    /// Continues when other connections have had their turn.
    private func resumeLater() {
        // Readiness events meanwhile lead here too; without the flag each would schedule one more turn.
        guard !isResumeScheduled else { return }
        isResumeScheduled = true
        loop.executeLater {
            self.isResumeScheduled = false
            if self.phase == .handshaking || self.phase == .exchanging { self.resume() }
        }
    }

    /// Writes until the socket would block.
    ///
    /// A server may answer and close before it has read everything: after a failed write, reading decides the
    /// outcome.
    private func sendMore() {
        guard let exchange, !cannotSend else { return }
        let message = exchange.message
        while sentByteCount < message.count {
            let result = message.withUnsafeBytes {
                stream.write(UnsafeRawBufferPointer(rebasing: $0[sentByteCount...]))
            }
            switch result {
            case .bytes(let count): sentByteCount += count
            case .wouldBlock(let wanted): return loop.rearm(stream.descriptor, for: wanted)
            case .closed, .failed:
                cannotSend = true
                mayHaveUnread = true
                return
            }
        }
        if let streamed = exchange.stream { sendBody(of: streamed) }
    }

    /// Whether the whole request has been written.
    var isSent: Bool {
        guard let exchange else { return false }
        return sentByteCount == exchange.message.count && exchange.stream?.isRequestSent ?? true
    }

    /// Whether the head of the request has been written.
    var isHeadSent: Bool { sentByteCount == exchange?.message.count }

    /// Reads once, and passes the bytes to the current exchange.
    private func read() -> IOResult {
        let buffer = pool.readBuffer
        let result = stream.read(into: buffer)
        switch result {
        case .bytes(let count):
            // A short read has drained the socket; under TLS the session may hold more.
            mayHaveUnread = count == buffer.count || expectsEnd || stream.isEncrypted
            if phase == .exchanging { take(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
        case .wouldBlock: mayHaveUnread = false
        case .closed, .failed: break
        }
        return result
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        if let streamed = exchange?.stream { return take(bytes, streamed) }
        handle(reader.take(bytes))
    }

    private func takeEnd() {
        if let streamed = exchange?.stream { return takeEnd(streamed) }
        handle(reader.takeEnd())
    }

    private func handle(_ progress: ResponseReader.Progress) {
        switch progress {
        case .incomplete: break
        case .failed(let error): fail(error)
        case .complete(let response, let keepAlive):
            let finished = exchange
            finishExchange(keepAlive: keepAlive)
            finished?.finish(.success(response))
        }
    }

    /// The response is complete: the connection becomes idle, takes the next exchange, or is closed.
    func finishExchange(keepAlive: Bool) {
        let isReusable = keepAlive && isSent && !cannotSend
        exchange = nil
        decoder = nil
        if isReusable { pool.release(self) } else { close() }
    }

    // MARK: The end

    /// Closes the connection.
    ///
    /// The exchange on it fails, or the pool sends it again.
    func fail(_ error: HTTPClientError) {
        guard phase != .closed else { return }
        let isOpen = phase == .exchanging || phase == .idle
        let failed = exchange
        let repeats = isOpen && mayRepeat(after: error)
        phase = .closed
        exchange = nil
        if isOpen { stream.shutDown() }
        closeSocket()
        pool.forget(self, repeating: repeats ? failed : nil)
        if !repeats { failed?.finish(.failure(error)) }
    }

    private func closeSocket() {
        loop.close(stream.descriptor)
        stream = SocketStream(plain: -1)
    }

    /// Whether to repeat the exchange because the peer closed a kept connection as it was reused.
    ///
    /// RFC 9112 §9.3.1.
    private func mayRepeat(after error: HTTPClientError) -> Bool {
        let hasBegun = decoder?.hasBegun ?? reader.hasBegun
        guard isReused, !hasBegun, let exchange, exchange.isRepeatable || sentByteCount == 0 else {
            return false
        }
        switch error {
        case .closed, .tls(.truncated), .tls(.system): return exchange.takeRepetition()
        default: return false
        }
    }

    private static func clientError(_ error: StreamError) -> HTTPClientError {
        switch error {
        case .socket: .closed
        case .tls(let error): .tls(error)
        }
    }
}
