// SPDX-License-Identifier: MIT

/// A JSON number, in its original spelling.
///
/// Two numbers are equal if their spellings are: `1`, `1.0` and `1e0` are three numbers.
///
/// RFC 8259 §6.
public struct JSONNumber: Sendable, Hashable {
    /// The spelling.
    public let text: String

    /// Creates a number from an integer.
    public init(_ integer: Int) {
        text = String(integer)
    }

    /// Creates a number from a finite floating-point value; `nil` if the value is infinite or NaN.
    public init?(_ double: Double) {
        guard double.isFinite else { return nil }
        // Swift spells 1e16 and 5e-324 as RFC 8259 does.
        text = double.description
    }

    /// Creates a number from a spelling that the parser has validated.
    init(checked text: String) {
        self.text = text
    }

    /// The nearest floating-point value, or `nil` if the number is too large to be finite.
    public var double: Double? {
        // Whole numbers of up to 15 digits are exact, and faster to parse.
        if text.utf8.count <= 15, let integer = Int(text) { return Double(integer) }
        guard let value = Double(text), value.isFinite else { return nil }
        return value
    }

    /// The value as an integer, or `nil` if it has a fraction or is out of range.
    ///
    /// Accepts spellings with a point or an exponent if the value is whole and at most 2^53 in magnitude.
    public var integer: Int? {
        if let exact = Int(text) { return exact }
        guard let double, double.magnitude <= 9_007_199_254_740_992 else { return nil }
        return Int(exactly: double)
    }
}
