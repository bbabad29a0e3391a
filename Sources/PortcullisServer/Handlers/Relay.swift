// SPDX-License-Identifier: MIT

package import Portcullis

/// A handler that answers with another server's response.
///
/// The server cancels it when the client leaves, also before the head of the response.
package protocol Relay: Sendable {
    /// The largest body of a request; `nil` for the server's limit.
    var maxBodyByteCount: Int? { get }

    /// Warnings for the log at start, one sentence each.
    var warnings: [String] { get }

    /// Why it cannot answer for a resource, one sentence each; `nil` for a public route.
    func problems(for resource: ProtectedResource?) -> [String]

    /// Prepares the answer to a request.
    ///
    /// - Parameter control: The client's connection; `nil` in tests.
    func answer(to request: Request, through control: (any ExchangeControl)?) -> any RelayedAnswer
}

/// The answer of another server, from the request until the head has arrived.
package protocol RelayedAnswer: AnyObject, Sendable {
    typealias Receiver = @Sendable (Result<Response, any Error>) -> Void

    /// Sends the request, and calls `finish` once, maybe before it returns.
    ///
    /// Called on an event loop, it calls `finish` on that loop, unless the loop ends meanwhile.
    func begin(then finish: @escaping Receiver)

    /// Ends the waiting, with an error; before ``begin(then:)`` too.
    func cancel()
}

extension RelayedAnswer {
    /// The response; cancelled with the task.
    func response() async throws -> Response {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                begin { continuation.resume(with: $0) }
            }
        } onCancel: {
            cancel()
        }
    }
}
