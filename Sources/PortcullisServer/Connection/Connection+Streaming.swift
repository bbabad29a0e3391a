// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport

/// Answers that are written piece by piece, in a task.
///
/// RFC 9112 §7.1.
extension Connection {
    func startStreaming(_ response: Response, _ route: CompiledRoute) {
        guard case .stream(let write) = response.body else { return }
        let id = lastExchangeID
        beginStreaming(response, route)
        // The client may be gone by now, and nobody would ever end the task.
        guard isCurrent(id) else { return }
        workCount += 1
        makePending().task = Task(executorPreference: loop) {
            await self.stream(id, route, write)
            await self.endWork()
        }
    }

    func beginStreaming(_ response: Response, _ route: CompiledRoute) {
        report(response, route)
        let isChunked = exchange?.version == .http1_1
        exchange?.hasBegunStreaming = true
        exchange?.isChunked = isChunked
        makePending().heldHead = ResponseHead(status: response.status, fields: response.fields)
        // RFC 9110 §10.1.1: 100 (Continue) comes before the final status or not at all.
        guard exchange?.owesContinue == false else { return }
        guard body.isFinished else { return holdHead() }
        sendHeldHead()
        flush()
    }

    /// Keeps the head back while the handler reads a body that may turn out to be wrong: a status tells more than an end halfway.
    private func holdHead() {
        let id = lastExchangeID
        loop.executeLater { [weak self] in
            self?.assumeIsolated { connection in
                guard connection.isCurrent(id), connection.pending?.bodyWaiter == nil else { return }
                connection.sendHeldHead()
                if connection.peerHasEnded { connection.cancelStream() }
                connection.flush()
            }
        }
    }

    func sendHeldHead() {
        guard let head = pending?.heldHead, let isChunked = exchange?.isChunked else { return }
        pending?.heldHead = nil
        let keepAlive = isChunked && mayKeepAlive()
        exchange?.keepAlive = keepAlive
        output.borrow(&context.outputBuffer)
        appendHead(head, isChunked ? .chunked : .untilClose, keepAlive: keepAlive)
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
            guard isCurrent(id), pending?.heldHead != nil, !Task.isCancelled else { return cut(id) }
            // Nothing has been said yet.
            pending?.heldHead = nil
            exchange?.hasBegunStreaming = false
            var response = Response(answering: error)
            finish(&response, nil)
            send(response, route)
            goOn()
        }
    }

    private func endStreaming(_ id: UInt64) {
        guard isCurrent(id) else { return }
        sendHeldHead()
        guard let exchange else { return }
        if exchange.isChunked {
            output.borrow(&context.outputBuffer)
            output.append(ChunkEncoder.lastChunk)
        }
        finishExchange(keepAlive: exchange.keepAlive && mayKeepAlive())
        goOn()
    }

    fileprivate func write(_ bytes: [UInt8], _ id: UInt64) async throws {
        guard isCurrent(id), !Task.isCancelled else { throw CancellationError() }
        guard !bytes.isEmpty else { return }
        sendHeldHead()
        output.borrow(&context.outputBuffer)
        if exchange?.isChunked == true {
            output.append { ChunkEncoder.appendChunkStart(byteCount: bytes.count, to: &$0) }
            output.append(bytes)
            output.append(ChunkEncoder.chunkEnd)
        } else {
            output.append(bytes)
        }
        flush()
        guard isCurrent(id) else { return }
        exchange?.writesInTurn += 1
        let hasHadItsShare = exchange?.writesInTurn == Server.Limits.writesPerTurn
        guard hasHadItsShare || output.byteCount > Server.Limits.maxUnsentByteCount else { return }
        exchange?.writesInTurn = 0
        try await withCheckedThrowingContinuation { continuation in
            makePending().writeWaiters.append(continuation)
            if hasHadItsShare {
                loop.executeLater { [weak self] in self?.assumeIsolated { $0.wakeWriters() } }
            }
        }
    }
}

/// The content of a response that its connection is still sending.
private struct ExchangeSink: BodySink {
    let connection: Connection
    let id: UInt64

    func write(_ bytes: [UInt8]) async throws {
        try await connection.write(bytes, id)
    }

    func cut() async {
        await connection.cut(id)
    }
}
