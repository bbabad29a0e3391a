// SPDX-License-Identifier: MIT

/// A step around handlers that can answer a request or pass it on, and can change the response.
///
/// The first one given to ``Routes/use(_:)`` is the outermost. Middleware sees every request whose head is
/// well-formed, also if no route matches (404, 405) and if its declared length is too large (413). It does not
/// see what is no request yet: a malformed or oversized head (400, 414, 431, 505), or a connection beyond
/// the limit (503).
///
/// Middleware behind a gate, as in ``ProtectedRoutes/use(_:)``, finds the validated token in
/// ``Request/token``.
///
/// Middleware that never waits should conform to ``NonWaitingMiddleware``, which costs less.
public protocol Middleware: Sendable {
    /// Answers the request, usually by calling `next` once.
    ///
    /// - Throws: An error for the enclosing ``Routes/onError(_:)``; usually one that `next` has thrown.
    func respond(to request: Request, next: Next) async throws -> Response

    /// The rest of the chain: the next middleware, or the handler.
    ///
    /// Throws what the handler or inner middleware has thrown, unless an inner ``Routes/onError(_:)`` has
    /// answered it. A refusal is a response, also one that a handler throws.
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
    /// before. It sees every response, also one to an error.
    case proceedThenFinish(@Sendable (inout Response) -> Void)
    /// Answers the request, and does not pass it on.
    case respond(Response)
}

extension NonWaitingMiddleware {
    /// Runs ``intercept(_:)`` around the rest of a chain.
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
