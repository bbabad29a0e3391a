// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// Formats the texts of findings: printable ASCII of bounded length.
enum FindingWords {
    private static let maxValueByteCount = 200
    private static let maxTextByteCount = 1000
    /// The length of a hash prefix that suffices to recognise it.
    private static let prefixCount = 16
    /// The least length of a secret whose hash may be logged: a shorter one could be found by brute force.
    private static let minHashedByteCount = 32
    /// The characters of a SHA-256 hash in base64url.
    private static let hashCharacterCount = 43

    /// Formats an untrusted value: a text, a list of texts, or JSON, as ASCII, truncated.
    static func printable(_ value: JSONValue?) -> String {
        guard let value else { return "none" }
        let text = value.string ?? value.strings?.joined(separator: ", ")
        return printable(text ?? String(decoding: value.serialized(), as: UTF8.self))
    }

    static func printable(_ text: String) -> String {
        var printable = ""
        for scalar in text.unicodeScalars {
            guard printable.utf8.count < maxValueByteCount else { return printable + "..." }
            if (0x20...0x7E).contains(scalar.value) {
                printable.unicodeScalars.append(scalar)
            } else {
                printable += "\\u{" + String(scalar.value, radix: 16) + "}"
            }
        }
        return printable
    }

    // MARK: Times

    /// Formats a claim that is a date, such as `2027-01-15 08:00:00 UTC (5 min ago)`.
    static func time(_ value: JSONValue?, at now: NumericDate) -> String {
        guard let number = value?.number, let date = NumericDate(number), let text = time(date) else {
            return printable(value)
        }
        let seconds = (date.seconds - now.seconds).rounded(.towardZero)
        if seconds == 0 { return text + " (now)" }
        return text + (seconds < 0 ? " (\(interval(-seconds)) ago)" : " (in \(interval(seconds)))")
    }

    /// Formats a date from 1970 to 9999 in UTC; `nil` for another.
    static func time(_ date: NumericDate) -> String? {
        guard (0...253_402_300_799).contains(date.seconds) else { return nil }
        let second = Int(date.seconds)
        let (year, month, day) = HTTPDate.civil(second / 86_400)
        let clock = [second / 3600 % 24, second / 60 % 60, second % 60].map(twoDigits).joined(separator: ":")
        return "\(year)-\(twoDigits(month))-\(twoDigits(day)) \(clock) UTC"
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// Formats a duration, with at most two units.
    private static func interval(_ seconds: Double) -> String {
        let units = [(31_556_952, "years"), (86_400, "days"), (3600, "h"), (60, "min"), (1, "s")]
        let whole = Int(min(seconds, 1e12))
        guard let place = units.firstIndex(where: { whole >= $0.0 }) else { return "0 s" }
        let (size, name) = units[place]
        let first = "\(whole / size) \(whole / size == 1 && place < 2 ? String(name.dropLast()) : name)"
        // A remainder of a year or of a day says nothing that matters.
        guard place > 1, place + 1 < units.count, whole % size / units[place + 1].0 > 0 else { return first }
        return first + " \(whole % size / units[place + 1].0) \(units[place + 1].1)"
    }

    // MARK: Length

    /// Truncates a complete text: a declaration may have thousands of scopes.
    static func bounded(_ text: String) -> String {
        guard text.utf8.count > maxTextByteCount else { return text }
        return String(decoding: text.utf8.prefix(maxTextByteCount), as: UTF8.self) + "..."
    }

    /// Describes a secret or personal value: its length and, if it can't be guessed, the prefix of its hash.
    static func hashed(_ bytes: [UInt8]) -> String {
        length(bytes) + (hashPrefix(of: bytes).map { ", SHA-256 \($0)" } ?? "")
    }

    static func hashed(_ value: JSONValue?) -> String {
        guard let value else { return "none" }
        return value.string.map { hashed(Array($0.utf8)) } ?? "no string"
    }

    /// Describes a value of which only the length may be logged.
    static func length(_ bytes: some Collection<UInt8>) -> String { "\(bytes.count) characters" }

    /// Returns the prefix of a secret's hash, or `nil` if the secret is short enough to be guessed.
    static func hashPrefix(of bytes: [UInt8]) -> String? {
        bytes.count >= minHashedByteCount ? prefix(Digest.sha256(bytes).base64URL) : nil
    }

    /// Returns the prefix of a value that is a hash already: `jkt`, `x5t#S256`, `ath`.
    static func prefix(_ value: JSONValue?) -> String {
        value?.string.map { prefix($0) } ?? "none"
    }

    /// A value without the length of a hash may be the secret itself: only its length is returned.
    static func prefix(_ hash: String) -> String {
        guard hash.utf8.count == hashCharacterCount else { return length(hash.utf8) }
        return printable(String(hash.prefix(prefixCount)))
    }
}

extension AccessRequirement {
    /// The required authentication, for people.
    var authenticationWords: String {
        let acr = acrValues.isEmpty ? [] : ["acr " + acrValues.joined(separator: " or ")]
        let age = maxAgeText.map { ["at most \($0) s ago"] } ?? []
        return (acr + age).joined(separator: ", ")
    }

    /// The required scopes.
    var scopeWords: String { scopes.scopes.map(\.name).joined(separator: " ") }

    /// The types of the required authorization details.
    var detailWords: String { authorizationDetails.map(\.type).joined(separator: ", ") }
}
