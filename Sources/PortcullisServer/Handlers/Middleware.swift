// SPDX-License-Identifier: MIT

/// A step around handlers: looks at the request, answers it or passes it on, and may change the answer on its way back.
///
/// The first one given to ``Routes/use(_:)`` is the outermost. Middleware sees every request that the message grammar lets through,
/// those without a route among them, and only answers: errors that handlers throw have become responses before. One that never waits
/// is a ``NonWaitingMiddleware``, which costs less.
public protocol Middleware: Sendable {
    /// Answers the request, usually by calling `next` once.
    func respond(to request: Request, next: Next) async throws -> Response

    /// What lies behind a middleware: the next one, or the handler.
    typealias Next = @Sendable (Request) async throws -> Response
}

/// A middleware that never waits: for timing, header checks, fields that every answer has.
///
/// Where no middleware of a route waits, and its handler does not either, a request is served on the event loop without a task. It runs
/// on the event loop, so it must not block.
public protocol NonWaitingMiddleware: Middleware {
    /// Looks at a request before what lies behind does, and may change what handlers see of it.
    func intercept(_ request: inout Request) -> Interception
}

/// What a ``NonWaitingMiddleware`` does with a request.
public enum Interception: Sendable {
    /// Passes it on.
    case proceed
    /// Passes it on, and has the closure change the answer on its way back.
    ///
    /// Called once, when the head of the answer is known, with every answer that comes from behind; not if the client goes away before.
    case proceedThenFinish(@Sendable (inout Response) -> Void)
    /// Answers it, and passes nothing on.
    case respond(Response)
}

extension NonWaitingMiddleware {
    /// Does the same among middleware that waits.
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
