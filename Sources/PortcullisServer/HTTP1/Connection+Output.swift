// SPDX-License-Identifier: MIT

internal import CPlatform
internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

extension Connection {
    /// Sends output until the socket would block.
    func flush() {
        repeat {
            guard flushOutput() else { return }
        } while sendsMoreOfFile()
        guard !state.isClosed else { return }
        output.giveBack(&context.outputBuffer)
        execute(state.outputSent(loop.now))
    }

    /// - Returns: Whether everything has been sent.
    private func flushOutput() -> Bool {
        while !output.isEmpty, !state.isClosed {
            let sent = tls == nil ? output.send(to: descriptor) : sendEncrypted()
            if sent > 0 {
                state.outputProgressed(loop.now)
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                waitUntilWritable()
                execute(state.resumeWriters(output: output.byteCount))
                return false
            } else if errno != EINTR {
                abort()
            }
        }
        return !state.isClosed
    }

    func waitUntilWritable() {
        loop.rearm(descriptor, for: .writable)
        execute(state.outputBlocked(loop.now))
    }

    func resumeWriters() {
        guard let waiters = pending?.writeWaiters else { return }
        pending?.writeWaiters = []
        for waiter in waiters { waiter.resume() }
    }

    // MARK: The end

    /// Sends the TLS closure alert on an encrypted connection.
    func endOutput() {
        execute(sendClosure() ? state.closureSent(loop.now) : state.closureBlocked(loop.now))
    }

    func shutDownWriting() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Closes after the current request, or soon if there is none.
    ///
    /// Answers a request that has arrived unread too: closing with unread bytes would reset the connection.
    func drain() {
        state.stop()
        if let tls, state.isNegotiating {
            negotiate(tls)
            guard state.isNegotiating else { return }
        }
        if state.awaitsRequest {
            // A response after costly work may still be unsent; the next request is read after it.
            if !output.isEmpty { flush() }
            if state.awaitsRequest, output.isEmpty { read(untilEnd: isEncrypted) }
        }
        execute(state.hurry(loop.now, output: output.byteCount, unread: unread.count))
    }

    /// Closes now.
    func abort() {
        execute(state.close())
    }

    /// Releases everything; resumes the waiting continuations with an error.
    func release() {
        endRecord(isComplete: false)
        let ended = pending
        pending = nil
        unread = []
        tls = nil
        loop.close(descriptor)
        context.remove(descriptor)
        ended?.task?.cancel()
        ended?.relay?.cancel()
        ended?.bodyWaiter?.resume(throwing: RequestBodyError.connectionClosed)
        for waiter in ended?.writeWaiters ?? [] { waiter.resume(throwing: CancellationError()) }
    }
}
