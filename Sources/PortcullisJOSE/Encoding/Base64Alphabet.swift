// SPDX-License-Identifier: MIT

/// The two alphabets of RFC 4648, and the coding that they share.
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

    /// Decodes text without padding; refuses characters outside the alphabet and bits that stand for nothing.
    func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        let tail = text.count % 4
        guard tail != 1 else { return nil }
        var output: [UInt8] = []
        output.reserveCapacity(text.count / 4 * 3 + 2)
        var group: UInt32 = 0
        var seen: UInt8 = 0
        for (index, character) in text.enumerated() {
            let value = values[Int(character)]
            // Values have at most six bits, the mark of an invalid character has eight.
            seen |= value
            group = group << 6 | UInt32(value & 0x3F)
            guard index % 4 == 3 else { continue }
            output.append(UInt8(truncatingIfNeeded: group >> 16))
            output.append(UInt8(truncatingIfNeeded: group >> 8))
            output.append(UInt8(truncatingIfNeeded: group))
        }
        guard seen < 64 else { return nil }
        // RFC 4648 §3.5: bits beyond the last whole byte must be zero, else two texts would decode alike.
        switch tail {
        case 2:
            guard group & 0x0F == 0 else { return nil }
            output.append(UInt8(truncatingIfNeeded: group >> 4))
        case 3:
            guard group & 0x03 == 0 else { return nil }
            output.append(UInt8(truncatingIfNeeded: group >> 10))
            output.append(UInt8(truncatingIfNeeded: group >> 2))
        default:
            break
        }
        return output
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
