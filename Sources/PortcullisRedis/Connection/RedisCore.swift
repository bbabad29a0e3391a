// SPDX-License-Identifier: MIT

internal import PortcullisTransport
internal import Synchronization

/// The state of a client, isolated to its event loop.
actor RedisCore {
    private static let firstPause = Duration.milliseconds(100)
    private static let longestPause = Duration.seconds(2)
    private static let clockReportInterval = Duration.seconds(60)

    nonisolated let loop: EventLoop
    private let origin: Origin
    private let tls: ClientTLS?
    private let greeting: RedisGreeting
    private let timeout: Duration
    private let report: @Sendable (RedisEvent) -> Void
    /// Whether the last command was answered.
    nonisolated let isUp = Atomic(false)
    /// The last reported event.
    private var lastReport: RedisEvent?
    private var isShut = false
    /// Whether the refused subscription has been reported.
    private var hasReportedRefusal = false
    private var nextClockReport = MonotonicInstant(nanoseconds: 0)
    private let resolver: Resolver
    private var connection: RedisConnection?
    private var hasAnswered = false
    private var pause = firstPause
    private var nextAttempt = MonotonicInstant(nanoseconds: 0)

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(
        on loop: EventLoop, to origin: Origin, tls: ClientTLS?, greeting: RedisGreeting,
        timeout: Duration, resolver: Resolver, reporting report: @escaping @Sendable (RedisEvent) -> Void
    ) {
        self.loop = loop
        self.origin = origin
        self.tls = tls
        self.greeting = greeting
        self.timeout = timeout
        self.resolver = resolver
        self.report = report
    }

    /// Sends a command and waits for the reply.
    nonisolated func execute(_ words: [[UInt8]]) async throws(RedisFailure) -> RESPValue {
        let command = RESPCommand.encode(words)
        let reply = await withCheckedContinuation { continuation in
            loop.execute {
                self.assumeIsolated { $0.send(command) { continuation.resume(returning: $0) } }
            }
        }
        return try reply.get()
    }

    /// Sends a command over the open connection or a new one.
    private func send(_ command: [UInt8], _ receive: @escaping @Sendable (RedisConnection.Reply) -> Void) {
        guard let connection = connection ?? connect() else { return receive(.failure(.unavailable)) }
        let deadline = loop.now + timeout
        connection.assumeIsolated { connection in
            connection.send(command, before: deadline) { [weak self] reply in
                self?.assumeIsolated { $0.record(reply) }
                receive(reply)
            }
        }
    }

    /// Opens a connection that subscribes to a channel.
    ///
    /// - Parameter ended: Called once when the connection is lost or cannot be opened.
    func listen(
        to channel: [UInt8], _ take: @escaping @Sendable (RESPValue) -> Void,
        ended: @escaping @Sendable (RedisFault) -> Void
    ) -> RedisConnection {
        let connection = RedisConnection(on: loop, unasked: take, ended: ended)
        start(connection)
        connection.assumeIsolated { $0.listen(RESPCommand.encode([Array("SUBSCRIBE".utf8), channel])) }
        return connection
    }

    nonisolated func shutDown(_ then: @escaping @Sendable () -> Void) {
        loop.execute {
            self.assumeIsolated { core in
                core.isShut = true
                core.connection?.assumeIsolated { $0.close() }
            }
            then()
        }
    }

    private func connect() -> RedisConnection? {
        guard !isShut, loop.now >= nextAttempt else { return nil }
        let connection = RedisConnection(
            on: loop,
            ended: { [weak self] fault in self?.assumeIsolated { $0.connectionEnded(fault) } })
        self.connection = connection
        hasAnswered = false
        start(connection)
        return self.connection
    }

    private func start(_ connection: RedisConnection) {
        // The connection queues commands until it is open; the first ones authenticate.
        let deadline = loop.now + timeout
        connection.assumeIsolated { connection in
            for step in greeting.steps {
                connection.send(step.command, before: deadline) { [weak self, weak connection] reply in
                    guard case .success(let value) = reply else { return }
                    if !RedisGreeting.isWelcome(value) {
                        connection?.assumeIsolated { $0.close(step.fault) }
                    } else if step.isLast {
                        self?.assumeIsolated { $0.answered() }
                    }
                }
            }
        }
        // Time out the name lookup as well: the system's own timeout may be far longer.
        Task { [loop, timeout] in
            try? await Task.sleep(for: timeout)
            loop.execute { connection.assumeIsolated { $0.giveUpLookingUp() } }
        }
        prepare(connection)
    }

    /// Connects once the address is resolved and, with TLS, the trusted roots are loaded.
    private func prepare(_ connection: RedisConnection) {
        resolver.resolve(origin, now: loop.now) { [loop, tls, identity = origin.serverIdentity] answer in
            let connect: @Sendable (Result<TLSContext, TLSError>?) -> Void = { context in
                loop.execute {
                    connection.assumeIsolated { connection in
                        switch (answer, context) {
                        case (.failure, _): connection.close(.unreachable)
                        case (_, .failure): connection.close(.insecure)
                        case (.success(let addresses), .success(let context)):
                            connection.connect(to: addresses, tls: (context, identity))
                        case (.success(let addresses), nil): connection.connect(to: addresses)
                        }
                    }
                }
            }
            guard let tls, case .success = answer else { return connect(nil) }
            tls.whenReady(connect)
        }
    }

    /// Reports once that the store refuses the subscription.
    func subscriptionRefused() {
        guard !hasReportedRefusal, !isShut else { return }
        hasReportedRefusal = true
        report(.subscriptionRefused)
    }

    /// Reports, at most once a minute, that the store's clock is too far ahead of this machine's.
    nonisolated func reportClock() {
        loop.execute { self.assumeIsolated { $0.clockDiffers() } }
    }

    private func clockDiffers() {
        guard loop.now >= nextClockReport, !isShut else { return }
        nextClockReport = loop.now + Self.clockReportInterval
        report(.clockAhead)
    }

    private func answered() {
        hasAnswered = true
        pause = Self.firstPause
    }

    private func connectionEnded(_ fault: RedisFault) {
        connection = nil
        // Reconnect at once after a working connection, and after a pause otherwise.
        guard hasAnswered else {
            record(fault)
            nextAttempt = max(nextAttempt, loop.now + pause)
            pause = min(pause * 2, Self.longestPause)
            return
        }
        if fault == .timeout { record(fault) }
    }

    private func record(_ reply: RedisConnection.Reply) {
        // Failures are reported when the connection ends, since the fault is known there.
        guard case .success(let value) = reply else { return }
        if case .error = value { return record(.refusing) }
        isUp.store(true, ordering: .relaxed)
        reportChange(.available)
    }

    private func record(_ fault: RedisFault) {
        isUp.store(false, ordering: .relaxed)
        // Once per outage, even if its reason changes.
        if case .unavailable = lastReport { return }
        reportChange(.unavailable(fault))
    }

    private func reportChange(_ event: RedisEvent) {
        guard event != lastReport, !isShut else { return }
        lastReport = event
        report(event)
    }
}
