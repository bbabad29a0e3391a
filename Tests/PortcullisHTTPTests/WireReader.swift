// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// The result of reading a message.
enum WireOutcome: Equatable {
    case incomplete
    case refused(MalformedMessage)
    case accepted(body: [UInt8], consumed: Int)

    var status: Int? {
        if case .refused(let reason) = self { reason.status.code } else { nil }
    }
}

/// Reads one request as a connection does: head, meaning, path, body, from bytes that arrive in pieces.
struct WireReader {
    static let maxBodyByteCount = 1_048_576

    private var parser: HeadParser
    private var decoder: ChunkedDecoder
    private var buffer: [UInt8] = []
    private var framing: BodyFraming?
    private var body: [UInt8] = []
    private var consumed = 0
    private(set) var outcome = WireOutcome.incomplete
    private(set) var head: RequestHead?

    init(limits: WireLimits = WireLimits()) {
        parser = HeadParser(limits: limits)
        decoder = ChunkedDecoder(limits: limits)
    }

    /// Reads all of `bytes`, split at these offsets.
    static func read(_ bytes: [UInt8], cutAt cuts: [Int] = [], limits: WireLimits = WireLimits())
        -> WireOutcome
    {
        var reader = WireReader(limits: limits)
        var start = 0
        for end in cuts + [bytes.count] {
            reader.feed(bytes[start..<end])
            start = end
        }
        return reader.outcome
    }

    static func read(_ text: String, limits: WireLimits = WireLimits()) -> WireOutcome {
        read(Array(text.utf8), limits: limits)
    }

    mutating func feed(_ bytes: ArraySlice<UInt8>) {
        guard outcome == .incomplete else { return }
        buffer += bytes
        do throws(MalformedMessage) {
            if framing == nil { try readHead() }
            if let framing { try readBody(framing) }
        } catch {
            outcome = .refused(error)
        }
    }

    private mutating func readHead() throws(MalformedMessage) {
        let buffer = buffer
        let result = try buffer.withUnsafeBufferPointer { pointer throws(MalformedMessage) in
            try parser.parse(UnsafeRawBufferPointer(pointer))
        }
        guard let result else { return }
        let semantics = try RequestSemantics(result.head, maxBodyByteCount: Self.maxBodyByteCount)
        if semantics.form == .origin || semantics.form == .absolute {
            _ = try RequestPath(result.head, semantics)
        }
        head = result.head
        consumed = result.consumed
        framing = semantics.framing
        self.buffer.removeFirst(result.consumed)
    }

    private mutating func readBody(_ framing: BodyFraming) throws(MalformedMessage) {
        switch framing {
        case .none, .untilClose: finish()
        case .length(let length):
            guard buffer.count >= length else { return }
            body = Array(buffer[..<length])
            consumed += length
            finish()
        case .chunked:
            let pending = buffer
            var pieces: [UInt8] = []
            let progress = try pending.withUnsafeBufferPointer { pointer throws(MalformedMessage) in
                try decoder.decode(UnsafeRawBufferPointer(pointer)) { pieces += $0 }
            }
            body += pieces
            consumed += progress.consumed
            buffer.removeFirst(progress.consumed)
            if progress.finished { finish() }
        }
    }

    private mutating func finish() {
        outcome = .accepted(body: body, consumed: consumed)
    }
}

/// Decodes a chunked body that arrives in pieces.
func decodeChunked(
    _ bytes: [UInt8], pieceByteCount: Int = .max, limits: WireLimits = WireLimits()
) -> Result<(body: [UInt8], consumed: Int, finished: Bool), MalformedMessage> {
    var decoder = ChunkedDecoder(limits: limits)
    var body: [UInt8] = []
    var index = 0
    do throws(MalformedMessage) {
        while index < bytes.count {
            let piece = Array(bytes[index...].prefix(pieceByteCount))
            let progress = try piece.withUnsafeBufferPointer { pointer throws(MalformedMessage) in
                try decoder.decode(UnsafeRawBufferPointer(pointer)) { body += $0 }
            }
            index += progress.consumed
            if progress.finished { return .success((body, index, true)) }
        }
        return .success((body, index, false))
    } catch {
        return .failure(error)
    }
}

/// The head of a well-formed request.
func parseHead(_ text: String, limits: WireLimits = WireLimits()) throws -> RequestHead {
    try parseHead(Array(text.utf8), limits: limits).head
}

func parseHead(_ bytes: [UInt8], limits: WireLimits = WireLimits()) throws -> (
    head: RequestHead, consumed: Int
) {
    var parser = HeadParser(limits: limits)
    let result = try bytes.withUnsafeBufferPointer { pointer throws(MalformedMessage) in
        try parser.parse(UnsafeRawBufferPointer(pointer))
    }
    guard let result else { throw UnfinishedHead() }
    return result
}

/// The head has not ended.
struct UnfinishedHead: Error {}

/// The framing of a request without a body.
func semantics(
    _ line: String, _ fields: String..., host: String? = "a"
) throws -> (head: RequestHead, meaning: RequestSemantics) {
    let lines = [line] + (host.map { ["Host: \($0)"] } ?? []) + fields
    let head = try parseHead(lines.joined(separator: "\r\n") + "\r\n\r\n")
    return (head, try RequestSemantics(head))
}
