// SPDX-License-Identifier: MIT

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension NumericDate {
    /// The time as a `Date`, clamped to the range of `Date`.
    public var date: Date { Date(timeIntervalSince1970: seconds) }

    /// Creates a time from a date; `nil` if its interval is infinite or NaN.
    public init?(_ date: Date) {
        self.init(seconds: date.timeIntervalSince1970)
    }
}
