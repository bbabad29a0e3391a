// SPDX-License-Identifier: MIT

internal import PortcullisTransport
internal import Synchronization

/// The state that all connections of a server share: log, blocking threads, connection count.
final class ServerCore: Sendable {
    let log: Server.Log
    let metrics: (any ServerMetrics)?
    let accessLog: AccessLog?
    /// Whether refusals carry a finding, for the access log or metrics.
    let describesRefusals: Bool
    /// Whether every request gets an identifier.
    let assignsRequestIDs: Bool
    let proxies: TrustedProxies
    let traces: TraceTrust
    let problemDetails: ProblemDetails
    /// The source of `Date`; `nil` for the machine's clock.
    let dateSeconds: (@Sendable () -> Int)?
    /// Hosts that have been logged.
    let toldHosts = Mutex<[String]>([])
    let pool = BlockingPool()
    let spare = SpareDescriptor()
    private let openCount = Atomic<Int>(0)
    /// The number of taken places: open connections, and closed ones with unfinished work.
    private let takenCount = Atomic<Int>(0)
    private let maxConnectionCount = Atomic<Int>(0)
    /// Whether a listener waits for a free place.
    private let isFull = Atomic<Bool>(false)
    private let state = Mutex(State())

    private struct State {
        var contexts: [LoopContext] = []
        var isStopping = false
        var stopWaiter: CheckedContinuation<Void, Never>?
        /// When descriptor exhaustion was last logged.
        var exhaustionNoted: MonotonicInstant?
        /// When a missing PROXY protocol header was last logged.
        var headerlessProxyNoted: MonotonicInstant?
        /// When an ignored client certificate was last logged.
        var ignoredCertificateNoted: MonotonicInstant?
        /// When a question without a described request was last logged.
        var unreadableCarrierNoted: MonotonicInstant?
        /// When a question from a peer that is no trusted proxy was last logged.
        var strangerNoted: MonotonicInstant?
    }

    init(_ configuration: Server.Configuration) {
        log = configuration.log
        metrics = configuration.metrics
        accessLog = configuration.accessLog
        describesRefusals =
            configuration.accessLog != nil || configuration.metrics?.describesRefusals == true
        proxies = configuration.proxies
        traces = configuration.traces
        problemDetails = configuration.problemDetails
        dateSeconds = configuration.dateSeconds
        assignsRequestIDs = configuration.assignsRequestIDs ?? (configuration.accessLog != nil)
    }

    var contexts: [LoopContext] {
        get { state.withLock { $0.contexts } }
        set { state.withLock { $0.contexts = newValue } }
    }

    // MARK: Counting

    var openConnectionCount: Int { openCount.load(ordering: .relaxed) }

    func connectionOpened() { openCount.add(1, ordering: .relaxed) }

    func connectionClosed() { openCount.subtract(1, ordering: .relaxed) }

    /// Takes a place for a connection, if one is free.
    func mayOpenConnection() -> Bool {
        if takePlace() { return true }
        isFull.store(true, ordering: .sequentiallyConsistent)
        // A place may have been given back before the flag was set.
        return takePlace()
    }

    private func takePlace() -> Bool {
        var count = takenCount.load(ordering: .sequentiallyConsistent)
        while count < maxConnectionCount.load(ordering: .relaxed) {
            let (exchanged, original) = takenCount.weakCompareExchange(
                expected: count, desired: count + 1, ordering: .sequentiallyConsistent)
            if exchanged { return true }
            count = original
        }
        return false
    }

    /// Gives a place back.
    ///
    /// - Returns: Whether a listener waits for a place.
    func giveBackPlace() -> Bool {
        takenCount.subtract(1, ordering: .sequentiallyConsistent)
        return isFull.exchange(false, ordering: .sequentiallyConsistent)
    }

    /// Sets the limit; open connections beyond it stay open.
    func setMaxConnectionCount(_ count: Int) {
        maxConnectionCount.store(count, ordering: .relaxed)
    }

    /// Logs that the process has no descriptor left, at most once a minute.
    func noteExhaustion(_ now: MonotonicInstant) {
        guard isNews(\.exhaustionNoted, now) else { return }
        log(
            .warning(
                "no file descriptor left to accept another connection; "
                    + "raise the process's limit of open files, or lower the connection limit"))
    }

    /// Logs that a connection without a PROXY protocol header was closed, at most once a minute.
    ///
    /// The proxy's clients only see closed connections; proxy and server must agree on the protocol.
    func noteHeaderlessProxy(_ peer: SocketAddress, _ now: MonotonicInstant) {
        guard isNews(\.headerlessProxyNoted, now) else { return }
        log(
            .warning(
                "closed a connection of the trusted proxy \(peer.host): it does not begin with a valid PROXY "
                    + "protocol header; configure the proxy to send one, or turn the protocol off here",
                ["peer": peer.host]))
    }

    /// Logs why a certificate of a client did not count, at most once a minute.
    func noteIgnoredCertificate(_ ignored: IgnoredCertificate, _ now: MonotonicInstant) {
        guard isNews(\.ignoredCertificateNoted, now) else { return }
        log(.warning("a client certificate was ignored, and its token refused: \(ignored.reason)"))
    }

    /// Logs why a question of a proxy was refused, at most once a minute.
    func noteUnreadableCarrier(
        _ advice: String, _ peer: SocketAddress, _ path: String, _ now: MonotonicInstant
    ) {
        guard isNews(\.unreadableCarrierNoted, now) else { return }
        log(
            .warning(
                "refused a request of the trusted proxy \(peer.host) for the forward-auth path \(path): "
                    + advice,
                ["peer": peer.host]))
    }

    /// Logs that a peer asked that may not, at most once a minute.
    func noteStrangerAtForwardAuth(_ peer: SocketAddress, _ path: String, _ now: MonotonicInstant) {
        guard isNews(\.strangerNoted, now) else { return }
        log(
            .warning(
                "answered 404 to \(peer.host) for the forward-auth path \(path): it is not in "
                    + "trusted_proxies; add it if it is the proxy",
                ["peer": peer.host]))
    }

    private func isNews(_ noted: WritableKeyPath<State, MonotonicInstant?>, _ now: MonotonicInstant) -> Bool {
        state.withLock { state in
            if let last = state[keyPath: noted], now < last + .seconds(60) { return false }
            state[keyPath: noted] = now
            return true
        }
    }

    // MARK: Stopping

    /// Waits until ``stop()`` is called.
    func untilStopped() async {
        await withCheckedContinuation { continuation in
            let isStopping = state.withLock { state in
                if !state.isStopping { state.stopWaiter = continuation }
                return state.isStopping
            }
            if isStopping { continuation.resume() }
        }
    }

    func stop() {
        let waiter = state.withLock { state in
            state.isStopping = true
            defer { state.stopWaiter = nil }
            return state.stopWaiter
        }
        waiter?.resume()
    }
}
