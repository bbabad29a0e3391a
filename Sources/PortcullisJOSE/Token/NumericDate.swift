// SPDX-License-Identifier: MIT

/// The time in a JWT claim: seconds since 1970-01-01T00:00:00Z without leap seconds, possibly with a
/// fraction.
///
/// Always finite.
///
/// RFC 7519 §2.
public struct NumericDate: Sendable, Hashable, Comparable, ExpressibleByIntegerLiteral {
    /// The seconds since 1970-01-01T00:00:00Z.
    public let seconds: Double

    /// Creates a time; `nil` if `seconds` is infinite or NaN.
    public init?(seconds: Double) {
        guard seconds.isFinite else { return nil }
        self.seconds = seconds
    }

    /// Creates a time from a JSON number; `nil` if the number is too large to be finite.
    package init?(_ number: JSONNumber) {
        guard let seconds = number.double else { return nil }
        self.seconds = seconds
    }

    /// Creates a time of whole seconds.
    public init(_ seconds: Int) {
        self.seconds = Double(seconds)
    }

    /// Creates a time of whole seconds.
    public init(integerLiteral value: Int) {
        self.init(value)
    }

    /// The time `seconds` later, or earlier if negative; clamped to finite values; NaN has no effect.
    public func adding(seconds delta: Double) -> NumericDate {
        let sum = seconds + delta
        let bound = Double.greatestFiniteMagnitude
        return NumericDate(clamped: sum.isNaN ? seconds : min(max(sum, -bound), bound))
    }

    /// The time `duration` later, or earlier if negative.
    public func adding(_ duration: Duration) -> NumericDate {
        let (seconds, attoseconds) = duration.components
        return adding(seconds: Double(seconds) + Double(attoseconds) * 1e-18)
    }

    /// The whole seconds, rounded down, or `nil` if they exceed the range of `Int`.
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
