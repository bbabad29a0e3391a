// SPDX-License-Identifier: MIT

package import PortcullisTransport

/// The protocol state of one HTTP/1.1 server connection: events in, actions out.
///
/// Theory of operation
/// ===================
///
/// A connection reads requests, passes them on in order and sends the responses. Its next step depends on
/// its position in that cycle, on the socket's two directions and on the clock. All of this is in this value,
/// which does no I/O and reads no clock: ``Connection`` reports what happened (an event is one mutating
/// method) and executes what the method returns (``Actions``, or a small enum if the caller has to choose).
/// Pipelined requests stay unparsed until the previous response is complete, so there is one exchange at a
/// time.
///
/// The states, with the events that lead from one to another. `accepted` is the start. A test compares these
/// lines with ``edges``, and a property test compares both with the transitions that random events cause.
///
///     accepted   --> handshake    the port speaks TLS
///     accepted   --> idle         the port speaks plain HTTP
///     handshake  --> idle         the handshake is complete
///     handshake  --> closing      the handshake failed: an alert, or a refusal in plain text, has to be sent
///     handshake  --> closed       the client disconnected, or took too long
///     idle       --> head         a part of a request head arrived
///     idle       --> answering    a whole request head arrived
///     idle       --> heldBack     a request arrived with too much output unsent, or its turn is used up
///     idle       --> closing      malformed request, end of input, idle time-out or shutdown
///     idle       --> closed       error, or no request within the parting time of a shutdown
///     head       --> answering    the rest of the head arrived
///     head       --> closing      malformed request, head time-out or end of input
///     head       --> closed       error
///     heldBack   --> idle         the next turn begins
///     heldBack   --> closed       error
///     answering  --> idle         the response is complete and the request's body has been read
///     answering  --> discarding   the response is complete, and a part of the body has not arrived
///     answering  --> closing      the response is complete and the last one
///     answering  --> closed       error, or a response that can't be completed
///     discarding --> idle         the rest of the body has been read
///     discarding --> closing      the rest is malformed or too long; end of input, idle time-out or shutdown
///     discarding --> closed       error, or no request within the parting time of a shutdown
///     closing    --> lingering    all output has been sent: writing is shut down
///     closing    --> closed       all output has been sent and the client has ended; error or time-out
///     lingering  --> closed       end of input, error or time-out
///
/// Three small state machines are independent of the state:
///
/// - ``Input``: whether the socket has something to read. The loop reports readiness once; a connection that
///   does not read then must remember it. `waiting <--> unread`; both lead to `ended`.
/// - ``Sending``: whether the socket accepts output. `flowing <--> blocked`.
/// - ``Resumption``: whether a further turn of the loop is queued. `none <--> queued`.
///
/// A state that waits for the client carries its deadline, so no such state can lack one.
/// ``State/answering(_:)`` waits for the handler, which has no deadline; if the handler waits for the body,
/// the body has one.
///
/// ``ProxyProtocolHandshake`` handles the PROXY protocol before all this: it determines the connection's
/// peer.
///
/// RFC 9112 §9.
package struct ConnectionState {
    /// The state of the connection; each state that waits for the client carries its deadline.
    package enum State {
        /// TLS is being negotiated.
        case handshake(Handshake, until: MonotonicInstant)
        /// Waiting for the first byte of a request; output may be unsent.
        case idle(until: MonotonicInstant)
        /// A part of a request head has arrived.
        case head(until: MonotonicInstant)
        /// A request has arrived, and is not parsed until earlier responses are sent or other connections
        /// have had their turn.
        case heldBack(until: MonotonicInstant)
        /// The response is complete; the rest of the request's body, at most `left` bytes, is read to find
        /// the next request.
        case discarding(left: Int, until: MonotonicInstant)
        /// A request is being answered.
        case answering(Exchange)
        /// No more requests; the rest of the output is being sent. Input is discarded, at most `left` bytes.
        case closing(left: Int, until: MonotonicInstant)
        /// All output is sent and this side has shut down. Input is discarded, so that a reset does not
        /// destroy the last response.
        case lingering(left: Int, until: MonotonicInstant)
        case closed
    }

    /// The states without their values, for ``edges``.
    package enum Phase: UInt8, CaseIterable {
        case handshake, idle, head, heldBack, discarding, answering, closing, lingering, closed
    }

    package enum Handshake {
        /// The client has sent nothing.
        case silent
        case underWay
    }

    /// The state of the socket's reading side.
    package enum Input {
        /// The loop will report when there is something to read.
        case waiting
        /// The loop has reported something to read that has not been read.
        case unread
        /// The client has ended its side.
        case ended
    }

    /// Whether the socket accepts output.
    package enum Sending {
        case flowing
        /// The socket would block.
        case blocked(until: MonotonicInstant)
    }

    /// Whether another turn is queued in the loop.
    package enum Resumption {
        case none, queued
    }

    /// Whether the server continues after the current request.
    package enum Service {
        case running, stopping
    }

    /// The client's time limits, in nanoseconds.
    ///
    /// Plain numbers: a reference to the limits would be retained at each access to the state.
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

    /// The actions that the connection must execute, in the order of ``Connection/execute(_:)``.
    package struct Actions: OptionSet, Sendable {
        package let rawValue: UInt16

        package init(rawValue: UInt16) { self.rawValue = rawValue }

        /// Discard the received bytes that are not parsed.
        package static let dropUnread = Actions(rawValue: 1 << 0)
        /// Fail the handler that waits for the body: the client has disconnected.
        package static let failBody = Actions(rawValue: 1 << 1)
        /// Cancel the task of the handler.
        package static let cancelHandler = Actions(rawValue: 1 << 2)
        /// Let the handler write again.
        package static let resumeWriters = Actions(rawValue: 1 << 3)
        /// Shut down the writing side of the socket.
        package static let shutDownWriting = Actions(rawValue: 1 << 4)
        /// Queue a turn, which begins with ``ConnectionState/queuedTurnBegan()``.
        package static let goOnLater = Actions(rawValue: 1 << 5)
        /// Close the socket and release everything; the exchange, if any, has failed.
        package static let close = Actions(rawValue: 1 << 6)
        /// Release the connection's slot of the connection limit.
        package static let giveBackPlace = Actions(rawValue: 1 << 7)
        /// Set ``ConnectionState/deadline`` on the loop.
        package static let setDeadline = Actions(rawValue: 1 << 8)
        /// Send the TLS closure alert, then report ``ConnectionState/closureSent(_:)`` or
        /// ``ConnectionState/closureBlocked(_:)``.
        package static let endOutput = Actions(rawValue: 1 << 9)
        /// Send output until the socket would block.
        package static let flush = Actions(rawValue: 1 << 10)
    }

    let timeouts: Timeouts
    package internal(set) var state: State
    package internal(set) var input = Input.waiting
    package internal(set) var sending = Sending.flowing
    package internal(set) var resumption = Resumption.none
    package internal(set) var service: Service
    /// The number of requests of this connection in this turn.
    var servedInTurn = 0
    /// The rate of the current body.
    var clock = BodyClock()
    /// The number of the current or last exchange.
    package internal(set) var exchangeID: UInt64 = 0
    /// The number of unfinished handlers, requests to issuers and signature checks, awaited or not.
    package internal(set) var workCount = 0

    /// Creates the state of a connection that was just accepted.
    package init(_ timeouts: Timeouts, _ now: MonotonicInstant, isEncrypted: Bool, isStopping: Bool) {
        self.timeouts = timeouts
        state =
            isEncrypted
            ? .handshake(.silent, until: now.advanced(byNanoseconds: timeouts.head))
            : .idle(until: now.advanced(byNanoseconds: timeouts.idle))
        service = isStopping ? .stopping : .running
    }

    // MARK: Transitions

    /// The states that can follow each state: the lines of the diagram above.
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

    /// The only method that changes from one state to another.
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

    // MARK: Queries

    // Inlined, because a call would copy the whole state.

    @inline(__always)
    package var isClosed: Bool {
        if case .closed = state { true } else { false }
    }

    @inline(__always)
    package var isNegotiating: Bool {
        if case .handshake = state { true } else { false }
    }

    /// Whether no request is being answered, and one may arrive.
    package var awaitsRequest: Bool {
        switch state {
        case .idle, .head, .heldBack, .discarding: true
        default: false
        }
    }

    /// Whether received bytes are discarded, so that they need not be decrypted.
    package var discardsInput: Bool {
        switch state {
        case .closing, .lingering, .closed: true
        default: false
        }
    }

    /// Whether to send when the socket becomes writable.
    @inline(__always)
    package func hasOutput(_ unsent: Int) -> Bool {
        switch state {
        case .closing: true
        case .answering(let exchange): unsent > 0 || exchange.answer == .file
        default: unsent > 0
        }
    }

    /// The instant to call ``expire(_:output:)``.
    @inline(__always)
    package var deadline: MonotonicInstant {
        if case .blocked(let until) = sending { min(until, stateDeadline) } else { stateDeadline }
    }

    /// The deadline of the current state.
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

    /// The client has sent its first TLS record.
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

    /// The server begins to stop: the current request is the last one.
    package mutating func stop() {
        service = .stopping
    }

    /// The server stops and all input has been read: sets the deadline of a connection that has no request.
    ///
    /// A started handshake may finish, and an active client has a short time for a request in flight; closing
    /// with that request unread would reset the connection. The response to such a request announces that it
    /// is the last.
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

    // MARK: Unfinished work

    /// A handler, request to an issuer or signature check was started for the current request.
    package mutating func workBegan() {
        workCount += 1
    }

    /// A piece of work has finished.
    ///
    /// A client that resets the connection leaves work unfinished. Its slot is released only when the work
    /// ends; otherwise the number of such requests would be unbounded.
    package mutating func workEnded() -> Actions {
        workCount -= 1
        return isClosed && workCount == 0 ? .giveBackPlace : []
    }
}
