// SPDX-License-Identifier: MIT

package import PortcullisHTTP

/// Parses the bytes of one response incrementally, and gathers its body within a limit.
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

    /// What has arrived.
    private struct Gathered {
        /// The most memory reserved for a declared length.
        private static let greatestReservation = 65536

        var head: ParsedResponseHead?
        var body: [UInt8] = []
        var isTooLarge = false

        mutating func take(_ part: ResponseDecoder.Part, _ maxByteCount: Int) {
            switch part {
            case .head(let head):
                self.head = head
                guard case .length(let count) = head.framing else { return }
                isTooLarge = count > maxByteCount
                if !isTooLarge { body.reserveCapacity(min(count, Self.greatestReservation)) }
            case .body(let bytes):
                guard !isTooLarge, bytes.count <= maxByteCount - body.count else {
                    isTooLarge = true
                    return
                }
                body += bytes
            }
        }
    }

    private let maxByteCount: Int
    private var decoder: ResponseDecoder
    private var gathered = Gathered()

    /// Whether any byte has arrived.
    var hasBegun: Bool { decoder.hasBegun }

    package init(method: Method, maxByteCount: Int, limits: WireLimits = WireLimits()) {
        self.maxByteCount = maxByteCount
        decoder = ResponseDecoder(method: method, limits: limits)
    }

    /// Takes the bytes of one read.
    ///
    /// The error does not depend on how the bytes were split.
    package mutating func take(_ bytes: UnsafeRawBufferPointer) -> Progress {
        // Moved out and back, because the decoder may not change what its closure reads.
        var gathered = Gathered()
        swap(&gathered, &self.gathered)
        defer { swap(&gathered, &self.gathered) }
        let limit = maxByteCount
        do throws(MalformedMessage) {
            let keepAlive = try decoder.take(bytes) { gathered.take($0, limit) }
            guard !gathered.isTooLarge else { return .failed(.responseTooLarge) }
            guard let keepAlive, let head = gathered.head else { return .incomplete }
            return .complete(Self.response(head, &gathered.body), keepAlive: keepAlive)
        } catch {
            // If it arrived later, the malformed part after the limit would not be read.
            return .failed(gathered.isTooLarge ? .responseTooLarge : .malformedResponse(error))
        }
    }

    /// Takes the end of the connection.
    ///
    /// Over TLS the caller must have received the peer's closure alert.
    mutating func takeEnd() -> Progress {
        guard decoder.endsWithConnection, let head = gathered.head else { return .failed(.closed) }
        return .complete(Self.response(head, &gathered.body), keepAlive: false)
    }

    private static func response(_ head: ParsedResponseHead, _ body: inout [UInt8]) -> ReceivedResponse {
        defer { body = [] }
        return ReceivedResponse(head: head, body: body)
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
