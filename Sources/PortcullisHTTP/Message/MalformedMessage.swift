// SPDX-License-Identifier: MIT

/// Why a message was refused.
///
/// Each reason determines the status of the response; none contains text from the message.
///
/// RFC 9110, RFC 9112.
public enum MalformedMessage: String, Error, Sendable, Hashable, CaseIterable {
    /// The request line or target is longer than the limit.
    ///
    /// RFC 9112 §3.
    case targetTooLong
    /// The header block is longer than the limit.
    ///
    /// RFC 6585 §5.
    case headerBlockTooLarge
    /// There are more field lines than the limit.
    ///
    /// RFC 6585 §5.
    case tooManyFields
    /// The request line is not `method SP target SP version CRLF`.
    ///
    /// RFC 9112 §3.
    case invalidRequestLine
    /// The method is not a token.
    ///
    /// RFC 9110 §9.1.
    case invalidMethod
    /// The target has none of the four forms, or not the form that the method requires.
    ///
    /// RFC 9112 §3.2.
    case invalidTarget
    /// The version is well formed, but not HTTP/1.0 or HTTP/1.1.
    ///
    /// RFC 9110 §15.6.6.
    case unsupportedVersion
    /// A line ends with a bare CR or LF.
    ///
    /// RFC 9112 §2.2.
    case bareLineEnd
    /// A field line without a colon, with a name that is not a token, or with white space before the colon.
    ///
    /// RFC 9112 §5.1.
    case invalidFieldName
    /// A field value with a control character.
    ///
    /// RFC 9110 §5.5.
    case invalidFieldValue
    /// A line that starts with white space.
    ///
    /// RFC 9112 §5.2.
    case foldedField
    /// No `Host` in HTTP/1.1, more than one, or one that is not an authority.
    ///
    /// RFC 9112 §3.2.
    case invalidHost
    /// `Content-Length` that is not a number, or more than one, even if they agree.
    ///
    /// RFC 9112 §6.3.
    case invalidContentLength
    /// `Content-Length` together with `Transfer-Encoding`.
    ///
    /// RFC 9112 §6.1.
    case ambiguousFraming
    /// `Transfer-Encoding` in HTTP/1.0, malformed, repeated, or without `chunked` at its end.
    ///
    /// RFC 9112 §6.1.
    case invalidTransferEncoding
    /// A transfer coding that is well formed and not implemented.
    ///
    /// RFC 9112 §6.1.
    case unsupportedTransferCoding
    /// The body, or its declared length, is larger than the limit.
    ///
    /// RFC 9110 §15.5.14.
    case bodyTooLarge
    /// An expectation other than `100-continue`.
    ///
    /// RFC 9110 §10.1.1.
    case unsupportedExpectation
    /// A chunk size, extension or end that is malformed.
    ///
    /// RFC 9112 §7.1.
    case invalidChunk
    /// Chunk framing out of proportion to the data.
    ///
    /// RFC 9112 §7.1.1.
    case chunkOverheadTooLarge
    /// A path that two programs might read differently: dot segments, empty segments, an encoded slash, a
    /// backslash, NUL, or percent-encoding that is malformed or not UTF-8.
    ///
    /// RFC 3986 §6.2.2, RFC 9110 §4.2.3.
    case ambiguousPath
    /// The request names a host without the requested resource, but another host of this server has it.
    ///
    /// RFC 9110 §15.5.20.
    case misdirectedRequest
    /// `Forwarded` or `X-Forwarded-*` of a trusted proxy is malformed.
    ///
    /// RFC 7239 §4.
    case invalidForwarding
    /// A trusted proxy asks about a request without describing it: a field is missing, repeated or malformed, or
    /// the question has content.
    ///
    /// RFC 7239 §8.1.
    case invalidForwardAuth
    /// The status line of a response is malformed.
    ///
    /// RFC 9112 §4.
    case invalidStatusLine
    /// Trailer fields that are malformed or larger than the limit.
    ///
    /// RFC 9112 §7.1.2.
    case invalidTrailer
    /// A message in plain text to a port that speaks TLS only.
    ///
    /// RFC 9110 §4.2.2.
    case plainTextToTLS
    /// The beginning of a TLS handshake on a port without TLS.
    ///
    /// RFC 8446 §5.1.
    case tlsToPlainText

    /// The status to answer the request with.
    public var status: Status {
        switch self {
        case .targetTooLong: .uriTooLong
        case .headerBlockTooLarge, .tooManyFields: .requestHeaderFieldsTooLarge
        case .unsupportedVersion: .httpVersionNotSupported
        case .unsupportedTransferCoding: .notImplemented
        case .bodyTooLarge: .contentTooLarge
        case .unsupportedExpectation: .expectationFailed
        case .misdirectedRequest: .misdirectedRequest
        default: .badRequest
        }
    }
}
