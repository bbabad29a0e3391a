// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// What routes have in common that differ in their paths and handlers only: the middleware, outermost first,
/// the answers to errors and the CORS policy.
///
/// One for all routes of a resource with the same requirement, since a server may have thousands of them.
final class RouteChain: Sendable {
    /// One middleware, by its kind.
    enum Link: Sendable {
        case gate(Gate)
        indirect case nonWaiting(any NonWaitingMiddleware)
        indirect case waiting(any Middleware)

        init(_ middleware: any Middleware) {
            if let gate = middleware as? any GateMiddleware {
                self = .gate(Gate(middleware: gate))
            } else if let middleware = middleware as? any NonWaitingMiddleware {
                self = .nonWaiting(middleware)
            } else {
                self = .waiting(middleware)
            }
        }
    }

    /// A gate at a place of its own: to take one out of the chain is to count one reference.
    final class Gate: Sendable {
        let middleware: any GateMiddleware

        init(middleware: any GateMiddleware) {
            self.middleware = middleware
        }
    }

    /// The identifier of the resource that the routes belong to.
    let resource: String?
    let links: [Link]
    /// The gate if there is nothing else, as in most chains: it needs no walk.
    let onlyLink: Gate?
    /// What answers errors; the last one answers first.
    let errorHandlers: [PlacedErrorHandler]
    /// When the server begins to stop.
    let stopping: ServerStopping
    /// The CORS policy of the responses.
    let cors: CORSPolicy?
    /// The index of the first gate in the middleware; the end index if there is none.
    let gateIndex: Int
    /// The value of `Link` that names the metadata, for responses after the gate and its refusals.
    let link: String?
    /// Whether requests with and without a token may get different responses.
    let mayLackToken: Bool

    init(resource: String? = nil, cors: CORSPolicy? = nil, _ around: RouteSurroundings) {
        let middleware = around.middleware
        errorHandlers = around.errorHandlers
        stopping = around.stopping
        self.resource = resource
        self.cors = cors
        let links = middleware.map(Link.init)
        self.links = links
        if links.count == 1, case .gate(let gate) = links[0] { onlyLink = gate } else { onlyLink = nil }
        gateIndex = middleware.firstIndex { $0 is any GateMiddleware } ?? middleware.count
        link = middleware.lazy.compactMap { $0 as? any GateMiddleware }.first?.link
        mayLackToken = middleware.contains { ($0 as? ResourceGate)?.requirement.mayLackToken == true }
    }

    /// The first gate, of any kind.
    var guarding: (any GateMiddleware)? {
        guard gateIndex < links.count, case .gate(let gate) = links[gateIndex] else { return nil }
        return gate.middleware
    }

    /// The index of the last middleware that waits before an index; -1 if there is none.
    func waitingIndex(before index: Int) -> Int {
        links.prefix(index).lastIndex { if case .waiting = $0 { true } else { false } } ?? -1
    }

    /// The same chain for other answers.
    var around: RouteSurroundings {
        RouteSurroundings(
            middleware: links.map(\.middleware), errorHandlers: errorHandlers, stopping: stopping)
    }

    /// The chain before the first gate.
    var beforeGate: RouteSurroundings {
        RouteSurroundings(
            middleware: links.prefix(gateIndex).map(\.middleware),
            errorHandlers: errorHandlers.filter { $0.depth <= gateIndex }, stopping: stopping)
    }
}

extension RouteChain.Link {
    fileprivate var middleware: any Middleware {
        switch self {
        case .gate(let gate): gate.middleware
        case .nonWaiting(let middleware): middleware
        case .waiting(let middleware): middleware
        }
    }
}
