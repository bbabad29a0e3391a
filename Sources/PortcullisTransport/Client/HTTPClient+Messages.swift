// SPDX-License-Identifier: MIT

public import PortcullisHTTP

extension HTTPClient {
    /// What to ask for, and how long and how large the answer may be.
    public struct Request: Sendable {
        /// The absolute URL, `http` or `https`, without user information and fragment.
        ///
        /// At most 8192 bytes, ASCII.
        public var url: String
        /// The method.
        public var method: Method
        /// The fields besides `Host`, `Content-Length`, `Connection` and their like, which are the client's to set.
        public var fields: [(FieldName, String)]
        /// The body; it is sent with its length.
        public var body: [UInt8]
        /// How long the whole exchange may take: waiting for a connection, looking up, connecting, answering.
        ///
        /// Default 5 seconds.
        public var deadline: Duration
        /// The most bytes that the body of the response may have.
        ///
        /// Default 1 048 576. The head has a limit of its own.
        public var maxResponseByteCount: Int
        /// Whether the request does no harm when it is sent twice.
        ///
        /// Such a request is sent once more if a kept connection turns out to be closed before anything came back. By default so for
        /// GET, HEAD and OPTIONS. RFC 9110 §9.2.2.
        public var isRepeatable: Bool

        /// Makes a request; nothing is checked until it is executed.
        public init(
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
    public struct Response: Sendable, Hashable {
        /// The status; never an interim one.
        public let status: Status
        /// The fields, in order.
        public let fields: Fields
        /// The body without its transfer coding.
        public let body: [UInt8]

        /// Makes a response, for tests.
        public init(status: Status, fields: Fields = [:], body: [UInt8] = []) {
            self.status = status
            self.fields = fields
            self.body = body
        }
    }
}
