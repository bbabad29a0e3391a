// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport

/// Streamed responses, written in a task.
///
/// RFC 9112 §7.1.
extension Connection {
    func startStreaming(_ response: Response, _ route: CompiledRoute) {
        guard case .stream(let write) = response.body else { return }
        let id = exchangeID
        beginStreaming(response, route)
        // If the client has already left, nothing would end the task.
        guard isCurrent(id) else { return }
        beginWork()
        makePending().task = Task(executorPreference: loop) {
            await self.stream(id, route, write)
            await self.endWork()
        }
    }

    func beginStreaming(_ response: Response, _ route: CompiledRoute) {
        report(response, route)
        let pending = makePending()
        pending.heldHead = ResponseHead(status: response.status, fields: response.fields)
        pending.relayed = response.relayed
        pending.framing = streamFraming(response.relayed)
        pending.missingByteCount = response.relayed?.contentLength ?? 0
        switch state.streamBegan(bodyProgress) {
        // A relay's closure begins at once, with the head alone or with the first piece.
        case _ where response.relayed != nil: break
        case .withhold: break
        case .withholdForTurn: sendHeadNextTurn()
        case .sendHead:
            sendHeldHead()
            flush()
        }
    }

    // The optimizer of Swift 6.3.1 crashes where this is inlined into ``beginStreaming(_:_:)``.
    @inline(never)
    private var bodyProgress: BodyReader.Progress { body.progress }

    private func streamFraming(_ relayed: RelayedHead?) -> ResponseFraming {
        if relayed?.upgradeHead != nil { return .untilClose }
        if let length = relayed?.contentLength { return .length(length) }
        return state.request?.isChunked == true ? .chunked : .untilClose
    }

    private func sendHeadNextTurn() {
        let id = exchangeID
        loop.executeLater { [weak self] in
            self?.assumeIsolated { connection in
                guard connection.state.isWithheldHeadDue(id) else { return }
                connection.sendHeldHead()
                if connection.state.hasLostStream { connection.cancelHandler() }
                connection.flush()
            }
        }
    }

    /// Appends the withheld head of a stream to the output, if any.
    func sendHeldHead() {
        guard state.withholdsHead, let pending, let head = pending.heldHead, let request = state.request
        else { return }
        pending.heldHead = nil
        let keepAlive = state.withheldHeadSent(body.progress, isDelimited: pending.framing != .untilClose)
        output.borrow(&context.outputBuffer)
        if let upgradeHead = pending.relayed?.upgradeHead {
            output.append(upgradeHead)
            return
        }
        appendHead(
            head, pending.framing, request.version, keepAlive: keepAlive, relayed: pending.relayed)
    }

    func stream(
        _ id: UInt64, _ route: CompiledRoute, _ write: @Sendable (ResponseBodyWriter) async throws -> Void
    ) async {
        do {
            try await write(ResponseBodyWriter(sink: ExchangeSink(connection: self, id: id)))
            endStreaming(id)
        } catch RequestBodyError.connectionClosed {
            cut(id)
        } catch {
            guard isCurrent(id), state.withholdsHead, !Task.isCancelled else { return cut(id) }
            pending?.heldHead = nil
            state.streamWithdrawn()
            var response = Response(answering: error)
            finish(&response, nil)
            send(response, route)
            goOn()
        }
    }

    private func endStreaming(_ id: UInt64) {
        guard isCurrent(id) else { return }
        sendHeldHead()
        // RFC 9112 §6.3: a body that is shorter than declared is incomplete.
        if pending?.missingByteCount ?? 0 > 0 { return cut(id) }
        if pending?.framing == .chunked {
            output.borrow(&context.outputBuffer)
            output.append(ChunkEncoder.lastChunk)
        }
        finishExchange()
        goOn()
    }

    fileprivate func write(_ bytes: [UInt8], _ id: UInt64) async throws {
        guard isCurrent(id), !Task.isCancelled else { throw CancellationError() }
        guard !bytes.isEmpty else { return }
        sendHeldHead()
        output.borrow(&context.outputBuffer)
        if case .length? = pending?.framing { try countWritten(bytes.count) }
        if pending?.framing == .chunked {
            output.append { ChunkEncoder.appendChunkStart(byteCount: bytes.count, to: &$0) }
            output.append(bytes)
            output.append(ChunkEncoder.chunkEnd)
        } else {
            output.append(bytes)
        }
        flush()
        guard isCurrent(id) else { return }
        let wait = state.written(output: output.byteCount)
        guard wait != .none else { return }
        try await withCheckedThrowingContinuation { continuation in
            makePending().writeWaiters.append(continuation)
            guard wait == .untilNextTurn else { return }
            loop.executeLater { [weak self] in
                self?.assumeIsolated { $0.execute($0.state.resumeWriters(output: $0.output.byteCount)) }
            }
        }
    }
}

extension Connection {
    fileprivate func beginOutput(_ id: UInt64) {
        guard isCurrent(id) else { return }
        sendHeldHead()
        if state.hasLostStream { cancelHandler() }
        flush()
    }

    /// More bytes than declared would be taken for the next response.
    ///
    /// RFC 9112 §6.3.
    private func countWritten(_ count: Int) throws {
        guard let pending else { return }
        guard count <= pending.missingByteCount else { throw CancellationError() }
        pending.missingByteCount -= count
    }
}

/// The content of a response that its connection is still sending.
private struct ExchangeSink: BodySink {
    let connection: Connection
    let id: UInt64

    func write(_ bytes: [UInt8]) async throws {
        try await connection.write(bytes, id)
    }

    func begin() async {
        await connection.beginOutput(id)
    }

    func cut() async {
        await connection.cut(id)
    }
}
