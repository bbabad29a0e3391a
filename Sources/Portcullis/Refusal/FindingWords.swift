// SPDX-License-Identifier: MIT

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
