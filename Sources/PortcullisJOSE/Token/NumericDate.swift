// SPDX-License-Identifier: MIT

/// A moment as JWT claims tell it: seconds since 1970-01-01T00:00:00Z, without leap seconds, perhaps with a fraction.
///
/// Always finite.
///
/// RFC 7519 §2.
public struct NumericDate: Sendable, Hashable, Comparable, ExpressibleByIntegerLiteral {
    /// The seconds since 1970-01-01T00:00:00Z.
    public let seconds: Double

    /// Makes a moment, or nothing if `seconds` is infinite or not a number.
    public init?(seconds: Double) {
        guard seconds.isFinite else { return nil }
        self.seconds = seconds
    }

    /// Makes a moment from a JSON number, or nothing if the number is too large to be finite.
    package init?(_ number: JSONNumber) {
        guard let seconds = number.double else { return nil }
        self.seconds = seconds
    }

    /// Makes a moment of whole seconds.
    public init(_ seconds: Int) {
        self.seconds = Double(seconds)
    }

    /// Makes a moment of whole seconds.
    public init(integerLiteral value: Int) {
        self.init(value)
    }

    /// The moment `seconds` later, or earlier if negative; stays within the finite values, and ignores NaN.
    public func adding(seconds delta: Double) -> NumericDate {
        let sum = seconds + delta
        let bound = Double.greatestFiniteMagnitude
        return NumericDate(clamped: sum.isNaN ? seconds : min(max(sum, -bound), bound))
    }

    /// The moment `duration` later, or earlier if negative.
    public func adding(_ duration: Duration) -> NumericDate {
        let (seconds, attoseconds) = duration.components
        return adding(seconds: Double(seconds) + Double(attoseconds) * 1e-18)
    }

    /// The whole seconds at or before this moment, or nothing if they do not fit.
    public var wholeSeconds: Int? {
        Int(exactly: seconds.rounded(.down))
    }

    /// Whether `first` is earlier.
    public static func < (first: NumericDate, second: NumericDate) -> Bool {
        first.seconds < second.seconds
    }

    private init(clamped seconds: Double) {
        self.seconds = seconds
    }
}
