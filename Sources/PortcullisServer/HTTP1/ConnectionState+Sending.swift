// SPDX-License-Identifier: MIT

package import PortcullisTransport

/// Sending, deadlines, and the end.
extension ConnectionState {
    func nextIdleDeadline(_ now: MonotonicInstant) -> MonotonicInstant {
        now.advanced(byNanoseconds: timeouts.idle)
    }

    // MARK: Output

    /// The client has received some of the output.
    @inline(__always)
    package mutating func outputProgressed(_ now: @autoclosure () -> MonotonicInstant) {
        guard case .blocked = sending else { return }
        sending = .blocked(until: now().advanced(byNanoseconds: timeouts.write))
    }

    /// The socket would block.
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
        // A client that reads its responses again may have its next requests processed.
        case .heldBack: actions.formUnion(queueTurn())
        case .idle, .head, .discarding: actions.formUnion(queueTurnForUnread())
        case .answering: actions.formUnion(resumeWriters(output: 0))
        case .handshake, .lingering, .closed: break
        }
        return actions
    }

    private mutating func unblock(_ now: MonotonicInstant) -> Actions {
        // Between two parts of a file the output is empty, but there is more to send.
        if case .answering(let exchange) = state, exchange.answer == .file { return [] }
        sending = .flowing
        // The client has its response only now, so the idle time starts now.
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

    /// The socket has no room for the TLS closure alert yet.
    package mutating func closureBlocked(_ now: MonotonicInstant) -> Actions {
        guard case .closing(let left, .distantFuture) = state else { return [] }
        state = .closing(left: left, until: now.advanced(byNanoseconds: timeouts.write))
        return .setDeadline
    }

    /// Everything has been sent, the closure alert included.
    ///
    /// Closing with unread bytes would reset the connection, and the response would be lost. So this side
    /// shuts down, and reads what the client still sends for a while.
    ///
    /// RFC 9112 §9.6.
    package mutating func closureSent(_ now: MonotonicInstant) -> Actions {
        guard case .closing(let left, _) = state else { return [] }
        guard input != .ended else { return close() }
        move(to: .lingering(left: left, until: now + Server.Limits.lingerTimeout))
        return [.shutDownWriting, .setDeadline]
    }

    /// The connection ends now: it is broken, or its response can't be completed.
    package mutating func close() -> Actions {
        guard !isClosed else { return [] }
        move(to: .closed)
        return workCount == 0 ? [.close, .giveBackPlace] : .close
    }

    // MARK: Deadlines

    package enum Expiry {
        /// Nothing has expired.
        case none
        /// The handshake has taken too long, or (`isFailure` is false) the client had sent nothing when the
        /// server stopped.
        case handshake(isFailure: Bool)
        /// The parting time of a shutdown has passed without a request.
        case parting
        /// The connection was idle for too long, and ends.
        case idle
        /// The head of a request has taken too long: answer 408.
        case head
        /// The awaited body has taken too long.
        case body
        /// The client has not ended its side in time.
        case lingering
    }

    /// Whether the client has received no output for too long.
    package func isWriteOverdue(_ now: MonotonicInstant) -> Bool {
        if case .blocked(let until) = sending { until <= now } else { false }
    }

    /// The deadline may have passed.
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

    /// Extends the idle deadline: a connection is not idle while responses are being sent, and the write
    /// timeout limits that.
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
