// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// Texts of findings: printable ASCII, and never long.
enum FindingWords {
    private static let maxValueByteCount = 200
    private static let maxTextByteCount = 1000
    /// How much of a hash is enough to recognise it by.
    private static let prefixCount = 16
    /// How long a secret has to be for its hash to be told: a shorter one may be a password in the wrong place, which can be
    /// found again by trying.
    private static let minHashedByteCount = 32
    /// The characters of a SHA-256 hash in base64url.
    private static let hashCharacterCount = 43

    /// A value from outside: a text, a list of texts, or JSON, in ASCII and cut where it is long.
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

    /// A whole text of a finding, whatever it was put together from: a declaration may have thousands of scopes.
    static func bounded(_ text: String) -> String {
        guard text.utf8.count > maxTextByteCount else { return text }
        return String(decoding: text.utf8.prefix(maxTextByteCount), as: UTF8.self) + "..."
    }

    /// Something secret, or somebody's: how long it is, and if it can't be guessed the beginning of its hash.
    static func hashed(_ bytes: [UInt8]) -> String {
        length(bytes) + (hashPrefix(of: bytes).map { ", SHA-256 \($0)" } ?? "")
    }

    static func hashed(_ value: JSONValue?) -> String {
        guard let value else { return "none" }
        return value.string.map { hashed(Array($0.utf8)) } ?? "no string"
    }

    /// How long something is of which nothing else may be told.
    static func length(_ bytes: some Collection<UInt8>) -> String { "\(bytes.count) characters" }

    /// The beginning of the hash of a secret, unless it is short enough to be guessed.
    static func hashPrefix(of bytes: [UInt8]) -> String? {
        bytes.count >= minHashedByteCount ? prefix(Digest.sha256(bytes).base64URL) : nil
    }

    /// The beginning of what is a hash already: `jkt`, `x5t#S256`, `ath`.
    static func prefix(_ value: JSONValue?) -> String {
        value?.string.map { prefix($0) } ?? "none"
    }

    /// What has another length than a hash may be what should have been hashed.
    static func prefix(_ hash: String) -> String {
        guard hash.utf8.count == hashCharacterCount else { return length(hash.utf8) }
        return printable(String(hash.prefix(prefixCount)))
    }
}

extension AccessRequirement {
    /// The authentication that it needs, for people.
    var authenticationWords: String {
        let acr = acrValues.isEmpty ? [] : ["acr " + acrValues.joined(separator: " or ")]
        let age = maxAgeText.map { ["at most \($0) s ago"] } ?? []
        return (acr + age).joined(separator: ", ")
    }

    /// The scopes that it needs.
    var scopeWords: String { scopes.scopes.map(\.name).joined(separator: " ") }

    /// The types of authorization details that it needs.
    var detailWords: String { authorizationDetails.map(\.type).joined(separator: ", ") }
}
