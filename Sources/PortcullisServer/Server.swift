// SPDX-License-Identifier: MIT

public import Portcullis
internal import PortcullisHTTP
public import PortcullisTransport

/// An HTTP/1.1 server with declared routes.
///
/// Serves plain HTTP, or HTTPS if ``Configuration/tls`` is set.
///
/// RFC 9110, RFC 9112.
public struct Server: Sendable {
    private let host: String
    private let port: Int
    private let socket: ServerSocket?
    let configuration: Configuration
    /// The current routes and limits, shared by all copies.
    let deployment: Deployment

    /// Declares a server.
    ///
    /// ``run(onListening:)`` binds the address.
    ///
    /// Traps with every problem if the routes are inconsistent, or if the port is outside 0 to 65535: these
    /// are mistakes in the program. Use ``init(validating:host:port:configuration:)`` for routes from
    /// outside.
    ///
    /// - Parameters:
    ///   - host: The address or name to listen on, or `unix:` and a path, as for ``ServerSocket``. Default:
    ///     loopback only.
    ///   - port: The port, at most 65535; 0 for any free port.
    ///   - configuration: The configuration.
    ///   - file: The file that a mistake is reported in. Default: the caller's.
    ///   - line: The line that a mistake is reported in. Default: the caller's.
    ///   - declare: Adds the routes.
    public init(
        host: String = "127.0.0.1", port: Int = 8080, configuration: Configuration = Configuration(),
        file: StaticString = #fileID, line: UInt = #line,
        _ declare: (inout Routes) -> Void
    ) {
        var routes = Routes()
        declare(&routes)
        do throws(ConfigurationError) {
            try self.init(validating: routes, host: host, port: port, configuration: configuration)
        } catch {
            endForMistake(error.description, file: file, line: line)
        }
    }

    /// Makes a server from routes known only at run time.
    ///
    /// - Throws: `ConfigurationError` with every problem.
    public init(
        validating routes: Routes, host: String = "127.0.0.1", port: Int = 8080,
        configuration: Configuration = Configuration()
    ) throws(ConfigurationError) {
        var problems: [ConfigurationError.Problem] = []
        if !SocketAddress.ports.contains(port) {
            problems.append(.init("The port of a server is a number from 0 to 65535."))
        }
        let stopping = ServerStopping()
        let table: RoutingTable
        do throws(ConfigurationError) {
            table = try Self.table(routes, configuration, stopping)
        } catch {
            throw ConfigurationError(problems + error.problems)
        }
        guard problems.isEmpty else { throw ConfigurationError(problems) }
        deployment = Deployment(table, configuration, stopping)
        self.host = host
        self.port = port
        self.configuration = configuration
        socket = nil
    }

    /// Makes a server on a bound address, for routes that need to know their port.
    ///
    /// - Throws: `ConfigurationError` with every problem.
    public init(
        validating routes: Routes, on socket: ServerSocket, configuration: Configuration = Configuration()
    ) throws(ConfigurationError) {
        let stopping = ServerStopping()
        deployment = Deployment(
            try Self.table(routes, configuration, stopping), configuration, stopping)
        host = socket.address.host
        port = socket.address.port
        self.configuration = configuration
        self.socket = socket
    }

    /// Compiles routes, which may let trusted proxies ask.
    private static func table(
        _ routes: Routes, _ configuration: Configuration, _ stopping: ServerStopping
    ) throws(ConfigurationError) -> RoutingTable {
        let table = try RoutingTable(routes, stopping: stopping)
        guard let path = table.forwardAuth?.endpoint.path, configuration.proxies.isEmpty else { return table }
        throw ConfigurationError([
            .init(
                "Forward authentication at \(path) needs trusted proxies: it answers 404 to every other peer."
            )
        ])
    }

    /// Accepts connections until the task is cancelled; then lets requests in flight finish, and returns.
    ///
    /// Cancellation stops accepting at once. After the grace period, unfinished requests are cancelled and
    /// their connections cut. A server runs once at a time.
    ///
    /// ``run(stoppingOn:onListening:)`` also stops on signals. This form satisfies the protocol `Service` of
    /// swift-service-lifecycle, whose groups cancel the task.
    ///
    /// - Throws: `SocketError` if the address can't be bound, ``SelfCheckFailure`` if a required self-check
    ///   fails.
    public func run() async throws {
        try await run { _ in }
    }

    /// Accepts connections until the task is cancelled; then lets requests in flight finish, and returns.
    ///
    /// As ``run()``.
    ///
    /// - Parameter onListening: Called once, with the real address, when the server accepts connections.
    /// - Throws: `SocketError` if the address can't be bound, ``SelfCheckFailure`` if a required self-check
    ///   fails.
    public func run(onListening: @Sendable (SocketAddress) -> Void) async throws {
        deployment.stopping.reset()
        let group = try EventLoopGroup(
            count: configuration.eventLoopCount, readiness: configuration.readiness)
        defer { group.shutDown() }
        let socket = try socket ?? ServerSocket(host: host, port: port, loopCount: group.loops.count)
        let core = ServerCore(configuration)
        if let accessLog = configuration.accessLog { configuration.metrics?.watch(accessLog) }
        for warning in configuration.tls?.warnings ?? [] { configuration.log(.warning(warning)) }
        begin(deployment.start(group.loops, core).table)
        watch(core)
        defer {
            deployment.stop()
            core.contexts = []
        }
        warnOfFewDescriptors()
        await waitForNewProofs()
        try await listen(on: socket, core)
        let probe = configuration.metrics.map { _ in LagProbe.start(core.contexts) }
        defer { probe?.cancel() }
        do throws(SelfCheckFailure) {
            try await checkSelf(configuration.selfCheck)
        } catch {
            core.stop()
            await drain(core)
            socket.removeFile()
            throw error
        }
        configuration.log(.info("listening on \(url(of: socket.address))"))
        onListening(socket.address)
        await withTaskCancellationHandler {
            await core.untilStopped()
        } onCancel: {
            core.stop()
        }
        await drain(core)
        socket.removeFile()
        await configuration.accessLog?.flush()
    }

