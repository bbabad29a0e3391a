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
        let framing = framing.permitted(for: head.status, requestVersion: requestVersion)
        let isLast = !keepAlive || framing == .untilClose
        // SAFETY: the writer stops the program rather than write beyond the buffer, and only what it has written is appended.
        withUnsafeTemporaryAllocation(byteCount: maxByteCount(head, dateLine), alignment: 1) { buffer in
            var writer = HeadWriter(buffer)
            writeStatusLine(head.status, to: &writer)
            if !head.status.isInformational { writer.append(dateLine) }
            writeFields(head.fields, to: &writer)
            writeFraming(framing, to: &writer)
            if !head.status.isInformational { writePersistence(isLast, requestVersion, to: &writer) }
            writer.append("\r\n")
            output.append(contentsOf: writer.written)
        }
    }

    /// The most bytes that a head takes.
    private static func maxByteCount(_ head: ResponseHead, _ dateLine: [UInt8]) -> Int {
        var count = fixedByteCount + dateLine.count
        for index in head.fields.listed {
            let field = head.fields[listed: index]
            count += field.name.spelling.utf8.count + field.value.utf8.count + 4
        }
        return count
    }

    /// More than the status line, `Cache-Control: no-store`, the framing, `Connection` and the empty line
    /// come to.
    private static let fixedByteCount = 256

    private static func writeFields(_ fields: Fields, to writer: inout HeadWriter) {
        for index in fields.listed {
            let field = fields[listed: index]
            guard !isSaidByServer(field.name) else { continue }
            writer.append(text: field.name.spelling)
            writer.append(": ")
            writer.append(text: field.value)
            writer.append("\r\n")
        }
        if fields.endsWithNoStore { writer.append("Cache-Control: no-store\r\n") }
    }

    private static func writePersistence(
        _ isLast: Bool, _ requestVersion: HTTPVersion, to writer: inout HeadWriter
    ) {
        if isLast {
            writer.append("Connection: close\r\n")
        } else if requestVersion == .http1_0 {
            writer.append("Connection: keep-alive\r\n")
        }
    }

    private static func writeFraming(_ framing: ResponseFraming, to writer: inout HeadWriter) {
        switch framing {
        case .none, .untilClose: break
        case .length(let count):
            writer.append("Content-Length: ")
            writer.append(decimal: count)
            writer.append("\r\n")
        case .chunked: writer.append("Transfer-Encoding: chunked\r\n")
        }
    }

    static func isSaidByServer(_ name: FieldName) -> Bool {
        switch name.known {
        case .contentLength, .transferEncoding, .connection, .keepAlive, .trailer, .date: true
        default: false
        }
    }

    private static func writeStatusLine(_ status: Status, to writer: inout HeadWriter) {
        switch status.code {
        case 200: writer.append("HTTP/1.1 200 OK\r\n")
        case 204: writer.append("HTTP/1.1 204 No Content\r\n")
        case 304: writer.append("HTTP/1.1 304 Not Modified\r\n")
        case 400: writer.append("HTTP/1.1 400 Bad Request\r\n")
        case 401: writer.append("HTTP/1.1 401 Unauthorized\r\n")
        case 403: writer.append("HTTP/1.1 403 Forbidden\r\n")
        case 404: writer.append("HTTP/1.1 404 Not Found\r\n")
        default:
            writer.append("HTTP/1.1 ")
            writer.append(decimal: status.code)
            writer.append(" ")
            writer.append(text: status.reasonPhrase)
            writer.append("\r\n")
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
