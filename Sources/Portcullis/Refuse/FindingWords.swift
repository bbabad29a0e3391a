// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// Texts of findings: printable ASCII, and never long.
enum FindingWords {
    private static let maxCharacterCount = 200
    /// How much of a hash is enough to recognise it by.
    private static let prefixCount = 16

    /// A value from outside: JSON in ASCII, cut where it is long.
    static func printable(_ value: JSONValue?) -> String {
        guard let value else { return "none" }
        return printable(value.string ?? String(decoding: value.serialized(), as: UTF8.self))
    }

    static func printable(_ text: String) -> String {
        var printable = ""
        for (index, scalar) in text.unicodeScalars.enumerated() {
            guard index < maxCharacterCount else { return printable + "..." }
            if (0x20...0x7E).contains(scalar.value) {
                printable.unicodeScalars.append(scalar)
            } else {
                printable += "\\u{" + String(scalar.value, radix: 16) + "}"
            }
        }
        return printable
    }

    /// Something secret, or somebody's: how long it is, and the beginning of its hash.
    static func hashed(_ bytes: [UInt8]) -> String {
        "\(bytes.count) characters, SHA-256 \(Digest.sha256(bytes).base64URL.prefix(prefixCount))"
    }

    static func hashed(_ value: JSONValue?) -> String {
        guard let value else { return "none" }
        return value.string.map { hashed(Array($0.utf8)) } ?? "no string"
    }

    /// The beginning of what is a hash already: `jkt`, `x5t#S256`, `ath`.
    static func prefix(_ value: JSONValue?) -> String {
        value?.string.map { prefix($0) } ?? "none"
    }

    static func prefix(_ hash: String) -> String { printable(String(hash.prefix(prefixCount))) }
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
