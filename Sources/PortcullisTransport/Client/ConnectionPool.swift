// SPDX-License-Identifier: MIT

internal import Dispatch

/// The connections of one client on one event loop, and the exchanges that wait for them.
// SAFETY: used on its loop only, except for constants: `perform` and `begin` move there. An actor would check
// the executor, and allocate, for each call.
final class ConnectionPool: @unchecked Sendable {
    /// What the configuration comes to.
    struct Settings: Sendable {
        let tls: ClientTLS
        let maxConnectionCount: Int
        let maxWaitingCount: Int
        let idleTimeout: Duration
        var addresses: AddressPolicy
        let proxies: OutboundProxies
        let userAgent: String?
        let whenSecured: (@Sendable (_ host: String, TLSPeer) -> Void)?

        func permitting(_ addresses: AddressPolicy) -> Settings {
            var settings = self
            settings.addresses = addresses
            return settings
        }
    }

    /// The connections to one origin.
    final class OriginState {
        let origin: Origin
        fileprivate var connections: [ObjectIdentifier: ClientConnection] = [:]
        fileprivate var idle: [ClientConnection] = []
        fileprivate var waiting = WaitingExchanges()
        fileprivate var isPreparing = false
        fileprivate var isServing = false

        fileprivate init(_ origin: Origin) { self.origin = origin }

        /// The next exchange for a connection; without one the connection becomes idle.
        fileprivate func next(for connection: ClientConnection) -> Exchange? {
            if let next = waiting.popFirst() { return next }
            idle.append(connection)
            return nil
        }
    }

