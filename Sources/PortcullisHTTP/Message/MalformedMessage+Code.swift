// SPDX-License-Identifier: MIT

extension MalformedMessage: CustomStringConvertible {
    /// A stable name of the reason, for logs and metrics; it never changes its meaning.
    public var code: String { rawValue }

    /// The reason as a phrase.
    public var description: String {
        switch self {
        case .targetTooLong: "the request target is too long"
        case .headerBlockTooLarge: "the header block is too large"
        case .tooManyFields: "there are too many field lines"
        case .invalidRequestLine: "the request line is malformed"
        case .invalidMethod: "the method is not a token"
        case .invalidTarget: "the request target is malformed"
        case .unsupportedVersion: "the version is not HTTP/1.0 or HTTP/1.1"
        case .bareLineEnd: "a line ends with a bare CR or LF"
        case .invalidFieldName: "a field line has no name, or a malformed one"
        case .invalidFieldValue: "a field value has a control character"
        case .foldedField: "a line starts with white space"
        case .invalidHost: "Host is missing, repeated or malformed"
        case .invalidContentLength: "Content-Length is malformed or repeated"
        case .ambiguousFraming: "there are both Content-Length and Transfer-Encoding"
        case .invalidTransferEncoding: "Transfer-Encoding is malformed or not allowed"
        case .unsupportedTransferCoding: "the transfer coding is not implemented"
        case .bodyTooLarge: "the body is too large"
        case .unsupportedExpectation: "the expectation is not 100-continue"
        case .invalidChunk: "a chunk is malformed"
        case .chunkOverheadTooLarge: "the chunks have too much framing"
        case .ambiguousPath: "the path can be read in two ways"
        case .misdirectedRequest: "another host of this server has the resource"
        case .invalidForwarding: "a forwarding field of the proxy is malformed"
        case .invalidForwardAuth: "a field in which the proxy describes a request is missing or malformed"
        case .invalidStatusLine: "the status line is malformed"
        case .invalidTrailer: "the trailer is malformed or too large"
        case .plainTextToTLS: "this port speaks TLS; the message came without it"
        case .tlsToPlainText: "this port does not speak TLS; the message began a TLS handshake"
        }
    }
}
