// SPDX-License-Identifier: MIT

/// A request line: `method SP request-target SP HTTP-version CRLF`, with exactly these spaces.
///
/// RFC 9112 §3.
struct RequestLine: Sendable {
    let method: Method
    let target: Range<Int>
    /// `nil` for a version that is well formed but not supported.
    let version: HTTPVersion?
    let end: Int

    /// Parses the line at the start of `bytes`; returns `nil` if the bytes end before the line does.
    ///
    /// As with field lines, an error is certain only once the line feed has arrived.
    // SAFETY: `bytes` is only read, within its count, and not kept.
    static func parse(_ bytes: UnsafeRawBufferPointer) throws(MalformedMessage) -> RequestLine? {
        var index = 0
        while index < bytes.count, CharacterClass.isTokenCharacter(bytes[index]) { index += 1 }
        guard index < bytes.count else { return nil }
        guard bytes[index] == 0x20 else { throw methodError(at: bytes[index]) }
        guard index > 0 else { throw .invalidRequestLine }
        let methodEnd = index
        index += 1
        let targetStart = index
        index = endOfTarget(bytes, from: index)
        guard index < bytes.count else { return nil }
        guard bytes[index] == 0x20 else { throw targetError(at: bytes[index]) }
        guard index > targetStart else { throw .invalidRequestLine }
        let target = targetStart..<index
        index += 1
        guard index + 10 <= bytes.count else { return nil }
        let version = try version(bytes, at: index)
        guard bytes[index + 8] == 0x0D, bytes[index + 9] == 0x0A else {
            throw bytes[index + 8] == 0x0A ? .bareLineEnd : .invalidRequestLine
        }
        return RequestLine(
            method: method(bytes, methodEnd), target: target, version: version, end: index + 10)
    }

    /// The end of the characters that a target may contain.
    ///
    /// A query may contain more characters than a path: the path selects the route, the query does not.
    @inline(__always)
    static func endOfTarget(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index < bytes.count, CharacterClass.isPlainTargetCharacter(bytes[index]) { index += 1 }
        guard index < bytes.count, CharacterClass.isRawQueryCharacter(bytes[index]) else { return index }
        return endOfRawTarget(bytes, from: index, isQuery: bytes[start..<index].contains(0x3F))
    }

    /// The end of a target with characters that clients should have encoded.
    private static func endOfRawTarget(
        _ bytes: UnsafeRawBufferPointer, from start: Int, isQuery: Bool
    ) -> Int {
        var index = start
        var isQuery = isQuery
        while index < bytes.count {
            let byte = bytes[index]
            if byte == 0x3F { isQuery = true }
            guard
                CharacterClass.isPlainTargetCharacter(byte)
                    || (isQuery
                        ? CharacterClass.isRawQueryCharacter(byte) : CharacterClass.isRawPathCharacter(byte))
            else { return index }
            index += 1
        }
        return index
    }

    // SAFETY: the caller has checked that ten bytes follow `index`; the load takes any alignment.
    private static func version(
        _ bytes: UnsafeRawBufferPointer, at index: Int
    ) throws(MalformedMessage) -> HTTPVersion? {
        let word = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        if word == http1 | 0x31 { return .http1_1 }
        if word == http1 | 0x30 { return .http1_0 }
        // RFC 9112 §2.3: "HTTP/" DIGIT "." DIGIT, in capitals.
        let isWellFormed =
            word >> 24 == http1 >> 24 && CharacterClass.isDigit(bytes[index + 5]) && bytes[index + 6] == 0x2E
            && CharacterClass.isDigit(bytes[index + 7])
        guard isWellFormed else { throw .invalidRequestLine }
        return nil
    }

    /// `HTTP/1.` and a zero byte.
    private static let http1: UInt64 = 0x4854_5450_2F31_2E00

    private static func method(_ bytes: UnsafeRawBufferPointer, _ end: Int) -> Method {
        if end == 3, bytes[0] == 0x47, bytes[1] == 0x45, bytes[2] == 0x54 { return Method(token: "GET") }
        if end == 4, bytes[0] == 0x50, bytes[1] == 0x4F, bytes[2] == 0x53, bytes[3] == 0x54 {
            return Method(token: "POST")
        }
        return Method(token: String(decoding: bytes[0..<end], as: UTF8.self))
    }

    private static func methodError(at byte: UInt8) -> MalformedMessage {
        byte == 0x0D || byte == 0x0A ? .invalidRequestLine : .invalidMethod
    }

    private static func targetError(at byte: UInt8) -> MalformedMessage {
        byte == 0x0D || byte == 0x0A ? .invalidRequestLine : .invalidTarget
    }
}
