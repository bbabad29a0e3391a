// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import Synchronization

/// An HTTP/1.1 client for key sets, metadata and introspection: small bounded exchanges with few servers.
///
/// Connections are kept and used again. Redirects are not followed, proxies and cookies not known, nothing is logged. Called on
/// an event loop of the server, it stays on it; elsewhere it has one loop of its own.
///
/// RFC 9112.
public struct HTTPClient: Sendable {
    /// Whom to trust, as whom to come, and how many connections to have.
    public struct Configuration: Sendable {
        /// The certificate authorities that vouch for servers.
        ///
        /// Default: the system's.
        public var roots: TrustedRoots
        /// The certificate to present to servers that ask for one.
        ///
        /// Default: none. RFC 8705 §2.
        public var identity: TLSIdentity?
        /// The most connections to one origin, for each event loop that the client is used on.
        ///
        /// Default 8; at least 1. While all of them are busy with other methods there is one more for `GET`, which goes before the others
        /// that wait: a flood of questions keeps no keys from being fetched.
        public var maxConnectionCount: Int
        /// How many exchanges may wait for a connection to one origin, for each event loop.
        ///
        /// Default 1024. The next fails with ``HTTPClientError/tooManyWaiting``.
        public var maxWaitingCount: Int
        /// How long a connection that nobody uses is kept.
        ///
        /// Default 30 seconds.
        public var idleTimeout: Duration
        /// Which addresses may be connected to.
        ///
        /// Default: any. A host that has no other fails with ``HTTPClientError/forbiddenAddress``. RFC 9728 §7.7.
        public var addresses: AddressPolicy

        /// Makes a configuration; what is not given keeps its default.
        ///
        /// Files are not read yet. Traps on a number below its bound.
        public init(
            roots: TrustedRoots = .system,
            identity: TLSIdentity? = nil,
            maxConnectionCount: Int = 8,
            maxWaitingCount: Int = 1024,
            idleTimeout: Duration = .seconds(30),
            addresses: AddressPolicy = .any,
            file: StaticString = #fileID, line: UInt = #line
        ) {
            endUnless(
                maxConnectionCount >= 1, "A client needs one connection at least.", file: file, line: line)
            endUnless(maxWaitingCount >= 0, "A limit is not negative.", file: file, line: line)
            self.roots = roots
            self.identity = identity
            self.maxConnectionCount = maxConnectionCount
            self.maxWaitingCount = maxWaitingCount
            self.idleTimeout = idleTimeout
            self.addresses = addresses
        }
    }

    private let core: HTTPClientCore

    /// Makes a client and reads the certificates that it is given.
    ///
    /// If they cannot be read, every exchange over https fails with ``HTTPClientError/tls(_:)``; who wants to know at once calls
    /// ``init(validating:)``. The system's roots are read for the first exchange over https, once for all clients that there are by then.
    public init(configuration: Configuration = Configuration()) {
        core = HTTPClientCore(configuration, loops: nil, resolver: Resolver())
    }

    /// Makes a client and reads the certificates that it is given.
    ///
    /// The system's roots are read for the first exchange over https, which fails if there are none.
    ///
    /// - Throws: ``HTTPClientError/tls(_:)`` if given roots, certificate or key cannot be read or used.
    public init(validating configuration: Configuration) throws(HTTPClientError) {
        core = HTTPClientCore(configuration, loops: nil, resolver: Resolver())
        if let error = core.settings.tls.problem { throw .tls(error) }
    }

    package init(
        configuration: Configuration, loops: EventLoopGroup?, resolver: Resolver = Resolver(),
        systemRoots: SystemRoots = .shared
    ) {
        core = HTTPClientCore(configuration, loops: loops, resolver: resolver, systemRoots: systemRoots)
    }

