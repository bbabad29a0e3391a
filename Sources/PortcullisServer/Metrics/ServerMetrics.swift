// SPDX-License-Identifier: MIT

/// Receives a server's events, for any monitoring system.
///
/// ``MetricsRegistry`` is the package's own; another backend implements this protocol and
/// ``ServerMetricsRecorder``. A server without one measures nothing.
public protocol ServerMetrics: Sendable {
    /// Creates the recorder of one event loop.
    ///
    /// Called once for each loop when a server begins to run.
    func makeRecorder(loop: Int) -> any ServerMetricsRecorder

    /// Whether ``RequestSummary/finding`` is needed, which costs extra work for each refused request.
    ///
    /// Read once. Default `false`; with an access log, findings are made in any case.
    var describesRefusals: Bool { get }

    /// Starts reporting ``AccessLog/droppedLineCount`` of the server's access log.
    ///
    /// Called when a server with a log begins to run. Default: does nothing.
    func watch(_ accessLog: AccessLog)
}

extension ServerMetrics {
    /// `false`.
    public var describesRefusals: Bool { false }

    /// Does nothing.
    public func watch(_ accessLog: AccessLog) {}
}

/// The recorder that one event loop of a server reports to.
public protocol ServerMetricsRecorder: Sendable {
    /// Records an event.
    ///
    /// The event loop calls it, one call at a time, while its connections wait: it must not block.
    func record(_ event: ServerEvent)
}

/// An event on an event loop.
public enum ServerEvent: Sendable {
    /// A connection was accepted.
    case connectionOpened
    /// A connection has ended, for any reason.
    case connectionClosed
    /// A connection got 503 or was closed at once, because the connection limit was reached or no descriptor
    /// was left.
    case connectionShed
    /// A request was answered, or its connection ended first.
    case requestFinished(RequestSummary)
    /// A client was too slow.
    case timedOut(TimeoutKind)
    /// A TLS handshake has ended, or was missing on a TLS port.
    case handshakeEnded(HandshakeOutcome)
    /// A handler blocked the loop's thread for more than 100 ms; `route` is its pattern, or several
    /// candidates separated by commas.
    case loopHeld(route: String, Duration)
    /// A closure submitted to the loop waited this long. Measured once a second.
    case loopLag(Duration)
}

/// The result of a TLS handshake, or of a connection with the wrong protocol.
public enum HandshakeOutcome: String, Sendable, Hashable, CaseIterable {
    /// A new session.
    case full
    /// A resumed session. RFC 8446 §2.2.
    case resumed
    /// No session: no common version, cipher or protocol, a refused certificate, a client that disconnected
    /// or was too slow.
    case failed
    /// No session: the client spoke HTTP without TLS.
    case plaintext
    /// A client spoke TLS on a port without TLS.
    case unexpected
}

/// The deadline that a client missed.
public enum TimeoutKind: String, Sendable, Hashable, CaseIterable {
    /// ``Server/Limits/headerTimeout``.
    case header
    /// ``Server/Limits/bodyTimeout`` or ``Server/Limits/minBodyBytesPerSecond``.
    case body
    /// ``Server/Limits/idleTimeout``, which is normal.
    case idle
    /// ``Server/Limits/writeTimeout``.
    case write
}
