// SPDX-License-Identifier: MIT

/// How the length of a response's body will be told.
///
/// RFC 9112 §6.3.
package enum ResponseFraming: Sendable, Hashable {
    /// There is no body and nothing is said about one.
    case none
    /// `Content-Length`.
    ///
    /// For an answer to HEAD the length that GET would have, and no body follows.
    case length(Int)
    /// `Transfer-Encoding: chunked`.
    case chunked
    /// The end of the connection tells.
    ///
    /// For HTTP/1.0.
    case untilClose

    /// What may really be sent: nothing with a status that forbids content, and no coding to HTTP/1.0.
    ///
    /// The body has to follow the result, not what was asked for. RFC 9112 §6.1, §6.3.
    package func permitted(for status: Status, requestVersion: HTTPVersion) -> ResponseFraming {
        if status.forbidsContent { return .none }
        return self == .chunked && requestVersion == .http1_0 ? .untilClose : self
    }
}

/// Writes heads straight into a byte array, without a `String` in between.
///
/// No CR, LF or NUL can get into a field: ``FieldName`` and ``Fields`` hold none, and reason phrases come
/// from a table. `Content-Length`, `Transfer-Encoding`, `Connection`, `Keep-Alive`, `Trailer` and `Date`
/// among the app's fields are left out, because the server says these itself.
///
/// RFC 9112 §4, §6, §9.3, §9.6.
package enum HeadSerializer {
    /// The interim response that asks for the body.
    ///
    /// RFC 9110 §15.2.1.
    package static let continueResponse: [UInt8] = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

    /// Appends a response head.
    ///
    /// - Parameters:
    ///   - framing: What to say of the body; see ``ResponseFraming/permitted(for:requestVersion:)``.
    ///   - keepAlive: Whether the connection outlives the response. With ``ResponseFraming/untilClose`` it
    ///     does not.
    ///   - requestVersion: The version of the request; the response always says HTTP/1.1. RFC 9112 §2.3.
    ///   - dateLine: `Date` as a whole line, which is the same for a second's answers. RFC 9110 §6.6.1.
    package static func append(
        _ head: ResponseHead,
        framing: ResponseFraming,
        keepAlive: Bool,
        requestVersion: HTTPVersion,
        dateLine: [UInt8],
        to output: inout [UInt8]
    ) {
        appendStatusLine(head.status, to: &output)
        if !head.status.isInformational { output.append(contentsOf: dateLine) }
        appendFields(head.fields, to: &output)
        let framing = framing.permitted(for: head.status, requestVersion: requestVersion)
        appendFraming(framing, to: &output)
        if !head.status.isInformational {
            if !keepAlive || framing == .untilClose {
                output.append("Connection: close\r\n")
            } else if requestVersion == .http1_0 {
                output.append("Connection: keep-alive\r\n")
            }
        }
        output.append("\r\n")
    }

    private static func appendFraming(_ framing: ResponseFraming, to output: inout [UInt8]) {
        switch framing {
        case .none, .untilClose: break
        case .length(let count):
            output.append("Content-Length: ")
            output.append(decimal: count)
            output.append("\r\n")
        case .chunked: output.append("Transfer-Encoding: chunked\r\n")
        }
    }

    static func appendFields(_ fields: Fields, to output: inout [UInt8]) {
        for field in fields where !isSaidByServer(field.name) {
            append(field.name.spelling, field.value, to: &output)
        }
    }

    static func append(_ name: String, _ value: String, to output: inout [UInt8]) {
        output.append(contentsOf: name.utf8)
        output.append(": ")
        output.append(contentsOf: value.utf8)
        output.append("\r\n")
    }

    private static func isSaidByServer(_ name: FieldName) -> Bool {
        switch name.known {
        case .contentLength, .transferEncoding, .connection, .keepAlive, .trailer, .date: true
        default: false
        }
    }

    private static func appendStatusLine(_ status: Status, to output: inout [UInt8]) {
        switch status.code {
        case 200: output.append("HTTP/1.1 200 OK\r\n")
        case 204: output.append("HTTP/1.1 204 No Content\r\n")
        case 304: output.append("HTTP/1.1 304 Not Modified\r\n")
        case 400: output.append("HTTP/1.1 400 Bad Request\r\n")
        case 401: output.append("HTTP/1.1 401 Unauthorized\r\n")
        case 403: output.append("HTTP/1.1 403 Forbidden\r\n")
        case 404: output.append("HTTP/1.1 404 Not Found\r\n")
        default:
            output.append("HTTP/1.1 ")
            output.append(decimal: status.code)
            output.append(" ")
            output.append(contentsOf: status.reasonPhrase.utf8)
            output.append("\r\n")
        }
    }
}

extension [UInt8] {
    /// Appends fixed text.
    @inline(__always)
    package mutating func append(_ text: StaticString) {
        // SAFETY: `text` is UTF-8 of just that many bytes, and lives forever.
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends a number that is not negative, in decimal digits.
    package mutating func append(decimal number: Int) {
        if number >= 10 { append(decimal: number / 10) }
        append(0x30 + UInt8(truncatingIfNeeded: number % 10))
    }

    /// Appends a number that is not negative, in hexadecimal digits.
    mutating func append(hexadecimal number: Int) {
        if number >= 16 { append(hexadecimal: number >> 4) }
        let digit = UInt8(truncatingIfNeeded: number & 0x0F)
        append(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
}
