// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// One client's connection: reads requests, has them answered in order, sends the answers.
///
/// An actor that is pinned to its event loop: readiness enters it without a hop, and so do the tasks of its handlers, which run on the
/// same loop. Idle, it holds no buffer.
///
/// RFC 9112 §9.
actor Connection: ReadinessHandler {
    /// What the connection is doing.
    enum Phase: Equatable {
        /// Waiting for a request, or in the middle of a head.
        case head
        /// A request is being answered by a task.
        case exchange
        /// The last answer is on its way; what the client still sends is thrown away.
        case lingering
        case closed
    }

    nonisolated let context: LoopContext
    nonisolated let terms: ConnectionTerms
    let descriptor: Int32
    let peer: SocketAddress
    /// Whether the peer is a proxy whose fields are believed.
    let isFromTrustedProxy: Bool
    /// The state of TLS; nothing on a connection without it.
    var tls: ConnectionTLS?

    nonisolated var loop: EventLoop { context.loop }
    nonisolated var unownedExecutor: UnownedSerialExecutor { context.loop.asUnownedSerialExecutor() }
    nonisolated var limits: Server.Limits { terms.limits }

    // SAFETY: no access to one of these is open while a handler or anything else runs that could come back to it: they change in
    // calls that know nothing of the connection. Checked at run time, they took a seventh of a short request's instructions.
    @exclusivity(unchecked) var parser: HeadParser
    @exclusivity(unchecked) var output = OutputQueue()
    @exclusivity(unchecked) var exchange: Exchange?
    /// What belongs to the exchange while its answer takes time.
    @exclusivity(unchecked) var pending: PendingExchange?
    /// Bytes that have been received and that nobody has taken.
    @exclusivity(unchecked) var unread: [UInt8] = []
    /// The content of the current request, or what nobody wanted of the last one's.
    @exclusivity(unchecked) var body = BodyReader.none
    // SAFETY: as above; a recorder is told when the record has been taken out.
    /// What will be reported of the current request; nothing where nobody wants to know.
    @exclusivity(unchecked) var record: Record?
    @exclusivity(unchecked) var stateDeadline = MonotonicInstant.distantFuture

    var phase = Phase.head
    /// How much of a body that nobody wants may still be thrown away.
    var discardBudget = 0
    var lastExchangeID: UInt64 = 0
    /// How many handlers, questions to issuers and checks of signatures have yet to come back here, whether anybody still waits for
    /// them or not.
    var workCount = 0
    /// The client has ended its side.
    var peerHasEnded = false
    /// Readiness was told and not used, because nobody wanted to read.
    var hasUnusedReadiness = false
    /// Requests have arrived that wait until answers are sent, or other connections have had their turn.
    var isHeldBack = false
    private var willGoOn = false
    /// The connection ends when everything is sent.
    var closesAfterOutput = false
    var writeDeadline = MonotonicInstant.distantFuture
    private var headHasBegun = false
    private var servedInTurn = 0

    init(descriptor: Int32, peer: SocketAddress, context: LoopContext) {
        self.descriptor = descriptor
        self.peer = peer
        self.context = context
        terms = context.terms
        isFromTrustedProxy = context.core.proxies.contains(peer)
        parser = HeadParser(limits: context.terms.wireLimits)
        tls = terms.tls.map(ConnectionTLS.init)
    }

    func start() {
        if tls == nil { waitForRequest() } else { stateDeadline = loop.now + limits.headerTimeout }
        applyDeadline()
    }

    // MARK: Readiness

    nonisolated func ready(_ readiness: Readiness) {
        typealias Isolated = (isolated Connection, Readiness) -> Void
        typealias Plain = (Connection, Readiness) -> Void
        assert(loop.isCurrent)
        // SAFETY: the loop calls its handlers on its own thread alone, and is this actor's executor. `assumeIsolated` would look that
        // up for every event, and allocate for it.
        unsafeBitCast(handleReadiness as Isolated, to: Plain.self)(self, readiness)
    }

    fileprivate func handle(_ readiness: Readiness) {
        if tls != nil { return handleEncrypted(readiness) }
        if readiness.contains(.writable), !output.isEmpty || pending?.file != nil { flush() }
        guard phase != .closed, readiness.contains(.readable) else { return }
        read(untilEnd: readiness.contains(.closedByPeer))
    }

    // MARK: Reading

    private var wantsToRead: Bool {
        switch phase {
        case .head: !isHeldBack
        case .exchange: pending?.bodyWaiter != nil || unread.count < Server.Limits.maxUnreadByteCount
        case .lingering: discardBudget >= 0
        case .closed: false
        }
    }

    /// Reads what there is, a bounded amount at a time.
    func read(untilEnd: Bool = false) {
        servedInTurn = 0
        for _ in 0..<8 {
            guard wantsToRead else {
                hasUnusedReadiness = phase != .closed
                if untilEnd { noticeDeparture() }
                return flush()
            }
            let buffer = context.readBuffer
            // No more than what may lie unread, should nobody want it.
            let room = phase == .exchange ? max(1, buffer.count - unread.count) : buffer.count
            let count =
                tls == nil
                ? recv(descriptor, buffer.baseAddress, room, 0)
                : receiveEncrypted(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<room]))
            if count > 0 {
                received(UnsafeRawBufferPointer(start: buffer.baseAddress, count: count))
                guard phase != .closed else { return }
                if count < room, !untilEnd, !peerHasEnded {
                    loop.rearm(descriptor, for: .readable)
                    return flush()
                }
            } else if count == 0 {
                return peerEnded()
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                loop.rearm(descriptor, for: .readable)
                return flush()
            } else if errno != EINTR {
                return abort()
            }
        }
        flush()
        // There is more, but others wait too.
        hasUnusedReadiness = true
        continueLater()
    }

    /// Takes up reading and parsing again in another turn of the loop.
    func continueLater() {
        guard !willGoOn else { return }
        willGoOn = true
        loop.executeLater { [weak self] in
            self?.assumeIsolated {
                $0.willGoOn = false
                $0.goOn()
            }
        }
    }

    /// Goes on with what has been received already, and then with what the socket has.
    func goOn() {
        guard phase != .closed else { return }
        servedInTurn = 0
        isHeldBack = false
        if !unread.isEmpty { processUnread(and: UnsafeRawBufferPointer(start: nil, count: 0)) }
        if peerHasEnded { endWithPeer() }
        flush()
        guard phase != .closed, hasUnusedReadiness, wantsToRead else { return }
        hasUnusedReadiness = false
        read(untilEnd: true)
    }

    private func received(_ bytes: UnsafeRawBufferPointer) {
        exchange?.bodyClock.received(bytes.count)
        guard unread.isEmpty else { return processUnread(and: bytes) }
        let taken = process(bytes)
        if taken < bytes.count, phase != .closed { unread += bytes[taken...] }
    }

    private func processUnread(and bytes: UnsafeRawBufferPointer) {
        // Moved out and back, since a handler may ask for it meanwhile.
        var gathered = unread
        unread = []
        gathered += bytes
        let taken = gathered.withUnsafeBytes { process($0) }
        guard taken < gathered.count, phase != .closed else { return }
        gathered.removeFirst(taken)
        unread = gathered
    }

    /// Takes as many of the bytes as the connection has use for now, and says how many.
    private func process(_ bytes: UnsafeRawBufferPointer) -> Int {
        var taken = 0
        while taken < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[taken...])
            let count: Int
            switch phase {
            case .head: count = takeHead(rest)
            case .exchange: count = takeBody(rest)
            case .lingering: count = discard(rest)
            case .closed: return bytes.count
            }
            guard count > 0 else { return taken }
            taken += count
        }
        return taken
    }

    private func takeHead(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard body.isFinished else { return discardBody(bytes) }
        guard output.byteCount <= Server.Limits.maxUnsentByteCount else {
            isHeldBack = true
            return 0
        }
        guard servedInTurn < Server.Limits.requestsPerTurn else {
            isHeldBack = true
            continueLater()
            return 0
        }
        do throws(MalformedMessage) {
            guard let (head, count) = try parser.parse(bytes) else {
                if !headHasBegun {
                    headHasBegun = true
                    stateDeadline = loop.now + limits.headerTimeout
                    applyDeadline()
                }
                return 0
            }
            headHasBegun = false
            servedInTurn += 1
            return count + begin(head, UnsafeRawBufferPointer(rebasing: bytes[count...]))
        } catch {
            noteUnexpectedTLS(bytes)
            refuse(error.status)
            return bytes.count
        }
    }

    /// Throws away the body of a request that has been answered, so that the next head is found.
    private func discardBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        do throws(MalformedMessage) {
            let count = try body.read(bytes) { _ in }
            discardBudget -= count
            if discardBudget < 0, !body.isFinished { closeAfterOutput() }
            return count
        } catch {
            closeAfterOutput()
            return bytes.count
        }
    }

    private func discard(_ bytes: UnsafeRawBufferPointer) -> Int {
        discardBudget -= bytes.count
        return bytes.count
    }

    private func peerEnded() {
        peerHasEnded = true
        switch phase {
        case .head:
            endWithPeer()
            flush()
        case .exchange:
            failBody(with: RequestBodyError.connectionClosed)
            cancelStream()
            flush()
        case .lingering:
            // What closes the connection may have been read in the same turn as the end, and its answer not sent yet.
            if output.isEmpty { abort() } else { flush() }
        case .closed:
            break
        }
    }

    /// A client may end its side and wait for the answer; one that leaves a stream has gone.
    ///
    /// While the head is held back, what was wrong with the body may still be told.
    func cancelStream() {
        if exchange?.hasBegunStreaming == true, pending?.heldHead == nil { cancelHandler() }
    }

    /// Looks whether a client has gone of which nothing more is read for now: its end is told once, and lies behind what it sent.
    private func noticeDeparture() {
        guard phase == .exchange else { return }
        switch PeerState(of: descriptor) {
        case .present: break
        case .ended: cancelStream()
        case .gone: abort()
        }
    }

    /// A client that sends no more has had every answer once nothing is held back.
    private func endWithPeer() {
        if phase == .head, !isHeldBack, !willGoOn { closesAfterOutput = true }
    }

    // MARK: Deadlines

    func waitForRequest() {
        stateDeadline = loop.now.advanced(byNanoseconds: terms.idleNanoseconds)
    }

    func applyDeadline() {
        guard phase != .closed else { return }
        loop.setDeadline(min(stateDeadline, writeDeadline), for: descriptor)
    }

    nonisolated func deadlinePassed() {
        assumeIsolated { $0.expire() }
    }

    private func expire() {
        if writeDeadline <= loop.now {
            // The system tells of room only when a third of its buffer is free; a slow client may have taken less in that time.
            flush()
            guard phase != .closed else { return }
            if writeDeadline <= loop.now {
                context.recorder?.record(.timedOut(.write))
                return abort()
            }
        }
        guard stateDeadline <= loop.now else { return applyDeadline() }
        if expireHandshake() { return }
        stateDeadline = .distantFuture
        switch phase {
        case .head where context.isDraining && !headHasBegun:
            _ = sendClosure()
            abort()
        case .head where !headHasBegun && (!output.isEmpty || isHeldBack):
            // It is not idle: answers are on their way, and how long it may take none of them is limited elsewhere.
            waitForRequest()
        case .head:
            context.recorder?.record(.timedOut(headHasBegun ? .header : .idle))
            if headHasBegun { refuse(.requestTimeout) } else { closeAfterOutput() }
            flush()
        case .exchange:
            context.recorder?.record(.timedOut(.body))
            exchange?.keepAlive = false
            failBody(with: RequestBodyError.timeout)
        case .lingering:
            abort()
        case .closed:
            break
        }
        applyDeadline()
    }
}

/// What a connection does when its descriptor is ready, as a function without a context.
private func handleReadiness(_ connection: isolated Connection, _ readiness: Readiness) {
    connection.handle(readiness)
}
