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
    private let prefixBytes: [UInt8]

    init(prefix: String) {
        self.prefix = prefix
        prefixBytes = Array(prefix.utf8)
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
        if isVisible(value) { return (value, "") }
        return ("", Base64URL.encode(Array(value.utf8)))
    }

    /// Appends the field lines.
    ///
    /// The same as ``values(of:)``, without a string for each.
    ///
    /// - Parameter assertion: The value of `Assertion`; `nil` if none is configured.
    func append(_ token: AccessToken?, assertion: String?, to output: inout [UInt8]) {
        let subject = token?.subject
        let client = token?.clientID
        let actor = token.flatMap(Self.actor)
        appendPlain("Subject: ", subject, to: &output)
        appendPlain("Client: ", client, to: &output)
        beginLine("Scopes: ", in: &output)
        if let token { Self.append(token.scopes, to: &output) }
        output.append("\r\n")
        appendPlain("Issuer: ", token?.issuer, to: &output)
        appendPlain("Resource: ", token?.resource.text, to: &output)
        beginLine("Expires: ", in: &output)
        if let seconds = token?.expiresAt.flatMap(\.wholeSeconds) { output.append(text: "\(seconds)") }
        output.append("\r\n")
        appendPlain("Actor: ", actor, to: &output)
        appendEncoded("Subject-Base64: ", subject, to: &output)
        appendEncoded("Client-Base64: ", client, to: &output)
        appendEncoded("Actor-Base64: ", actor, to: &output)
        if let assertion { appendPlain("Assertion: ", assertion, to: &output) }
    }

    private func beginLine(_ name: StaticString, in output: inout [UInt8]) {
        output.append(contentsOf: prefixBytes)
        output.append(name)
    }

    private func appendPlain(_ name: StaticString, _ value: String?, to output: inout [UInt8]) {
        beginLine(name, in: &output)
        if let value, Self.isVisible(value) { output.append(text: value) }
        output.append("\r\n")
    }

    private func appendEncoded(_ name: StaticString, _ value: String?, to output: inout [UInt8]) {
        beginLine(name, in: &output)
        if let value, !Self.isVisible(value) { output.append(text: Base64URL.encode(Array(value.utf8))) }
        output.append("\r\n")
    }

    /// The scopes are visible ASCII by their grammar, RFC 6749 §3.3; checked again before they are written.
    private static func append(_ scopes: [Scope], to output: inout [UInt8]) {
        var isFirst = true
        for scope in scopes where isVisible(scope.name) {
            if !isFirst { output.append(" ") }
            output.append(text: scope.name)
            isFirst = false
        }
    }

    /// Whether a value can be in its plain field.
    private static func isVisible(_ value: String) -> Bool {
        func isVisible(_ bytes: some Sequence<UInt8>) -> Bool {
            for byte in bytes where byte < 0x21 || byte > 0x7E { return false }
            return true
        }
        return value.utf8.withContiguousStorageIfAvailable { isVisible($0) } ?? isVisible(value.utf8)
    }
}
