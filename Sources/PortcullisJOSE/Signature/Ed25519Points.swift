// SPDX-License-Identifier: MIT

/// Encodings that must not be Ed25519 public keys.
enum Ed25519Points {
    /// Whether an encoding of 32 bytes is one of the eight points of small order.
    ///
    /// Without a private key, an attacker can make signatures that such a key verifies, over every message or
    /// over one in eight. The list includes encodings that are not reduced, and the comparison ignores the
    /// sign of x, since OpenSSL accepts all of them.
    ///
    /// RFC 8032 §5.1, §5.1.7.
    static func isOfSmallOrder(_ encoding: [UInt8]) -> Bool {
        let y = withoutSign(encoding)
        return smallOrder.contains { $0 == y }
    }

    /// Whether the y of an encoding of 32 bytes is below the field's prime, 2^255 - 19.
    ///
    /// RFC 8032 §5.1.3, 1: otherwise decoding fails. One key would have two thumbprints.
    static func isReduced(_ encoding: [UInt8]) -> Bool {
        let y = withoutSign(encoding)
        return y[0] < 0xED || y[1..<31].contains { $0 != 0xFF } || y[31] != 0x7F
    }

    private static func withoutSign(_ encoding: [UInt8]) -> [UInt8] {
        var y = encoding
        y[31] &= 0x7F
        return y
    }

    /// The y of these points, little-endian: 0, 1, -1, those of order 8, and 0 and 1 not reduced.
    private static let smallOrder: [[UInt8]] = [
        Array(repeating: 0, count: 32),
        [1] + Array(repeating: 0, count: 31),
        [0xEC] + Array(repeating: 0xFF, count: 30) + [0x7F],
        [
            0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0,
            0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05,
        ],
        [
            0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F,
            0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
        ],
        [0xED] + Array(repeating: 0xFF, count: 30) + [0x7F],
        [0xEE] + Array(repeating: 0xFF, count: 30) + [0x7F],
    ]
}
