// SPDX-License-Identifier: MIT

package import PortcullisHTTP

extension HTTPClient {
    /// What to ask for, and how long and how large the answer may be.
    package struct Request: Sendable {
        /// The absolute URL, `http` or `https`, without user information and fragment.
        ///
        /// At most 8192 bytes, ASCII.
        package var url: String
        /// The method.
        package var method: Method
        /// The fields besides `Host`, `Content-Length`, `Connection` and their like, which are the client's to set.
        package var fields: [(FieldName, String)]
        /// The body; it is sent with its length.
        package var body: [UInt8]
        /// How long the whole exchange may take: waiting for a connection, looking up, connecting, answering.
        ///
        /// Default 5 seconds.
        package var deadline: Duration
        /// The most bytes that the body of the response may have.
        ///
        /// Default 1 048 576. The head has a limit of its own.
        package var maxResponseByteCount: Int
        /// Whether the request does no harm when it is sent twice.
        ///
        /// Such a request is sent once more if a kept connection turns out to be closed before anything came back. By default so for
        /// GET, HEAD and OPTIONS. RFC 9110 §9.2.2.
        package var isRepeatable: Bool

        /// Makes a request; nothing is checked until it is executed.
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

    /// What came back, whatever its status: redirects are handed out, not followed.
    package struct Response: Sendable, Hashable {
        /// The status; never an interim one.
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
