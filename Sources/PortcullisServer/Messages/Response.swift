// SPDX-License-Identifier: MIT

package import Portcullis
public import PortcullisHTTP
public import PortcullisJOSE
public import PortcullisTransport

/// The response of a handler.
///
/// The server adds `Content-Length` or `Transfer-Encoding`, `Date` and `Connection`, and drops fields of
/// these names from a handler.
public struct Response: Sendable {
    /// The status.
    ///
    /// The server sends interim (1xx) responses itself.
    public var status: Status
    /// The fields.
    public var fields: Fields
    /// The content.
    public var body: Body
    /// Why the gate refused, for logs and metrics.
    package var refusalReason: RefusalReason?
    /// What was wrong with the message, for logs and metrics.
    package var malformation: MalformedMessage?
    /// Whether this is the server's own error, whose body may become problem details.
    package var isProblem = false
    /// Written by `Response+Rarities.swift` only.
    var rarities: Rarities?

    /// The content of a response.
    public enum Body: Sendable {
        /// Available bytes. Sent with `Content-Length`.
        case bytes([UInt8])
        /// A file. Sent with `Content-Length`, without copying it through memory if the system and the
        /// connection allow that.
        case file(OpenFile)
        /// Bytes that a closure writes over time. Sent in chunks, each as soon as it is written.
        case stream(@Sendable (ResponseBodyWriter) async throws -> Void)
    }

    /// Makes a response.
    public init(status: Status, fields: Fields = [:], body: Body = .bytes([])) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// 200 without content.
    public static let ok = Response(status: .ok)
    /// 204.
    public static let noContent = Response(status: .noContent)

    /// A text, as `text/plain; charset=utf-8`.
    public static func text(_ text: String, status: Status = .ok) -> Response {
        Response(status: status, fields: plainText, body: .bytes(Array(text.utf8)))
    }

    /// The bytes of a text, as `text/plain; charset=utf-8`; costs no allocation.
    package static func text(_ bytes: [UInt8]) -> Response {
        Response(status: .ok, fields: plainText, body: .bytes(bytes))
    }

    /// A JSON value.
    public static func json(_ value: JSONValue, status: Status = .ok) -> Response {
        .bytes(value.serialized(), contentType: "application/json", status: status)
    }

    /// Bytes of a media type.
    public static func bytes(_ bytes: [UInt8], contentType: String, status: Status = .ok) -> Response {
        Response(status: status, fields: [.contentType: contentType], body: .bytes(bytes))
    }

    /// A whole file.
    ///
    /// The handler must add ranges and validators (`ETag`, `Last-Modified`) itself. If the file gets shorter
    /// while it is sent, the server cuts the connection.
    public static func file(_ file: OpenFile, contentType: String, status: Status = .ok) -> Response {
        Response(status: status, fields: [.contentType: contentType], body: .file(file))
    }

    /// Content that a closure writes in pieces.
    ///
    /// The closure runs after the head was sent. If it throws, the server cuts the connection, so that the
    /// client can distinguish an incomplete response from a complete one.
    public static func stream(
        contentType: String, status: Status = .ok,
        _ write: @escaping @Sendable (ResponseBodyWriter) async throws -> Void
    ) -> Response {
        Response(status: status, fields: [.contentType: contentType], body: .stream(write))
    }

    /// The pieces of a sequence, each sent as soon as it is available.
    public static func stream<Pieces: AsyncSequence & Sendable>(
        contentType: String, status: Status = .ok, pieces: Pieces
    ) -> Response where Pieces.Element == [UInt8] {
        .stream(contentType: contentType, status: status) { writer in
            for try await piece in pieces { try await writer.write(piece) }
        }
    }

    private static let plainText: Fields = [.contentType: "text/plain; charset=utf-8"]
}

/// Sends the content of a streamed response.
public struct ResponseBodyWriter: Sendable {
    package let sink: any BodySink

    package init(sink: any BodySink) {
        self.sink = sink
    }

    /// Sends bytes as one chunk.
    ///
    /// Waits while more unsent bytes are buffered than the server's limit.
    ///
    /// - Throws: `CancellationError` if the client has left or the server is stopping.
    public func write(_ bytes: [UInt8]) async throws {
        try await sink.write(bytes)
    }

    /// Sends a text as one chunk.
    public func write(_ text: String) async throws {
        try await sink.write(Array(text.utf8))
    }
}

/// The destination of a streamed response's pieces: the connection.
package protocol BodySink: Sendable {
    func write(_ bytes: [UInt8]) async throws
    /// Sends the head now, before the first piece.
    func begin() async
    /// Closes the connection at once, with an incomplete response.
    func cut() async
}
