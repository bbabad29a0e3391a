// SPDX-License-Identifier: MIT

internal import PortcullisTransport
internal import Synchronization

/// What all connections of a server share: the log, threads for what blocks, and the count of connections.
final class ServerCore: Sendable {
    let log: Server.Log
    let metrics: (any ServerMetrics)?
    let accessLog: AccessLog?
    /// Whether somebody wants to know what was wrong with the requests that are refused.
    let describesRefusals: Bool
    /// Whether every request gets an identifier.
    let namesRequests: Bool
    let proxies: TrustedProxies
    let problemDetails: ProblemDetails
    /// What `Date` is written from, if not from the machine's time.
    let dateSeconds: (@Sendable () -> Int)?
    /// Hosts that the operator was told of.
    let toldHosts = Mutex<[String]>([])
    let pool = BlockingPool()
    let spare = SpareDescriptor()
    private let openCount = Atomic<Int>(0)
    /// How many places are taken: by connections that are open, and by closed ones that left something under way.
    private let takenCount = Atomic<Int>(0)
    private let maxConnectionCount = Atomic<Int>(0)
    /// Whether a listener has found no room and waits for some.
    private let isFull = Atomic<Bool>(false)
    private let state = Mutex(State())

    private struct State {
        var contexts: [LoopContext] = []
        var isStopping = false
        var stopWaiter: CheckedContinuation<Void, Never>?
        /// When it was last said that descriptors had run out.
        var exhaustionNoted: MonotonicInstant?
        /// When it was last said that a proxy sends no PROXY protocol header.
        var headerlessProxyNoted: MonotonicInstant?
    }

    init(_ configuration: Server.Configuration) {
        log = configuration.log
        metrics = configuration.metrics
        accessLog = configuration.accessLog
        describesRefusals =
            configuration.accessLog != nil || configuration.metrics?.describesRefusals == true
        proxies = configuration.proxies
        problemDetails = configuration.problemDetails
        dateSeconds = configuration.dateSeconds
        namesRequests = configuration.namesRequests ?? (configuration.accessLog != nil)
    }

    var contexts: [LoopContext] {
        get { state.withLock { $0.contexts } }
        set { state.withLock { $0.contexts = newValue } }
    }

    // MARK: Counting

    var openConnectionCount: Int { openCount.load(ordering: .relaxed) }

    func connectionOpened() { openCount.add(1, ordering: .relaxed) }

    func connectionClosed() { openCount.subtract(1, ordering: .relaxed) }

    /// Takes a place for a connection, if there is one.
    func mayOpenConnection() -> Bool {
        if takePlace() { return true }
        isFull.store(true, ordering: .sequentiallyConsistent)
        // Whoever gave a place back in between saw nobody waiting.
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

    /// Gives a place back, used or not, and says whether somebody waits for it.
    func giveBackPlace() -> Bool {
        takenCount.subtract(1, ordering: .sequentiallyConsistent)
        return isFull.exchange(false, ordering: .sequentiallyConsistent)
    }

    /// Sets the limit; connections that are open beyond it stay.
    func setMaxConnectionCount(_ count: Int) {
        maxConnectionCount.store(count, ordering: .relaxed)
    }

    /// Says that the process has no descriptor left, not more than once a minute.
    func noteExhaustion(_ now: MonotonicInstant) {
        guard isNews(\.exhaustionNoted, now) else { return }
        log(
            "warning: the system has no file descriptor left for another connection; "
                + "raise its limit, or lower that of connections")
    }

    /// Says that a connection was closed for want of a PROXY protocol header, not more than once a minute: the proxy and the server
    /// have to be set up alike, and the proxy's clients see nothing but closed connections.
    func noteHeaderlessProxy(_ peer: SocketAddress, _ now: MonotonicInstant) {
        guard isNews(\.headerlessProxyNoted, now) else { return }
        log(
            "warning: a connection of the trusted proxy \(peer.host) was closed, since it does not begin with a PROXY protocol header "
                + "that can be read; have the proxy send one, or turn the protocol off here")
    }

    private func isNews(_ noted: WritableKeyPath<State, MonotonicInstant?>, _ now: MonotonicInstant) -> Bool {
        state.withLock { state in
            if let last = state[keyPath: noted], now < last + .seconds(60) { return false }
            state[keyPath: noted] = now
            return true
        }
    }

    // MARK: Stopping

    /// Waits until somebody wants the server to stop.
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
