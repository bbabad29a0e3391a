// SPDX-License-Identifier: MIT

/// Fast comparison of public bytes.
///
/// Not for secrets: its duration reveals where the first difference is.
enum EqualBytes {
    /// Whether both have the same bytes.
    @inline(__always)
    static func are(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Bool {
        let count = first.count
        guard count == second.count else { return false }
        guard count >= 8 else {
            for index in 0..<count where first[index] != second[index] { return false }
            return true
        }
        var offset = 0
        while offset < count - 8 {
            guard word(first, offset) == word(second, offset) else { return false }
            offset += 8
        }
        // The last eight bytes, which may overlap those compared before.
        return word(first, count - 8) == word(second, count - 8)
    }

    /// Whether none of the eight bytes at `offset` equals `byte`; the caller has checked that they exist.
    @inline(__always)
    static func noneOfEight(is byte: UInt8, _ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let difference = word(bytes, offset) ^ (ones &* UInt64(byte))
        // The high bit of each zero byte is set; carries may set other high bits, but only above a zero byte.
        return (difference &- ones) & ~difference & (ones &* 0x80) == 0
    }

    // SAFETY: the caller has checked that eight bytes follow `offset`; the load allows any alignment.
    @inline(__always)
    private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
}
