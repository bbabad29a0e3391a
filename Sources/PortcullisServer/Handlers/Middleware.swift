// SPDX-License-Identifier: MIT

/// A step around handlers that can answer a request or pass it on, and can change the response.
///
/// The first one given to ``Routes/use(_:)`` is the outermost. Middleware sees every well-formed request,
/// even if no route matches. It sees no errors of handlers: they have already become responses.
/// Middleware that never waits should conform to ``NonWaitingMiddleware``, which costs less.
public protocol Middleware: Sendable {
    /// Answers the request, usually by calling `next` once.
    func respond(to request: Request, next: Next) async throws -> Response

    /// The rest of the chain: the next middleware, or the handler.
    typealias Next = @Sendable (Request) async throws -> Response
}

/// Middleware that never waits: for timing, header checks, fields of every response.
///
/// If neither the middleware of a route nor its handler waits, the server answers without a task. It runs on
/// the event loop, so it must not block.
public protocol NonWaitingMiddleware: Middleware {
    /// Handles a request before the rest of the chain, and may change it.
    func intercept(_ request: inout Request) -> Interception
}

/// The decision of a ``NonWaitingMiddleware`` about a request.
public enum Interception: Sendable {
    /// Passes the request on.
    case proceed
    /// Passes the request on, and lets the closure change the response.
    ///
    /// The closure is called once, when the head of the response is known; not if the client disconnects
    /// before.
    case proceedThenFinish(@Sendable (inout Response) -> Void)
    /// Answers the request, and does not pass it on.
    case respond(Response)
}

extension NonWaitingMiddleware {
    /// Runs ``intercept(_:)`` in a chain with middleware that waits.
    public func respond(to request: Request, next: Next) async throws -> Response {
        var request = request
        switch intercept(&request) {
        case .proceed: return try await next(request)
        case .respond(let response): return response
        case .proceedThenFinish(let finish):
            var response = try await next(request)
            finish(&response)
            return response
        }
    }
}
