// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// The innermost part of a route.
package enum RouteHandler: Sendable {
    /// Runs on the loop and returns at once.
    case immediate(@Sendable (Request) throws -> Response)
    /// Runs on the loop and may wait.
    case suspending(@Sendable (Request) async throws -> Response)
    /// May block its thread, so it runs on a thread of the blocking pool.
    case blocking(@Sendable (Request) throws -> Response)
    /// Asks another server.
    ///
    /// Indirect, so that other routes, of which there may be a hundred thousand, need no room for it.
    indirect case relaying(any Relay)

    /// Whether it asks another server.
    package var relay: (any Relay)? {
        if case .relaying(let relay) = self { relay } else { nil }
    }

    /// The response of a handler that returns at once; `nil` for the other kinds.
    func respondImmediately(to request: Request) throws -> Response? {
        guard case .immediate(let handle) = self else { return nil }
        return try handle(request)
    }

    /// The response of any kind of handler.
    func respond(
        to request: Request, _ pool: BlockingPool, _ control: (any ExchangeControl)?
    ) async throws -> Response {
        switch self {
        case .immediate(let handle): try handle(request)
        case .suspending(let handle): try await handle(request)
        case .blocking(let handle): try await pool.run { try handle(request) }
        case .relaying(let relay): try await relay.answer(to: request, through: control).response()
        }
    }
}
