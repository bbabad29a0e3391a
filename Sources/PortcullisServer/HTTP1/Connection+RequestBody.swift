// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport

/// Request bodies, and the handlers that wait for them.
///
/// RFC 9112 §6.
extension Connection {
    /// Returns a body that arrived with its head as bytes, any other as a stream.
    func takeBody(
        _ semantics: RequestSemantics, _ rest: UnsafeRawBufferPointer
    ) -> (RequestBody, taken: Int) {
        if semantics.isTooLarge {
            if !body.isFinished { body = .none }
            return (RequestBody(.stream(length: semantics.declaredLength, OversizedBody())), rest.count)
        }
        switch semantics.framing {
        case .none, .length(0):
            if !body.isFinished { body = .none }
            return (.empty, 0)
        case .length(let length) where length <= rest.count:
            if !body.isFinished { body = .none }
            noteReceived(length)
            return (.bytes(Array(rest[..<length])), length)
        default:
            body = BodyReader(semantics.framing, limits: terms.wireLimits, limit: limits.maxBodyByteCount)
            state.bodyExpected(owesContinue: semantics.expectsContinue && rest.isEmpty)
            let source = ExchangeBody(connection: self, id: exchangeID)
            return (RequestBody(.stream(length: semantics.declaredLength, source)), 0)
        }
    }

    fileprivate func nextPiece(_ id: UInt64) async throws -> [UInt8]? {
        switch state.accessToBody(id) {
        case .connectionClosed: throw RequestBodyError.connectionClosed
        case .notAvailable: throw RequestBodyError.notAvailable
        case .available: break
        }
        if let failure = body.failure { throw failure }
        if let piece = try takeUnreadPiece() { return piece }
        return try await waitForBody(id)
    }

    private func waitForBody(_ id: UInt64) async throws -> [UInt8]? {
        switch state.awaitBody(body.progress, loop.now) {
        case .finished:
            if state.withholdsHead {
                sendHeldHead()
                flush()
            }
            return nil
        case .connectionClosed:
            throw RequestBodyError.connectionClosed
        case .sendContinue:
            output.append(HeadSerializer.continueResponse)
            flush()
            guard isCurrent(id) else { throw RequestBodyError.connectionClosed }
            return try await waitForBody(id)
        case .wait:
            applyDeadline()
            return try await withCheckedThrowingContinuation { continuation in
                makePending().bodyWaiter = continuation
                execute(state.queueTurnForUnread())
            }
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
        // Reading may have stopped because the buffer was full.
        execute(state.queueTurnForUnread())
        return piece.isEmpty ? nil : piece
    }

    /// Passes arriving content to the waiting handler.
    func takeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let waiter = pending?.bodyWaiter else { return 0 }
        var piece: [UInt8] = []
        do throws(MalformedMessage) {
            let taken = try body.read(bytes) { piece += $0 }
            noteReceived(taken)
            switch state.bodyRead(isEmpty: piece.isEmpty, isFinished: body.isFinished, loop.now, limits) {
            case .wait: return taken
            case .tooSlow:
                context.recorder?.record(.timedOut(.body))
                failBody(with: RequestBodyError.timeout)
                return bytes.count
            case .deliver:
                pending?.bodyWaiter = nil
                applyDeadline()
                if piece.isEmpty { sendHeldHead() }
                waiter.resume(returning: piece.isEmpty ? nil : piece)
                return taken
            }
        } catch {
            state.bodyFailed()
            failBody(with: error)
            return bytes.count
        }
    }

    /// Resumes the handler that waits for the body, if any, with an error.
    func failBody(with error: any Error) {
        guard let waiter = pending?.bodyWaiter else { return }
        pending?.bodyWaiter = nil
        applyDeadline()
        waiter.resume(throwing: error)
    }
}

/// A request body whose declared length exceeds the limit: nothing of it is read.
private struct OversizedBody: BodySource {
    func nextPiece() async throws -> [UInt8]? { throw MalformedMessage.bodyTooLarge }
}

/// A request body that its connection is still receiving.
private struct ExchangeBody: BodySource {
    let connection: Connection
    let id: UInt64

    func nextPiece() async throws -> [UInt8]? {
        try await connection.nextPiece(id)
    }
}
