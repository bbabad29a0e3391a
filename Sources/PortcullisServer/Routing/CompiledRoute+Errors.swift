// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP

/// The answers to errors that are thrown in the chain of a route.
extension CompiledRoute {
    /// The response to an error, by any block around the handler.
    ///
    /// For chains where nothing waits, and for errors of the server itself.
    func answerAtOnce(_ error: any Error, _ request: Request) -> Response {
        switch answered(error, request, from: shared.links.count, downTo: 0) {
        case .success(let response): response
        case .failure(let error): Response(answering: error)
        }
    }

    /// The response to an error that is thrown at an index of the chain, the end for the handler.
    ///
    /// Blocks inside the next middleware that waits answer first; then the error is that middleware's.
    ///
    /// - Throws: ``PassingError`` for that middleware.
    func answer(_ error: any Error, _ request: Request, at index: Int) throws(PassingError) -> Response {
        let waiting = shared.waitingIndex(before: index)
        switch answered(error, request, from: index, downTo: waiting + 1) {
        case .success(let response): return response
        case .failure(let error):
            guard waiting >= 0 else { return Response(answering: error) }
            throw PassingError(error, [{ self.finish(&$0, at: index) }])
        }
    }

    /// Asks the blocks in a part of the chain, innermost first.
    private func answered(
        _ error: any Error, _ request: Request, from index: Int, downTo outermost: Int
    ) -> Result<Response, any Error> {
        var error = error
        for block in shared.errorHandlers.reversed() where block.depth >= outermost && block.depth <= index {
            // RFC 6750 §3: the challenge of a refusal is part of the answer.
            if error is Refusal { break }
            do {
                if let response = try block.answer(error, request) { return .success(response) }
            } catch let other {
                error = other
            }
        }
        return error is Refusal ? .success(Response(answering: error)) : .failure(error)
    }
}

extension CompiledRoute: RouteDescription {
    /// Whether it is a route of the app.
    package var isDeclared: Bool {
        if case .declared = kind { true } else { false }
    }
    package var stopping: ServerStopping { shared.stopping }
}
