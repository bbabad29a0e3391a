// SPDX-License-Identifier: MIT

package import PortcullisTransport

/// The protocol state of one HTTP/1.1 server connection: events in, actions out.
///
/// Theory of operation
/// ===================
///
/// A connection reads requests, has them answered in order and sends the answers. What it does next depends
/// on where it is in that cycle, on the socket's two directions and on the clock. All of this is in this
/// value, which reads no socket, no clock and no memory but its own: ``Connection`` reports what happened (an
/// event is one mutating method) and executes what the method returns (``Actions``, or a small enum where the
/// caller has to choose). Requests that the client pipelines stay unparsed until the answer before them is
/// complete, so there is one exchange at a time.
///
/// The states, with the events that lead from one to another. `accepted` is the beginning. A test compares
/// these lines with ``edges``, and a property test compares both with the transitions that random events
/// cause.
///
///     accepted   --> handshake    the port speaks TLS
///     accepted   --> idle         the port speaks plain HTTP
///     handshake  --> idle         the handshake is complete
///     handshake  --> closing      the handshake failed: an alert, or a refusal in plain text, has to be sent
///     handshake  --> closed       the client left, or took too long
///     idle       --> head         a part of a request head arrived
///     idle       --> answering    a whole request head arrived
///     idle       --> heldBack     a request arrived with too much output unsent, or after this turn's share
///     idle       --> closing      malformed request, end of input, idle time-out or shutdown
///     idle       --> closed       error, or no request within the last moment of a shutdown
///     head       --> answering    the rest of the head arrived
///     head       --> closing      malformed request, head time-out or end of input
///     head       --> closed       error
///     heldBack   --> idle         the next turn begins
///     heldBack   --> closed       error
///     answering  --> idle         the answer is complete and the request's body has been read
///     answering  --> discarding   the answer is complete and a part of the body has yet to arrive
///     answering  --> closing      the answer is complete and the last one
///     answering  --> closed       error, or an answer that can't be completed
///     discarding --> idle         the rest of the body has been read
///     discarding --> closing      the rest is malformed or too long; end of input, idle time-out or shutdown
///     discarding --> closed       error, or no request within the last moment of a shutdown
///     closing    --> lingering    all output has been sent: writing is shut down
///     closing    --> closed       all output has been sent and the client has ended; error or time-out
///     lingering  --> closed       end of input, error or time-out
///
/// Beside the state stand three small machines with a life of their own:
///
/// - ``Input``: whether the socket has something to read. The loop reports readiness once; a connection that
///   does not want to read has to remember it. `waiting <--> unread`; both lead to `ended`.
/// - ``Sending``: whether the client takes its output. `flowing <--> blocked`.
/// - ``Resumption``: whether a further turn of the loop is queued. `none <--> queued`.
///
/// A state that waits for the client carries the instant at which it stops waiting, so no such state can lack
/// a deadline. ``State/answering(_:)`` waits for the handler, which has no deadline; if the handler waits for
/// the body, the body has one.
///
/// The PROXY protocol comes before all this, in ``ProxyProtocolHandshake``: the peer of a connection is known
/// only after it.
///
/// RFC 9112 §9.
package struct ConnectionState {
    /// The states that wait, the one that answers, and the end.
    package enum State {
        /// TLS is being negotiated.
        case handshake(Handshake, until: MonotonicInstant)
        /// Waiting for the first byte of a request; output may be unsent.
        case idle(until: MonotonicInstant)
        /// A part of a request head has arrived.
        case head(until: MonotonicInstant)
        /// A request has arrived that is not parsed before earlier answers are sent, or before other
        /// connections have had their turn.
        case heldBack(until: MonotonicInstant)
        /// The answer is complete; the rest of the request's body, at most `left` bytes, is read to find the
        /// next request.
        case discarding(left: Int, until: MonotonicInstant)
        /// A request is being answered.
        case answering(Exchange)
        /// No more requests; the rest of the output is being sent. Input is discarded, at most `left` bytes.
        case closing(left: Int, until: MonotonicInstant)
        /// All is sent and this side has ended. Input is discarded so that the last answer is not lost to a
        /// reset.
        case lingering(left: Int, until: MonotonicInstant)
        case closed
    }

    /// The names of the states, for ``edges``.
    package enum Phase: UInt8, CaseIterable {
        case handshake, idle, head, heldBack, discarding, answering, closing, lingering, closed
    }

    package enum Handshake {
        /// The client has sent nothing.
        case silent
        case underWay
    }

    /// What is known of the socket's reading side.
    package enum Input {
        /// The loop will report when there is something to read.
        case waiting
        /// The loop has reported something to read, and it has not been read.
        case unread
        /// The client has ended its side.
        case ended
    }

    /// Whether the client takes its output.
    package enum Sending {
        case flowing
        /// The socket takes no more for now.
        case blocked(until: MonotonicInstant)
    }

    /// Whether another turn is queued in the loop.
    package enum Resumption {
        case none, queued
    }

    /// Whether the server goes on after the current request.
    package enum Service {
        case running, stopping
    }

    /// How long a client may take, in nanoseconds.
    ///
    /// Plain numbers: a reference to the limits would be counted at each look at the state.
    package struct Timeouts: Sendable {
        let head: UInt64
        let body: UInt64
        let idle: UInt64
        let write: UInt64

        package init(_ limits: Server.Limits) {
            head = limits.headerTimeout.wholeNanoseconds
            body = limits.bodyTimeout.wholeNanoseconds
            idle = limits.idleTimeout.wholeNanoseconds
            write = limits.writeTimeout.wholeNanoseconds
        }
    }

    /// What the connection has to do, in the order of ``Connection/execute(_:)``.
    package struct Actions: OptionSet, Sendable {
        package let rawValue: UInt16

        package init(rawValue: UInt16) { self.rawValue = rawValue }

        /// Discard the bytes that have been received and not parsed.
        package static let dropUnread = Actions(rawValue: 1 << 0)
        /// Report to the handler that waits for the body that the client has left.
        package static let failBody = Actions(rawValue: 1 << 1)
        /// Cancel the task of the handler.
        package static let cancelHandler = Actions(rawValue: 1 << 2)
        /// Let the handler write again.
        package static let resumeWriters = Actions(rawValue: 1 << 3)
        /// Shut down the writing side of the socket.
        package static let shutDownWriting = Actions(rawValue: 1 << 4)
        /// Queue a turn, which begins with ``ConnectionState/queuedTurnBegan()``.
        package static let goOnLater = Actions(rawValue: 1 << 5)
        /// Close the socket and let go of everything; the exchange, if there is one, has failed.
        package static let close = Actions(rawValue: 1 << 6)
        /// Count the connection's place as free.
        package static let giveBackPlace = Actions(rawValue: 1 << 7)
        /// Hand ``ConnectionState/deadline`` to the loop.
        package static let setDeadline = Actions(rawValue: 1 << 8)
        /// Send the closure alert of TLS, then report ``ConnectionState/closureSent(_:)`` or
        /// ``ConnectionState/closureBlocked(_:)``.
        package static let endOutput = Actions(rawValue: 1 << 9)
        /// Send the output, as far as the client takes it.
        package static let flush = Actions(rawValue: 1 << 10)
    }

    let timeouts: Timeouts
    package internal(set) var state: State
    package internal(set) var input = Input.waiting
    package internal(set) var sending = Sending.flowing
    package internal(set) var resumption = Resumption.none
    package internal(set) var service: Service
    /// How many requests of this connection this turn has answered.
    var servedInTurn = 0
    /// How fast the current body comes.
    var clock = BodyClock()
    /// The number of the current or last exchange.
    package internal(set) var exchangeID: UInt64 = 0
    /// How many handlers, questions to issuers and checks of signatures have yet to come back, awaited or
    /// not.
    package internal(set) var workCount = 0

    /// A connection that has just been accepted.
    package init(_ timeouts: Timeouts, _ now: MonotonicInstant, isEncrypted: Bool, isStopping: Bool) {
        self.timeouts = timeouts
        state =
            isEncrypted
            ? .handshake(.silent, until: now.advanced(byNanoseconds: timeouts.head))
            : .idle(until: now.advanced(byNanoseconds: timeouts.idle))
        service = isStopping ? .stopping : .running
    }

    // MARK: Transitions

    /// The states that follow each state; the lines of the diagram above.
    package static let edges: [Phase: Set<Phase>] = [
        .handshake: [.idle, .closing, .closed],
        .idle: [.head, .answering, .heldBack, .closing, .closed],
        .head: [.answering, .closing, .closed],
        .heldBack: [.idle, .closed],
        .answering: [.idle, .discarding, .closing, .closed],
        .discarding: [.idle, .closing, .closed],
        .closing: [.lingering, .closed],
        .lingering: [.closed],
        .closed: [],
    ]

    /// The one place that changes from one state to another.
    @inline(__always)
    mutating func move(to next: State) {
        assert(Self.edges[phase]?.contains(Self.phase(of: next)) == true, "\(phase) to \(next)")
        state = next
    }

    package var phase: Phase { Self.phase(of: state) }

    private static func phase(of state: State) -> Phase {
        switch state {
        case .handshake: .handshake
        case .idle: .idle
        case .head: .head
        case .heldBack: .heldBack
        case .discarding: .discarding
        case .answering: .answering
        case .closing: .closing
        case .lingering: .lingering
        case .closed: .closed
        }
    }

    // MARK: What the connection asks

    // Inlined, since a call would be given a copy of the whole state.

    @inline(__always)
    package var isClosed: Bool {
        if case .closed = state { true } else { false }
    }

    @inline(__always)
    package var isNegotiating: Bool {
        if case .handshake = state { true } else { false }
    }

    /// Whether no request is being answered, and one may come.
    package var awaitsRequest: Bool {
        switch state {
        case .idle, .head, .heldBack, .discarding: true
        default: false
        }
    }

    /// Whether what is received is thrown away, so that it need not be decrypted.
    package var discardsInput: Bool {
        switch state {
        case .closing, .lingering, .closed: true
        default: false
        }
    }

    /// Whether a socket that takes bytes again has to be given some.
    @inline(__always)
    package func hasOutput(_ unsent: Int) -> Bool {
        switch state {
        case .closing: true
        case .answering(let exchange): unsent > 0 || exchange.answer == .file
        default: unsent > 0
        }
    }

    /// When ``expire(_:output:)`` has to be called.
    @inline(__always)
    package var deadline: MonotonicInstant {
        if case .blocked(let until) = sending { min(until, stateDeadline) } else { stateDeadline }
    }

    /// When the wait of the current state ends.
    @inline(__always)
    var stateDeadline: MonotonicInstant {
        switch state {
        case .handshake(_, let until), .idle(let until), .head(let until), .heldBack(let until),
            .discarding(_, let until), .closing(_, let until), .lingering(_, let until):
            until
        case .answering(let exchange): exchange.deadline
        case .closed: .distantFuture
        }
    }

    // MARK: The handshake

    /// The client has sent the first record of TLS.
    package mutating func handshakeBegan(_ now: MonotonicInstant) -> Actions {
        guard case .handshake(_, let until) = state else { return [] }
        guard service == .stopping else {
            state = .handshake(.underWay, until: until)
            return []
        }
        state = .handshake(.underWay, until: now + Server.Limits.lingerTimeout)
        return .setDeadline
    }

    /// The handshake is complete, and requests may follow.
    package mutating func handshakeEnded(_ now: MonotonicInstant) -> Actions {
        guard case .handshake(_, let until) = state else { return [] }
        switch service {
        case .running: move(to: .idle(until: nextIdleDeadline(now)))
        case .stopping: move(to: .idle(until: min(until, now + Server.Limits.lingerTimeout)))
        }
        return .setDeadline
    }

    // MARK: Shutdown

    /// The server begins to stop: the request that is being answered is the last one.
    package mutating func stop() {
        service = .stopping
    }

    /// The server stops and all input has been read: sets the deadline of a connection that has no request.
    ///
    /// A handshake that has begun may come to its end, and a client in the middle of its work has a last
    /// moment for a request on its way; closing over it would reset the connection. The answer to it says
    /// that it was the last.
    package mutating func hurry(_ now: MonotonicInstant, output: Int, unread: Int) -> Actions {
        let parting = now + Server.Limits.partingTime
        switch state {
        case .handshake(.silent, let until): state = .handshake(.silent, until: min(until, parting))
        case .handshake(.underWay, let until):
            state = .handshake(.underWay, until: min(until, now + Server.Limits.lingerTimeout))
        case .idle where unread == 0 && output > 0, .discarding where unread == 0 && output > 0:
            return closeAfterOutput()
        case .idle(let until) where unread == 0: state = .idle(until: min(until, parting))
        case .discarding(let left, let until) where unread == 0:
            state = .discarding(left: left, until: min(until, parting))
        default: return []
        }
        return .setDeadline
    }

    // MARK: Work elsewhere

    /// A handler, a question or a check has been started for the current request.
    package mutating func workBegan() {
        workCount += 1
    }

    /// What was started has come back.
    ///
    /// A client that resets the connection leaves its work unfinished. Its place is free when that
    /// is over; otherwise there could be any number of such requests at a time.
    package mutating func workEnded() -> Actions {
        workCount -= 1
        return isClosed && workCount == 0 ? .giveBackPlace : []
    }
}
