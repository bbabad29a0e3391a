// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport
internal import Synchronization

/// The routes for new requests, and the terms for new connections.
struct Service: Sendable {
    /// Counts up with every replacement.
    let number: Int
    let table: RoutingTable
    let terms: ConnectionTerms
}

/// The limits and TLS context that apply to a connection for its whole life.
final class ConnectionTerms: Sendable {
    let limits: Server.Limits
    let wireLimits: WireLimits
    let timeouts: ConnectionState.Timeouts
    /// `nil` for connections without TLS.
    let tls: TLSContext?

    init(_ limits: Server.Limits, _ tls: TLSContext?) {
        self.limits = limits
        self.tls = tls
        wireLimits = limits.wire
        timeouts = ConnectionState.Timeouts(limits)
    }
}

/// The replaceable service of a server, running or not.
final class Deployment: Sendable {
    private struct State {
        var service: Service
        var core: ServerCore?
    }

    private let state: Mutex<State>
    /// When the server begins to stop.
    let stopping: ServerStopping

    init(_ table: RoutingTable, _ configuration: Server.Configuration, _ stopping: ServerStopping) {
        self.stopping = stopping
        let terms = ConnectionTerms(configuration.limits, configuration.tls?.context)
        state = Mutex(State(service: Service(number: 0, table: table, terms: terms)))
    }

    var service: Service { state.withLock { $0.service } }

    /// Makes every loop's context with the current service; later replacements reach these contexts.
    func start(_ loops: [EventLoop], _ core: ServerCore) -> Service {
        state.withLock { state in
            core.contexts = loops.map { LoopContext(loop: $0, core: core, service: state.service) }
            core.setMaxConnectionCount(state.service.terms.limits.maxConnectionCount)
            state.core = core
            return state.service
        }
    }

    func stop() {
        state.withLock { $0.core = nil }
    }

    /// Replaces the service, and returns when every loop of a running server uses the new one.
    ///
    /// Parameters that are `nil` stay as they are.
    func replace(
        _ table: RoutingTable? = nil, _ limits: Server.Limits? = nil, tls: Server.TLS? = nil
    ) async {
        let (service, last, core) = state.withLock { state in
            let last = state.service
            let terms =
                limits == nil && tls == nil
                ? last.terms
                : ConnectionTerms(limits ?? last.terms.limits, tls?.context ?? last.terms.tls)
            state.service = Service(number: last.number + 1, table: table ?? last.table, terms: terms)
            state.core?.setMaxConnectionCount(terms.limits.maxConnectionCount)
            return (state.service, last, state.core)
        }
        // The old table is freed here, since that takes long and would delay the requests of an event loop.
        defer { withExtendedLifetime(last) {} }
        for context in core?.contexts ?? [] { try? await context.perform { context.use(service) } }
    }
}

extension LoopContext {
    /// Runs a closure on the loop and waits until it has returned.
    func perform(_ work: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            loop.execute { continuation.resume(with: Result { try work() }) }
        }
    }
}
