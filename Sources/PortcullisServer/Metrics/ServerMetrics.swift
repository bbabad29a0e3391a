// SPDX-License-Identifier: MIT

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
