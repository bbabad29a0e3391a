// SPDX-License-Identifier: MIT

internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

extension Connection {
    /// Sends what there is to send, as far as the client takes it.
    func flush() {
        repeat {
            guard flushOutput() else { return }
        } while sendsMoreOfFile()
        guard phase != .closed else { return }
        output.giveBack(&context.outputBuffer)
        if writeDeadline != .distantFuture, pending?.file == nil {
            writeDeadline = .distantFuture
            // Only now does it have the answer, and time to think of the next request.
            if phase == .head, stateDeadline != .distantFuture { waitForRequest() }
            applyDeadline()
        }
        wakeWriters()
        if closesAfterOutput { finishClosing() } else { goOnAfterPressure() }
    }

    /// - Returns: Whether everything has gone.
    private func flushOutput() -> Bool {
        while !output.isEmpty, phase != .closed {
            let sent = tls == nil ? output.send(to: descriptor) : sendEncrypted()
            if sent > 0 {
                if writeDeadline != .distantFuture { writeDeadline = loop.now + limits.writeTimeout }
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                waitUntilWritable()
                wakeWriters()
                return false
            } else if errno != EINTR {
                abort()
            }
        }
        return phase != .closed
    }

    func waitUntilWritable() {
        loop.rearm(descriptor, for: .writable)
        if writeDeadline == .distantFuture { writeDeadline = loop.now + limits.writeTimeout }
        applyDeadline()
    }

    func wakeWriters() {
        guard pending?.writeWaiters.isEmpty == false,
            output.byteCount <= Server.Limits.maxUnsentByteCount / 2,
            let waiters = pending?.writeWaiters
        else { return }
        pending?.writeWaiters = []
        for waiter in waiters { waiter.resume() }
    }

    /// A client that takes its answers again may send its next requests again.
    private func goOnAfterPressure() {
        guard phase == .head, hasUnusedReadiness || isHeldBack else { return }
        continueLater()
    }

    // MARK: The end

    /// Ends the connection once everything is sent.
    func closeAfterOutput() {
        guard phase != .closed else { return }
        phase = .lingering
        unread = []
        discardBudget = Server.Limits.maxDiscardedByteCount
        closesAfterOutput = true
        stateDeadline = .distantFuture
        applyDeadline()
    }

    /// Everything is sent.
    ///
    /// Closing now would reset the connection if the client has sent more than was read, and the answer would
    /// be lost: so this side ends, and the other is heard out, for a while. RFC 9112 §9.6.
    private func finishClosing() {
        guard sendClosure() else { return }
        closesAfterOutput = false
        guard !peerHasEnded else { return abort() }
        shutdown(descriptor, Int32(SHUT_WR))
        stateDeadline = loop.now + Server.Limits.lingerTimeout
        applyDeadline()
    }

    /// Ends with the request that is being answered, or soon if there is none.
    ///
    /// A request that has arrived and was not read yet is answered too: closing over it would reset the connection. So is one that
    /// comes in the next moment, from a client in the middle of its work; it hears in its answer that it was the last.
    func drain() {
        if drainHandshake() { return }
        // An answer of a share of costly work may not have been sent yet; behind it the next request is read.
        if phase == .head, !output.isEmpty { flush() }
        if phase == .head, output.isEmpty { read(untilEnd: isEncrypted) }
        guard phase == .head, unread.isEmpty else { return }
        guard output.isEmpty else { return closeAfterOutput() }
        stateDeadline = min(stateDeadline, loop.now + Server.Limits.partingTime)
        applyDeadline()
    }

    /// Ends now.
    ///
    /// Whoever waits for the client learns of it.
    func abort() {
        guard phase != .closed else { return }
        phase = .closed
        endRecord(isComplete: false)
        let ended = pending
        endExchange()
        unread = []
        tls = nil
        loop.close(descriptor)
        context.remove(descriptor)
        if workCount == 0 { context.giveBackPlace() }
        ended?.task?.cancel()
        ended?.bodyWaiter?.resume(throwing: RequestBodyError.connectionClosed)
        for waiter in ended?.writeWaiters ?? [] { waiter.resume(throwing: CancellationError()) }
    }
}
