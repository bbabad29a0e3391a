// SPDX-License-Identifier: MIT

/// Searches for delimiters, eight bytes at a time.
///
/// Compares all bytes of a word against a pattern at once; the lowest bit that is left marks the first hit.
/// Carries may leave false bits above a true one, never below it, so the lowest is always right.
package enum ByteScan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// The first line feed at or after `start`, or `nil` if there is none.
    package static func lineFeed(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var index = start
        while index + 8 <= bytes.count {
            let hits = zeroBytes(word(in: bytes, at: index) ^ (ones &* 0x0A))
            if hits != 0 { return index + hits.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < bytes.count {
            if bytes[index] == 0x0A { return index }
            index += 1
        }
        return nil
    }

    /// The first byte at or after `start` that a field value may not contain, or the end.
    ///
    /// RFC 9110 §5.5.
    @inline(__always)
    package static func endOfFieldValue(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index &+ 8 <= bytes.count {
            let word = word(in: bytes, at: index)
            let controls = (word &- ones &* 0x20) & ~word & highBits
            let hits = controls | zeroBytes(word ^ (ones &* 0x7F))
            if hits == 0 {
                index &+= 8
                if index == start &+ longByteCount { index = endOfPrintableBlocks(in: bytes, from: index) }
                continue
            }
            index += hits.trailingZeroBitCount / 8
            guard bytes[index] == 0x09 else { return index }
            index += 1
        }
        while index < bytes.count, CharacterClass.isFieldValueCharacter(bytes[index]) { index += 1 }
        return index
    }

    /// A value of at least this length is probably a token, which is long.
    private static let longByteCount = 16

    /// Skips blocks of 32 bytes that are all printable ASCII.
    @inline(__always)
    private static func endOfPrintableBlocks(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index &+ 32 <= bytes.count {
            // SAFETY: 32 bytes follow `index`; the load takes any alignment.
            let block = bytes.loadUnaligned(fromByteOffset: index, as: SIMD4<UInt64>.self)
            // Every byte is printable ASCII if, and only if, no high bit is set: a carry can come only from a
            // byte that is not.
            let others = (block &- ones &* 0x20) | (block &+ ones)
            let folded = others.lowHalf | others.highHalf
            guard (folded.x | folded.y) & highBits == 0 else { break }
            index &+= 32
        }
        return index
    }

    /// The first byte at or after `start` that is not a `tchar`, or the end.
    ///
    /// Scans letters and hyphens, which make up most names, eight at a time.
    ///
    /// RFC 9110 §5.6.2.
    @inline(__always)
    package static func endOfToken(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index + 8 <= bytes.count {
            let others = ~lettersAndHyphens(word(in: bytes, at: index)) & highBits
            if others == 0 {
                index += 8
                continue
            }
            index += others.trailingZeroBitCount / 8
            guard CharacterClass.isTokenCharacter(bytes[index]) else { return index }
            index += 1
        }
        while index < bytes.count, CharacterClass.isTokenCharacter(bytes[index]) { index += 1 }
        return index
    }

    /// Sets the high bit of every byte that is a letter or a hyphen.
    ///
    /// No sum carries into the next byte, so every bit is right.
    @inline(__always)
    private static func lettersAndHyphens(_ word: UInt64) -> UInt64 {
        let lowercased = (word | ones &* 0x20) & ~highBits
        let letters = (lowercased &+ ones &* (0x80 - 0x61)) & ~(lowercased &+ ones &* (0x80 - 0x7B)) & ~word
        let difference = word ^ (ones &* 0x2D)
        let hyphens = ~(((difference & ~highBits) &+ ~highBits) | difference)
        return (letters | hyphens) & highBits
    }

    @inline(__always)
    private static func zeroBytes(_ word: UInt64) -> UInt64 {
        (word &- ones) & ~word & highBits
    }

    // SAFETY: every caller has checked that eight bytes follow `index`; the load takes any alignment.
    @inline(__always)
    private static func word(in bytes: UnsafeRawBufferPointer, at index: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
    }
}
