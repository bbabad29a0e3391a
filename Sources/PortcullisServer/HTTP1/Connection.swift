// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// One client's connection: the socket, the buffers and the handlers' continuations.
///
/// It reports events to ``ConnectionState`` and executes the actions that it returns. It is an actor pinned
/// to its event loop: readiness events enter it without a hop, and so do the tasks of its handlers, which run
/// on the same loop. It holds no buffer while it is idle.
///
/// RFC 9112 §9.
actor Connection: ReadinessHandler {
    /// The most reads in one turn before other connections get theirs.
    private static let readsPerTurn = 8

    nonisolated let context: LoopContext
    nonisolated let terms: ConnectionTerms
    let descriptor: Int32
    let peer: SocketAddress
    /// Whether the peer is a trusted proxy.
    let isFromTrustedProxy: Bool
    /// The TLS state; `nil` for a plain connection.
    var tls: ConnectionTLS?

    nonisolated var loop: EventLoop { context.loop }
    nonisolated var unownedExecutor: UnownedSerialExecutor { context.loop.asUnownedSerialExecutor() }
    nonisolated var limits: Server.Limits { terms.limits }

    // SAFETY: no access to these is open while a handler or other code runs that could enter the connection:
    // the calls that change them have no reference to it. Run-time checks took a seventh of a short request's
    // instructions.
    @exclusivity(unchecked) var state: ConnectionState
    @exclusivity(unchecked) var parser: HeadParser
    @exclusivity(unchecked) var output = OutputQueue()
    /// The state of an exchange whose response takes time.
    @exclusivity(unchecked) var pending: PendingExchange?
    /// Received bytes that are not parsed.
    @exclusivity(unchecked) var unread: [UInt8] = []
    /// The body of the current request, or the rest of the previous request's.
    @exclusivity(unchecked) var body = BodyReader.none
    // SAFETY: as above; a recorder is called after the record has been taken out.
    /// The record of the current request; `nil` if nothing needs records.
    @exclusivity(unchecked) var record: Record?

    init(descriptor: Int32, peer: SocketAddress, context: LoopContext) {
        self.descriptor = descriptor
        self.peer = peer
        self.context = context
        terms = context.terms
        isFromTrustedProxy = context.core.proxies.contains(peer)
        state = ConnectionState(
            context.terms.timeouts, context.loop.now, isEncrypted: context.terms.tls != nil,
            isStopping: context.isDraining)
        parser = HeadParser(limits: context.terms.wireLimits)
        tls = terms.tls.map(ConnectionTLS.init)
    }

    func start() { applyDeadline() }

    // MARK: Actions

    /// Executes the actions that the state returned.
    @inline(__always)
    func execute(_ actions: ConnectionState.Actions) {
        guard !actions.isEmpty else { return }
        if actions == .setDeadline { return applyDeadline() }
        executeAll(actions)
    }

    private func executeAll(_ actions: ConnectionState.Actions) {
        if actions.contains(.dropUnread) { unread = [] }
        if actions.contains(.failBody) { failBody(with: RequestBodyError.connectionClosed) }
        if actions.contains(.cancelHandler) { cancelHandler() }
        if actions.contains(.resumeWriters) { resumeWriters() }
        if actions.contains(.shutDownWriting) { shutDownWriting() }
        if actions.contains(.goOnLater) { queueTurn() }
        if actions.contains(.close) { release() }
        if actions.contains(.giveBackPlace) { context.giveBackPlace() }
        if actions.contains(.setDeadline) { applyDeadline() }
        if actions.contains(.endOutput) { endOutput() }
        if actions.contains(.flush) { flush() }
    }

    private func queueTurn() {
        loop.executeLater { self.beginQueuedTurn() }
    }

    private nonisolated func beginQueuedTurn() {
        typealias Isolated = (isolated Connection) -> Void
        typealias Plain = (Connection) -> Void
        loop.checkIsolated()
        // SAFETY: as in `ready`.
        unsafeBitCast(takeQueuedTurn as Isolated, to: Plain.self)(self)
    }

    fileprivate func queuedTurnBegan() {
        state.queuedTurnBegan()
        takeTurn()
    }

    func applyDeadline() {
        guard !state.isClosed else { return }
        loop.setDeadline(state.deadline, for: descriptor)
    }

    // MARK: Readiness

    nonisolated func ready(_ readiness: Readiness) {
        typealias Isolated = (isolated Connection, Readiness) -> Void
        typealias Plain = (Connection, Readiness) -> Void
        assert(loop.isCurrent)
        // SAFETY: the loop calls its handlers only on its own thread, and is this actor's executor.
        // `assumeIsolated` would check that for every event, and allocate.
        unsafeBitCast(handleReadiness as Isolated, to: Plain.self)(self, readiness)
    }

    fileprivate func handle(_ readiness: Readiness) {
        if tls != nil { return handleEncrypted(readiness) }
        if readiness.contains(.writable), state.hasOutput(output.byteCount) { flush() }
        guard readiness.contains(.readable), !state.isClosed else { return }
        read(untilEnd: readiness.contains(.closedByPeer))
    }

    // MARK: Reading

    /// Reads from the socket, a bounded amount for each turn.
    func read(untilEnd: Bool = false) {
        state.readingBegan()
        for _ in 0..<Self.readsPerTurn {
            let buffer = context.readBuffer
            let room = state.room(unread: unread.count, capacity: buffer.count)
            guard room > 0 else {
                if state.readinessUnused(untilEnd) { lookForPeer() }
                return flush()
            }
            let count =
                tls == nil
                ? recv(descriptor, buffer.baseAddress, room, 0)
                : receiveEncrypted(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<room]))
            if count > 0 {
                received(UnsafeRawBufferPointer(start: buffer.baseAddress, count: count))
                guard !state.isClosed else { return }
                if count < room, !untilEnd, state.input != .ended {
                    loop.rearm(descriptor, for: .readable)
                    return flush()
                }
            } else if count == 0 {
                return execute(state.inputEnded(output: output.byteCount))
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                state.inputDrained()
                loop.rearm(descriptor, for: .readable)
                return flush()
            } else if errno != EINTR {
                return abort()
            }
        }
        flush()
        execute(state.readingInterrupted())
    }

    /// Queues another turn of reading and parsing.
    func continueLater() {
        execute(state.queueTurn())
    }

    /// Continues with the received bytes, then with the socket.
    func goOn() {
        state.turnBegan()
        takeTurn()
    }

    private func takeTurn() {
        guard !state.isClosed else { return }
        if !unread.isEmpty { processUnread(and: UnsafeRawBufferPointer(start: nil, count: 0)) }
        execute(state.unreadProcessed())
        flush()
        if state.takesUpReading(unread: unread.count) { read(untilEnd: true) }
    }

    private func received(_ bytes: UnsafeRawBufferPointer) {
        state.received(bytes.count)
        guard unread.isEmpty else { return processUnread(and: bytes) }
        let taken = process(bytes)
        if taken < bytes.count, !state.isClosed { unread += bytes[taken...] }
    }

    private func processUnread(and bytes: UnsafeRawBufferPointer) {
        // Moved out and back, because a handler may read it meanwhile.
        var gathered = unread
        unread = []
        gathered += bytes
        let taken = gathered.withUnsafeBytes { process($0) }
        guard taken < gathered.count, !state.isClosed else { return }
        gathered.removeFirst(taken)
        unread = gathered
    }

    /// Processes as many of the bytes as the state allows now.
    ///
    /// - Returns: The number of bytes processed.
    private func process(_ bytes: UnsafeRawBufferPointer) -> Int {
        var taken = 0
        while taken < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[taken...])
            let count: Int
            switch state.intake(output: output.byteCount) {
            case .head: count = takeHead(rest)
            case .body: count = takeBody(rest)
            case .restOfBody: count = discardBody(rest)
            case .discard:
                state.discarded(rest.count)
                return bytes.count
            case .keep: return taken
            case .keepForNextTurn:
                continueLater()
                return taken
            }
            guard count > 0 else { return taken }
            taken += count
        }
        return taken
    }

    private func takeHead(_ bytes: UnsafeRawBufferPointer) -> Int {
        do throws(MalformedMessage) {
            guard let (head, count) = try parser.parse(bytes) else {
                execute(state.headIncomplete(loop.now))
                return 0
            }
            return count + begin(head, UnsafeRawBufferPointer(rebasing: bytes[count...]))
        } catch {
            noteUnexpectedTLS(bytes)
            refuse(
                error, begun: context.keepsRecords ? parser.requestLine(of: bytes) : nil, received: bytes)
            return bytes.count
        }
    }

    /// Discards the body of an answered request, to find the next head.
    private func discardBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        do throws(MalformedMessage) {
            let count = try body.read(bytes) { _ in }
            execute(state.restOfBodyRead(count, isFinished: body.isFinished))
            return count
        } catch {
            execute(state.restOfBodyFailed())
            return bytes.count
        }
    }

    /// Checks whether a client has left while nothing is read from it.
    private func lookForPeer() {
        switch PeerState(of: descriptor) {
        case .present: break
        case .ended: if state.losesStream { cancelHandler() }
        case .gone: abort()
        }
    }

    // MARK: Deadlines

    nonisolated func deadlinePassed() {
        assumeIsolated { $0.expire() }
    }

    private func expire() {
        // The system reports room only when a third of its buffer is free; a slow client may have read less
        // in that time.
        if state.isWriteOverdue(loop.now) { flush() }
        if state.isWriteOverdue(loop.now) {
            context.recorder?.record(.timedOut(.write))
            return abort()
        }
        switch state.expire(loop.now, output: output.byteCount) {
        case .none: break
        case .handshake(let isFailure):
            if isFailure {
                context.recorder?.record(.timedOut(.header))
                context.recorder?.record(.handshakeEnded(.failed))
            }
            abort()
        case .parting:
            _ = sendClosure()
            abort()
        case .idle:
            context.recorder?.record(.timedOut(.idle))
            flush()
        case .head:
            context.recorder?.record(.timedOut(.header))
            // A copy, because the refusal drops what is unread.
            let received = unread
            received.withUnsafeBytes { refuse(.requestTimeout, received: $0) }
            flush()
        case .body:
            context.recorder?.record(.timedOut(.body))
            failBody(with: RequestBodyError.timeout)
        case .lingering:
            abort()
        }
        applyDeadline()
    }
}

/// Handles readiness, as a function without a captured context.
private func handleReadiness(_ connection: isolated Connection, _ readiness: Readiness) {
    connection.handle(readiness)
}

private func takeQueuedTurn(_ connection: isolated Connection) {
    connection.queuedTurnBegan()
}