    /// Sends a request and waits for the whole response, at most for the request's deadline.
    ///
    /// Does not look at the status. Cancelling the task closes the connection that the exchange is on.
    ///
    /// - Throws: ``HTTPClientError``, each case as it says.
    ///
    /// RFC 9112 §9.
    nonisolated(nonsending) package func execute(_ request: Request) async throws(HTTPClientError) -> Response
    {
        let exchange = try Exchange(request, now: .now())
        let pool = try core.pool()
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                exchange.begin(continuation)
                pool.perform { $0.start(exchange) }
            }
        } onCancel: {
            exchange.finish(.failure(.cancelled))
            pool.perform { $0.abandon(exchange) }
        }
        let response = try outcome.get()
        return Response(status: response.status, fields: response.fields, body: response.body)
    }

    /// Sends a message without a task that waits: `finish` is called once, within the deadline.
    ///
    /// On the loop that this is called on, perhaps before it returns; elsewhere on another thread. Not to be cancelled. If the loop
    /// ends meanwhile, what may be repeated is sent once more on a loop of the client's own.
    package func send(
        _ message: [UInt8], of prepared: PreparedRequest, deadline: Duration, maxResponseByteCount: Int,
        isRepeatable: Bool,
        then finish: @escaping @Sendable (Result<ReceivedResponse, HTTPClientError>) -> Void
    ) {
        let pool: ConnectionPool
        do throws(HTTPClientError) {
            pool = try core.pool()
        } catch {
            return finish(.failure(error))
        }
        let end = MonotonicInstant.now() + deadline
        pool.begin(
            Exchange(
                prepared, message: message, deadline: end, maxResponseByteCount: maxResponseByteCount,
                isRepeatable: isRepeatable
            ) { outcome in
                guard case .failure(.closed) = outcome, isRepeatable, pool.loop.isCurrent, pool.loop.hasEnded
                else { return finish(outcome) }
                core.sendOnOwnLoop(message, prepared, end, maxResponseByteCount, finish)
            })
    }
}

/// What the copies of a client share.
///
/// When the last goes, its connections are closed.
final class HTTPClientCore: Sendable {
    private struct State {
        var pools: [ObjectIdentifier: ConnectionPool] = [:]
        var ownLoops: EventLoopGroup?
    }

    let settings: ConnectionPool.Settings
    private let resolver: Resolver
    private let ownsLoops: Bool
    private let state: Mutex<State>

    init(
        _ configuration: HTTPClient.Configuration, loops: EventLoopGroup?, resolver: Resolver,
        systemRoots: SystemRoots = .shared
    ) {
        settings = ConnectionPool.Settings(
            tls: ClientTLS(
                trusting: configuration.roots, presenting: configuration.identity, systemRoots: systemRoots),
            maxConnectionCount: configuration.maxConnectionCount,
            maxWaitingCount: configuration.maxWaitingCount,
            idleTimeout: configuration.idleTimeout,
            addresses: configuration.addresses)
        self.resolver = resolver
        ownsLoops = loops == nil
        state = Mutex(State(ownLoops: loops))
    }

    deinit {
        let (pools, loops) = state.withLock { ($0.pools, $0.ownLoops) }
        for pool in pools.values { pool.perform { $0.shutDown() } }
        if ownsLoops { loops?.shutDown() }
    }

    /// The pool of the loop that this is called on, or of a loop of the client's own.
    func pool() throws(HTTPClientError) -> ConnectionPool {
        // One that has ended serves nothing any more, and would keep a pool for ever.
        try pool(on: EventLoop.current.flatMap { $0.hasEnded ? nil : $0 })
    }

    private func pool(on current: EventLoop?) throws(HTTPClientError) -> ConnectionPool {
        do throws(SocketError) {
            return try state.withLock { (state) throws(SocketError) in
                let loop = if let current { current } else { try Self.ownLoop(&state) }
                if let pool = state.pools[ObjectIdentifier(loop)] { return pool }
                let pool = ConnectionPool(on: loop, settings, resolver)
                state.pools[ObjectIdentifier(loop)] = pool
                pool.perform { pool in pool.watchLoop { [weak self] in self?.forgetPool(of: loop) } }
                return pool
            }
        } catch {
            throw .unavailable(error.code)
        }
    }

    private func forgetPool(of loop: EventLoop) {
        state.withLock { $0.pools[ObjectIdentifier(loop)] = nil }
    }

    /// Sends what was on its way on a loop that has ended.
    func sendOnOwnLoop(
        _ message: [UInt8], _ prepared: PreparedRequest, _ deadline: MonotonicInstant,
        _ maxResponseByteCount: Int, _ finish: @escaping @Sendable (Exchange.Outcome) -> Void
    ) {
        let pool: ConnectionPool
        do throws(HTTPClientError) {
            pool = try self.pool(on: nil)
        } catch {
            return finish(.failure(error))
        }
        pool.begin(
            Exchange(
                prepared, message: message, deadline: deadline, maxResponseByteCount: maxResponseByteCount,
                isRepeatable: true, then: finish))
    }

    private static func ownLoop(_ state: inout State) throws(SocketError) -> EventLoop {
        if let loops = state.ownLoops { return loops.next() }
        let loops = try EventLoopGroup(count: 1)
        state.ownLoops = loops
        return loops.next()
    }
}
