// SPDX-License-Identifier: MIT

package import PortcullisTransport

/// Sending, deadlines, and the end.
extension ConnectionState {
    func nextIdleDeadline(_ now: MonotonicInstant) -> MonotonicInstant {
        now.advanced(byNanoseconds: timeouts.idle)
    }

    // MARK: Output

    /// The client has taken some of the output.
    @inline(__always)
    package mutating func outputProgressed(_ now: @autoclosure () -> MonotonicInstant) {
        guard case .blocked = sending else { return }
        sending = .blocked(until: now().advanced(byNanoseconds: timeouts.write))
    }

    /// The socket takes no more for now.
    package mutating func outputBlocked(_ now: MonotonicInstant) -> Actions {
        if case .flowing = sending { sending = .blocked(until: now.advanced(byNanoseconds: timeouts.write)) }
        return .setDeadline
    }

    /// All output has been sent.
    @inline(__always)
    package mutating func outputSent(_ now: @autoclosure () -> MonotonicInstant) -> Actions {
        var actions: Actions = []
        if case .blocked = sending { actions = unblock(now()) }
        switch state {
        case .closing: actions.insert(.endOutput)
        // A client that takes its answers again may send its next requests again.
        case .heldBack: actions.formUnion(queueTurn())
        case .idle, .head, .discarding: actions.formUnion(queueTurnForUnread())
        case .answering: actions.formUnion(resumeWriters(output: 0))
        case .handshake, .lingering, .closed: break
        }
        return actions
    }

    private mutating func unblock(_ now: MonotonicInstant) -> Actions {
        // Between two parts of a file there is no output, but more to send.
        if case .answering(let exchange) = state, exchange.answer == .file { return [] }
        sending = .flowing
        // Only now does the client have its answer, and time to think of the next request.
        let until = nextIdleDeadline(now)
        switch state {
        case .idle: state = .idle(until: until)
        case .heldBack: state = .heldBack(until: until)
        case .discarding(let left, _): state = .discarding(left: left, until: until)
        default: break
        }
        return .setDeadline
    }

    // MARK: The end

    /// No request follows: the connection ends when all output has been sent.
    package mutating func closeAfterOutput() -> Actions {
        switch state {
        case .closing, .lingering, .closed: return []
        default: break
        }
        move(to: .closing(left: Server.Limits.maxDiscardedByteCount, until: .distantFuture))
        return [.dropUnread, .setDeadline]
    }

    /// The closure alert of TLS does not fit into the socket yet.
    package mutating func closureBlocked(_ now: MonotonicInstant) -> Actions {
        guard case .closing(let left, .distantFuture) = state else { return [] }
        state = .closing(left: left, until: now.advanced(byNanoseconds: timeouts.write))
        return .setDeadline
    }

    /// Everything has been sent, the closure alert included.
    ///
    /// Closing now would reset the connection if the client has sent more than was read, and the answer would
    /// be lost. So this side ends, and what the client still sends is read for a while.
    ///
    /// RFC 9112 §9.6.
    package mutating func closureSent(_ now: MonotonicInstant) -> Actions {
        guard case .closing(let left, _) = state else { return [] }
        guard input != .ended else { return close() }
        move(to: .lingering(left: left, until: now + Server.Limits.lingerTimeout))
        return [.shutDownWriting, .setDeadline]
    }

    /// The connection ends now: it is broken, or its answer can't be completed.
    package mutating func close() -> Actions {
        guard !isClosed else { return [] }
        move(to: .closed)
        return workCount == 0 ? [.close, .giveBackPlace] : .close
    }

    // MARK: Deadlines

    package enum Expiry {
        /// Nothing has expired.
        case none
        /// The handshake has taken too long, or (`isFailure` is false) the client has sent nothing when the
        /// server stopped.
        case handshake(isFailure: Bool)
        /// The last moment of a shutdown has passed without a request.
        case parting
        /// The connection was idle for too long, and ends.
        case idle
        /// The head of a request has taken too long, and has to be refused.
        case head
        /// The body that a handler waits for has taken too long.
        case body
        /// The client has not ended its side in time.
        case lingering
    }

    /// Whether the client has taken none of the output for too long.
    package func isWriteOverdue(_ now: MonotonicInstant) -> Bool {
        if case .blocked(let until) = sending { until <= now } else { false }
    }

    /// The deadline has passed, or may have.
    package mutating func expire(_ now: MonotonicInstant, output: Int) -> Expiry {
        guard stateDeadline <= now else { return .none }
        switch state {
        case .handshake(let handshake, _):
            return .handshake(isFailure: handshake == .underWay || service == .running)
        case .idle, .discarding:
            if service == .stopping { return .parting }
            guard output == 0 else { return stayAwake(now) }
            _ = closeAfterOutput()
            return .idle
        case .heldBack: return stayAwake(now)
        case .head: return .head
        case .answering:
            bodyFailed()
            return .body
        case .closing, .lingering: return .lingering
        case .closed: return .none
        }
    }

    /// A connection is not idle while answers are being sent; how long the client may take none of them has a
    /// limit of its own.
    private mutating func stayAwake(_ now: MonotonicInstant) -> Expiry {
        let until = nextIdleDeadline(now)
        switch state {
        case .idle: state = .idle(until: until)
        case .heldBack: state = .heldBack(until: until)
        case .discarding(let left, _): state = .discarding(left: left, until: until)
        default: break
        }
        return .none
    }
}
