// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport
internal import Synchronization

/// What a server does from some moment on: the routes for requests, and the terms for connections, that begin then.
struct Service: Sendable {
    /// Counts up with every replacement.
    let number: Int
    let table: RoutingTable
    let terms: ConnectionTerms
}

/// What holds for a connection from its beginning to its end.
final class ConnectionTerms: Sendable {
    let limits: Server.Limits
    let wireLimits: WireLimits
    /// The idle time-out, which is set anew after each request.
    let idleNanoseconds: UInt64

    init(_ limits: Server.Limits) {
        self.limits = limits
        wireLimits = limits.wire
        idleNanoseconds = limits.idleTimeout.wholeNanoseconds
    }
}

/// The service of a server that may be running, for whoever replaces it.
final class Deployment: Sendable {
    private struct State {
        var service: Service
        var core: ServerCore?
    }

    private let state: Mutex<State>

    init(_ table: RoutingTable, _ limits: Server.Limits) {
        state = Mutex(State(service: Service(number: 0, table: table, terms: ConnectionTerms(limits))))
    }

    var service: Service { state.withLock { $0.service } }

    /// Gives every loop its context with the service of the moment, and keeps those of later replacements informed.
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
    func replace(_ table: RoutingTable, _ limits: Server.Limits?) async {
        let (service, core) = state.withLock { state in
            let terms = limits.map(ConnectionTerms.init) ?? state.service.terms
            state.service = Service(number: state.service.number + 1, table: table, terms: terms)
            state.core?.setMaxConnectionCount(terms.limits.maxConnectionCount)
            return (state.service, state.core)
        }
        for context in core?.contexts ?? [] { try? await context.perform { context.use(service) } }
    }
}

extension LoopContext {
    /// Does something on the loop and waits until it is done.
    func perform(_ work: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            loop.execute { continuation.resume(with: Result { try work() }) }
        }
    }
}
