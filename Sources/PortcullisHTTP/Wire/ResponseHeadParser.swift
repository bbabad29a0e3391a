// SPDX-License-Identifier: MIT

/// The head of a response, and how to read its body.
///
/// RFC 9112 §4, §6.3.
package struct ParsedResponseHead: Sendable, Hashable {
    /// The status; 1xx only if the parser reports interim responses.
    package let status: Status
    /// The version that the status line names.
    package let version: HTTPVersion
    /// How the body is delimited.
    package let framing: BodyFraming
    /// Whether the connection can be used again once the body has been read.
    package let keepAlive: Bool
    /// The value of `Content-Length`, also where no body follows: in a response to HEAD, or a 304.
    package let declaredLength: Int?
    /// The bytes that the slots refer to.
    package let bytes: [UInt8]
    /// The offsets of each field line in `bytes`, in order.
    package let slots: [RequestHead.FieldSlot]

    /// The fields, in order; decoded on each access, because most callers read none.
    ///
    /// Bytes that are not UTF-8 become U+FFFD.
    package var fields: Fields {
        var fields = Fields()
        for slot in slots {
            // The parser accepts only tokens.
            guard let name = FieldName(String(decoding: bytes[slot.nameRange], as: UTF8.self)) else {
                continue
            }
            fields.append(String(decoding: bytes[slot.valueRange], as: UTF8.self), for: name)
        }
        return fields
    }
}

/// Parses the bytes of a response head into a ``ParsedResponseHead`` incrementally.
///
/// Pure, strict and bounded like ``HeadParser``. Allows eight interim responses. Rejects 101 unless the
/// request offered another protocol.
///
/// RFC 9112 §4, §5, §6.3, RFC 9110 §15.2.
package struct ResponseHeadParser: Sendable {
    private static let maxInterimCount = 8

    private let limits: WireLimits
    private let requestMethod: Method
    private let reportsInterim: Bool
    private let acceptsUpgrade: Bool
    private var headStart = 0
    private var interimCount = 0
    private var scanned = 0
    private var statusLine: StatusLine?
    private var fields: FieldSectionParser

    /// Makes a parser.
    ///
    /// - Parameters:
    ///   - reportsInterim: Whether interim responses are returned; otherwise they are skipped.
    ///   - acceptsUpgrade: Whether 101 is accepted, as the last response: all bytes after it are of the
    ///     other protocol.
    package init(
        requestMethod: Method, limits: WireLimits, reportsInterim: Bool = false, acceptsUpgrade: Bool = false
    ) {
        self.limits = limits
        self.requestMethod = requestMethod
        self.reportsInterim = reportsInterim
        self.acceptsUpgrade = acceptsUpgrade
        fields = FieldSectionParser(
            maxByteCount: limits.maxHeaderByteCount,
            maxFieldCount: limits.maxFieldCount,
            defersGrammar: false
        )
        fields.reserveCapacity(8)
    }

    /// Continues where the last call stopped.
    ///
    /// `bytes` begins with the bytes of the last call; more may follow them. After an interim response was
    /// returned, `bytes` begins after it.
    ///
    /// - Returns: The head and its length in bytes with the skipped interim responses before it, or `nil` if
    ///   it is not complete.
    // SAFETY: `bytes` is only read, within its count, and not kept.
    package mutating func parse(
        _ bytes: UnsafeRawBufferPointer
    ) throws(MalformedMessage) -> (head: ParsedResponseHead, consumed: Int)? {
        while true {
            if statusLine == nil { statusLine = try parseStatusLine(bytes) }
            guard let line = statusLine, let end = try fields.parse(bytes) else { return nil }
            guard let version = line.version else { throw .unsupportedVersion }
            guard line.status.isInformational else {
                return (try finish(line.status, version, Array(bytes[..<end])), end)
            }
            if line.status.code == 101 {
                guard acceptsUpgrade else { throw .invalidStatusLine }
                return (try finish(line.status, version, Array(bytes[..<end])), end)
            }
            interimCount += 1
            guard interimCount <= Self.maxInterimCount else { throw .headerBlockTooLarge }
            guard reportsInterim else {
                beginHead(at: end)
                continue
            }
            let head = try finish(line.status, version, Array(bytes[..<end]))
            beginHead(at: 0)
            return (head, end)
        }
    }

    private mutating func beginHead(at start: Int) {
        headStart = start
        scanned = start
        statusLine = nil
    }

    private mutating func parseStatusLine(_ bytes: UnsafeRawBufferPointer) throws(MalformedMessage)
        -> StatusLine?
    {
        let maxLineByteCount = limits.maxHeaderByteCount
        guard let lineFeed = ByteScan.lineFeed(in: bytes, from: scanned) else {
            scanned = bytes.count
            guard bytes.count - headStart < maxLineByteCount else { throw .headerBlockTooLarge }
            return nil
        }
        guard lineFeed - headStart < maxLineByteCount else { throw .headerBlockTooLarge }
        let line = try StatusLine(UnsafeRawBufferPointer(rebasing: bytes[headStart...lineFeed]))
        fields.restart(at: lineFeed + 1)
        return line
    }

    private func finish(
        _ status: Status, _ version: HTTPVersion, _ bytes: [UInt8]
    ) throws(MalformedMessage) -> ParsedResponseHead {
        var framingFields = FramingFields()
        var connection = ConnectionOptions()
        for slot in fields.slots {
            switch slot.known {
            case .contentLength: try framingFields.addLength(bytes, slot.valueRange)
            case .transferEncoding: try framingFields.addCodings(bytes, slot.valueRange)
            case .connection: connection.add(bytes, slot.valueRange)
            default: break
            }
        }
        var framing = try framingFields.resolve(version: version) ?? .untilClose
        let declaredLength: Int? = if case .length(let length) = framing { length } else { nil }
        // RFC 9110 §8.6: a 204 has no content; bytes that follow all the same would be the next response.
        let isContradictory = status.code == 204 && (framing == .chunked || declaredLength ?? 0 > 0)
        // RFC 9112 §6.3 ¶1: these responses end with their head, whatever their fields declare.
        if requestMethod == .head || status.forbidsContent { framing = .none }
        // RFC 9110 §7.8: the other protocol begins after the head.
        if status.code == 101 { framing = .untilClose }
        return ParsedResponseHead(
            status: status,
            version: version,
            framing: framing,
            keepAlive: framing != .untilClose && !isContradictory && connection.persists(version: version),
            declaredLength: declaredLength,
            bytes: bytes,
            slots: fields.slots
        )
    }
}

