// SPDX-License-Identifier: MIT

/// The Base64 and base64url alphabets of RFC 4648, and the coding that they share.
struct Base64Alphabet: Sendable {
    private let characters: [UInt8]
    private let values: [UInt8]

    static let standard = Base64Alphabet(last: "+/")
    static let urlSafe = Base64Alphabet(last: "-_")

    private static let invalid: UInt8 = 0xFF

    private init(last: String) {
        characters = Array(("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + last).utf8)
        var values = [UInt8](repeating: Self.invalid, count: 256)
        for (value, character) in characters.enumerated() {
            values[Int(character)] = UInt8(value)
        }
        self.values = values
    }

    /// Decodes text without padding; refuses characters outside the alphabet and nonzero trailing bits.
    func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        let tail = text.count % 4
        guard tail != 1 else { return nil }
        let wholeByteCount = text.count / 4 * 3
        let byteCount = wholeByteCount + (tail == 0 ? 0 : tail - 1)
        var isCanonical = true
        // SAFETY: the closure initializes each of the `byteCount` bytes, and reads `text` within its bounds:
        // whole groups of four, then the `tail` characters after them.
        let output = [UInt8](unsafeUninitializedCapacity: byteCount) { output, count in
            count = byteCount
            var seen: UInt8 = 0
            var read = 0
            var written = 0
            values.withUnsafeBufferPointer { values in
                while written < wholeByteCount {
                    let group = Self.group(text, read, 4, values, &seen)
                    output[written] = UInt8(truncatingIfNeeded: group >> 16)
                    output[written + 1] = UInt8(truncatingIfNeeded: group >> 8)
                    output[written + 2] = UInt8(truncatingIfNeeded: group)
                    read += 4
                    written += 3
                }
            }
            // RFC 4648 §3.5: bits beyond the last whole byte must be zero, or two texts would decode to the
            // same bytes.
            if tail > 0 {
                let group = values.withUnsafeBufferPointer { Self.group(text, read, tail, $0, &seen) }
                output[written] = UInt8(truncatingIfNeeded: group >> 16)
                if tail == 3 { output[written + 1] = UInt8(truncatingIfNeeded: group >> 8) }
                isCanonical = group & (tail == 2 ? 0xFFFF : 0xFF) == 0
            }
            if seen >= 64 { isCanonical = false }
        }
        return isCanonical ? output : nil
    }

    /// The 24 bits of up to four characters; missing characters are zeros.
    @inline(__always)
    private static func group(
        _ text: UnsafeRawBufferPointer, _ start: Int, _ count: Int, _ values: UnsafeBufferPointer<UInt8>,
        _ seen: inout UInt8
    ) -> UInt32 {
        var group: UInt32 = 0
        for index in 0..<count {
            let value = values[Int(text[start + index])]
            // Values have at most six bits; the marker of an invalid character has eight.
            seen |= value
            group |= UInt32(value & 0x3F) << UInt32(18 - 6 * index)
        }
        return group
    }

    func encode(_ bytes: [UInt8], padded: Bool) -> String {
        var output: [UInt8] = []
        output.reserveCapacity((bytes.count + 2) / 3 * 4)
        var start = 0
        while start < bytes.count {
            let count = min(3, bytes.count - start)
            var group: UInt32 = 0
            for index in 0..<3 {
                group = group << 8 | (index < count ? UInt32(bytes[start + index]) : 0)
            }
            for index in 0...count {
                output.append(characters[Int(group >> UInt32(18 - 6 * index) & 0x3F)])
            }
            if padded {
                output.append(contentsOf: repeatElement(UInt8(ascii: "="), count: 3 - count))
            }
            start += count
        }
        return String(decoding: output, as: UTF8.self)
    }
}
