// SPDX-License-Identifier: MIT

/// A path that every program reads alike.
///
/// Rejects dot segments (also before a `;`), empty segments, encoded slashes, backslashes and NUL, malformed
/// percent-encoding, and percent-encoding that is not UTF-8, because overlong forms hide all of these.
/// Decodes unreserved characters, writes other escapes with upper-case digits, and encodes `[`, `]`, `^` and
/// `|`, which clients send raw, so that equal paths have equal bytes. Keeps one trailing slash; see ``hasTrailingSlash``.
///
/// Does not copy a path without any of these. For the origin and absolute forms; an absent path is `/`.
///
/// RFC 3986 §6.2.2, RFC 9110 §4.2.3.
package struct RequestPath: Sendable {
    /// The bytes that the ranges refer to: the given bytes if the path is normal.
    package let bytes: [UInt8]
    /// The range of the path in `bytes`, including its leading slash.
    package let range: Range<Int>

    /// Checks and normalizes the path at `range` of `bytes`.
    package init(_ bytes: [UInt8], _ range: Range<Int>) throws(MalformedMessage) {
        guard !range.isEmpty else {
            self.bytes = [0x2F]
            self.range = 0..<1
            return
        }
        guard bytes[range.lowerBound] == 0x2F else { throw .ambiguousPath }
        if try Self.needsNormalizing(bytes, range) {
            self.bytes = try Self.normalized(bytes[range])
            self.range = self.bytes.indices
        } else {
            self.bytes = bytes
            self.range = range
        }
        try Self.checkSegments(self.bytes, self.range)
    }

    /// Checks and normalizes the path of a request.
    package init(_ head: RequestHead, _ semantics: RequestSemantics) throws(MalformedMessage) {
        try self.init(head.bytes, semantics.pathRange)
    }

    /// Checks and normalizes a path from a configuration or from code.
    package init(_ text: String) throws(MalformedMessage) {
        let bytes = Array(text.utf8)
        try self.init(bytes, bytes.indices)
    }

    /// The normalized path, still percent-encoded.
    package var text: String { String(decoding: bytes[range], as: UTF8.self) }

    /// Whether the path ends with a slash.
    ///
    /// `false` for `/` alone.
    package var hasTrailingSlash: Bool { range.count > 1 && bytes[range.upperBound - 1] == 0x2F }

    /// A part of the path, percent-decoded.
    ///
    /// UTF-8 that may contain any character but slash, backslash and NUL.
    package func decoded(_ range: Range<Int>) -> String {
        guard bytes[range].contains(0x25) else { return String(decoding: bytes[range], as: UTF8.self) }
        var result: [UInt8] = []
        var index = range.lowerBound
        while index < range.upperBound {
            if let byte = Self.escaped(bytes[index..<range.upperBound]) {
                result.append(byte)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Whether the path has an escape, or a character that should be one.
    private static func needsNormalizing(
        _ bytes: [UInt8], _ range: Range<Int>
    ) throws(MalformedMessage) -> Bool {
        var needsNormalizing = false
        var isPath = true
        bytes.withUnsafeBytes { bytes in
            for byte in UnsafeRawBufferPointer(rebasing: bytes[range]) {
                if !CharacterClass.isPlainTargetCharacter(byte) || byte == 0x3F {
                    if CharacterClass.isRawPathCharacter(byte) {
                        needsNormalizing = true
                    } else {
                        isPath = false
                    }
                }
                if byte == 0x25 { needsNormalizing = true }
            }
        }
        guard isPath else { throw .ambiguousPath }
        return needsNormalizing
    }

    /// RFC 3986 §6.2.2.1, §6.2.2.2.
    private static func normalized(_ path: ArraySlice<UInt8>) throws(MalformedMessage) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(path.count)
        var highBytes: [UInt8] = []
        var index = path.startIndex
        while index < path.endIndex {
            guard path[index] == 0x25 else {
                try checkUTF8(&highBytes)
                if CharacterClass.isRawPathCharacter(path[index]) {
                    appendEscape(of: path[index], to: &result)
                } else {
                    result.append(path[index])
                }
                index += 1
                continue
            }
            guard let byte = escaped(path[index...]) else { throw .ambiguousPath }
            index += 3
            guard byte != 0x00, byte != 0x2F, byte != 0x5C else { throw .ambiguousPath }
            if byte < 0x80 { try checkUTF8(&highBytes) } else { highBytes.append(byte) }
            if isUnreserved(byte) {
                result.append(byte)
            } else {
                appendEscape(of: byte, to: &result)
            }
        }
        try checkUTF8(&highBytes)
        return result
    }

    private static func appendEscape(of byte: UInt8, to result: inout [UInt8]) {
        result.append(0x25)
        result.append(hexadecimalDigit(byte >> 4))
        result.append(hexadecimalDigit(byte & 0x0F))
    }

    private static func checkUTF8(_ bytes: inout [UInt8]) throws(MalformedMessage) {
        guard !bytes.isEmpty else { return }
        guard String(validating: bytes, as: UTF8.self) != nil else { throw .ambiguousPath }
        bytes.removeAll(keepingCapacity: true)
    }

    /// Rejects dot segments, which RFC 3986 §5.2.4 would remove.
    private static func checkSegments(_ bytes: [UInt8], _ range: Range<Int>) throws(MalformedMessage) {
        var start = range.lowerBound + 1
        var index = start - 1
        while let slash = slash(in: bytes, range, behind: index) {
            index = slash
            guard index > start, !isDotSegment(bytes, start..<index) else { throw .ambiguousPath }
            start = index + 1
        }
        guard !isDotSegment(bytes, start..<range.upperBound) else { throw .ambiguousPath }
    }

    private static func slash(in bytes: [UInt8], _ range: Range<Int>, behind index: Int) -> Int? {
        bytes.withUnsafeBytes { bytes in
            var index = index + 1
            while index < range.upperBound, bytes[index] != 0x2F { index += 1 }
            return index < range.upperBound ? index : nil
        }
    }

    /// Whether it is `.` or `..`, also with parameters, which some servers strip first.
    @inline(__always)
    private static func isDotSegment(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        guard !range.isEmpty, bytes[range.lowerBound] == 0x2E else { return false }
        let segment = bytes[range]
        let rest = segment.dropFirst(segment.dropFirst().first == 0x2E ? 2 : 1)
        return rest.isEmpty || rest.first == 0x3B || rest.starts(with: "%3B".utf8)
    }

    private static func escaped(_ bytes: ArraySlice<UInt8>) -> UInt8? {
        guard bytes.count >= 3, bytes[bytes.startIndex] == 0x25,
            let high = CharacterClass.hexadecimalValue(bytes[bytes.startIndex + 1]),
            let low = CharacterClass.hexadecimalValue(bytes[bytes.startIndex + 2])
        else { return nil }
        return high << 4 | low
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
        default: false
        }
    }

    private static func hexadecimalDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? 0x30 + value : 0x37 + value
    }
}
