// SPDX-License-Identifier: MIT

/// A JSON number as a whole number times a power of ten: nothing is lost, as it may be in floating point.
///
/// RFC 8259 §6.
struct DecimalNumber {
    let isNegative: Bool
    /// Without zeros at its end.
    let significand: UInt128
    let exponent: Int

    /// Takes a number apart; nothing if it has more than 38 digits that count, or an exponent beyond all reason.
    init?(_ text: String) {
        let parts = text.utf8.split(maxSplits: 1) { $0 | 0x20 == UInt8(ascii: "e") }
        guard let first = parts.first else { return nil }
        var exponent = 0
        if parts.count == 2 {
            guard let written = Int(String(parts[1]) ?? "") else { return nil }
            exponent = written
        }
        guard exponent.magnitude < 1_000_000_000 else { return nil }
        var significand: UInt128 = 0
        /// Zeros that count only if another digit follows.
        var zeroCount = 0
        var isFraction = false
        for byte in first {
            switch byte {
            case UInt8(ascii: "-"): continue
            case UInt8(ascii: "."): isFraction = true
            case UInt8(ascii: "0"):
                zeroCount += 1
                exponent -= isFraction ? 1 : 0
            default:
                for _ in 0...zeroCount {
                    let (product, overflows) = significand.multipliedReportingOverflow(by: 10)
                    guard !overflows else { return nil }
                    significand = product
                }
                let (sum, overflows) = significand.addingReportingOverflow(
                    UInt128(byte - UInt8(ascii: "0")))
                guard !overflows else { return nil }
                significand = sum
                zeroCount = 0
                exponent -= isFraction ? 1 : 0
            }
        }
        isNegative = first.first == UInt8(ascii: "-")
        self.significand = significand
        self.exponent = significand == 0 ? 0 : exponent + zeroCount
    }

    /// The value, if it is whole and there is room for it.
    var integer: Int128? {
        guard exponent >= 0, exponent < 39, var value = Int128(exactly: significand) else { return nil }
        for _ in 0..<exponent {
            let (product, overflows) = value.multipliedReportingOverflow(by: 10)
            guard !overflows else { return nil }
            value = product
        }
        return isNegative ? -value : value
    }
}
