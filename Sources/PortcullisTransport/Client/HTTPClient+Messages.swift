// SPDX-License-Identifier: MIT

package import PortcullisHTTP

extension HTTPClient {
    /// A request, with a deadline and a limit on the response.
    package struct Request: Sendable {
        /// The absolute URL, `http` or `https`, without user information and fragment.
        ///
        /// At most 8192 bytes, ASCII.
        package var url: String
        /// The method.
        package var method: Method
        /// The fields without `Host`, `Content-Length`, `Connection` and others that the client sets.
        package var fields: [(FieldName, String)]
        /// The body; the client sends its `Content-Length`.
        package var body: [UInt8]
        /// The limit for the whole exchange: waiting for a connection, look-up, connecting, response.
        ///
        /// Default 5 seconds.
        package var deadline: Duration
        /// The most bytes in the body of the response.
        ///
        /// Default 1 048 576. The head has its own limit.
        package var maxResponseByteCount: Int
        /// Whether the request may be sent twice without harm.
        ///
        /// The client sends such a request once more if a kept connection closes before any response byte.
        /// Default: `true` for GET, HEAD and OPTIONS. RFC 9110 §9.2.2.
        package var isRepeatable: Bool

        /// Makes a request; ``HTTPClient/execute(_:)`` checks it.
        package init(
            url: String,
            method: Method = .get,
            fields: [(FieldName, String)] = [],
            body: [UInt8] = [],
            deadline: Duration = .seconds(5),
            maxResponseByteCount: Int = 1_048_576,
            isRepeatable: Bool? = nil
        ) {
            self.url = url
            self.method = method
            self.fields = fields
            self.body = body
            self.deadline = deadline
            self.maxResponseByteCount = maxResponseByteCount
            self.isRepeatable = isRepeatable ?? [.get, .head, .options].contains(method)
        }
    }

    /// A response with any status: the client returns redirects and does not follow them.
    package struct Response: Sendable, Hashable {
        /// The final status, never 1xx.
        package let status: Status
        /// The fields, in order.
        package let fields: Fields
        /// The body without its transfer coding.
        package let body: [UInt8]

        /// Makes a response, for tests.
        package init(status: Status, fields: Fields = [:], body: [UInt8] = []) {
            self.status = status
            self.fields = fields
            self.body = body
        }
    }
}
