// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// The content of a request, as it arrives.
///
/// A sequence of pieces that can be iterated once. The server reads from the socket only as the handler asks
/// for pieces, plus a bounded buffer. The server's body limit and deadlines apply; a handler that does not
/// need the body can ignore it.
///
/// RFC 9112 §6.
public struct RequestBody: Sendable, AsyncSequence {
    /// A piece of the content, at least one byte.
    public typealias Element = [UInt8]

    package enum Storage: Sendable {
        case bytes([UInt8])
        case stream(length: Int?, any BodySource)
    }

    private let storage: Storage

    package init(_ storage: Storage) {
        self.storage = storage
    }

    /// A body without content.
    public static var empty: RequestBody { RequestBody(.bytes([])) }

    /// A body with these bytes, for tests and for middleware that has read the original.
    public static func bytes(_ bytes: [UInt8]) -> RequestBody {
        RequestBody(.bytes(bytes))
    }

    /// The declared length in bytes, or `nil` if the request declares none.
    public var declaredLength: Int? {
        switch storage {
        case .bytes(let bytes): bytes.count
        case .stream(let length, _): length
        }
    }

    /// Reads the whole body.
    ///
    /// Waits for the client, within the server's body deadlines.
    ///
    /// - Parameter limit: The most bytes to read. Default: the server's limit.
    /// - Throws: ``RequestBodyError``; `MalformedMessage` for malformed framing or content over the limit. A
    ///   handler may let both propagate: the server answers them with the right status.
    public func collect(upTo limit: Int = .max) async throws -> [UInt8] {
        if case .bytes(let bytes) = storage {
            guard bytes.count <= limit else { throw MalformedMessage.bodyTooLarge }
            return bytes
        }
        if let declaredLength, declaredLength > limit { throw MalformedMessage.bodyTooLarge }
        var collected: [UInt8] = []
        for try await piece in self {
            guard collected.count + piece.count <= limit else { throw MalformedMessage.bodyTooLarge }
            collected += piece
        }
        return collected
    }

    /// Iterates over the pieces.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(storage: storage)
    }

    /// Iterates over the pieces of a body.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private var storage: Storage

        init(storage: Storage) {
            self.storage = storage
        }

        /// The next piece, or `nil` at the end.
        ///
        /// - Throws: ``RequestBodyError``, `MalformedMessage`.
        public mutating func next() async throws -> [UInt8]? {
            switch storage {
            case .bytes(let bytes):
                storage = .bytes([])
                return bytes.isEmpty ? nil : bytes
            case .stream(_, let source):
                return try await source.nextPiece()
            }
        }
    }
}

/// The source of a streamed body's pieces: the connection.
package protocol BodySource: Sendable {
    func nextPiece() async throws -> [UInt8]?
}

/// Why a body could not be read to its end.
public enum RequestBodyError: Error, Sendable, Hashable {
    /// The client sent nothing, or too little, within the deadline. Answered with 408. RFC 9110 §15.5.9.
    case timeout
    /// The client left, or the server is stopping.
    case connectionClosed
    /// The handler read the body after its request was answered, or from two tasks at once.
    case notAvailable
}

extension RequestBodyError: CustomStringConvertible {
    /// A phrase for a log.
    public var description: String {
        switch self {
        case .timeout: "the client sent its body too slowly"
        case .connectionClosed: "the client left before its body was complete"
        case .notAvailable: "the body was read after the answer, or by two tasks"
        }
    }
}
