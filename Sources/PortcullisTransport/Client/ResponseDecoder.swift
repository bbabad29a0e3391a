// SPDX-License-Identifier: MIT

package import PortcullisHTTP

/// Decodes the bytes of one response into its parts incrementally.
///
/// Pure: takes bytes and delivers parts. Drops trailers.
///
/// RFC 9112 §6.3, RFC 9110 §6.5.1.
package struct ResponseDecoder {
    package enum Part {
        /// A head: of interim responses, if they are reported, then of the final response.
        case head(ParsedResponseHead)
        /// Content; valid only during the call.
        case body(UnsafeRawBufferPointer)
    }

    private var parser: ResponseHeadParser
    private var headBytes: [UInt8] = []
    private var head: ParsedResponseHead?
    /// The missing bytes of a body with a declared length.
    private var remaining = 0
    private var chunks: ChunkedDecoder

    /// Whether any byte has arrived.
    private(set) var hasBegun = false

    package init(
        method: Method, limits: WireLimits = WireLimits(), reportsInterim: Bool = false,
        acceptsUpgrade: Bool = false
    ) {
        parser = ResponseHeadParser(
            requestMethod: method, limits: limits, reportsInterim: reportsInterim,
            acceptsUpgrade: acceptsUpgrade)
        chunks = ChunkedDecoder(limits: limits)
    }

    /// Takes the bytes of one read.
    ///
    /// The error does not depend on how the bytes were split.
    ///
    /// - Returns: `nil` while the response is incomplete; then whether the connection can be used again.
    package mutating func take(
        _ bytes: UnsafeRawBufferPointer, _ deliver: (Part) -> Void
    ) throws(MalformedMessage) -> Bool? {
        guard !bytes.isEmpty else { return nil }
        hasBegun = true
        if let head { return try takeBody(bytes, of: head, deliver) }
        // Most heads arrive in one piece, which need not be copied.
        guard !headBytes.isEmpty else { return try takeHead(bytes, deliver) }
        headBytes += bytes
        let taken = headBytes
        return try taken.withUnsafeBufferPointer { buffer throws(MalformedMessage) in
            try takeHead(UnsafeRawBufferPointer(buffer), deliver)
        }
    }

    /// Whether the end of the connection is the end of the response.
    ///
    /// Over TLS the caller must have received the peer's closure alert.
    package var endsWithConnection: Bool { head?.framing == .untilClose }

    private mutating func takeHead(
        _ bytes: UnsafeRawBufferPointer, _ deliver: (Part) -> Void
    ) throws(MalformedMessage) -> Bool? {
        var rest = bytes
        while let (head, consumed) = try parser.parse(rest) {
            rest = UnsafeRawBufferPointer(rebasing: rest[consumed...])
            if !head.status.isInformational || head.status.code == 101 {
                headBytes = []
                self.head = head
                if case .length(let length) = head.framing { remaining = length }
                deliver(.head(head))
                return try takeBody(rest, of: head, deliver)
            }
            deliver(.head(head))
        }
        // Bytes of an unfinished head that are gathered already need no second copy.
        if headBytes.isEmpty || rest.count < bytes.count { headBytes = Array(rest) }
        return nil
    }

    private mutating func takeBody(
        _ bytes: UnsafeRawBufferPointer, of head: ParsedResponseHead, _ deliver: (Part) -> Void
    ) throws(MalformedMessage) -> Bool? {
        switch head.framing {
        case .none:
            return keepsAlive(head, hasRest: !bytes.isEmpty)
        case .length:
            let count = min(remaining, bytes.count)
            if count > 0 { deliver(.body(UnsafeRawBufferPointer(rebasing: bytes[..<count]))) }
            remaining -= count
            return remaining == 0 ? keepsAlive(head, hasRest: count < bytes.count) : nil
        case .chunked:
            let progress = try chunks.decode(bytes) { deliver(.body($0)) }
            return progress.finished ? keepsAlive(head, hasRest: progress.consumed < bytes.count) : nil
        case .untilClose:
            if !bytes.isEmpty { deliver(.body(bytes)) }
            return nil
        }
    }

    /// Bytes after a response belong to no request: the two sides disagree, so the connection is not reused.
    private func keepsAlive(_ head: ParsedResponseHead, hasRest: Bool) -> Bool {
        head.keepAlive && !hasRest
    }
}
