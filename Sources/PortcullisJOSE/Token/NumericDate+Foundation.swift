// SPDX-License-Identifier: MIT

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension NumericDate {
    /// The same moment as a date; one too far away for `Date` is the nearest that it can hold.
    public var date: Date { Date(timeIntervalSince1970: seconds) }

    /// Makes a moment from a date; `nil` if its interval is infinite or not a number.
    public init?(_ date: Date) {
        self.init(seconds: date.timeIntervalSince1970)
    }
}
