// SPDX-License-Identifier: MIT

/// `application/x-www-form-urlencoded`.
///
/// RFC 6749 Appendix B.
enum FormEncoding {
    static func encode(_ text: String) -> [UInt8] {
        var output: [UInt8] = []
        append(Array(text.utf8), to: &output)
        return output
    }

    /// Returns the length of the encoding in bytes.
    static func byteCount(of bytes: [UInt8]) -> Int {
        bytes.reduce(0) { $0 + (isUnreserved($1) || $1 == 0x20 ? 1 : 3) }
    }

    static func append(_ bytes: [UInt8], to output: inout [UInt8]) {
        for byte in bytes {
            if isUnreserved(byte) {
                output.append(byte)
            } else if byte == 0x20 {
                output.append(0x2B)
            } else {
                output.append(0x25)
                output.append(digit(byte >> 4))
                output.append(digit(byte & 15))
            }
        }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }
}
