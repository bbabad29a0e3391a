// SPDX-License-Identifier: MIT

/// Writes zlib streams without compressing anything, so that the test kit needs no compression library.
///
/// RFC 1950 §2.2, RFC 1951 §3.2.
enum ZlibStreams {
    private static let modulus: UInt32 = 65_521
    private static let maxStoredByteCount = 65_535

    /// A stream whose blocks contain the bytes as they are.
    static func stored(_ bytes: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x78, 0x01]
        var start = 0
        repeat {
            let end = min(start + maxStoredByteCount, bytes.count)
            let count = UInt16(end - start)
            stream.append(end == bytes.count ? 1 : 0)
            for number in [count, ~count] { stream += [UInt8(number & 0xFF), UInt8(number >> 8)] }
            stream += bytes[start..<end]
            start = end
        } while start < bytes.count
        return stream + bigEndian(checksum(bytes))
    }

    /// A short stream of very many zeros: a literal zero, and repetitions of it in 13 bits for 258 bytes each.
    static func zeros(atLeast count: Int) -> [UInt8] {
        let repetitions = max(0, count - 1 + 257) / 258
        var bits = BitWriter()
        // The last block, with fixed codes.
        bits.append(0b011, count: 3)
        bits.appendCode(0b0011_0000, count: 8)
        for _ in 0..<repetitions {
            // Length 258, distance 1.
            bits.appendCode(0b1100_0101, count: 8)
            bits.appendCode(0, count: 5)
        }
        bits.appendCode(0, count: 7)
        let total = 1 + repetitions * 258
        // RFC 1950 §9: of zeros, the first sum stays 1, and the second one counts.
        let checksum = UInt32(total % Int(modulus)) << 16 | 1
        return [0x78, 0x01] + bits.bytes + bigEndian(checksum)
    }

    /// Adler-32.
    ///
    /// RFC 1950 §9.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var (first, second): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            first = (first + UInt32(byte)) % modulus
            second = (second + first) % modulus
        }
        return second << 16 | first
    }

    private static func bigEndian(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    private struct BitWriter {
        private(set) var bytes: [UInt8] = []
        private var used = 8

        /// Appends bits, the least significant first.
        mutating func append(_ value: Int, count: Int) {
            for place in 0..<count { append(value >> place & 1) }
        }

        /// Appends a Huffman code, the most significant bit first.
        ///
        /// RFC 1951 §3.1.1.
        mutating func appendCode(_ value: Int, count: Int) {
            for place in (0..<count).reversed() { append(value >> place & 1) }
        }

        private mutating func append(_ bit: Int) {
            if used == 8 {
                bytes.append(0)
                used = 0
            }
            bytes[bytes.count - 1] |= UInt8(bit << used)
            used += 1
        }
    }
}
