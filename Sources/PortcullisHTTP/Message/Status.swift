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
        100: "Continue", 101: "Switching Protocols", 102: "Processing", 103: "Early Hints",
        200: "OK", 201: "Created", 202: "Accepted", 203: "Non-Authoritative Information",
        204: "No Content", 205: "Reset Content", 206: "Partial Content", 207: "Multi-Status",
        208: "Already Reported", 226: "IM Used",
        300: "Multiple Choices", 301: "Moved Permanently", 302: "Found", 303: "See Other",
        304: "Not Modified", 305: "Use Proxy", 307: "Temporary Redirect", 308: "Permanent Redirect",
        400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden",
        404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
        407: "Proxy Authentication Required", 408: "Request Timeout", 409: "Conflict", 410: "Gone",
        411: "Length Required", 412: "Precondition Failed", 413: "Content Too Large",
        414: "URI Too Long", 415: "Unsupported Media Type", 416: "Range Not Satisfiable",
        417: "Expectation Failed", 421: "Misdirected Request", 422: "Unprocessable Content",
        423: "Locked", 424: "Failed Dependency", 425: "Too Early", 426: "Upgrade Required",
        428: "Precondition Required", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
        451: "Unavailable For Legal Reasons",
        500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
        503: "Service Unavailable", 504: "Gateway Timeout", 505: "HTTP Version Not Supported",
        506: "Variant Also Negotiates", 507: "Insufficient Storage", 508: "Loop Detected",
        511: "Network Authentication Required",
    ]
}
