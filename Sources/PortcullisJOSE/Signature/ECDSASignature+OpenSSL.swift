// SPDX-License-Identifier: MIT

import COpenSSL

/// The two formats of an ECDSA signature: R followed by S in JOSE, DER in OpenSSL.
///
/// RFC 7518 §3.4.
enum ECDSASignature {
    /// The DER format, or `nil` if the length is wrong, or R or S is zero or not below the curve's order.
    static func der(fromRaw raw: [UInt8], curve: EllipticCurve) -> [UInt8]? {
        let count = curve.coordinateByteCount
        guard raw.count == 2 * count else { return nil }
        let order = Order.of(curve)
        guard isInRange(raw[..<count], order: order), isInRange(raw[count...], order: order) else {
            return nil
        }
        return der(raw[..<count], raw[count...])
    }

    /// A sequence of two integers without leading zeros, except one before a byte whose high bit is set.
    ///
    /// Implemented here because OpenSSL's generic encoder takes longer than everything else around a
    /// verification.
    ///
    /// RFC 3279 §2.2.3, X.690 §8.3.2, §8.9.
    private static func der(_ r: ArraySlice<UInt8>, _ s: ArraySlice<UInt8>) -> [UInt8] {
        let r = r.drop { $0 == 0 }
        let s = s.drop { $0 == 0 }
        let contentByteCount = integerByteCount(r) + integerByteCount(s)
        var der: [UInt8] = []
        der.reserveCapacity(3 + contentByteCount)
        der.append(0x30)
        // The two numbers of P-521 need the long form of the length, with one byte.
        if contentByteCount >= 128 { der.append(0x81) }
        der.append(UInt8(contentByteCount))
        append(r, to: &der)
        append(s, to: &der)
        return der
    }

    // Never empty: zero has been refused before.
    private static func isPadded(_ number: ArraySlice<UInt8>) -> Bool {
        number.first.map { $0 >= 0x80 } ?? true
    }

    private static func integerByteCount(_ number: ArraySlice<UInt8>) -> Int {
        2 + number.count + (isPadded(number) ? 1 : 0)
    }

    private static func append(_ number: ArraySlice<UInt8>, to der: inout [UInt8]) {
        let isPadded = isPadded(number)
        der.append(0x02)
        der.append(UInt8(number.count + (isPadded ? 1 : 0)))
        if isPadded { der.append(0) }
        der += number
    }

    /// R followed by S, each in full length.
    static func raw(fromDER der: [UInt8], curve: EllipticCurve) -> [UInt8]? {
        let count = curve.coordinateByteCount
        return der.withUnsafeBufferPointer { buffer in
            var start = buffer.baseAddress
            guard let signature = d2i_ECDSA_SIG(nil, &start, buffer.count) else { return nil }
            defer { ECDSA_SIG_free(signature) }
            guard let r = BigNumber.bytes(ECDSA_SIG_get0_r(signature), count: count),
                let s = BigNumber.bytes(ECDSA_SIG_get0_s(signature), count: count)
            else { return nil }
            return r + s
        }
    }

    // Both are big-endian and of equal length, so numeric order is byte order.
    private static func isInRange(_ number: ArraySlice<UInt8>, order: [UInt8]) -> Bool {
        number.contains { $0 != 0 } && number.lexicographicallyPrecedes(order)
    }

    /// The curves' orders, from OpenSSL.
    private enum Order {
        static let p256 = load(NID_X9_62_prime256v1, .p256)
        static let p384 = load(NID_secp384r1, .p384)
        static let p521 = load(NID_secp521r1, .p521)

        static func of(_ curve: EllipticCurve) -> [UInt8] {
            switch curve {
            case .p256: p256
            case .p384: p384
            case .p521: p521
            }
        }

        private static func load(_ identifier: Int32, _ curve: EllipticCurve) -> [UInt8] {
            guard let group = EC_GROUP_new_by_curve_name(identifier) else {
                preconditionFailure("OpenSSL does not know the curves of RFC 7518.")
            }
            defer { EC_GROUP_free(group) }
            guard let order = BigNumber.bytes(EC_GROUP_get0_order(group), count: curve.coordinateByteCount)
            else {
                preconditionFailure("OpenSSL does not know the order of a curve of RFC 7518.")
            }
            return order
        }
    }
}

/// Conversions of OpenSSL's numbers to bytes.
enum BigNumber {
    /// The unsigned big-endian bytes, padded to `count`, or `nil` if the number is longer.
    static func bytes(_ number: OpaquePointer?, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        guard let number, BN_bn2binpad(number, &bytes, Int32(count)) == count else { return nil }
        return bytes
    }

    /// The unsigned big-endian bytes without leading zeros.
    static func bytes(_ number: OpaquePointer) -> [UInt8]? {
        bytes(number, count: Int(BN_num_bits(number) + 7) / 8)
    }
}
