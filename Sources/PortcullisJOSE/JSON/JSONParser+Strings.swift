// SPDX-License-Identifier: MIT

extension JSONParser {
    /// Reads a string whose opening quotation mark is the current byte.
    ///
    /// RFC 8259 §7.
    mutating func string() throws(JSONError) -> String {
        offset += 1
        let start = offset
        var seen: UInt8 = 0
        while true {
            let byte = try current()
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            guard byte >= 0x20 else { throw error(.controlCharacter) }
            seen |= byte
            offset += 1
        }
        let text =
            seen < 0x80 ? ascii(start..<offset) : try Self.decode(bytes[start..<offset], at: start)
        offset += 1
        return text
    }

    // ASCII needs no UTF-8 validation, which costs more than the copy.
    func ascii(_ range: Range<Int>) -> String {
        bytes.withUnsafeBufferPointer {
            String(decoding: UnsafeBufferPointer(rebasing: $0[range]), as: UTF8.self)
        }
    }

    /// Continues at the first backslash of a string that began at `start`.
    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var content = Array(bytes[start..<offset])
        while true {
            let byte = try current()
            switch byte {
            case UInt8(ascii: "\""):
                let text = try Self.decode(content[...], at: start)
                offset += 1
                return text
            case UInt8(ascii: "\\"):
                offset += 1
                try appendEscape(to: &content)
            case 0..<0x20:
                throw error(.controlCharacter)
            default:
                content.append(byte)
                offset += 1
            }
        }
    }

    private mutating func appendEscape(to content: inout [UInt8]) throws(JSONError) {
        let byte = try current()
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "u"):
            offset += 1
            let scalar = try unicodeEscape()
            content.append(contentsOf: String(Character(scalar)).utf8)
            return
        default: throw error(.malformedEscape)
        }
        offset += 1
    }

    /// Reads the digits of `\u`, and a second escape if the first is a high surrogate.
    private mutating func unicodeEscape() throws(JSONError) -> Unicode.Scalar {
        let start = offset
        let first = try hexadecimalUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xD800...0xDBFF).contains(first),
            offset + 1 < bytes.count,
            bytes[offset] == UInt8(ascii: "\\"), bytes[offset + 1] == UInt8(ascii: "u")
        else { throw JSONError(reason: .loneSurrogate, offset: start) }
        offset += 2
        let second = try hexadecimalUnit()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else { throw JSONError(reason: .loneSurrogate, offset: start) }
        return scalar
    }

    private mutating func hexadecimalUnit() throws(JSONError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch try current() {
            case let byte where UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte:
                digit = byte - UInt8(ascii: "0")
            case let byte where UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte:
                digit = byte - UInt8(ascii: "a") + 10
            case let byte where UInt8(ascii: "A")...UInt8(ascii: "F") ~= byte:
                digit = byte - UInt8(ascii: "A") + 10
            default: throw error(.malformedEscape)
            }
            unit = unit << 4 | UInt32(digit)
            offset += 1
        }
        return unit
    }

    /// Refuses overlong forms, surrogates and truncated sequences, and repairs nothing.
    private static func decode(_ content: ArraySlice<UInt8>, at start: Int) throws(JSONError) -> String {
        guard let text = String(validating: content, as: UTF8.self) else {
            throw JSONError(reason: .malformedUTF8, offset: start)
        }
        return text
    }
}
