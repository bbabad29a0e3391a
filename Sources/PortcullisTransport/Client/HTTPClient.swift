// SPDX-License-Identifier: MIT

package import PortcullisHTTP
internal import Synchronization

/// An HTTP/1.1 client for key sets, metadata and introspection: small, bounded exchanges with few servers.
///
/// Reuses connections. Follows no redirects, has no cookies, and logs nothing. A call on an
/// event loop of the server stays on that loop; other calls use one loop that the client owns.
///
/// RFC 9112.
public struct HTTPClient: Sendable {
    /// Trusted roots, client certificate, and connection limits.
    public struct Configuration: Sendable {
        /// The certificate authorities trusted for servers.
        ///
        /// Default: the system's.
        public var roots: TrustedRoots
        /// The certificate to present to servers that request one.
        ///
        /// Default: none. RFC 8705 §2.
        public var identity: TLSIdentity?
        /// The most connections to one origin, for each event loop that uses the client.
        ///
        /// Default 8; at least 1. While all are busy with other methods, there is one more for `GET`, which
        /// has priority in the queue: a flood of introspection requests cannot block fetching keys.
        public var maxConnectionCount: Int
        /// The most exchanges that wait for a connection to one origin, for each event loop.
        ///
        /// Default 1024. The next fails with ``HTTPClientError/tooManyWaiting``.
        public var maxWaitingCount: Int
        /// How long an unused connection is kept.
        ///
        /// Default 30 seconds.
        public var idleTimeout: Duration
        /// The addresses that the client may connect to.
        ///
        /// Default: any. A host without a permitted address fails with ``HTTPClientError/forbiddenAddress``.
        /// RFC 9728 §7.7.
        ///
        /// A proxy may have any address. Of the servers behind a proxy, those whose name this machine can
        /// look up are checked here; for the others the proxy decides.
        public var addresses: AddressPolicy
        /// The proxies to call servers through.
        ///
        /// Default: none.
        public var proxies: OutboundProxies
        /// The `User-Agent` of requests that have none of their own; `nil` for none.
        ///
        /// Default ``HTTPClient/defaultUserAgent``. RFC 9110 §10.1.5.
        public var userAgent: String?
        /// Called on the client's loop after each handshake, with the host; default `nil`.
        package var whenSecured: (@Sendable (_ host: String, TLSPeer) -> Void)?

        /// Makes a configuration; omitted values keep their defaults.
        ///
        /// Does not read files yet. Traps on a number below its bound.
        public init(
            roots: TrustedRoots = .system,
            identity: TLSIdentity? = nil,
            maxConnectionCount: Int = 8,
            maxWaitingCount: Int = 1024,
            idleTimeout: Duration = .seconds(30),
            addresses: AddressPolicy = .any,
            proxies: OutboundProxies = .none,
            userAgent: String? = HTTPClient.defaultUserAgent,
            file: StaticString = #fileID, line: UInt = #line
        ) {
            endUnless(
                maxConnectionCount >= 1, "maxConnectionCount must be at least 1.", file: file, line: line)
            endUnless(maxWaitingCount >= 0, "maxWaitingCount must not be negative.", file: file, line: line)
            self.roots = roots
            self.identity = identity
            self.maxConnectionCount = maxConnectionCount
            self.maxWaitingCount = maxWaitingCount
            self.idleTimeout = idleTimeout
            endUnless(
                userAgent.map { Fields.isValid($0) && !$0.isEmpty } ?? true,
                "userAgent must be the value of a field.", file: file, line: line)
            self.addresses = addresses
            self.proxies = proxies
            self.userAgent = userAgent
        }
    }

    let core: HTTPClientCore

    /// Makes a client and reads the configured certificates.
    ///
    /// If they cannot be read, every https exchange fails with ``HTTPClientError/tls(_:)``; use
    /// ``init(validating:)`` to get the error at once. The first https exchange reads the system's roots,
    /// once for all clients that exist by then.
    public init(configuration: Configuration = Configuration()) {
        core = HTTPClientCore(configuration, loops: nil, resolver: Resolver())
    }

    /// Makes a client and reads the configured certificates.
    ///
    /// The first https exchange reads the system's roots, and fails if there are none.
    ///
    /// - Throws: ``HTTPClientError/tls(_:)`` if configured roots, certificate or key cannot be used.
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

