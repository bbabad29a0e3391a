// SPDX-License-Identifier: MIT

package import Portcullis
public import PortcullisHTTP
public import PortcullisJOSE
public import PortcullisTransport

/// What a handler answers.
///
/// The server adds `Content-Length` or `Transfer-Encoding`, `Date` and `Connection`; fields of these names that a handler sets
/// are left out.
public struct Response: Sendable {
    /// The status.
    ///
    /// Interim (1xx) statuses are the server's own affair.
    public var status: Status
    /// The fields.
    public var fields: Fields
    /// The content.
    public var body: Body
    /// Why the gate refused, for logs and metrics.
    package var refusalReason: RefusalReason?
    /// What was wrong, where somebody wants to know.
    package var refusalFinding: RefusalFinding?
    /// The type of an error that a handler threw and that is nobody's business but the operator's.
    package var failure: String?
    /// Whether this is an error of the server's own, whose body may be told in another form.
    package var isProblem = false

    /// The content of a response.
    public enum Body: Sendable {
        /// Bytes that are there already. Sent with `Content-Length`.
        case bytes([UInt8])
        /// A file. Sent with `Content-Length`, and without copying it through memory where the system and the connection allow that.
        case file(OpenFile)
        /// Bytes that a closure writes while they come about. Sent in chunks, each as soon as it is written.
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

    /// A JSON value.
    public static func json(_ value: JSONValue, status: Status = .ok) -> Response {
        .bytes(value.serialized(), contentType: "application/json", status: status)
    }

    /// Bytes of a media type.
    public static func bytes(_ bytes: [UInt8], contentType: String, status: Status = .ok) -> Response {
        Response(status: status, fields: [.contentType: contentType], body: .bytes(bytes))
    }

    /// A file, all of it.
    ///
    /// Ranges and validators (`ETag`, `Last-Modified`) are the handler's to add. If the file gets shorter while it is sent, the
    /// connection is cut.
    public static func file(_ file: OpenFile, contentType: String, status: Status = .ok) -> Response {
        Response(status: status, fields: [.contentType: contentType], body: .file(file))
    }

    /// Content that is written piece by piece.
    ///
    /// The closure runs after the head was sent. If it throws, the connection is cut, so that the client can tell an unfinished
    /// answer from a whole one.
    public static func stream(
        contentType: String, status: Status = .ok,
        _ write: @escaping @Sendable (ResponseBodyWriter) async throws -> Void
    ) -> Response {
        Response(status: status, fields: [.contentType: contentType], body: .stream(write))
    }

    /// The pieces of a sequence, each sent as soon as it comes.
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
    /// Waits while more than the server's limit of earlier bytes is unsent.
    ///
    /// - Throws: `CancellationError` when the client has gone or the server is stopping.
    public func write(_ bytes: [UInt8]) async throws {
        try await sink.write(bytes)
    }

    /// Sends a text as one chunk.
    public func write(_ text: String) async throws {
        try await sink.write(Array(text.utf8))
    }
}

/// Where the pieces of a streamed response go: the connection.
package protocol BodySink: Sendable {
    func write(_ bytes: [UInt8]) async throws
    /// Ends the connection at once, with an answer that is not whole.
    func cut() async
}
