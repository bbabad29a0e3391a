// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// The time of a report, in UTC.
package struct ReportTime: Sendable, Hashable {
    private let seconds: Int

    /// Creates a time from the seconds since 1970.
    package init(secondsSince1970 seconds: Int) { self.seconds = max(0, seconds) }

    /// `2026-12-01`.
    ///
    /// RFC 3339 §5.6.
    package var day: String {
        let (year, month, date) = HTTPDate.civil(seconds / 86_400)
        return "\(year)-\(Self.twoDigits(month))-\(Self.twoDigits(date))"
    }

    /// `2026-12-01T15:31:54`, without a zone.
    package var text: String {
        let second = seconds % 86_400
        let clock = [second / 3600, second / 60 % 60, second % 60].map(Self.twoDigits)
        return day + "T" + clock.joined(separator: ":")
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
