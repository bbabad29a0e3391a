// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport

/// The content of requests, and the handlers that wait for it.
///
/// RFC 9112 §6.
extension Connection {
    /// A body that has arrived with its head is handed over as it is; for any other the handler has to wait.
    func takeWholeBody(
        _ framing: BodyFraming, _ rest: UnsafeRawBufferPointer
    ) -> (RequestBody, taken: Int) {
        switch framing {
        case .none, .length(0):
            body = .none
            return (.empty, 0)
        case .length(let length) where length <= rest.count:
            body = .none
            noteReceived(length)
            return (.bytes(Array(rest[..<length])), length)
        default:
            body = BodyReader(framing, limits: terms.wireLimits, limit: limits.maxBodyByteCount)
            discardBudget = Server.Limits.maxDiscardedByteCount
            let length: Int? = if case .length(let length) = framing { length } else { nil }
            return (
                RequestBody(.stream(length: length, ExchangeBody(connection: self, id: lastExchangeID))), 0
            )
        }
    }

    fileprivate func nextPiece(_ id: UInt64) async throws -> [UInt8]? {
        guard phase != .closed else { throw RequestBodyError.connectionClosed }
        guard isCurrent(id), pending?.bodyWaiter == nil else { throw RequestBodyError.notAvailable }
        if let failure = body.failure { throw failure }
        if let piece = try takeUnreadPiece() { return piece }
        guard !body.isFinished else {
            if pending?.heldHead != nil {
                sendHeldHead()
                flush()
            }
            return nil
        }
        guard !peerHasEnded else { throw RequestBodyError.connectionClosed }
        if exchange?.owesContinue == true {
            exchange?.owesContinue = false
            output.append(HeadSerializer.continueResponse)
            flush()
            guard isCurrent(id) else { throw RequestBodyError.connectionClosed }
        }
        exchange?.bodyClock.beginWaiting(loop.now)
        stateDeadline = loop.now + limits.bodyTimeout
        applyDeadline()
        return try await withCheckedThrowingContinuation { continuation in
            makePending().bodyWaiter = continuation
            if hasUnusedReadiness { continueLater() }
        }
    }

    private func takeUnreadPiece() throws -> [UInt8]? {
        guard !unread.isEmpty else { return nil }
        let gathered = unread
        unread = []
        var piece: [UInt8] = []
        let taken = try gathered.withUnsafeBytes { bytes in
            try body.read(bytes) { piece += $0 }
        }
        noteReceived(taken)
        unread = taken == gathered.count ? [] : Array(gathered[taken...])
        // The buffer was full and reading had stopped.
        if hasUnusedReadiness { continueLater() }
        return piece.isEmpty ? nil : piece
    }

    /// Hands arriving content to the handler that waits for it.
    func takeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let waiter = pending?.bodyWaiter else { return 0 }
        var piece: [UInt8] = []
        do throws(MalformedMessage) {
            let taken = try body.read(bytes) { piece += $0 }
            noteReceived(taken)
            exchange?.bodyClock.endWaiting(loop.now)
            guard !piece.isEmpty || body.isFinished else {
                exchange?.bodyClock.beginWaiting(loop.now)
                return taken
            }
            if exchange?.bodyClock.isTooSlow(limits) == true {
                context.recorder?.record(.timedOut(.body))
                exchange?.keepAlive = false
                failBody(with: RequestBodyError.timeout)
                return bytes.count
            }
            stopWaitingForBody()
            if piece.isEmpty { sendHeldHead() }
            waiter.resume(returning: piece.isEmpty ? nil : piece)
            return taken
        } catch {
            exchange?.keepAlive = false
            failBody(with: error)
            return bytes.count
        }
    }

    private func stopWaitingForBody() {
        pending?.bodyWaiter = nil
        stateDeadline = .distantFuture
        applyDeadline()
    }

    func failBody(with error: any Error) {
        guard let waiter = pending?.bodyWaiter else { return }
        stopWaitingForBody()
        waiter.resume(throwing: error)
    }
}

/// The content of a request that its connection is still receiving.
private struct ExchangeBody: BodySource {
    let connection: Connection
    let id: UInt64

    func nextPiece() async throws -> [UInt8]? {
        try await connection.nextPiece(id)
    }
}
