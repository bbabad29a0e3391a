// SPDX-License-Identifier: MIT

package import PortcullisHTTP
package import PortcullisTransport

/// One request and its response.
extension ConnectionState {
    /// A request that is being answered.
    package struct Exchange {
        package enum Answer {
            /// The handler has not answered.
            case awaited
            /// The handler streams; the head is withheld, because another response may still replace it.
            case withheld
            /// The handler streams, and the head of the response is in the output.
            case streaming
            /// A file follows the head of the response.
            case file
        }

        package enum Body {
            /// The handler does not wait for the body, or there is none.
            case notAwaited
            /// The client waits for 100 (Continue) before it sends the body.
            ///
            /// RFC 9110 §10.1.1.
            case continueOwed
            /// The handler waits for the body.
            case awaited(until: MonotonicInstant)
        }

        package let request: RequestForm
        /// Whether another request may follow on the connection.
        package internal(set) var keepsAlive: Bool
        package internal(set) var answer = Answer.awaited
        package internal(set) var body = Body.notAwaited
        /// Whether the handler waits to write again.
        var isWriterWaiting = false
        /// The number of writes since other connections had their turn.
        var writesInTurn: UInt8 = 0
        /// Whether the handler ends when the client leaves, also before it has answered.
        var endsWithClient = false
        /// Whether the client's bytes belong to another protocol, which has no deadlines here.
        var isTunnel = false

        package var isBodyAwaited: Bool {
            if case .awaited = body { true } else { false }
        }

        var owesContinue: Bool {
            if case .continueOwed = body { true } else { false }
        }

        var deadline: MonotonicInstant {
            if case .awaited(let until) = body { until } else { .distantFuture }
        }
    }

    package var exchange: Exchange? {
        if case .answering(let exchange) = state { exchange } else { nil }
    }

    /// The properties of a request that determine the form of its response.
    package struct RequestForm {
        package let version: HTTPVersion
        package let isHead: Bool

        /// Whether a stream is sent in chunks; in HTTP/1.0 closing the connection ends it.
        package var isChunked: Bool { version == .http1_1 }
    }

    /// The form of the current request.
    @inline(__always)
    package var request: RequestForm? {
        if case .answering(let exchange) = state { exchange.request } else { nil }
    }

    /// Whether the exchange with this number is still current.
    @inline(__always)
    package func isCurrent(_ id: UInt64) -> Bool {
        guard case .answering = state else { return false }
        return exchangeID == id
    }

    // MARK: The request

    /// A whole request head has arrived and is well-formed.
    package mutating func requestAccepted(version: HTTPVersion, isHead: Bool, keepAlive: Bool) {
        servedInTurn += 1
        exchangeID += 1
        move(
            to: .answering(
                Exchange(
                    request: RequestForm(version: version, isHead: isHead),
                    keepsAlive: keepAlive && service == .running)))
    }

    /// The body has not arrived, and the client may wait for 100 (Continue) first.
    package mutating func bodyExpected(owesContinue: Bool) {
        clock = BodyClock()
        guard owesContinue, case .answering(var exchange) = state else { return }
        exchange.body = .continueOwed
        state = .answering(exchange)
    }

    /// The route of the request has limits of its own.
    mutating func limitBody(_ limits: RouteLimits) {
        clock.timeout = limits.bodyTimeout?.wholeNanoseconds
        clock.minBytesPerSecond = limits.minBodyBytesPerSecond
    }

    /// A message is refused; the refusal is the last response, because the start of the next request is
    /// unknown.
    package mutating func refuse() -> Actions {
        exchangeID += 1
        return closeAfterOutput()
    }

    /// The handler of the current exchange is of no use without the client.
    package mutating func handlerEndsWithClient() {
        guard case .answering(var exchange) = state else { return }
        exchange.endsWithClient = true
        state = .answering(exchange)
    }

