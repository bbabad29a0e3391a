// SPDX-License-Identifier: MIT

package import PortcullisTransport

/// Reading: how much to read, and what the bytes belong to.
extension ConnectionState {
    /// What the next received byte belongs to.
    package enum Intake {
        /// A request head.
        case head
        /// The body that a handler waits for.
        case body
        /// The rest of an answered request's body.
        case restOfBody
        /// Nothing: discard it.
        case discard
        /// Keep it: it cannot be processed now.
        case keep
        /// Keep it until the next turn, which the caller must queue.
        case keepForNextTurn
    }

    // MARK: The socket

    /// The number of bytes to read, at most `capacity`; 0 if the connection must not read now.
    @inline(__always)
    package func room(unread: Int, capacity: Int) -> Int {
        switch state {
        // The queued turn parses unread bytes; reading more after each response could grow them without
        // bound.
        case .idle, .discarding: unread == 0 ? capacity : 0
        case .head: capacity
        // At most the unread limit while the handler does not read the body.
        case .answering(let exchange):
            exchange.isBodyAwaited || unread < Server.Limits.maxUnreadByteCount
                ? max(1, capacity - unread) : 0
        case .closing(let left, _), .lingering(let left, _): left >= 0 ? capacity : 0
        case .handshake, .heldBack, .closed: 0
        }
    }

    /// The socket is about to be read, in a turn of the loop.
    package mutating func readingBegan() {
        servedInTurn = 0
    }

    /// A queued turn begins.
    package mutating func queuedTurnBegan() {
        resumption = .none
        turnBegan()
    }

    /// Parsing of received bytes continues, in a queued turn or after a complete response.
    package mutating func turnBegan() {
        servedInTurn = 0
        if case .heldBack(let until) = state { move(to: .idle(until: until)) }
    }

    /// The socket is readable, but the connection must not read now.
    ///
    /// - Returns: Whether to check if the client is still there: the end of its input is reported only once,
    ///   and comes after its bytes.
    package mutating func readinessUnused(_ mayHaveLeft: Bool) -> Bool {
        if input == .waiting, !isClosed { input = .unread }
        guard mayHaveLeft, case .answering = state else { return false }
        return true
    }

    /// The turn's share of reads is used up, and there is more to read.
    package mutating func readingInterrupted() -> Actions {
        if input == .waiting { input = .unread }
        return queueTurn()
    }

    /// The socket would block.
    package mutating func inputDrained() {
        if input == .unread { input = .waiting }
    }

    /// Whether to read now what was reported readable earlier.
    package mutating func takesUpReading(unread: Int) -> Bool {
        guard input == .unread, room(unread: unread, capacity: 1) > 0 else { return false }
        input = .waiting
        return true
    }

    /// Queues a turn unless one is queued already.
    package mutating func queueTurn() -> Actions {
        guard resumption == .none, !isClosed else { return [] }
        resumption = .queued
        return .goOnLater
    }

    /// Queues a turn if the socket has unread bytes.
    package mutating func queueTurnForUnread() -> Actions {
        input == .unread ? queueTurn() : []
    }

    // MARK: The end of input

    /// The client has ended its side; it may wait for responses.
    ///
    /// RFC 9112 §9.6.
    package mutating func inputEnded(output: Int) -> Actions {
        input = .ended
        switch state {
        case .idle, .head, .heldBack, .discarding: return endWithInput().union(.flush)
        case .answering(var exchange):
            var actions = Actions.flush
            if exchange.isBodyAwaited {
                exchange.body = .notAwaited
                state = .answering(exchange)
                actions.formUnion([.failBody, .setDeadline])
            }
            if losesStream { actions.insert(.cancelHandler) }
            return actions
        // The message that closes the connection may have been read in the same turn, and its response
        // may be unsent.
        case .closing, .lingering: return output == 0 ? close() : .flush
        case .handshake: return close()
        case .closed: return []
        }
    }

    /// All received bytes are parsed: the connection ends if the client has ended its side and every request
    /// is answered.
    package mutating func unreadProcessed() -> Actions {
        input == .ended ? endWithInput() : []
    }

    private mutating func endWithInput() -> Actions {
        switch state {
        case .idle where resumption == .none, .head where resumption == .none,
            .discarding where resumption == .none:
            return closeAfterOutput()
        default: return []
        }
    }

    /// Whether the client has left a stream.
    ///
    /// A client may end its side and wait for a response; if it does so during a stream, it has left. While
    /// the head is withheld, the client may still learn what is wrong with its body. A request that is
    /// relayed to another server is cancelled at once.
    package var losesStream: Bool {
        guard case .answering(let exchange) = state else { return false }
        return exchange.answer == .streaming || exchange.endsWithClient
    }

    /// Whether the client has left a stream whose head has just been sent.
    package var hasLostStream: Bool { input == .ended && losesStream }

    // MARK: Bytes

    /// What the next received byte belongs to, given the amount of unsent output.
    package mutating func intake(output: Int) -> Intake {
        switch state {
        case .idle(let until):
            guard output <= Server.Limits.maxUnsentByteCount else {
                move(to: .heldBack(until: until))
                return .keep
            }
            guard servedInTurn < Server.Limits.requestsPerTurn else {
                move(to: .heldBack(until: until))
                return .keepForNextTurn
            }
            return .head
        case .head: return .head
        case .answering(let exchange): return exchange.isBodyAwaited ? .body : .keep
        case .discarding: return .restOfBody
        case .closing, .lingering, .closed: return .discard
        case .handshake, .heldBack: return .keep
        }
    }

    /// This many bytes were received.
    package mutating func received(_ count: Int) {
        clock.received(count)
    }

    /// This many bytes were discarded for ``Intake/discard``.
    package mutating func discarded(_ count: Int) {
        switch state {
        case .closing(let left, let until): state = .closing(left: left - count, until: until)
        case .lingering(let left, let until): state = .lingering(left: left - count, until: until)
        default: break
        }
    }

    /// A part of an answered request's body has been read.
    package mutating func restOfBodyRead(_ count: Int, isFinished: Bool) -> Actions {
        guard case .discarding(let left, let until) = state else { return [] }
        if isFinished {
            move(to: .idle(until: until))
        } else if count > left {
            return closeAfterOutput()
        } else {
            state = .discarding(left: left - count, until: until)
        }
        return []
    }

    /// The rest of an answered request's body is malformed: the start of the next request is unknown.
    package mutating func restOfBodyFailed() -> Actions {
        guard case .discarding = state else { return [] }
        return closeAfterOutput()
    }

    /// The received bytes are the start of a head.
    package mutating func headIncomplete(_ now: MonotonicInstant) -> Actions {
        guard case .idle = state else { return [] }
        move(to: .head(until: now.advanced(byNanoseconds: timeouts.head)))
        return .setDeadline
    }
}