    let loop: EventLoop
    let settings: Settings
    private let resolver: Resolver
    private var origins: [Origin: OriginState] = [:]
    /// The origin of the last request: most clients have few, and a comparison costs less than a hash.
    private var lastOrigin: OriginState?
    /// Where connections read into, one at a time.
    // SAFETY: no call keeps the contents after it returns.
    let readBuffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: readByteCount, alignment: 16)
    /// The most bytes of one read: four TLS records; large responses cost fewer calls this way.
    static let readByteCount = 65_536
    private var wakeUp = MonotonicInstant.distantFuture
    private var timer: (any DispatchSourceTimer)?

    init(on loop: EventLoop, _ settings: Settings, _ resolver: Resolver) {
        self.loop = loop
        self.settings = settings
        self.resolver = resolver
    }

    deinit {
        readBuffer.deallocate()
    }

    /// Does something on the pool's loop: at once if the caller is there.
    func perform(_ work: @escaping @Sendable (ConnectionPool) -> Void) {
        loop.execute { work(self) }
    }

    /// Starts an exchange on the pool's loop: at once if the caller is there.
    func begin(_ exchange: Exchange) {
        guard loop.isCurrent else { return perform { $0.start(exchange) } }
        start(exchange)
    }

    /// Sends an exchange on an idle connection, or queues it and opens a connection if the limit allows.
    func start(_ exchange: Exchange) {
        guard !exchange.isFinished else { return }
        guard !loop.hasEnded else { return exchange.finish(.failure(.closed)) }
        // Asked for each time: the state is forgotten with its last connection.
        while let connection = state(of: exchange.origin).idle.popLast() {
            // Bytes that arrived meanwhile would be taken for the answer. RFC 9112 §9.2.
            guard connection.rest(isReusedNow: true) else { continue }
            return connection.send(exchange)
        }
        let state = state(of: exchange.origin)
        let free = max(0, settings.maxConnectionCount - state.connections.count)
        guard state.waiting.count < settings.maxWaitingCount + free else {
            exchange.finish(.failure(.tooManyWaiting))
            return removeIfUnused(state)
        }
        state.waiting.append(exchange)
        serve(state)
        if !exchange.isFinished { wake(at: exchange.deadline) }
    }

    private func state(of origin: Origin) -> OriginState {
        if let lastOrigin, lastOrigin.origin == origin { return lastOrigin }
        let state = origins[origin] ?? OriginState(origin)
        origins[origin] = state
        lastOrigin = state
        return state
    }

    private func removeIfUnused(_ state: OriginState) {
        guard state.connections.isEmpty, state.waiting.count == 0, !state.isPreparing else { return }
        origins[state.origin] = nil
        if lastOrigin === state { lastOrigin = nil }
    }

    /// Stops an exchange whose caller no longer waits.
    func abandon(_ exchange: Exchange) {
        origins[exchange.origin]?.waiting.remove(exchange)
        for connection in (origins[exchange.origin]?.connections ?? [:]).values {
            connection.abandon(exchange)
        }
    }

    /// Takes back a connection after a successful exchange.
    func release(_ connection: ClientConnection) {
        let state = connection.place
        guard connection.rest(isReusedNow: state.waiting.count > 0) else { return }
        if let next = state.next(for: connection) {
            connection.send(next)
        }
    }

    /// Removes a closed connection.
    ///
    /// An exchange to repeat goes to the front of the queue.
    func forget(_ connection: ClientConnection, repeating exchange: Exchange? = nil) {
        let state = connection.place
        guard state.connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else {
            return
        }
        state.idle.removeAll { $0 === connection }
        if let exchange {
            state.waiting.prepend(exchange)
            wake(at: exchange.deadline)
        }
        serve(state)
    }

    /// Shuts the pool down when the loop ends, after calling `tell`.
    func watchLoop(_ tell: @escaping @Sendable () -> Void) {
        loop.setLastWork(of: self) { [weak self] in
            tell()
            self?.shutDown()
        }
    }

    /// Closes all connections; all waiting exchanges fail.
    func shutDown() {
        loop.setLastWork(of: self, nil)
        let states = origins.values
        origins = [:]
        lastOrigin = nil
        timer?.cancel()
        timer = nil
        for state in states {
            let connections = state.connections
            state.connections = [:]
            state.idle = []
            for exchange in state.waiting.removeAll() { exchange.finish(.failure(.closed)) }
            for connection in connections.values { connection.close() }
        }
    }

    /// Opens connections for waiting exchanges, up to the limit.
    ///
    /// Opening may fail at once and call this method again; the outer call then continues, so that the stack
    /// does not grow with the queue.
    private func serve(_ state: OriginState) {
        guard !state.isServing else { return }
        state.isServing = true
        while state.waiting.count > 0, !state.isPreparing,
            state.connections.count < maxConnectionCount(for: state)
        {
            prepare(state)
        }
        state.isServing = false
        removeIfUnused(state)
    }

    /// The most connections allowed: one more for a `GET` while all are busy with other methods, so that keys
    /// can be fetched while introspection requests hang.
    private func maxConnectionCount(for state: OriginState) -> Int {
        let isReserved =
            state.waiting.beginsWithPriority
            && !state.connections.values.contains { $0.isBusyWithPriority }
        return settings.maxConnectionCount + (isReserved ? 1 : 0)
    }

    /// Gets what the next connection needs: addresses and, with TLS, the trusted certificates.
    private func prepare(_ state: OriginState) {
        let origin = state.origin
        state.isPreparing = true
        guard let proxy = settings.proxies.proxy(for: origin) else {
            return resolve(origin) { $0.resolved(origin, $0.permitted($1)) }
        }
        // Without a policy, names are left to the proxy: this machine may be unable to look them up.
        guard settings.addresses != .any else { return prepare(origin, behind: proxy) }
        resolve(origin) { pool, answer in
            if case .failure(.forbiddenAddress) = pool.permitted(answer) {
                return pool.prepared(origin, .failure(.forbiddenAddress), nil)
            }
            pool.prepare(origin, behind: proxy)
        }
    }

    /// Gets the addresses of the proxy; the address policy is about servers.
    private func prepare(_ origin: Origin, behind proxy: OutboundProxy) {
        resolve(proxy.origin) { pool, answer in
            pool.resolved(
                origin,
                answer.mapError { error in
                    if case .resolveFailed(let code) = error { .proxy(.resolveFailed(code)) } else { error }
                })
        }
    }

    private func resolve(
        _ origin: Origin, then next: @escaping @Sendable (ConnectionPool, Resolver.Answer) -> Void
    ) {
        resolver.resolve(origin, now: loop.now) { [weak self] answer in
            self?.perform { next($0, answer) }
        }
    }

    private func resolved(_ origin: Origin, _ answer: Resolver.Answer) {
        guard origin.isEncrypted, case .success(let addresses) = answer else {
            return prepared(origin, answer, nil)
        }
        settings.tls.whenReady { [weak self] context in
            self?.perform { pool in
                switch context {
                case .success(let context): pool.prepared(origin, .success(addresses), context)
                case .failure(let error): pool.prepared(origin, .failure(.tls(error)), nil)
                }
            }
        }
    }

    private func prepared(_ origin: Origin, _ answer: Resolver.Answer, _ context: TLSContext?) {
        // After a shutdown there is none.
        guard let state = origins[origin] else { return }
        state.isPreparing = false
        switch answer {
        case .failure(let error):
            for exchange in state.waiting.removeAll() { exchange.finish(.failure(error)) }
        case .success(let addresses):
            if let exchange = state.waiting.popFirst() { open(state, addresses, context, for: exchange) }
        }
        serve(state)
    }

    /// Filters the addresses by the address policy.
    ///
    /// The client connects to exactly these addresses, and does not look the name up again.
    private func permitted(_ answer: Resolver.Answer) -> Resolver.Answer {
        guard settings.addresses != .any, case .success(let all) = answer else { return answer }
        let addresses = all.filter { settings.addresses.permits($0) }
        return addresses.isEmpty ? .failure(.forbiddenAddress) : .success(addresses)
    }

    private func open(
        _ state: OriginState, _ addresses: [ResolvedAddress], _ context: TLSContext?, for exchange: Exchange
    ) {
        let connection = ClientConnection(
            in: state, addresses, under: context, through: settings.proxies.proxy(for: state.origin),
            pool: self)
        state.connections[ObjectIdentifier(connection)] = connection
        connection.connect(for: exchange)
    }

    /// Schedules a check of the queue for its first deadline.
    private func wake(at deadline: MonotonicInstant) {
        guard deadline < wakeUp else { return }
        wakeUp = deadline
        let timer = timer ?? makeTimer()
        let delay = Int(clamping: (deadline - .now()).wholeNanoseconds)
        timer.schedule(deadline: .now() + .nanoseconds(delay), leeway: .milliseconds(5))
    }

    private func makeTimer() -> any DispatchSourceTimer {
        let timer = DispatchSource.makeTimerSource(queue: loop.queue)
        timer.setEventHandler { [weak self] in
            self?.perform { $0.expire() }
        }
        self.timer = timer
        timer.resume()
        return timer
    }

    private func expire() {
        wakeUp = .distantFuture
        let now = MonotonicInstant.now()
        var next = MonotonicInstant.distantFuture
        for state in origins.values {
            let isPreparing = state.isPreparing
            for exchange in state.waiting.removeExpired(at: now) {
                exchange.finish(.failure(.timeout(isPreparing ? .preparing : .waiting)))
            }
            next = min(next, state.waiting.earliestDeadline)
        }
        if next != .distantFuture { wake(at: next) }
    }
}