/// `HTTP-version SP status-code SP [ reason-phrase ] CRLF`.
///
/// Accepts a missing space after the code if the phrase is missing too: some servers omit it, and the
/// meaning is unambiguous.
///
/// RFC 9112 §4.
private struct StatusLine: Sendable {
    let status: Status
    let version: HTTPVersion?

    // SAFETY: `line` is only read, within its count, and not kept.
    init(_ line: UnsafeRawBufferPointer) throws(MalformedMessage) {
        guard line.count >= 14, line[line.count - 2] == 0x0D else { throw .invalidStatusLine }
        guard line.starts(with: "HTTP/".utf8), CharacterClass.isDigit(line[5]), line[6] == 0x2E,
            CharacterClass.isDigit(line[7]), line[8] == 0x20, line[9..<12].allSatisfy(CharacterClass.isDigit)
        else { throw .invalidStatusLine }
        let code = line[9..<12].reduce(0) { $0 * 10 + Int($1 - 0x30) }
        guard (100...599).contains(code), line[12] == (line.count == 14 ? 0x0D : 0x20) else {
            throw .invalidStatusLine
        }
        guard line[12..<(line.count - 2)].allSatisfy(CharacterClass.isFieldValueCharacter) else {
            throw .invalidStatusLine
        }
        status = Status(code: code)
        version = line[5] == 0x31 ? (line[7] == 0x31 ? .http1_1 : line[7] == 0x30 ? .http1_0 : nil) : nil
    }
}
