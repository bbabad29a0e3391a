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

    /// Answers a request.
    ///
    /// - Parameter control: The client's connection; `nil` in tests.
    func respond(to request: Request, through control: (any ExchangeControl)?) async throws -> Response
}