    /// Sends a request and waits for the whole response, at most until the request's deadline.
    ///
    /// Accepts any status. Cancelling the task closes the connection of the exchange.
    ///
    /// - Throws: ``HTTPClientError``.
    ///
    /// RFC 9112 §9.
    nonisolated(nonsending) package func execute(
        _ request: Request, permitting addresses: AddressPolicy = .any
    ) async throws(HTTPClientError) -> Response {
        var fields = Fields()
        for (name, value) in request.fields {
            guard Fields.isValid(value) else { throw .invalidField }
            fields.append(value, for: name)
        }
        let exchange = Exchange(
            try prepare(request.method, request.url, fields: fields), sending: request, now: .now())
        let pool = try core.pool(permitting: addresses)
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

    /// Looks up a URL's host, and passes on whether one of its addresses is private; `false` if it has none.
    ///
    /// Calls `finish` once, on any thread, maybe before it returns.
    package func hasPrivateAddress(_ url: String, then finish: @escaping @Sendable (Bool) -> Void) {
        core.hasPrivateAddress(url, then: finish)
    }

    /// Checks and serializes what all requests to one URL have in common, for this client only.
    ///
    /// - Throws: `invalidURL`, `invalidMethod`, `reservedField`.
    package func prepare(
        _ method: Method, _ url: String, fields: Fields
    ) throws(HTTPClientError) -> PreparedRequest {
        try PreparedRequest(
            method, url, fields: fields, userAgent: core.settings.userAgent, through: core.settings.proxies)
    }

    /// Sends a message without a waiting task: calls `finish` once, within the deadline.
    ///
    /// Called on an event loop, it calls `finish` on that loop, maybe before it returns; otherwise on another
    /// thread. Cannot be cancelled. If the loop ends meanwhile, a repeatable message is sent once more on the
    /// client's own loop.
    package func send(
        _ message: [UInt8], of prepared: PreparedRequest, deadline: Duration, maxResponseByteCount: Int,
        isRepeatable: Bool, permitting addresses: AddressPolicy = .any,
        then finish: @escaping @Sendable (Result<ReceivedResponse, HTTPClientError>) -> Void
    ) {
        let pool: ConnectionPool
        do throws(HTTPClientError) {
            pool = try core.pool(permitting: addresses)
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
                core.sendOnOwnLoop(message, prepared, end, maxResponseByteCount, addresses, finish)
            })
    }
}

/// The state that the copies of a client share.
///
/// Closes its connections when the last copy is released.
final class HTTPClientCore: Sendable {
    private struct State {
        var pools: [ObjectIdentifier: ConnectionPool] = [:]
        /// Connections to public addresses only; apart, so that none to a private address is reused.
        var publicPools: [ObjectIdentifier: ConnectionPool] = [:]
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
            addresses: configuration.addresses,
            proxies: configuration.proxies,
            userAgent: configuration.userAgent,
            whenSecured: configuration.whenSecured)
        self.resolver = resolver
        ownsLoops = loops == nil
        state = Mutex(State(ownLoops: loops))
    }

    deinit {
        let (pools, loops) = state.withLock { state in
            (Array(state.pools.values) + state.publicPools.values, state.ownLoops)
        }
        for pool in pools { pool.perform { $0.shutDown() } }
        if ownsLoops { loops?.shutDown() }
    }

    /// The pool of the current loop, or of the client's own loop.
    ///
    /// - Parameter addresses: May be narrower than the configured policy, never wider.
    func pool(permitting addresses: AddressPolicy) throws(HTTPClientError) -> ConnectionPool {
        // A loop that has ended serves nothing, and would keep a pool forever.
        try pool(on: EventLoop.current.flatMap { $0.hasEnded ? nil : $0 }, addresses)
    }

    private func pool(
        on current: EventLoop?, _ addresses: AddressPolicy
    ) throws(HTTPClientError) -> ConnectionPool {
        do throws(SocketError) {
            return try state.withLock { (state) throws(SocketError) in
                let loop = if let current { current } else { try Self.ownLoop(&state) }
                let isNarrower = addresses != .any && settings.addresses == .any
                let known = isNarrower ? state.publicPools : state.pools
                if let pool = known[ObjectIdentifier(loop)] { return pool }
                let pool = ConnectionPool(
                    on: loop, isNarrower ? settings.permitting(addresses) : settings, resolver)
                if isNarrower {
                    state.publicPools[ObjectIdentifier(loop)] = pool
                } else {
                    state.pools[ObjectIdentifier(loop)] = pool
                }
                pool.perform { pool in pool.watchLoop { [weak self] in self?.forgetPool(of: loop) } }
                return pool
            }
        } catch {
            throw .unavailable(error.code)
        }
    }

    private func forgetPool(of loop: EventLoop) {
        state.withLock { state in
            state.pools[ObjectIdentifier(loop)] = nil
            state.publicPools[ObjectIdentifier(loop)] = nil
        }
    }

    func hasPrivateAddress(_ url: String, then finish: @escaping @Sendable (Bool) -> Void) {
        guard let origin = try? RequestURL(url).origin else { return finish(false) }
        resolver.resolve(origin, now: .now()) { answer in
            let addresses = (try? answer.get()) ?? []
            finish(addresses.contains { !AddressPolicy.publicOnly.permits($0) })
        }
    }

    /// Sends a message again that was in flight on a loop that has ended.
    func sendOnOwnLoop(
        _ message: [UInt8], _ prepared: PreparedRequest, _ deadline: MonotonicInstant,
        _ maxResponseByteCount: Int, _ addresses: AddressPolicy,
        _ finish: @escaping @Sendable (Exchange.Outcome) -> Void
    ) {
        let pool: ConnectionPool
        do throws(HTTPClientError) {
            pool = try self.pool(on: nil, addresses)
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
