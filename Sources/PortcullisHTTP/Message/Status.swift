// SPDX-License-Identifier: MIT

/// A response status code.
///
/// RFC 9110 §15.
public struct Status: Sendable, Hashable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    /// The three digits.
    ///
    /// From 100 to 599.
    public let code: Int

    /// Makes a status from a literal.
    ///
    /// Traps with a message outside 100 to 599.
    public init(integerLiteral code: Int) {
        self.init(code: code)
    }

    /// Makes a status from a code known only at run time; `nil` outside 100 to 599.
    ///
    /// RFC 9110 §15.
    public init?(_ code: Int) {
        guard Self.codes.contains(code) else { return nil }
        self.code = code
    }

    package init(code: Int) {
        endUnless(
            Self.codes.contains(code), "\(code) is not a status code: a status code is from 100 to 599."
        )
        self.code = code
    }

    private static let codes = 100...599

    /// Whether the status is interim: 1xx.
    ///
    /// RFC 9110 §15.2.
    package var isInformational: Bool { code < 200 }

    /// Whether a response with this status never has content, whatever its fields say.
    ///
    /// RFC 9112 §6.3.
    package var forbidsContent: Bool { code < 200 || code == 204 || code == 304 }

    /// The code and its reason phrase.
    public var description: String { "\(code) \(reasonPhrase)" }

    /// The registered phrase of the code; for an unregistered code, the phrase of its class.
    public var reasonPhrase: String {
        Self.reasonPhrases[code] ?? Self.reasonPhrases[code / 100 * 100] ?? "Unknown"
    }

    private static let reasonPhrases: [Int: String] = [
        100: "Continue", 101: "Switching Protocols",
        200: "OK", 201: "Created", 202: "Accepted", 203: "Non-Authoritative Information",
        204: "No Content", 205: "Reset Content", 206: "Partial Content",
        300: "Multiple Choices", 301: "Moved Permanently", 302: "Found", 303: "See Other",
        304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect",
        400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden",
        404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
        407: "Proxy Authentication Required", 408: "Request Timeout", 409: "Conflict", 410: "Gone",
        411: "Length Required", 412: "Precondition Failed", 413: "Content Too Large",
        414: "URI Too Long", 415: "Unsupported Media Type", 416: "Range Not Satisfiable",
        417: "Expectation Failed", 421: "Misdirected Request", 422: "Unprocessable Content",
        425: "Too Early", 426: "Upgrade Required", 428: "Precondition Required",
        429: "Too Many Requests", 431: "Request Header Fields Too Large",
        500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
        503: "Service Unavailable", 504: "Gateway Timeout", 505: "HTTP Version Not Supported",
    ]

    /// 200.
    public static let ok: Status = 200
    /// 201.
    public static let created: Status = 201
    /// 202.
    public static let accepted: Status = 202
    /// 204.
    public static let noContent: Status = 204
    /// 205.
    package static let resetContent: Status = 205
    /// 302.
    public static let found: Status = 302
    /// 303.
    public static let seeOther: Status = 303
    /// 304.
    public static let notModified: Status = 304
    /// 400.
    public static let badRequest: Status = 400
    /// 401.
    public static let unauthorized: Status = 401
    /// 403.
    public static let forbidden: Status = 403
    /// 404.
    public static let notFound: Status = 404
    /// 405.
    public static let methodNotAllowed: Status = 405
    /// 408.
    public static let requestTimeout: Status = 408
    /// 413.
    public static let contentTooLarge: Status = 413
    /// 414.
    package static let uriTooLong: Status = 414
    /// 417.
    package static let expectationFailed: Status = 417
    /// 421.
    public static let misdirectedRequest: Status = 421
    /// 431.
    package static let requestHeaderFieldsTooLarge: Status = 431
    /// 500.
    public static let internalServerError: Status = 500
    /// 501.
    public static let notImplemented: Status = 501
    /// 502.
    public static let badGateway: Status = 502
    /// 504.
    public static let gatewayTimeout: Status = 504
    /// 503.
    public static let serviceUnavailable: Status = 503
    /// 505.
    package static let httpVersionNotSupported: Status = 505
}
