// SPDX-License-Identifier: MIT

package import PortcullisJOSE

/// JSON text as editors write it, and what is wrong with it.
package enum JSONDocument {
    /// Returns the text without a byte order mark, which some editors write.
    ///
    /// RFC 8259 §8.1.
    package static func withoutByteOrderMark(_ bytes: [UInt8]) -> [UInt8] {
        bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    }

    /// Describes a syntax error: what stands there, with line and column.
    package static func describe(_ error: JSONError, in bytes: [UInt8]) -> String {
        if let encoding = foreignEncoding(bytes) { return "the text is \(encoding); save it as UTF-8" }
        let before = bytes.prefix(error.offset)
        let line = before.count { $0 == 0x0A } + 1
        let column = before.reversed().prefix { $0 != 0x0A }.count + 1
        return "\(describe(error.reason, at: error.offset, in: bytes)), at line \(line), column \(column)"
    }

    /// The name of an encoding other than UTF-8, by its byte order mark or by the NULs of its first character.
    private static func foreignEncoding(_ bytes: [UInt8]) -> String? {
        if bytes.starts(with: [0xFF, 0xFE, 0, 0]) || bytes.starts(with: [0, 0, 0xFE, 0xFF]) {
            return "UTF-32"
        }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) { return "UTF-16" }
        guard bytes.count > 1 else { return nil }
        if bytes.starts(with: [0, 0, 0]) || bytes.dropFirst().starts(with: [0, 0, 0]) { return "UTF-32" }
        return (bytes[0] == 0) != (bytes[1] == 0) ? "UTF-16" : nil
    }

    private static func describe(_ reason: JSONError.Reason, at offset: Int, in bytes: [UInt8]) -> String {
        switch reason {
        case .tooLong: "longer than \(ConfigurationFile.maxByteCount) bytes"
        case .tooDeep: "nested too deeply"
        case .tooManyMembers: "too many members"
        case .unexpectedEnd: "ends too early"
        case .malformedNumber: "a malformed number"
        case .controlCharacter: "a control character in a string"
        case .malformedEscape: "an unknown escape in a string"
        case .loneSurrogate: "half a surrogate pair in a string"
        case .malformedUTF8: "bytes that are not UTF-8"
        case .duplicateName: "a key given more than once in its object"
        case .trailingData: trailing(at: offset, in: bytes) ?? "extra data after the end"
        case .unexpectedByte: unexpected(at: offset, in: bytes)
        @unknown default: "malformed"
        }
    }

    private static func trailing(at offset: Int, in bytes: [UInt8]) -> String? {
        isComment(at: offset, in: bytes) ? comment : nil
    }

    private static let comment = "a comment, which JSON does not have"

    private static func unexpected(at offset: Int, in bytes: [UInt8]) -> String {
        guard offset < bytes.count else { return "an unexpected character" }
        if isComment(at: offset, in: bytes) { return comment }
        let previous = bytes[..<offset].last { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        switch bytes[offset] {
        case 0x5D where previous == 0x2C, 0x7D where previous == 0x2C:
            return "a comma before the closing bracket"
        case 0x27: return "a single quote; strings are in double quotes"
        default: return "an unexpected character"
        }
    }

    private static func isComment(at offset: Int, in bytes: [UInt8]) -> Bool {
        guard offset < bytes.count else { return false }
        if bytes[offset] == 0x23 { return true }
        guard bytes[offset] == 0x2F, offset + 1 < bytes.count else { return false }
        return bytes[offset + 1] == 0x2F || bytes[offset + 1] == 0x2A
    }
}