    /// The client's next bytes belong to another protocol, until the connection ends.
    ///
    /// - Returns: Whether that is possible.
    package mutating func tunnelBegan() -> Bool {
        guard case .answering(var exchange) = state, !exchange.isBodyAwaited else { return false }
        exchange.isTunnel = true
        exchange.keepsAlive = false
        state = .answering(exchange)
        return true
    }

    /// Whether the head of the final response may still be sent.
    package var mayAnswer: Bool {
        if case .answering(let exchange) = state { exchange.answer == .awaited } else { false }
    }

    // MARK: The body

    package enum BodyAccess {
        /// The connection is closed.
        case connectionClosed
        /// The exchange is over, or another reader waits.
        case notAvailable
        case available
    }

    package enum BodyWait {
        /// The whole body has been read.
        case finished
        /// The rest will not come.
        case connectionClosed
        /// Send 100 (Continue), then call again.
        case sendContinue
        /// The handler must wait until bytes arrive.
        case wait
    }

    package enum BodyDelivery {
        /// No content for the handler yet.
        case wait
        /// The handler gets the content that was read, or the end.
        case deliver
        /// The client is too slow: the wait has failed.
        case tooSlow
    }

    /// The handler of an exchange reads its body.
    package func accessToBody(_ id: UInt64) -> BodyAccess {
        if isClosed { return .connectionClosed }
        guard isCurrent(id), exchange?.isBodyAwaited == false else { return .notAvailable }
        return .available
    }

    /// The handler reads the body, and no received content is available.
    package mutating func awaitBody(_ progress: BodyReader.Progress, _ now: MonotonicInstant) -> BodyWait {
        guard case .answering(var exchange) = state else { return .connectionClosed }
        guard progress != .finished else { return .finished }
        guard input != .ended else { return .connectionClosed }
        defer { state = .answering(exchange) }
        if exchange.owesContinue {
            exchange.body = .notAwaited
            return .sendContinue
        }
        if exchange.isTunnel {
            exchange.body = .awaited(until: .distantFuture)
            return .wait
        }
        clock.beginWaiting(now)
        exchange.body = .awaited(until: now.advanced(byNanoseconds: clock.timeout ?? timeouts.body))
        return .wait
    }

    /// A part of the body that the handler waits for has been read.
    package mutating func bodyRead(
        isEmpty: Bool, isFinished: Bool, _ now: MonotonicInstant, _ limits: Server.Limits
    ) -> BodyDelivery {
        guard case .answering(var exchange) = state, exchange.isBodyAwaited else { return .wait }
        defer { state = .answering(exchange) }
        clock.endWaiting(now)
        guard !isEmpty || isFinished else {
            clock.beginWaiting(now)
            return .wait
        }
        exchange.body = .notAwaited
        guard !exchange.isTunnel, clock.isTooSlow(limits) else { return .deliver }
        exchange.keepsAlive = false
        return .tooSlow
    }

    /// The body is malformed, too long or too late.
    package mutating func bodyFailed() {
        guard case .answering(var exchange) = state else { return }
        exchange.keepsAlive = false
        exchange.body = .notAwaited
        state = .answering(exchange)
    }

    // MARK: The response

    /// Whether another request may follow and its start can be found.
    ///
    /// RFC 9112 §9.3, §9.6.
    private func mayKeepAlive(_ exchange: Exchange, _ body: BodyReader.Progress) -> Bool {
        guard exchange.keepsAlive, service == .running else { return false }
        switch body {
        case .finished: return true
        case .failed: return false
        // A client that received no 100 (Continue) may or may not send the body: it would be
        // indistinguishable from the next request.
        case .remaining(let count):
            return !exchange.owesContinue && count <= Server.Limits.maxDiscardedByteCount
        case .unknown: return !exchange.owesContinue
        }
    }

    /// The head of a response goes into the output; its content, if any, follows at once or as a file.
    ///
    /// - Returns: Whether the head announces that the connection stays open.
    package mutating func answerBegan(isDelimited: Bool, isFile: Bool, _ body: BodyReader.Progress) -> Bool {
        guard case .answering(var exchange) = state else { return false }
        exchange.keepsAlive = isDelimited && mayKeepAlive(exchange, body)
        if isFile { exchange.answer = .file }
        state = .answering(exchange)
        return exchange.keepsAlive
    }

