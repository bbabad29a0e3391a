// SPDX-License-Identifier: MIT

package import PortcullisHTTP

/// A request in flight whose bodies pass in pieces.
///
/// Memory is bounded: one read of the response, and `maxUnsentByteCount` of the request plus one piece. The
/// connection reads the next piece when the last one has been taken, and a writer waits while too much is
/// unsent. One task at a time may wait for the response, and one may write.
// SAFETY: mutable state is used on the loop alone: every method that callers use from elsewhere moves there
// first. An actor would check the executor, and allocate, for each call.
package final class StreamedExchange: @unchecked Sendable {
    package typealias Outcome = Result<Void, HTTPClientError>
    /// Takes a head, or the failure of the exchange.
    package typealias HeadReceiver = @Sendable (Result<ParsedResponseHead, HTTPClientError>) -> Void

    /// The most unsent bytes of the request's body before its writer waits.
    package static let maxUnsentByteCount = 65_536

    /// The largest declared body whose end is looked for before the head is passed on.
    ///
    /// The last bytes of such a body usually arrive in the same turn of the loop, and one write costs less
    /// than a stream.
    static let maxGatheredByteCount = 65_536

    private let pool: ConnectionPool
    /// Keeps the client while the exchange is unfinished: its release closes all connections.
    private var owner: HTTPClientCore?
    private let rest: StreamedRequest.Rest
    private let timeouts: StreamedRequest.Timeouts
    let offersUpgrade: Bool
    private var loop: EventLoop { pool.loop }

    /// While it is unfinished.
    private var exchange: Exchange?
    /// While it is on one.
    private var connection: ClientConnection?
    private var wasOpened = false
    private var result: Outcome?

    private var output: [[UInt8]] = []
    /// The sent bytes of the first piece of the output.
    private var outputStart = 0
    private var unsentByteCount = 0
    private var isRequestComplete: Bool
    private var isUpgraded = false
    private var responseDue: MonotonicInstant?

    private var heads: [ParsedResponseHead] = []
    private var hasFinalHead = false
    private var received: [UInt8] = []
    private var gathering = Gathering.notBegun

    private enum Gathering {
        case notBegun, inProgress, ended
    }

    private var openWaiter: CheckedContinuation<Outcome, Never>?
    private var writer: CheckedContinuation<Outcome, Never>?
    private var headWaiter: HeadReceiver?
    private var pieceWaiter: CheckedContinuation<Result<[UInt8]?, HTTPClientError>, Never>?

    init(_ request: StreamedRequest, in pool: ConnectionPool, of owner: HTTPClientCore) {
        self.pool = pool
        self.owner = owner
        rest = request.rest
        timeouts = request.timeouts
        offersUpgrade = request.offersUpgrade
        isRequestComplete = request.rest == .none
        let exchange = Exchange(request, deadline: .now() + request.timeouts.connect, self)
        self.exchange = exchange
        pool.begin(exchange)
    }

    // MARK: The request

    /// Waits until the request is being sent.
    package func untilOpened() async throws(HTTPClientError) {
        if loop.isCurrent, wasOpened { return }
        try await withCheckedContinuation { continuation in
            loop.execute { self.waitUntilOpened(continuation) }
        }.get()
    }

    private func waitUntilOpened(_ continuation: CheckedContinuation<Outcome, Never>) {
        if wasOpened { return continuation.resume(returning: .success(())) }
        if let result { return continuation.resume(returning: result) }
        openWaiter = continuation
    }

    /// Sends a piece of the request's body.
    ///
    /// Waits while too much is unsent.
    ///
    /// - Throws: The failure of the exchange; `closed` if the response ended before the request.
    package func write(_ bytes: [UInt8]) async throws(HTTPClientError) {
        guard !bytes.isEmpty else { return }
        try await withCheckedContinuation { continuation in
            loop.execute { self.write(bytes, continuation) }
        }.get()
    }

    private func write(_ bytes: [UInt8], _ continuation: CheckedContinuation<Outcome, Never>) {
        guard result == nil, !isRequestComplete else {
            return continuation.resume(returning: .failure(.closed))
        }
        append(isUpgraded ? bytes : framed(bytes))
        connection?.transfer()
        guard result == nil, unsentByteCount > Self.maxUnsentByteCount else {
            return continuation.resume(returning: .success(()))
        }
        writer = continuation
    }

    private func framed(_ bytes: [UInt8]) -> [UInt8] {
        guard rest == .chunked else { return bytes }
        var chunk: [UInt8] = []
        chunk.reserveCapacity(bytes.count + 20)
        ChunkEncoder.appendChunk(bytes, to: &chunk)
        return chunk
    }

    /// The request's body is complete.
    package func endRequest() {
        loop.execute { [self] in
            guard result == nil, !isRequestComplete else { return }
            if rest == .chunked { append(ChunkEncoder.lastChunk) }
            isRequestComplete = true
            connection?.transfer()
        }
    }

    private func append(_ bytes: [UInt8]) {
        output.append(bytes)
        unsentByteCount += bytes.count
    }

    // MARK: The response

    /// Passes on the next head: of interim responses, then of the final response.
    ///
    /// Calls `receive` once, on the exchange's loop; at once if the head is there and the caller is too.
    package func nextHead(then receive: @escaping HeadReceiver) {
        guard loop.isCurrent else { return loop.execute { self.awaitHead(receive) } }
        awaitHead(receive)
    }

    private func awaitHead(_ receive: @escaping HeadReceiver) {
        headWaiter = receive
        deliver()
    }

    /// The next piece of the response's body; `nil` at its end.
    package func nextPiece() async throws(HTTPClientError) -> [UInt8]? {
        if loop.isCurrent, !received.isEmpty { return takeReceived() }
        return try await withCheckedContinuation { continuation in
            loop.execute { self.awaitPiece(continuation) }
        }.get()
    }

    private func awaitPiece(_ continuation: CheckedContinuation<Result<[UInt8]?, HTTPClientError>, Never>) {
        pieceWaiter = continuation
        deliver()
        guard pieceWaiter != nil else { return }
        connection?.transfer()
    }

    /// The whole body if it has arrived; `nil` while more may come, or if the caller is on another thread.
    package func takeWholeBody() -> [UInt8]? {
        guard loop.isCurrent, case .success? = result else { return nil }
        return takeReceived()
    }

    /// Whether a piece of the body has arrived; `false` if the caller is on another thread.
    package var hasPiece: Bool { loop.isCurrent && !received.isEmpty }

    private func takeReceived() -> [UInt8] {
        let piece = received
        received = []
        return piece
    }

    /// Ends the exchange; closes its connection unless the response is complete.
    package func cancel() {
        loop.execute { [self] in
            guard result == nil, let exchange else { return }
            connection?.abandon(exchange)
            // Before it has a connection, or while it waits for another one.
            guard result == nil else { return }
            pool.abandon(exchange)
            exchange.finish(.failure(.cancelled))
        }
    }
}

