// SPDX-License-Identifier: MIT

internal import CPlatform
internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

extension Connection {
    /// Sends the output, as far as the client takes it.
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

    /// Sends the closure alert of TLS, if the connection speaks it.
    func endOutput() {
        execute(sendClosure() ? state.closureSent(loop.now) : state.closureBlocked(loop.now))
    }

    func shutDownWriting() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Ends with the request that is being answered, or soon if there is none.
    ///
    /// A request that has arrived and was not read yet is answered too: closing over it would reset the
    /// connection.
    func drain() {
        state.stop()
        if let tls, state.isNegotiating {
            negotiate(tls)
            guard state.isNegotiating else { return }
        }
        if state.awaitsRequest {
            // The answer of a share of costly work may not have been sent yet; after it the next request is
            // read.
            if !output.isEmpty { flush() }
            if state.awaitsRequest, output.isEmpty { read(untilEnd: isEncrypted) }
        }
        execute(state.hurry(loop.now, output: output.byteCount, unread: unread.count))
    }

    /// Ends now.
    func abort() {
        execute(state.close())
    }

    /// Lets go of everything; what waits for the client is resumed with an error.
    func release() {
        endRecord(isComplete: false)
        let ended = pending
        pending = nil
        unread = []
        tls = nil
        loop.close(descriptor)
        context.remove(descriptor)
        ended?.task?.cancel()
        ended?.bodyWaiter?.resume(throwing: RequestBodyError.connectionClosed)
        for waiter in ended?.writeWaiters ?? [] { waiter.resume(throwing: CancellationError()) }
    }
}
