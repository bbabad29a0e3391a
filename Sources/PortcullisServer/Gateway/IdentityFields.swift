// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP
internal import PortcullisJOSE

/// The identity of a caller in the form of fields, for a server that trusts this one.
///
/// Always all fields, empty where there is no value, so that none that a client sent can stay.
struct IdentityFields: Sendable {
    /// The start of all names: letters, digits and hyphens.
    let prefix: String
    /// The prefix as ``FoldedName`` compares it.
    let foldedPrefix: [UInt8]

    init(prefix: String) {
        self.prefix = prefix
        foldedPrefix = FoldedName.fold(prefix)
    }

    /// Whether a prefix may begin the name of a field, and belongs to no other field.
    static func isPrefix(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.count >= 3 && bytes.last == 0x2D
            && bytes.allSatisfy { CharacterClass.isDigit($0) || $0 == 0x2D || isLetter($0) }
            && !"x-forwarded-x-original-".contains(text.lowercased())
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    /// Names without the prefix, and values, in order.
    ///
    /// - Parameter token: `nil` on a public route, where all values are empty.
    static func values(of token: AccessToken?) -> [(name: StaticString, value: String)] {
        let subject = split(token?.subject)
        let client = split(token?.clientID)
        let actor = split(token.flatMap(actor))
        return [
            ("Subject", subject.plain), ("Client", client.plain),
            ("Scopes", token.map { $0.scopes.map(\.name).joined(separator: " ") } ?? ""),
            ("Issuer", split(token?.issuer).plain), ("Resource", split(token?.resource.text).plain),
            ("Expires", token?.expiresAt.flatMap(\.wholeSeconds).map { "\($0)" } ?? ""),
            ("Actor", actor.plain), ("Subject-Base64", subject.encoded), ("Client-Base64", client.encoded),
            ("Actor-Base64", actor.encoded),
        ]
    }

    /// The `sub` of the `act` claim: who acts for the subject.
    ///
    /// RFC 8693 §4.1.
    static func actor(of token: AccessToken) -> String? {
        token.claims["act"]?.object?["sub"]?.string
    }

    /// A value of visible ASCII as it is, any other in base64url.
    ///
    /// RFC 9110 §5.5, RFC 4648 §5.
    static func split(_ value: String?) -> (plain: String, encoded: String) {
        guard let value else { return ("", "") }
        if value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) { return (value, "") }
        return ("", Base64URL.encode(Array(value.utf8)))
    }

    /// Appends the field lines.
    ///
    /// - Parameter assertion: The value of `Assertion`; `nil` if none is configured.
    func append(_ token: AccessToken?, assertion: String?, to output: inout [UInt8]) {
        for (name, value) in Self.values(of: token) {
            append(name, value, to: &output)
        }
        if let assertion { append("Assertion", assertion, to: &output) }
    }

    private func append(_ name: StaticString, _ value: String, to output: inout [UInt8]) {
        output += prefix.utf8
        output.append(name)
        output.append(": ")
        // The scopes are visible ASCII by their grammar, RFC 6749 §3.3; the rest is checked in `split`.
        output += value.utf8.filter { (0x20...0x7E).contains($0) }
        output.append("\r\n")
    }
}
