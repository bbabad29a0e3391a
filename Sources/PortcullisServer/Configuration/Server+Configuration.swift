// SPDX-License-Identifier: MIT

public import Portcullis
package import PortcullisHTTP
package import PortcullisTransport

extension Server {
    /// How a server runs.
    ///
    /// The defaults suit a public API behind or without a proxy.
    public struct Configuration: Sendable {
        /// How many event loops there are, each with a thread's worth of work.
        ///
        /// Default: the processor cores there are.
        public var eventLoopCount: Int?
        /// What one connection, and all of them together, may cost.
        public var limits: Limits
        /// How long requests in flight may take when the server stops.
        ///
        /// Default 10 seconds; then they are cut.
        public var shutdownGracePeriod: Duration
        /// The certificate to show, if clients shall speak TLS.
        ///
        /// Default: none, and plain HTTP.
        public var tls: TLS?
        /// Where warnings and failures go.
        ///
        /// Default: standard error.
        public var log: Log
        /// What measures the server.
        ///
        /// Default nothing, which costs nothing.
        public var metrics: (any ServerMetrics)?
        /// Where a line for each request goes.
        ///
        /// Default nothing, which costs nothing.
        public var accessLog: AccessLog?
        /// Whether every request gets an identifier, told in `X-Request-Id`, in the bodies of refusals and in the access log.
        ///
        /// Default: if there is an access log.
        public var assignsRequestIDs: Bool?
        /// When errors of the server's own are told as problem details.
        ///
        /// Default: to clients that ask for JSON. RFC 9457.
        public var problemDetails = ProblemDetails.accept
        /// The proxies in front of the server.
        ///
        /// Default none: then nothing that a request says of where it came from is believed.
        public var proxies = TrustedProxies.none
        /// What becomes of a self-check at the start.
        ///
        /// Default: there is none.
        public var selfCheck = SelfCheckPolicy.off
        /// The way to the server's own URLs, for self-checks.
        ///
        /// Default nothing: that of each resource.
        public var selfCheckFetcher: (any Fetcher)?
        /// The way in which loops learn of readiness.
        ///
        /// For tests.
        package var readiness: ReadinessKind
        /// The seconds that `Date` is written from; nothing for the machine's.
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

    /// What a client may cost: sizes in bytes, times from the last progress.
    ///
    /// Beyond a limit the client gets the status that is named.
    public struct Limits: Sendable, Hashable {
        /// The most connections at a time.
        ///
        /// Default 10 000. Beyond it the system's backlog holds what comes; after a second of that, 503 with `Retry-After`. A client that
        /// resets its connection keeps its place until what it has asked for is over.
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
        /// How long a client may take for the head, from its first byte; and before that for the handshake, from the connection's begin.
        ///
        /// Default 10 seconds; then 408, or the end without a word. RFC 9110 §15.5.9.
        public var headerTimeout = Duration.seconds(10)
        /// How long a client may pause within a body.
        ///
        /// Default 30 seconds; then 408.
        public var bodyTimeout = Duration.seconds(30)
        /// The slowest body, after the first ten seconds of waiting for it.
        ///
        /// Default 500 bytes a second; then 408.
        public var minBodyBytesPerSecond = 500
        /// How long a handler may have waited for a body in all before its rate counts.
        ///
        /// Ten seconds. For tests.
        package var bodyRateGracePeriod = Duration.seconds(10)

        /// How long a connection may lie idle between requests.
        ///
        /// Default 60 seconds; then it is closed.
        public var idleTimeout = Duration.seconds(60)
        /// How long a client may take nothing of an answer.
        ///
        /// There is no least rate beyond that: who takes a little each time is served to the end. Default 30 seconds; then the connection
        /// is cut.
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

        /// How much of an answer may be unsent before its writer waits.
        package static let maxUnsentByteCount = 256 * 1024
        /// How much may be read that nobody has asked for yet.
        package static let maxUnreadByteCount = 64 * 1024
        /// How much of a body that nobody wants is read for the sake of the next request, or of the answer to this one.
        package static let maxDiscardedByteCount = 64 * 1024
        /// How long an idle connection is kept when the server stops, for a request that is on its way.
        package static let partingTime = Duration.milliseconds(100)
        /// How long a connection that is being closed waits for the client to take the answer.
        package static let lingerTimeout = Duration.seconds(2)
        /// How many requests of one connection are answered in one turn of its loop.
        package static let requestsPerTurn = 32
        /// How often a streamed answer is written to in one turn of its loop.
        package static let writesPerTurn = 32
    }
}
