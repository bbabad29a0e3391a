// SPDX-License-Identifier: MIT

/// What is wrong with a document that is not strict JSON, and where, in words for its author.
///
/// Contains none of the document's text.
///
/// RFC 8259 §2, §8.1.
public struct JSONProblem: Sendable, Hashable, CustomStringConvertible {
    /// A phrase: what was found.
    public let phrase: String
    /// The line, from 1.
    public let line: Int
    /// The column in characters, from 1.
    public let column: Int

    /// Describes an error of the parser.
    ///
    /// - Parameter bytes: The document that the parser refused.
    public init(_ error: JSONError, in bytes: [UInt8]) {
        let found = Self.encoding(of: bytes) ?? Self.construct(error, in: bytes)
        phrase = found?.phrase ?? Self.phrase(for: error.reason)
        let offset = min(found?.offset ?? error.offset, bytes.count)
        let before = bytes[..<offset]
        line = before.count { $0 == 0x0A } + 1
        let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        // The continuation bytes of UTF-8 are not characters of their own. RFC 3629 §3.
        column = before[start...].count { $0 & 0xC0 != 0x80 } + 1
    }

    /// The phrase, the line and the column.
    public var description: String { "\(phrase), at line \(line), column \(column)" }

    /// RFC 8259 §8.1: JSON is UTF-8 without a byte order mark.
    private static func encoding(of bytes: [UInt8]) -> (phrase: String, offset: Int)? {
        switch (bytes.first, bytes.dropFirst().first) {
        case (0xFF, 0xFE), (0xFE, 0xFF), (0, .some), (.some(1...), 0):
            ("UTF-16 or UTF-32; save the document as UTF-8", 0)
        default:
            bytes.starts(with: [0xEF, 0xBB, 0xBF])
                ? ("a byte order mark; save the document as UTF-8 without it", 0) : nil
        }
    }

    /// Recognizes what other formats allow.
    private static func construct(_ error: JSONError, in bytes: [UInt8]) -> (phrase: String, offset: Int)? {
        if error.reason == .unexpectedEnd, bytes.allSatisfy({ [0x20, 0x09, 0x0A, 0x0D].contains($0) }) {
            return ("an empty document", 0)
        }
        if error.reason == .unexpectedEnd, bytes.allSatisfy(isLetter) {
            return ("a word without quotes that is not true, false or null", 0)
        }
        if error.reason == .malformedNumber, bytes.starts(with: "---".utf8) {
            return ("the beginning of YAML", 0)
        }
        guard error.reason == .unexpectedByte || error.reason == .trailingData, error.offset < bytes.count
        else { return nil }
        let rest = bytes[error.offset...]
        let first = bytes[error.offset]
        let previous = bytes[..<error.offset].lastIndex { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        if error.reason == .unexpectedByte, let previous, endsValue(bytes[previous]), beginsValue(first) {
            return ("a missing comma or colon before this", error.offset)
        }
        switch first {
        case 0x2F where rest.starts(with: "//".utf8) || rest.starts(with: "/*".utf8), 0x23:
            return ("a comment, which JSON does not have", error.offset)
        case 0x27: return ("a single quote; JSON has double quotes only", error.offset)
        case 0xE2 where rest.starts(with: "\u{201C}".utf8) || rest.starts(with: "\u{201D}".utf8):
            return ("a typographic quote; JSON has the plain double quote only", error.offset)
        case 0x7D, 0x5D:
            guard let previous, bytes[previous] == 0x2C else { return nil }
            return ("a trailing comma, which JSON does not allow", previous)
        case 0x3C where previous == nil: return ("the beginning of HTML or XML", error.offset)
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F:
            if previous == nil, rest.prefix(while: { $0 != 0x0A }).contains(0x3A) {
                return ("the beginning of YAML", error.offset)
            }
            guard let previous, bytes[previous] == 0x7B || bytes[previous] == 0x2C else {
                return ("a word without quotes that is not true, false or null", error.offset)
            }
            return ("a key without double quotes", error.offset)
        default: return nil
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    /// Whether a byte begins a string, a number, a word, an array or an object.
    private static func beginsValue(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x22, 0x5B, 0x7B, 0x30...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A: true
        default: false
        }
    }

    /// Whether a byte ends a string, a number, an array or an object.
    private static func endsValue(_ byte: UInt8) -> Bool {
        [0x22, 0x7D, 0x5D].contains(byte) || (0x30...0x39).contains(byte)
    }

    static func phrase(for reason: JSONError.Reason) -> String {
        switch reason {
        case .tooLong: "too long a document"
        case .tooDeep: "too deep a nesting"
        case .tooManyMembers: "too many members"
        case .unexpectedEnd: "the end of the document within a value; a brace, bracket or quote is missing"
        case .unexpectedByte: "an unexpected character"
        case .malformedNumber: "a malformed number"
        case .controlCharacter: "a control character in a string"
        case .malformedEscape: "an unknown escape in a string"
        case .loneSurrogate: "half a surrogate pair in a string"
        case .malformedUTF8: "bytes that are not UTF-8"
        case .duplicateName: "a key given more than once in its object"
        case .trailingData: "extra data after the end"
        }
    }
}

extension JSONError: CustomStringConvertible {
    /// A phrase, with the offset in bytes.
    public var description: String { "\(JSONProblem.phrase(for: reason)), at byte \(offset)" }
}