    /// The response is completely in the output.
    package mutating func answerEnded(_ body: BodyReader.Progress, _ now: MonotonicInstant) -> Actions {
        guard case .answering(let exchange) = state else { return [] }
        guard mayKeepAlive(exchange, body) else { return closeAfterOutput() }
        let until = nextIdleDeadline(now)
        if body == .finished {
            move(to: .idle(until: until))
        } else {
            move(to: .discarding(left: Server.Limits.maxDiscardedByteCount, until: until))
        }
        return .setDeadline
    }

    // MARK: Streams

    package enum StreamStart {
        /// Send the head now.
        case sendHead
        /// Withhold the head until the handler writes or reads the body.
        case withhold
        /// Withhold the head for a turn, and longer if the handler then waits for the body.
        case withholdForTurn
    }

    /// The handler has answered with a stream.
    package mutating func streamBegan(_ body: BodyReader.Progress) -> StreamStart {
        guard case .answering(var exchange) = state else { return .withhold }
        exchange.answer = .withheld
        state = .answering(exchange)
        // RFC 9110 §10.1.1: 100 (Continue) comes before the final status or not at all.
        if exchange.owesContinue { return .withhold }
        // A malformed body can then still get a status, instead of a truncated response.
        return body == .finished ? .sendHead : .withholdForTurn
    }

    /// The turn for which the head of a stream was withheld is over.
    ///
    /// - Returns: Whether to send the head; `false` while the handler waits for the body.
    package func isWithheldHeadDue(_ id: UInt64) -> Bool {
        isCurrent(id) && exchange?.isBodyAwaited == false
    }

    /// Whether the head of a stream is withheld.
    package var withholdsHead: Bool {
        if case .answering(let exchange) = state { exchange.answer == .withheld } else { false }
    }

    /// The withheld head of a stream goes into the output now.
    ///
    /// - Parameter isDelimited: Whether the body ends before the connection does.
    /// - Returns: Whether it announces that the connection stays open.
    package mutating func withheldHeadSent(_ body: BodyReader.Progress, isDelimited: Bool) -> Bool {
        guard case .answering(var exchange) = state else { return false }
        exchange.answer = .streaming
        exchange.keepsAlive = isDelimited && mayKeepAlive(exchange, body)
        // The final status has been sent: 100 (Continue) may not follow.
        if exchange.owesContinue { exchange.body = .notAwaited }
        state = .answering(exchange)
        return exchange.keepsAlive
    }

    /// The handler failed before the head of its stream was sent: another response replaces it.
    package mutating func streamWithdrawn() {
        guard case .answering(var exchange) = state else { return }
        exchange.answer = .awaited
        state = .answering(exchange)
    }

    package enum WriteWait {
        case none
        /// The handler waits until the client has taken more of the output.
        case untilSent
        /// The handler waits until other connections have had their turn.
        case untilNextTurn
    }

    /// The handler has written to its stream.
    package mutating func written(output: Int) -> WriteWait {
        guard case .answering(var exchange) = state else { return .none }
        defer { state = .answering(exchange) }
        exchange.writesInTurn += 1
        let isShareUsed = exchange.writesInTurn == Server.Limits.writesPerTurn
        guard isShareUsed || output > Server.Limits.maxUnsentByteCount else { return .none }
        exchange.writesInTurn = 0
        exchange.isWriterWaiting = true
        return isShareUsed ? .untilNextTurn : .untilSent
    }

    /// Lets the handler write again if enough of the output has been sent.
    package mutating func resumeWriters(output: Int) -> Actions {
        guard case .answering(var exchange) = state, exchange.isWriterWaiting,
            output <= Server.Limits.maxUnsentByteCount / 2
        else { return [] }
        exchange.isWriterWaiting = false
        state = .answering(exchange)
        return .resumeWriters
    }
}
