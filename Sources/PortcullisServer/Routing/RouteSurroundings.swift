// SPDX-License-Identifier: MIT

/// What the enclosing blocks add around routes: the middleware, the answers to errors, the limits.
struct RouteSurroundings {
    /// Outermost first.
    private(set) var middleware: [any Middleware] = []
    /// The last one answers first.
    private(set) var errorHandlers: [PlacedErrorHandler] = []
    private(set) var limits = RouteLimits()
    /// When the server of the routes begins to stop.
    let stopping: ServerStopping

    init(stopping: ServerStopping) {
        self.stopping = stopping
    }

    init(
        middleware: [any Middleware], errorHandlers: [PlacedErrorHandler], stopping: ServerStopping
    ) {
        self.stopping = stopping
        self.middleware = middleware
        self.errorHandlers = errorHandlers
    }

    /// The surroundings of what is in a block.
    func entering(_ block: BlockTerms) -> RouteSurroundings {
        var inner = self
        inner.errorHandlers += block.errorHandlers.reversed().map {
            PlacedErrorHandler(depth: middleware.count, answer: $0)
        }
        inner.middleware += block.middleware
        inner.limits = block.limits.within(limits)
        return inner
    }

    /// The surroundings behind a gate.
    func behind(_ gate: any Middleware) -> RouteSurroundings {
        var inner = self
        inner.middleware.append(gate)
        return inner
    }
}

/// What answers the errors of a block.
struct PlacedErrorHandler: Sendable {
    /// The number of middleware around the block.
    let depth: Int
    let answer: DeclaredRoute.ErrorHandler
}
