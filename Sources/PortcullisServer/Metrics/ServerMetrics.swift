// SPDX-License-Identifier: MIT

public import Portcullis
public import PortcullisHTTP

/// Where a server reports what it does, for any monitoring system.
///
/// ``MetricsRegistry`` is the one that comes with the package; another backend implements this and ``ServerMetricsRecorder``. A server
/// without one measures nothing.
public protocol ServerMetrics: Sendable {
    /// Makes what one event loop reports to.
    ///
    /// Called once for each loop when a server begins to run.
    func makeRecorder(loop: Int) -> any ServerMetricsRecorder

    /// Whether ``RequestSummary/finding`` is wanted, which costs another look at each request that is refused.
    ///
    /// Asked once. Default false; an access log wants it in any case.
    var describesRefusals: Bool { get }

    /// Shows ``AccessLog/droppedLineCount`` of the server's access log.
    ///
    /// Called when a server with a log begins to run. Default: does nothing.
    func watch(_ accessLog: AccessLog)
}

extension ServerMetrics {
    /// It is not.
    public var describesRefusals: Bool { false }

    /// Does nothing.
    public func watch(_ accessLog: AccessLog) {}
}

/// What one event loop of a server reports to.
public protocol ServerMetricsRecorder: Sendable {
    /// Takes note of an event.
    ///
    /// Called on the event loop, one call at a time, while its connections wait: must not block.
    func record(_ event: ServerEvent)
}

/// Something that happened on an event loop.
public enum ServerEvent: Sendable {
    /// A connection was accepted.
    case connectionOpened
    /// A connection has ended, in whatever way.
    case connectionClosed
    /// A connection was turned away with 503, or closed at once, for want of places or descriptors.
    case connectionShed
    /// A request was answered, or its connection ended first.
    case requestFinished(RequestSummary)
    /// A client was too slow.
    case timedOut(TimeoutKind)
    /// A TLS handshake has come to its end, or was missing where it had to be.
    case handshakeEnded(HandshakeOutcome)
    /// A handler kept the loop's thread for more than 100 ms; `route` is its pattern, or several with commas if it can't be told.
    case loopHeld(route: String, Duration)
    /// A closure that was handed to the loop had to wait so long. Measured once a second.
    case loopLag(Duration)
}

/// One request and its answer, without anything that came from the client but the method and what ``finding`` tells.
public struct RequestSummary: Sendable {
    /// The pattern of the route, or a fixed word for what has none.
    public var route: String
    /// The method, as the client spelled it.
    public var method: Method
    /// The status; nothing if the connection ended before there was one.
    public var status: Status?
    /// Whether the whole answer was handed to the connection.
    public var isComplete: Bool
    /// The time from the request's head to the end of the answer's making; not its way to the client.
    public var duration: Duration
    /// The bytes of head and content that were taken from the client.
    public var receivedByteCount: Int
    /// The bytes of head and content that were made for the client.
    public var sentByteCount: Int
    /// Why the gate refused, if it did.
    public var refusal: RefusalReason?
    /// What the gate expected and what there was, if it refused and somebody wants to know.
    ///
    /// Holds claims of the token: no label for a time series.
    public var finding: RefusalFinding?

    /// Makes a summary, for tests of a backend.
    public init(
        route: String, method: Method, status: Status?, isComplete: Bool, duration: Duration,
        receivedByteCount: Int = 0, sentByteCount: Int = 0, refusal: RefusalReason? = nil,
        finding: RefusalFinding? = nil
    ) {
        self.route = route
        self.method = method
        self.status = status
        self.isComplete = isComplete
        self.duration = duration
        self.receivedByteCount = receivedByteCount
        self.sentByteCount = sentByteCount
        self.refusal = refusal
        self.finding = finding
    }
}

/// What became of the beginning of a connection under TLS.
public enum HandshakeOutcome: String, Sendable, Hashable, CaseIterable {
    /// A new session.
    case full
    /// An earlier session, taken up again. RFC 8446 §2.2.
    case resumed
    /// None: no version, cipher or protocol in common, a certificate that was refused, a client that gave up or was too slow.
    case failed
    /// None: the client spoke HTTP without TLS.
    case plaintext
    /// A client spoke TLS to a port without it.
    case unexpected
}

/// Which deadline a client missed.
public enum TimeoutKind: String, Sendable, Hashable, CaseIterable {
    /// ``Server/Limits/headerTimeout``.
    case header
    /// ``Server/Limits/bodyTimeout`` or ``Server/Limits/minBodyBytesPerSecond``.
    case body
    /// ``Server/Limits/idleTimeout``, which is nobody's fault.
    case idle
    /// ``Server/Limits/writeTimeout``.
    case write
}
