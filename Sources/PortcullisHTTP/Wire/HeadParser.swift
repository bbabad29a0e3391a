// SPDX-License-Identifier: MIT

/// Parses the bytes of a request head into a ``RequestHead`` incrementally.
///
/// Pure: it stores its position, not the bytes. Checks the grammar and the limits; ``RequestSemantics``
/// checks whether the head makes sense as a request. The outcome does not depend on where the bytes were
/// split. After an error, neither the parser nor the connection can be used again.
///
/// Allocates two arrays for each head: its bytes and its slots.
///
/// RFC 9112 §2.2, §3, §5.
package struct HeadParser: Sendable {
    private let limits: WireLimits
    private var skipped = 0
    private var scanned = 0
    private var requestLine: RequestLine?
    private var fields: FieldSectionParser

    package init(limits: WireLimits) {
        self.limits = limits
        fields = FieldSectionParser(
            maxByteCount: limits.maxHeaderByteCount,
            maxFieldCount: limits.maxFieldCount,
            defersGrammar: true
        )
    }

    /// Prepares for the next head on the connection.
    package mutating func reset() {
        skipped = 0
        scanned = 0
        requestLine = nil
    }

    /// Continues where the last call stopped.
    ///
    /// `bytes` begins with the bytes of the last call; more may follow them.
    ///
    /// - Returns: The head and its length in bytes, or `nil` if it is not complete.
    /// - Throws: ``MalformedMessage``; errors of size and grammar take precedence over an unsupported
    ///   version.
    // SAFETY: `bytes` is only read, within its count, and not kept; the head gets a copy.
    package mutating func parse(
        _ bytes: UnsafeRawBufferPointer
    ) throws(MalformedMessage) -> (head: RequestHead, consumed: Int)? {
        guard try skipEmptyLine(bytes) else { return nil }
        let bytes = skipped == 0 ? bytes : UnsafeRawBufferPointer(rebasing: bytes[skipped...])
        if requestLine == nil { requestLine = try parseRequestLine(bytes) }
        guard let line = requestLine else { return nil }
        guard let end = try fields.parse(bytes) else { return nil }
        guard let version = line.version else { throw .unsupportedVersion }
        let head = RequestHead(
            method: line.method,
            version: version,
            bytes: Array(UnsafeRawBufferPointer(rebasing: bytes[..<end])),
            targetRange: line.target,
            // An exact copy, so that the parser keeps its scratch array.
            slots: fields.slots.withUnsafeBufferPointer { Array($0) }
        )
        let consumed = skipped + end
        reset()
        return (head, consumed)
    }

    /// The method and the target of a message whose request line was valid, after an error in the rest of it.
    ///
    /// - Parameter bytes: The bytes of the call that threw.
    package func requestLine(
        of bytes: UnsafeRawBufferPointer
    ) -> (method: Method, target: [UInt8], version: HTTPVersion)? {
        guard let line = requestLine, skipped + line.end <= bytes.count else { return nil }
        return (
            line.method, Array(UnsafeRawBufferPointer(rebasing: bytes[skipped...])[line.target]),
            line.version ?? .http1_1
        )
    }

    /// RFC 9112 §2.2: ignores an empty line before the request line; at most one, and only CRLF.
    ///
    /// Rejects a byte that cannot begin a request line at once, so that a TLS client does not wait for a
    /// deadline.
    ///
    /// - Returns: Whether a request line has begun.
    private mutating func skipEmptyLine(_ bytes: UnsafeRawBufferPointer) throws(MalformedMessage) -> Bool {
        guard requestLine == nil, scanned == 0 else { return true }
        if skipped == 0, bytes.count >= 1, bytes[0] == 0x0D {
            guard bytes.count >= 2 else { return false }
            guard bytes[1] == 0x0A else { throw .bareLineEnd }
            skipped = 2
        }
        guard bytes.count > skipped else { return false }
        switch bytes[skipped] {
        case 0x0A: throw .bareLineEnd
        case 0x0D, 0x20, 0x09: throw .invalidRequestLine
        // RFC 8446 §5.1: the type of a record, and the version of every record of a first message.
        case 0x16:
            guard bytes.count > skipped + 1 else { return false }
            throw bytes[skipped + 1] == 0x03 ? .tlsToPlainText : .invalidMethod
        case let byte where !CharacterClass.isTokenCharacter(byte): throw .invalidMethod
        default: return true
        }
    }

    private mutating func parseRequestLine(
        _ bytes: UnsafeRawBufferPointer
    ) throws(MalformedMessage) -> RequestLine? {
        let line: RequestLine
        if scanned == 0, let whole = try? RequestLine.parse(bytes) {
            line = whole
        } else {
            // The line is incomplete or malformed; only the whole line shows which, and errors of length
            // take precedence.
            guard let lineFeed = ByteScan.lineFeed(in: bytes, from: scanned) else {
                scanned = bytes.count
                guard bytes.count < maxLineByteCount else { throw .targetTooLong }
                return nil
            }
            guard lineFeed < maxLineByteCount else { throw .targetTooLong }
            let whole = try RequestLine.parse(UnsafeRawBufferPointer(rebasing: bytes[...lineFeed]))
            guard let whole else { throw bytes[lineFeed - 1] == 0x0D ? .invalidRequestLine : .bareLineEnd }
            line = whole
        }
        // RFC 9112 §3: 414 for a target longer than any that the server wishes to parse.
        guard line.target.count <= limits.maxTargetByteCount, line.end <= maxLineByteCount else {
            throw .targetTooLong
        }
        fields.restart(at: line.end)
        return line
    }

    private var maxLineByteCount: Int {
        limits.maxTargetByteCount + WireLimits.maxRequestLineRestByteCount
    }
}
