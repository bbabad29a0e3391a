// SPDX-License-Identifier: MIT

/// How a response delimits its body.
///
/// RFC 9112 §6.3.
package enum ResponseFraming: Sendable, Hashable {
    /// There is no body and no framing field.
    case none
    /// `Content-Length`.
    ///
    /// In a response to HEAD, the length that GET would have; no body follows.
    case length(Int)
    /// `Transfer-Encoding: chunked`.
    case chunked
    /// The end of the connection ends the body.
    ///
    /// For HTTP/1.0.
    case untilClose

    /// The framing that may be sent: none with a status that forbids content, no transfer coding to HTTP/1.0.
    ///
    /// Send the body with the result, not with the requested framing. RFC 9112 §6.1, §6.3.
    package func permitted(for status: Status, requestVersion: HTTPVersion) -> ResponseFraming {
        if status.forbidsContent { return .none }
        return self == .chunked && requestVersion == .http1_0 ? .untilClose : self
    }
}

/// Writes heads directly into a byte array, without an intermediate `String`.
///
/// No CR, LF or NUL can get into a field: ``FieldName`` and ``Fields`` allow none, and reason phrases come
/// from a table. Leaves out `Content-Length`, `Transfer-Encoding`, `Connection`, `Keep-Alive`, `Trailer` and
/// `Date` of the app's fields, because the server sends its own.
///
/// RFC 9112 §4, §6, §9.3, §9.6.
package enum HeadSerializer {
    /// The interim response that requests the body.
    ///
    /// RFC 9110 §15.2.1.
    package static let continueResponse: [UInt8] = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

    /// Appends a response head.
    ///
    /// - Parameters:
    ///   - framing: How to delimit the body; see ``ResponseFraming/permitted(for:requestVersion:)``.
    ///   - keepAlive: Whether the connection stays open after the response. With
    ///     ``ResponseFraming/untilClose`` it does not.
    ///   - requestVersion: The version of the request; the response is always HTTP/1.1. RFC 9112 §2.3.
    ///   - dateLine: The whole `Date` line; responses within one second share it. RFC 9110 §6.6.1.
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
        // SAFETY: the writer traps before it would write beyond the buffer; only written bytes are appended.
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

    /// An upper bound for the byte count of a head.
    private static func maxByteCount(_ head: ResponseHead, _ dateLine: [UInt8]) -> Int {
        var count = fixedByteCount + dateLine.count
        for index in head.fields.listed {
            let field = head.fields[listed: index]
            count += field.name.spelling.utf8.count + field.value.utf8.count + 4
        }
        return count
    }

    /// An upper bound for the status line, `Cache-Control: no-store`, the framing, `Connection` and the empty
    /// line.
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
        // SAFETY: `text` is UTF-8 of exactly that many bytes, and is never freed.
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends a non-negative number in decimal digits.
    package mutating func append(decimal number: Int) {
        if number >= 10 { append(decimal: number / 10) }
        append(0x30 + UInt8(truncatingIfNeeded: number % 10))
    }

    /// Appends a non-negative number in hexadecimal digits.
    mutating func append(hexadecimal number: Int) {
        if number >= 16 { append(hexadecimal: number >> 4) }
        let digit = UInt8(truncatingIfNeeded: number & 0x0F)
        append(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
}
