// SPDX-License-Identifier: MIT

/// The head of a response, and how to read what follows it.
///
/// RFC 9112 §4, §6.3.
package struct ParsedResponseHead: Sendable, Hashable {
    /// The status, never an interim one.
    package let status: Status
    /// The version that the status line names.
    package let version: HTTPVersion
    /// How the body is delimited.
    package let framing: BodyFraming
    /// Whether the connection can be used again once the body has been read.
    package let keepAlive: Bool
    fileprivate let bytes: [UInt8]
    fileprivate let slots: [RequestHead.FieldSlot]

    /// The fields, in order; made anew each time, since often nobody asks.
    ///
    /// Bytes that are no UTF-8 have become U+FFFD.
    package var fields: Fields {
        var fields = Fields()
        for slot in slots {
            // The parser lets nothing but tokens through.
            guard let name = FieldName(String(decoding: bytes[slot.nameRange], as: UTF8.self)) else {
                continue
            }
            fields.append(String(decoding: bytes[slot.valueRange], as: UTF8.self), for: name)
        }
        return fields
    }
}

/// Turns the bytes of a response head into a ``ParsedResponseHead``, over as many calls as it takes.
///
/// Pure, strict and bounded like ``HeadParser``. Interim responses are skipped, eight at most; 101 is
/// refused, since nothing here asks for another protocol.
///
/// RFC 9112 §4, §5, §6.3, RFC 9110 §15.2.
package struct ResponseHeadParser: Sendable {
    private static let maxInterimCount = 8

    private let limits: WireLimits
    private let requestMethod: Method
    private var headStart = 0
    private var interimCount = 0
    private var scanned = 0
    private var statusLine: StatusLine?
    private var fields: FieldSectionParser

    package init(requestMethod: Method, limits: WireLimits) {
        self.limits = limits
        self.requestMethod = requestMethod
        fields = FieldSectionParser(
            maxByteCount: limits.maxHeaderByteCount,
            maxFieldCount: limits.maxFieldCount,
            defersGrammar: false
        )
        fields.reserveCapacity(8)
    }

    /// Goes on where the last call stopped.
    ///
    /// `bytes` are those of the last call and perhaps more behind them.
    ///
    /// - Returns: The head and how many bytes it took with the interim responses before it, or nothing if it
    ///   has not ended.
    // SAFETY: `bytes` is only read, below its count, and not kept.
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
            interimCount += 1
            guard line.status.code != 101 else { throw .invalidStatusLine }
            guard interimCount <= Self.maxInterimCount else { throw .headerBlockTooLarge }
            headStart = end
            scanned = end
            statusLine = nil
        }
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
        // RFC 9112 §6.3 ¶1: these end with their head, whatever their fields say.
        if requestMethod == .head || status.forbidsContent { framing = .none }
        return ParsedResponseHead(
            status: status,
            version: version,
            framing: framing,
            keepAlive: framing != .untilClose && connection.persists(version: version),
            bytes: bytes,
            slots: fields.slots
        )
    }
}

/// `HTTP-version SP status-code SP [ reason-phrase ] CRLF`.
///
/// The blank behind the code may be missing where the phrase is, as some servers leave it out and nothing
/// else can be meant.
///
/// RFC 9112 §4.
private struct StatusLine: Sendable {
    let status: Status
    let version: HTTPVersion?

    // SAFETY: `line` is only read, below its count, and not kept.
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
