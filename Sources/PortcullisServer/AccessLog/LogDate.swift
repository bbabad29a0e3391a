// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// Log timestamps, in UTC.
enum LogDate {
    /// `21/Nov/2026:13:31:39 +0000`, as in the Common Log Format.
    static func appendCommonLog(_ time: Double, to line: inout [UInt8]) {
        let moment = Moment(time)
        append(moment.date, &line)
        line.append(0x2F)
        line += HTTPDate.months[moment.month - 1].utf8
        line.append(0x2F)
        append(moment.year / 100, &line)
        append(moment.year % 100, &line)
        line.append(0x3A)
        appendClock(moment, &line)
        line += " +0000".utf8
    }

    /// `2026-11-21T13:31:39.123Z`.
    ///
    /// RFC 3339 §5.6.
    static func appendInternet(_ time: Double, to line: inout [UInt8]) {
        let moment = Moment(time)
        append(moment.year / 100, &line)
        append(moment.year % 100, &line)
        line.append(0x2D)
        append(moment.month, &line)
        line.append(0x2D)
        append(moment.date, &line)
        line.append(0x54)
        appendClock(moment, &line)
        line.append(0x2E)
        line.append(0x30 + UInt8(moment.millisecond / 100))
        append(moment.millisecond % 100, &line)
        line.append(0x5A)
    }

    private struct Moment {
        let year: Int
        let month: Int
        let date: Int
        let second: Int
        let millisecond: Int

        init(_ time: Double) {
            // From 1970 to 9999, which is what four digits hold.
            let milliseconds = Int(min(max(time, 0), 253_402_300_799) * 1000)
            (year, month, date) = HTTPDate.civil(milliseconds / 86_400_000)
            second = milliseconds / 1000 % 86_400
            millisecond = milliseconds % 1000
        }
    }

    private static func appendClock(_ moment: Moment, _ line: inout [UInt8]) {
        append(moment.second / 3600, &line)
        line.append(0x3A)
        append(moment.second / 60 % 60, &line)
        line.append(0x3A)
        append(moment.second % 60, &line)
    }

    /// Two digits.
    private static func append(_ number: Int, _ line: inout [UInt8]) {
        line.append(0x30 + UInt8(truncatingIfNeeded: number / 10))
        line.append(0x30 + UInt8(truncatingIfNeeded: number % 10))
    }
}
