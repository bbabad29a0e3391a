// SPDX-License-Identifier: MIT

/// How a message delimits its body.
///
/// RFC 9112 §6.3.
package enum BodyFraming: Sendable, Hashable {
    /// There is no body.
    case none
    /// This many bytes.
    case length(Int)
    /// The chunked coding delimits the body.
    case chunked
    /// All bytes until the connection ends.
    ///
    /// Responses only.
    case untilClose
}

/// Collects the framing fields of one message, and resolves them to a framing.
///
/// RFC 9112 §6.
struct FramingFields {
    private var length: Int?
    private var codingLineCount = 0
    private var codingCount = 0
    private var chunkedCount = 0
    private var endsInChunked = false

    /// Adds the value of a `Content-Length` line.
    ///
    /// Stricter than RFC 9110 §8.6: rejects a second line or a list, even if all numbers agree.
    mutating func addLength(_ bytes: [UInt8], _ range: Range<Int>) throws(MalformedMessage) {
        guard length == nil, !range.isEmpty else { throw .invalidContentLength }
        var number = 0
        for byte in bytes[range] {
            guard CharacterClass.isDigit(byte) else { throw .invalidContentLength }
            let (product, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(byte - 0x30))
            guard !overflow, !carry else { throw .invalidContentLength }
            number = sum
        }
        length = number
    }

    /// Adds the value of a `Transfer-Encoding` line.
    ///
    /// Stricter than RFC 9110 §5.6.1: rejects an empty list element and a quoted parameter.
    mutating func addCodings(_ bytes: [UInt8], _ range: Range<Int>) throws(MalformedMessage) {
        codingLineCount += 1
        for element in ListElements(in: bytes, range) {
            let isChunked = bytes.equalsIgnoringCase(element, "chunked")
            guard isChunked || Self.isCoding(bytes, element) else { throw .invalidTransferEncoding }
            codingCount += 1
            chunkedCount += isChunked ? 1 : 0
            endsInChunked = isChunked
        }
    }

    /// The framing that the fields declare, or `nil` if there are none.
    func resolve(version: HTTPVersion) throws(MalformedMessage) -> BodyFraming? {
        guard codingLineCount > 0 else { return length.map { .length($0) } }
        // RFC 9112 §6.1: faulty framing, because HTTP/1.0 has no transfer codings.
        guard version == .http1_1 else { throw .invalidTransferEncoding }
        // RFC 9112 §6.3 ¶3: both fields may be an attempt at request smuggling.
        guard length == nil else { throw .ambiguousFraming }
        if codingCount == 1, chunkedCount == 1 { return .chunked }
        // RFC 9112 §6.1: chunked must be the last coding, and applied once.
        let isOnlyUnknown = codingCount == 1 || (endsInChunked && chunkedCount == 1)
        throw isOnlyUnknown ? .unsupportedTransferCoding : .invalidTransferEncoding
    }

    /// `token *( OWS ";" OWS token BWS "=" BWS token )`, but chunked has no parameters.
    ///
    /// RFC 9110 §10.1.4.
    private static func isCoding(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        guard bytes[range].contains(0x3B) else { return bytes.isToken(range) }
        let parts = bytes[range].split(separator: 0x3B, omittingEmptySubsequences: false)
        guard let first = parts.first else { return false }
        let name = trimmed(first)
        guard bytes.isToken(name), parts.count == 1 || !bytes.equalsIgnoringCase(name, "chunked") else {
            return false
        }
        return parts.dropFirst().allSatisfy { part in
            guard let equals = part.firstIndex(of: 0x3D) else { return false }
            return bytes.isToken(trimmed(part[..<equals])) && bytes.isToken(trimmed(part[(equals + 1)...]))
        }
    }

    private static func trimmed(_ part: ArraySlice<UInt8>) -> Range<Int> {
        let blanks = part.prefix(while: FieldLine.isBlank)
        let rest = part[blanks.endIndex...]
        let end = rest.lastIndex { !FieldLine.isBlank($0) }.map { $0 + 1 } ?? rest.startIndex
        return rest.startIndex..<end
    }
}

/// Collects the options of `Connection`.
///
/// RFC 9112 §9.3.
struct ConnectionOptions {
    private var close = false
    private var keepAlive = false

    /// Adds the value of a `Connection` line.
    ///
    /// Reads a malformed list as `close`.
    mutating func add(_ bytes: [UInt8], _ range: Range<Int>) {
        // The usual list has this one element.
        if bytes.equalsIgnoringCase(range, "keep-alive") {
            keepAlive = true
            return
        }
        for element in ListElements(in: bytes, range) where !element.isEmpty {
            if bytes.equalsIgnoringCase(element, "keep-alive") {
                keepAlive = true
            } else if bytes.equalsIgnoringCase(element, "close") || !bytes.isToken(element) {
                close = true
            }
        }
    }

    /// Whether the connection stays open after the message.
    func persists(version: HTTPVersion) -> Bool {
        !close && (version == .http1_1 || keepAlive)
    }
}
