// SPDX-License-Identifier: MIT

package import PortcullisHTTP

/// Parses the bytes of one response incrementally.
///
/// Pure: takes bytes and returns the outcome.
///
/// RFC 9112 §6.3.
package struct ResponseReader {
    package enum Progress {
        case incomplete
        /// The response, and whether the connection can be used again.
        case complete(ReceivedResponse, keepAlive: Bool)
        case failed(HTTPClientError)
    }

    /// The most memory reserved for a declared length.
    private static let greatestReservation = 65536

    private let maxByteCount: Int
    private var parser: ResponseHeadParser
    private var headBytes: [UInt8] = []
    private var head: ParsedResponseHead?
    private var body: [UInt8] = []
    private var chunks: ChunkedDecoder
    private var isTooLarge = false

    /// Whether any byte has arrived.
    private(set) var hasBegun = false

    package init(method: Method, maxByteCount: Int, limits: WireLimits = WireLimits()) {
        self.maxByteCount = maxByteCount
        parser = ResponseHeadParser(requestMethod: method, limits: limits)
        chunks = ChunkedDecoder(limits: limits)
    }

    /// Takes the bytes of one read.
    ///
    /// The error does not depend on how the bytes were split.
    package mutating func take(_ bytes: UnsafeRawBufferPointer) -> Progress {
        guard !bytes.isEmpty else { return .incomplete }
        hasBegun = true
        if let head { return takeBody(bytes, of: head) }
        // Most heads arrive in one piece, which need not be copied.
        guard !headBytes.isEmpty else {
            let progress = takeHead(bytes)
            if case .incomplete = progress, head == nil { headBytes = Array(bytes) }
            return progress
        }
        headBytes += bytes
        let taken = headBytes
        return taken.withUnsafeBytes { takeHead($0) }
    }

    private mutating func takeHead(_ bytes: UnsafeRawBufferPointer) -> Progress {
        do throws(MalformedMessage) {
            guard let (head, consumed) = try parser.parse(bytes) else { return .incomplete }
            self.head = head
            headBytes = []
            if case .length(let count) = head.framing {
                guard count <= maxByteCount else { return .failed(.responseTooLarge) }
                body.reserveCapacity(min(count, Self.greatestReservation))
            }
            return takeBody(UnsafeRawBufferPointer(rebasing: bytes[consumed...]), of: head)
        } catch {
            return .failed(.malformedResponse(error))
        }
    }

    /// Takes the end of the connection.
    ///
    /// Over TLS the caller must have received the peer's closure alert.
    mutating func takeEnd() -> Progress {
        guard let head, head.framing == .untilClose else { return .failed(.closed) }
        return complete(head, hasRest: true)
    }

    private mutating func takeBody(_ bytes: UnsafeRawBufferPointer, of head: ParsedResponseHead) -> Progress {
        switch head.framing {
        case .none:
            return complete(head, hasRest: !bytes.isEmpty)
        case .length(let count):
            let missing = count - body.count
            body += bytes.prefix(missing)
            return body.count == count ? complete(head, hasRest: bytes.count > missing) : .incomplete
        case .chunked:
            return takeChunks(bytes, of: head)
        case .untilClose:
            append(bytes)
            return isTooLarge ? .failed(.responseTooLarge) : .incomplete
        }
    }

    private mutating func takeChunks(_ bytes: UnsafeRawBufferPointer, of head: ParsedResponseHead) -> Progress
    {
        do throws(MalformedMessage) {
            var decoder = chunks
            let progress = try decoder.decode(bytes) { append($0) }
            chunks = decoder
            guard !isTooLarge else { return .failed(.responseTooLarge) }
            return progress.finished ? complete(head, hasRest: progress.consumed < bytes.count) : .incomplete
        } catch {
            // If it arrived later, the malformed part after the limit would not be read.
            return .failed(isTooLarge ? .responseTooLarge : .malformedResponse(error))
        }
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard !isTooLarge, bytes.count <= maxByteCount - body.count else {
            isTooLarge = true
            return
        }
        body += bytes
    }

    /// Bytes after a response belong to no request: the two sides disagree, so the connection is not reused.
    private mutating func complete(_ head: ParsedResponseHead, hasRest: Bool) -> Progress {
        let response = ReceivedResponse(head: head, body: body)
        body = []
        return .complete(response, keepAlive: head.keepAlive && !hasRest)
    }
}

/// A received response; it decodes its fields on access.
package struct ReceivedResponse: Sendable {
    fileprivate let head: ParsedResponseHead
    /// The body without its transfer coding.
    package let body: [UInt8]

    /// The final status, never 1xx.
    package var status: Status { head.status }
    /// The fields, in order.
    package var fields: Fields { head.fields }
}
