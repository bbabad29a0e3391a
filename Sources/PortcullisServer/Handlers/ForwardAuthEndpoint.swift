// SPDX-License-Identifier: MIT

package import Portcullis
package import PortcullisHTTP

/// Reads the requests that a proxy asks about, and makes the answers to the proxy.
///
/// The server finds the route of the told request and runs its gate, as for a direct request.
package protocol ForwardAuthEndpoint: Sendable {
    /// What is wrong with its declaration, one sentence each.
    var problems: [String] { get }

    /// The path, for logs.
    var path: String { get }

    /// Whether requests for a path are questions.
    func owns(_ path: RequestPath) -> Bool

    /// Reads the told request.
    ///
    /// - Parameter maxTargetByteCount: The length limit of the told target.
    func read(
        _ carrier: RequestHead, _ semantics: RequestSemantics, maxTargetByteCount: Int
    ) throws(UnreadableCarrier) -> ToldRequest

    /// The answer that lets a request pass, with the caller's identity.
    ///
    /// - Parameter token: `nil` if the request needs no token.
    func admission(of token: AccessToken?) -> Response

    /// Gives the answer to a told request the status and the fields that the proxy needs.
    ///
    /// - Parameter isAdmitted: Whether ``admission(of:)`` has made it; it may have been changed since.
    func finish(_ response: inout Response, isAdmitted: Bool)
}
