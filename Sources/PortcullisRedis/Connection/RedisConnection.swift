// SPDX-License-Identifier: MIT

internal import PortcullisTransport

/// One connection to the store: replies arrive in the order of the commands.
///
/// Runs on its client's event loop and never blocks. It closes after any error and after a late reply, since
/// later replies could no longer be matched to their commands.
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
    /// The number of unsent bytes above which new commands fail.
    private static let maxUnsentByteCount = 16_777_216
    /// The number of reads before it yields to the loop's other work.
    private static let readsPerTurn = 16

    nonisolated let loop: EventLoop
    /// Receives messages of subscribed channels.
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
    private var isAdvanceQueued = false
    /// Whether the connection is subscribed to a channel, so that it receives messages, not replies.
    private var isListening = false
    /// Whether a PING has not been answered yet.
    private var isPongExpected = false

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
        assumeIsolated { $0.advance() }
    }

    nonisolated func deadlinePassed() {
        assumeIsolated { $0.fail(.timeout) }
    }

    private func advance() {
        switch phase {
        case .connecting: finishConnecting()
        case .handshaking: handshake()
        case .open: transfer()
        case .closed: break
        }
    }

    // MARK: Called by the client

    /// Connects to the first address that accepts the connection, with TLS if there is a context.
    func connect(
        to addresses: [ResolvedAddress], tls: (context: TLSContext, identity: ServerIdentity)? = nil
    ) {
        guard phase == .connecting else { return }
        self.tls = tls
        self.addresses = addresses[...]
        connectToNextAddress()
    }

    /// Sends a command, and calls the closure once with the reply.
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

    /// Subscribes: from now on every received value is a channel message.
    func listen(_ command: [UInt8]) {
        isListening = true
        outgoing += command
        if phase == .open { sendMore() }
    }

    /// Sends a PING on a subscribed connection, and closes it unless the server sends something in time.
    ///
    /// Does nothing while a PING is unanswered, so that repeated calls do not postpone the deadline.
    func expectSignOfLife(within time: Duration) {
        guard phase == .open, isListening, !isPongExpected else { return }
        isPongExpected = true
        loop.setDeadline(loop.now + time, for: stream.descriptor)
        outgoing += RESPCommand.encode([Array("PING".utf8)])
        sendMore()
    }

    func close(_ fault: RedisFault = .lost) {
        fail(fault)
    }

    /// Closes the connection if the address is still being looked up; a socket has its own deadline.
    func giveUpLookingUp() {
        if phase == .connecting, stream.descriptor < 0 { fail(.timeout) }
    }

    /// Sets the deadline of the oldest unanswered command.
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
        case .wouldBlock(let wanted) where wanted.isEmpty: advanceLater()
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
            // TLS records without data also count as a turn.
            case .bytes(0): return advanceLater()
            case .bytes: deliver()
            case .wouldBlock(let wanted): return loop.rearm(stream.descriptor, for: wanted)
            case .closed, .failed: return fail()
            }
        }
        guard phase == .open else { return }
        advanceLater()
    }

    /// Continues after the loop's other work.
    private func advanceLater() {
        // Readiness events come here too; without this guard each would schedule another turn.
        guard !isAdvanceQueued else { return }
        isAdvanceQueued = true
        loop.executeLater {
            self.assumeIsolated {
                $0.isAdvanceQueued = false
                $0.advance()
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
        // An incomplete value does not answer the PING, or a server could send fragments forever.
        guard isWhole || !isListening else { return }
        isPongExpected = false
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

/// The error for a command without a reply.
package enum RedisFailure: Error, Sendable, Hashable {
    /// The store cannot be reached or did not answer in time.
    case unavailable
}

extension RedisFailure: CustomStringConvertible {
    /// A phrase for a log.
    package var description: String { "the store cannot be reached, or did not answer in time" }
}
