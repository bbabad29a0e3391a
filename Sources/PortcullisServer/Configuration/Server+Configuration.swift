// SPDX-License-Identifier: MIT

public import Portcullis
package import PortcullisHTTP
package import PortcullisTransport

extension Server {
    /// How a server runs.
    ///
    /// The defaults suit a public API behind or without a proxy.
    public struct Configuration: Sendable {
        /// The number of event loops, each with one thread's work.
        ///
        /// Default: one for each processor core.
        public var eventLoopCount: Int?
        /// The limits of one connection, and of all together.
        public var limits: Limits
        /// How long requests in flight may take when the server stops.
        ///
        /// Default 10 seconds; then the server cuts them.
        public var shutdownGracePeriod: Duration
        /// The certificate and client certificate policy for TLS.
        ///
        /// Default `nil`: plain HTTP.
        public var tls: TLS?
        /// The destination of warnings and errors.
        ///
        /// Default: standard error.
        public var log: Log
        /// The metrics backend.
        ///
        /// Default `nil`, which costs nothing.
        public var metrics: (any ServerMetrics)?
        /// The access log.
        ///
        /// Default `nil`, which costs nothing.
        public var accessLog: AccessLog?
        /// Whether every request gets an ID, sent in `X-Request-Id` and in the bodies of refusals, and logged
        /// in the access log.
        ///
        /// Default: yes with an access log, otherwise no.
        public var assignsRequestIDs: Bool?
        /// When the server's own errors are sent as problem details.
        ///
        /// Default: to clients that accept JSON. RFC 9457.
        public var problemDetails = ProblemDetails.accept
        /// The proxies in front of the server.
        ///
        /// Default: none, so the server ignores all forwarding fields.
        public var proxies = TrustedProxies.none
        /// Whose traces the server continues: the ``Request/trace`` of their requests is the one that they name.
        ///
        /// Default: those of trusted proxies.
        public var traces = TraceTrust.trusted
        /// Whether the server checks its own resources at start.
        ///
        /// Default: no.
        public var selfCheck = SelfCheckPolicy.off
        /// Fetches the server's own URLs, for self-checks.
        ///
        /// Default `nil`: each resource's fetcher.
        public var selfCheckFetcher: (any Fetcher)?
        /// The readiness implementation of the event loops.
        ///
        /// For tests.
        package var readiness: ReadinessKind
        /// The time for `Date` in seconds since 1970; `nil` for the machine's clock.
        ///
        /// For tests.
        package var dateSeconds: (@Sendable () -> Int)?

        /// Makes a configuration.
        public init(
            eventLoopCount: Int? = nil, limits: Limits = Limits(),
            shutdownGracePeriod: Duration = .seconds(10), tls: TLS? = nil,
            log: @escaping Log = Server.logToStandardError, metrics: (any ServerMetrics)? = nil
        ) {
            self.eventLoopCount = eventLoopCount
            self.limits = limits
            self.shutdownGracePeriod = shutdownGracePeriod
            self.tls = tls
            self.log = log
            self.metrics = metrics
            readiness = .preferred
        }
    }

    /// Limits on clients: sizes in bytes, times from the last progress.
    ///
    /// Beyond a limit the client gets the status given there.
    public struct Limits: Sendable, Hashable {
        /// The most connections at a time.
        ///
        /// Default 10 000. Beyond it new connections wait in the system's backlog; after a second they get
        /// 503 with `Retry-After`. A client that resets its connection keeps its place until its request has
        /// ended.
        public var maxConnectionCount = 10_000
        /// The longest request target.
        ///
        /// Default 8192; then 414. RFC 9110 §15.5.15.
        public var maxTargetByteCount = 8192
        /// The largest block of fields.
        ///
        /// Default 32 768; then 431. RFC 6585 §5.
        public var maxHeaderByteCount = 32_768
        /// The most field lines.
        ///
        /// Default 100; then 431. RFC 6585 §5.
        public var maxFieldCount = 100
        /// The largest body.
        ///
        /// Default 1 048 576; then 413. RFC 9110 §15.5.14.
        public var maxBodyByteCount = 1_048_576
        /// How long a client may take for the head, from its first byte, and for the TLS handshake before it.
        ///
        /// Default 10 seconds; then 408, or closing without a response. RFC 9110 §15.5.9.
        public var headerTimeout = Duration.seconds(10)
        /// How long a client may pause within a body.
        ///
        /// Default 30 seconds; then 408.
        public var bodyTimeout = Duration.seconds(30)
        /// The minimum rate of a body, after the first ten seconds of waiting for it.
        ///
        /// Default 500 bytes a second; then 408.
        public var minBodyBytesPerSecond = 500
        /// How long a handler waits for a body in total before its rate counts.
        ///
        /// Ten seconds. For tests.
        package var bodyRateGracePeriod = Duration.seconds(10)

        /// How long a connection may be idle between requests.
        ///
        /// Default 75 seconds, more than the 60 seconds of common load balancers, which should be the first to
        /// close; then it is closed.
        public var idleTimeout = Duration.seconds(75)
        /// How long a client may read nothing of a response.
        ///
        /// There is no minimum rate beyond that: a client that reads a little each time is served to the end.
        /// Default 30 seconds; then the server cuts the connection.
        public var writeTimeout = Duration.seconds(30)

        /// Makes limits with the defaults.
        public init() {}

        package var wire: WireLimits {
            var limits = WireLimits()
            limits.maxTargetByteCount = maxTargetByteCount
            limits.maxHeaderByteCount = maxHeaderByteCount
            limits.maxFieldCount = maxFieldCount
            return limits
        }

        /// The most unsent bytes of a response before its writer waits.
        package static let maxUnsentByteCount = 256 * 1024
        /// The most bytes read before a handler asks for them.
        package static let maxUnreadByteCount = 64 * 1024
        /// The most bytes of an unneeded body that are read, to reach the next request or to deliver the
        /// response.
        package static let maxDiscardedByteCount = 64 * 1024
        /// How long an idle connection is kept when the server stops, for a request in flight.
        package static let partingTime = Duration.milliseconds(100)
        /// How long a closing connection waits for the client to read the response.
        package static let lingerTimeout = Duration.seconds(2)
        /// The most requests of one connection in one turn of its loop.
        package static let requestsPerTurn = 32
        /// The most writes to a streamed response in one turn of its loop.
        package static let writesPerTurn = 32
    }
}
