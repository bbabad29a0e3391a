// SPDX-License-Identifier: MIT

package import Portcullis

/// A step around handlers: looks at the request, answers it or passes it on, and may change the answer on its way back.
///
/// The first one given to ``Routes/use(_:)`` is the outermost. Middleware sees every request that the message grammar lets through,
/// those without a route among them, and only answers: errors that handlers throw have become responses before.
public protocol Middleware: Sendable {
    /// Answers the request, usually by calling `next` once.
    func respond(to request: Request, next: Next) async throws -> Response

    /// What lies behind a middleware: the next one, or the handler.
    typealias Next = @Sendable (Request) async throws -> Response
}

/// A middleware that can often decide without waiting, and has nothing to do with the answer of what it lets through.
///
/// Where all middleware of a route is of this kind, and its handler does not wait either, a request is served without a task.
package protocol ImmediateMiddleware: Middleware {
    /// Decides, and may add to the request what lies behind needs to know.
    func decide(on request: inout Request, effort: ProtectedResource.Effort) -> ImmediateVerdict
}

package enum ImmediateVerdict: Sendable {
    case proceed
    case respond(Response)
    /// To be asked again with all effort, when there is time for it.
    case verify(PresentedToken)
    /// The issuer of the token has to be asked first.
    case ask(PendingAuthorization)
    /// Only ``Middleware/respond(to:next:)`` can tell.
    case wait
}
