// SPDX-License-Identifier: MIT

package import PortcullisTransport

/// Reading: how much, and what the bytes are.
extension ConnectionState {
    /// What the next received byte belongs to.
    package enum Intake {
        /// A request head.
        case head
        /// The body that a handler waits for.
        case body
        /// A body that nothing waits for any more, up to the next request.
        case restOfBody
        /// Nothing: it is thrown away.
        case discard
        /// To be kept: the connection has no use for it now.
        case keep
        /// To be kept until the next turn, which has to be queued.
        case keepForNextTurn
    }

    // MARK: The socket

    /// How many bytes may be read, at most `capacity`; 0 if the connection does not want to read.
    @inline(__always)
    package func room(unread: Int, capacity: Int) -> Int {
        switch state {
        // Bytes that lie unread are the queued turn's: with each answer more of them could be added.
        case .idle, .discarding: unread == 0 ? capacity : 0
        case .head: capacity
        // No more than may lie unread if the handler does not ask for it.
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

    /// What was received earlier is looked at again: in a queued turn, or since an answer is complete.
    package mutating func turnBegan() {
        servedInTurn = 0
        if case .heldBack(let until) = state { move(to: .idle(until: until)) }
    }

    /// There is something to read and the connection does not want to.
    ///
    /// - Returns: Whether to look if the client is still there: its end is reported once, and comes after
    /// what it has sent.
    package mutating func readinessUnused(_ mayHaveLeft: Bool) -> Bool {
        if input == .waiting, !isClosed { input = .unread }
        guard mayHaveLeft, case .answering = state else { return false }
        return true
    }

    /// The turn's share of reading is used up, and there is more to read.
    package mutating func readingInterrupted() -> Actions {
        if input == .waiting { input = .unread }
        return queueTurn()
    }

    /// The socket has nothing more to read for now.
    package mutating func inputDrained() {
        if input == .unread { input = .waiting }
    }

    /// Whether to read what was reported earlier.
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

    /// Queues a turn if there is something to read that was left.
    package mutating func queueTurnForUnread() -> Actions {
        input == .unread ? queueTurn() : []
    }

    // MARK: The end of input

    /// The client has ended its side; it may wait for answers.
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
        // What closes the connection may have been read in the same turn as the end, and its answer not sent
        // yet.
        case .closing, .lingering: return output == 0 ? close() : .flush
        case .handshake: return close()
        case .closed: return []
        }
    }

    /// All that was received has been looked at: a client that sends no more, and whose requests are all
    /// answered, is done.
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
    /// A client may end its side and wait for an answer; one that leaves a stream has gone. While the head is
    /// withheld, the client may still learn what is wrong with its body.
    package var losesStream: Bool {
        if case .answering(let exchange) = state { exchange.answer == .streaming } else { false }
    }

    /// Whether the client has left a stream whose head has just been sent.
    package var hasLostStream: Bool { input == .ended && losesStream }

    // MARK: Bytes

    /// What the next received byte belongs to, when so much output is unsent.
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

    /// So many bytes were received.
    package mutating func received(_ count: Int) {
        clock.received(count)
    }

    /// So many bytes were thrown away, as ``Intake/discard`` asks for.
    package mutating func discarded(_ count: Int) {
        switch state {
        case .closing(let left, let until): state = .closing(left: left - count, until: until)
        case .lingering(let left, let until): state = .lingering(left: left - count, until: until)
        default: break
        }
    }

    /// A part of the body after its answer has been read.
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

    /// The body after its answer is malformed: where the next request begins is unknown.
    package mutating func restOfBodyFailed() -> Actions {
        guard case .discarding = state else { return [] }
        return closeAfterOutput()
    }

    /// What was received is the beginning of a head.
    package mutating func headIncomplete(_ now: MonotonicInstant) -> Actions {
        guard case .idle = state else { return [] }
        move(to: .head(until: now.advanced(byNanoseconds: timeouts.head)))
        return .setDeadline
    }
}
