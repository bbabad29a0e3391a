// SPDX-License-Identifier: MIT

internal import PortcullisTransport

/// One connection to the store: commands go out in order, and answers come in that order.
///
/// Pinned to the loop of its client, which calls it as readiness comes; it never waits. Once something has gone wrong, and
/// also once an answer is late, it is of no use any more, since nobody could tell whose the next answer is.
actor RedisConnection: ReadinessHandler {
    typealias Reply = Result<RESPValue, RedisFailure>

    private enum Phase {
        case connecting, handshaking, open, closed
    }

    private struct Expectation {
        let deadline: MonotonicInstant
        let receive: @Sendable (Reply) -> Void
    }

    private static let readByteCount = 16384
    /// How much may be on its way before more is refused.
    private static let maxUnsentByteCount = 16_777_216
    /// How often it reads before the loop's other work has its turn.
    private static let readsPerTurn = 16

    nonisolated let loop: EventLoop
    /// What comes without having been asked for: messages of channels.
    private let unasked: @Sendable (RESPValue) -> Void
    private let ended: @Sendable (RedisFault) -> Void
    private var addresses: ArraySlice<ResolvedAddress> = []
    private var tls: (context: TLSContext, identity: ServerIdentity)?
    private var phase = Phase.connecting
    private var stream = SocketStream(plain: -1)
    private var parser = RESPParser()
    private var outgoing: [UInt8] = []
    private var sentByteCount = 0
    private var expected: [Expectation] = []
    private var answeredCount = 0
    private var willGoOn = false
    /// Whether the connection listens to channels, so that what comes answers nothing.
    private var isListening = false
    /// Whether a sign of life was asked for that has not come.
    private var isSignExpected = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(
        on loop: EventLoop, unasked: @escaping @Sendable (RESPValue) -> Void = { _ in },
        ended: @escaping @Sendable (RedisFault) -> Void
    ) {
        self.loop = loop
        self.unasked = unasked
        self.ended = ended
    }

    var isClosed: Bool { phase == .closed }

    // MARK: Called by the loop

    nonisolated func ready(_ readiness: Readiness) {
        assumeIsolated { $0.goOn() }
    }

    nonisolated func deadlinePassed() {
        assumeIsolated { $0.fail(.timeout) }
    }

    private func goOn() {
        switch phase {
        case .connecting: finishConnecting()
        case .handshaking: handshake()
        case .open: transfer()
        case .closed: break
        }
    }

    // MARK: Called by the client

    /// Connects to the first address that takes the connection, with TLS if there is a context for it.
    func connect(
        to addresses: [ResolvedAddress], tls: (context: TLSContext, identity: ServerIdentity)? = nil
    ) {
        guard phase == .connecting else { return }
        self.tls = tls
        self.addresses = addresses[...]
        connectToNextAddress()
    }

    /// Sends a command; what comes back is handed over once.
    func send(
        _ command: [UInt8], before deadline: MonotonicInstant, _ receive: @escaping @Sendable (Reply) -> Void
    ) {
        guard phase != .closed, outgoing.count - sentByteCount < Self.maxUnsentByteCount else {
            return receive(.failure(.unavailable))
        }
        expected.append(Expectation(deadline: deadline, receive: receive))
        outgoing += command
        applyDeadline()
        if phase == .open { sendMore() }
    }

    /// Sends a command whose answers, and everything after them, go to whoever takes what is not asked for.
    func listen(_ command: [UInt8]) {
        isListening = true
        outgoing += command
        if phase == .open { sendMore() }
    }

    /// On a connection that listens: closes it unless something comes from the server soon.
    ///
    /// Asked again before anything has come it leaves the deadline where it is, or whoever asks in turns would move it on for ever.
    func expectSignOfLife(within time: Duration) {
        guard phase == .open, isListening, !isSignExpected else { return }
        isSignExpected = true
        loop.setDeadline(loop.now + time, for: stream.descriptor)
        outgoing += RESPCommand.encode([Array("PING".utf8)])
        sendMore()
    }

    func close(_ fault: RedisFault = .lost) {
        fail(fault)
    }

    /// Gives up unless there is a socket by now, whose deadline is the loop's to watch.
    func giveUpLookingUp() {
        if phase == .connecting, stream.descriptor < 0 { fail(.timeout) }
    }

    /// The first answer that is waited for is the first that can be late.
    private func applyDeadline() {
        guard stream.descriptor >= 0 else { return }
        let first = answeredCount < expected.count ? expected[answeredCount].deadline : .distantFuture
        loop.setDeadline(first, for: stream.descriptor)
    }

    // MARK: Connecting

    private func connectToNextAddress() {
        closeSocket()
        while let address = addresses.popFirst() {
            do throws(SocketError) {
                let (descriptor, isConnected) = try ConnectingSocket.start(to: address)
                stream = SocketStream(plain: descriptor)
                try loop.watch(descriptor, self)
                applyDeadline()
                if isConnected { connected() }
                return
            } catch {
                continue
            }
        }
        fail(.unreachable)
    }

    private func finishConnecting() {
        switch ConnectingSocket.outcome(of: stream.descriptor) {
        case .success(true): connected()
        case .success(false): loop.rearm(stream.descriptor, for: .writable)
        case .failure: connectToNextAddress()
        }
    }

    private func connected() {
        addresses = []
        guard let tls else { return opened() }
        do throws(TLSError) {
            stream = try SocketStream(
                descriptor: stream.descriptor, client: tls.context, server: tls.identity)
            phase = .handshaking
            handshake()
        } catch {
            fail(.insecure)
        }
    }

    private func handshake() {
        switch stream.handshake() {
        case .bytes: opened()
        case .wouldBlock(let wanted) where wanted.isEmpty: goOnLater()
        case .wouldBlock(let wanted): loop.rearm(stream.descriptor, for: wanted)
        case .closed, .failed: fail(.insecure)
        }
    }

    private func opened() {
        phase = .open
        transfer()
    }

    // MARK: Commands and answers

    private func transfer() {
        sendMore()
        for _ in 0..<Self.readsPerTurn where phase == .open {
            switch read() {
            // Under TLS: a peer that sends what is no data has had its turn.
            case .bytes(0): return goOnLater()
            case .bytes: deliver()
            case .wouldBlock(let wanted): return loop.rearm(stream.descriptor, for: wanted)
            case .closed, .failed: return fail()
            }
        }
        guard phase == .open else { return }
        goOnLater()
    }

    /// Goes on when other connections have had their turn.
    private func goOnLater() {
        // Readiness that is told meanwhile comes here too, and each time would make one turn more of every turn.
        guard !willGoOn else { return }
        willGoOn = true
        loop.executeLater {
            self.assumeIsolated {
                $0.willGoOn = false
                $0.goOn()
            }
        }
    }

    private func sendMore() {
        while sentByteCount < outgoing.count {
            let result = outgoing.withUnsafeBytes {
                stream.write(UnsafeRawBufferPointer(rebasing: $0[sentByteCount...]))
            }
            switch result {
            case .bytes(let count): sentByteCount += count
            case .wouldBlock(let wanted): return loop.rearm(stream.descriptor, for: wanted)
            case .closed, .failed: return fail()
            }
        }
        outgoing.removeAll(keepingCapacity: true)
        sentByteCount = 0
    }

    private func read() -> IOResult {
        withUnsafeTemporaryAllocation(byteCount: Self.readByteCount, alignment: 16) { buffer in
            let result = stream.read(into: buffer)
            if case .bytes(let count) = result {
                parser.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
            return result
        }
    }

    private func deliver() {
        var isWhole = false
        do throws(RESPParser.Malformed) {
            while phase == .open, let value = try parser.next() {
                isWhole = true
                take(value)
            }
        } catch {
            return fail()
        }
        // A piece of a value is no sign of life, or a server could go on with pieces for ever.
        guard isWhole || !isListening else { return }
        isSignExpected = false
        applyDeadline()
    }

    private func take(_ value: RESPValue) {
        guard answeredCount < expected.count else {
            return isListening ? unasked(value) : fail()
        }
        let receive = expected[answeredCount].receive
        answeredCount += 1
        if answeredCount == expected.count || answeredCount >= 256 {
            expected.removeFirst(answeredCount)
            answeredCount = 0
        }
        receive(.success(value))
    }

    // MARK: The end

    private func fail(_ fault: RedisFault = .lost) {
        guard phase != .closed else { return }
        if phase == .open { stream.shutDown() }
        phase = .closed
        closeSocket()
        let unanswered = expected[answeredCount...]
        expected = []
        answeredCount = 0
        outgoing = []
        for expectation in unanswered { expectation.receive(.failure(.unavailable)) }
        ended(fault)
    }

    private func closeSocket() {
        loop.close(stream.descriptor)
        stream = SocketStream(plain: -1)
    }
}

/// Why there is no answer of the store.
package enum RedisFailure: Error, Sendable, Hashable {
    /// It can't be reached, or does not answer in time.
    case unavailable
}