    /// An address as a URL; for a Unix domain socket `unix:` and its path.
    package func url(of address: SocketAddress) -> String {
        address.isUnix ? "\(address)" : "\(configuration.tls == nil ? "http" : "https")://\(address)"
    }

    var log: Log { configuration.log }
    var selfCheckFetcher: (any Fetcher)? { configuration.selfCheckFetcher }

    /// The current protected resources, in the order of their declaration.
    public var resources: [ProtectedResource] { deployment.service.table.resources }

    /// Replaces all routes, and the limits if given, without closing a connection.
    ///
    /// Requests that begin after this returns use the new routes; requests in flight finish with the old
    /// ones. New limits apply to new connections. Middleware belongs to the routes and is replaced with them;
    /// addresses, event loops and the grace period stay. Callable from any task, whether the server runs or
    /// not. Compiles the new routes and frees the old ones on the caller's thread, never on an event loop;
    /// waits only for a turn of each event loop.
    ///
    /// - Throws: `ConfigurationError` with every problem of the routes; then nothing changes.
    public func replace(_ routes: Routes, limits: Limits? = nil) async throws(ConfigurationError) {
        let table = try Self.table(routes, configuration, deployment.stopping)
        let change = ResourceReplacement(of: resources, by: table.resources)
        change.handOver()
        begin(table)
        await deployment.replace(table, limits)
        change.retireOld()
        change.announce { configuration.log(.info($0)) }
    }

    /// Lets the package's own registry measure tables and issuers while the server runs.
    private func watch(_ core: ServerCore) {
        guard let registry = configuration.metrics as? MetricsRegistry else { return }
        registry.watch { [weak deployment, weak core] in
            guard let service = deployment?.service, let core else { return nil }
            return ServerMeasurements(
                resources: ResourceMeasurements(of: service.table.resources),
                maxConnectionCount: service.terms.limits.maxConnectionCount,
                waitingHandlers: core.pool.waiting)
        }
    }

    /// Logs the warnings of new routes, and starts fetching their issuers' keys.
    private func begin(_ table: RoutingTable) {
        for warning in table.warnings + unseenCertificates(table) {
            configuration.log(.warning(warning))
        }
        var said = RepeatedSentences()
        for resource in table.resources {
            for warning in resource.warnings where said.admits(warning) {
                configuration.log(
                    .warning("\(resource.identifier): \(warning)", ["resource": resource.identifier.text]))
            }
        }
        for (warning, count) in said.omitted {
            configuration.log(.warning("\(count) more \(count == 1 ? "resource" : "resources"): \(warning)"))
        }
        for resource in table.resources { resource.warmUp() }
    }

    /// Warnings about resources with certificate-bound tokens whose certificates this server never receives.
    ///
    /// RFC 8705 §3.
    private func unseenCertificates(_ table: RoutingTable) -> [String] {
        let isAsked = configuration.tls?.asksForCertificates ?? false
        guard !isAsked, !configuration.proxies.sendsClientCertificates else { return [] }
        return table.resources.filter { $0.metadata.tlsClientCertificateBoundAccessTokens == true }.map {
            "\($0.identifier) announces tokens that are bound to certificates, but this server requests no "
                + "client certificates and trusts no proxy to send them, so it refuses such tokens"
        }
    }

    /// Warns if the process may not open as many files as the connection limit allows.
    private func warnOfFewDescriptors() {
        let wanted = deployment.service.terms.limits.maxConnectionCount
        let allowed = maxDescriptorCount()
        guard allowed < wanted else { return }
        configuration.log(
            .warning(
                "\(wanted) connections are allowed, but this process may open only \(allowed) files; raise the "
                    + "process's limit of open files, or lower the connection limit"))
    }

    /// Waits, less than a second, until new DPoP proofs have an `iat` after the start.
    ///
    /// Most proofs have an `iat` in whole seconds, and proofs from before the start are refused.
    /// RFC 9449 §11.1.
    private func waitForNewProofs() async {
        let pause = resources.map(\.timeUntilNewProofs).max() ?? .zero
        if pause > .zero { try? await Task.sleep(for: pause) }
    }

    private func listen(on socket: ServerSocket, _ core: ServerCore) async throws {
        let descriptors = socket.take()
        let contexts = core.contexts
        for context in contexts { try await context.perform { context.watchJobs() } }
        for (index, descriptor) in descriptors.enumerated() {
            let context = contexts[index % contexts.count]
            try await context.perform { try context.listen(on: descriptor) }
        }
    }

    private func drain(_ core: ServerCore) async {
        deployment.stopping.begin()
        let contexts = core.contexts
        for context in contexts {
            // Counts as one open connection, so that the count is not zero before the backlog is accepted.
            core.connectionOpened()
            context.loop.execute {
                context.beginDraining()
                core.connectionClosed()
            }
        }
        // This task is already cancelled, and a cancelled task does not sleep.
        await Task.detached { [configuration] in
            await Self.wait(atMost: configuration.shutdownGracePeriod, for: core)
            for context in contexts { context.loop.execute { context.cancelHandlers() } }
            await Self.wait(atMost: .milliseconds(200), for: core)
            for context in contexts { try? await context.perform { context.cutConnections() } }
            core.contexts = []
        }.value
    }

    private static func wait(atMost limit: Duration, for core: ServerCore) async {
        let deadline = ContinuousClock.now + limit
        while core.openConnectionCount > 0, ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(10))
        }
    }
}