// MARK: - Called by the connection, on the loop

extension StreamedExchange {
    /// A connection sends the request.
    func opened(on connection: ClientConnection) {
        self.connection = connection
        wasOpened = true
        openWaiter?.resume(returning: .success(()))
        openWaiter = nil
    }

    /// The next piece to write, and where its unsent part starts.
    var nextOutput: (bytes: [UInt8], start: Int)? { output.first.map { ($0, outputStart) } }

    var isRequestSent: Bool { isRequestComplete && output.isEmpty }

    func sent(_ count: Int) {
        outputStart += count
        unsentByteCount -= count
        if let first = output.first, outputStart == first.count {
            output.removeFirst()
            outputStart = 0
        }
        guard unsentByteCount <= Self.maxUnsentByteCount / 2 else { return }
        writer?.resume(returning: .success(()))
        writer = nil
    }

    /// The peer takes no more of the request; it may still answer.
    func cannotSend() {
        output = []
        unsentByteCount = 0
        isRequestComplete = true
        writer?.resume(returning: .failure(.closed))
        writer = nil
    }

    /// Whether to read more of the response.
    var wantsInput: Bool { received.isEmpty || gathering == .inProgress }

    /// Whether to look for the rest of a small body at the end of the turn, instead of passing the head on.
    func beginsGathering() -> Bool {
        guard gathering == .notBegun, hasFinalHead, let length = heads.last?.declaredLength,
            length <= Self.maxGatheredByteCount
        else { return false }
        gathering = .inProgress
        return true
    }

    /// Passes on what has been gathered.
    func endGathering() {
        gathering = .ended
        deliver()
    }

    func receive(_ part: ResponseDecoder.Part) {
        switch part {
        case .head(let head):
            heads.append(head)
            hasFinalHead = !head.status.isInformational || head.status.code == 101
            // In one piece, so that it need not be moved when it grows.
            if case .length(let length) = head.framing {
                received.reserveCapacity(min(length, Self.maxGatheredByteCount))
            }
            guard head.status.code == 101 else { return }
            isUpgraded = true
            isRequestComplete = false
        case .body(let bytes): received += bytes
        }
    }

    /// Calls or resumes whoever waits and can go on.
    func deliver() {
        if let receive = headWaiter {
            if !heads.isEmpty {
                headWaiter = nil
                receive(.success(heads.removeFirst()))
            } else if let result {
                headWaiter = nil
                receive(.failure(Self.failure(of: result)))
            }
        }
        guard let pieceWaiter else { return }
        if !received.isEmpty {
            self.pieceWaiter = nil
            pieceWaiter.resume(returning: .success(takeReceived()))
        } else if let result {
            self.pieceWaiter = nil
            pieceWaiter.resume(returning: result.map { nil })
        }
    }

    private static func failure(of result: Outcome) -> HTTPClientError {
        if case .failure(let error) = result { error } else { .closed }
    }

    /// The response is complete, or the exchange has failed.
    func end(_ outcome: Outcome) {
        guard result == nil else { return }
        result = outcome
        let finished = (exchange, owner)
        exchange = nil
        owner = nil
        connection = nil
        output = []
        openWaiter?.resume(returning: outcome)
        openWaiter = nil
        writer?.resume(returning: .failure(Self.failure(of: outcome)))
        writer = nil
        deliver()
        withExtendedLifetime(finished) {}
    }

    /// When the connection must have made progress.
    func deadline(_ now: MonotonicInstant, isHeadSent: Bool) -> MonotonicInstant {
        guard isHeadSent, output.isEmpty else { return now + timeouts.idle }
        if hasFinalHead { return wantsInput ? now + timeouts.idle : .distantFuture }
        // The sender of the request's body has deadlines of its own.
        guard isRequestComplete else { return .distantFuture }
        if let responseDue { return responseDue }
        let due = now + timeouts.response
        responseDue = due
        return due
    }
}
