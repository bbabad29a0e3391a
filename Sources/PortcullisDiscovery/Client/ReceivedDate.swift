// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP

/// Parses HTTP dates, in each of the three formats that a recipient must accept.
///
/// RFC 9110 §5.6.7.
package enum ReceivedDate {
    /// Returns the seconds since 1970, or `nil` for an invalid date.
    ///
    /// - Parameter now: The current time; a two-digit year is at most 50 years after it.
    package static func seconds(_ text: String, now: Double) -> Double? {
        let words = text.utf8.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
        switch words.count {
        // Sun, 06 Nov 1994 08:49:37 GMT
        case 6 where words[0].utf8.last == 0x2C && words[5] == "GMT":
            return seconds(number(words[3], 4), words[2], number(words[1], 2), words[4])
        // Sunday, 06-Nov-94 08:49:37 GMT
        case 4 where words[0].utf8.last == 0x2C && words[3] == "GMT":
            let date = words[1].utf8.split(separator: 0x2D).map { String(decoding: $0, as: UTF8.self) }
            guard date.count == 3, let year = number(date[2], 2) else { return nil }
            let candidates = [2000 + year, 1900 + year].map {
                seconds($0, date[1], number(date[0], 2), words[2])
            }
            return candidates.compactMap { $0 }.first { $0 <= now + 50 * 31_557_600 }
        // Sun Nov  6 08:49:37 1994
        case 5:
            let day = number(words[2], words[2].utf8.count)
            return seconds(number(words[4], 4), words[1], day, words[3])
        default: return nil
        }
    }

    private static func seconds(_ year: Int?, _ name: String, _ day: Int?, _ time: String) -> Double? {
        guard let year, let month = HTTPDate.months.firstIndex(of: name), let day, (1...31).contains(day)
        else {
            return nil
        }
        let parts = time.utf8.split(separator: 0x3A).compactMap {
            number(String(decoding: $0, as: UTF8.self), 2)
        }
        // 60 is a leap second.
        guard parts.count == 3, parts[0] < 24, parts[1] < 60, parts[2] <= 60 else { return nil }
        let clock = parts[0] * 3600 + parts[1] * 60 + parts[2]
        return Double(daysSince1970(year, month + 1, day) * 86_400 + clock)
    }

    private static func number(_ text: String, _ count: Int) -> Int? {
        guard text.utf8.count == count, (1...4).contains(count), text.utf8.allSatisfy(CharacterClass.isDigit)
        else { return nil }
        return Int(text)
    }

    /// Counts in eras of 400 years that begin in March.
    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
