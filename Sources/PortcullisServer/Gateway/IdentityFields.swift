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
    private let starts: LineStarts

    init(prefix: String) {
        self.prefix = prefix
        starts = LineStarts(prefix)
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
        token.actor?.subject
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
        appendPlain(starts.subject, subject, to: &output)
        appendPlain(starts.client, client, to: &output)
        output.append(contentsOf: starts.scopes)
        if let token { Self.append(token.scopes, to: &output) }
        appendPlain(starts.issuer, token?.issuer, to: &output)
        appendPlain(starts.resource, token?.resource.text, to: &output)
        output.append(contentsOf: starts.expires)
        if let seconds = token?.expiresAt.flatMap(\.wholeSeconds) { output.append(text: "\(seconds)") }
        appendPlain(starts.actor, actor, to: &output)
        appendEncoded(starts.subjectBase64, subject, to: &output)
        appendEncoded(starts.clientBase64, client, to: &output)
        appendEncoded(starts.actorBase64, actor, to: &output)
        if let assertion { appendPlain(starts.assertion, assertion, to: &output) }
        output.append("\r\n")
    }

    /// The starts of the lines; all but the first end the line before.
    private struct LineStarts {
        let subject, client, scopes, issuer, resource, expires, actor: [UInt8]
        let subjectBase64, clientBase64, actorBase64, assertion: [UInt8]

        init(_ prefix: String) {
            func start(_ name: String) -> [UInt8] { Array("\r\n\(prefix)\(name): ".utf8) }
            subject = Array("\(prefix)Subject: ".utf8)
            client = start("Client")
            scopes = start("Scopes")
            issuer = start("Issuer")
            resource = start("Resource")
            expires = start("Expires")
            actor = start("Actor")
            subjectBase64 = start("Subject-Base64")
            clientBase64 = start("Client-Base64")
            actorBase64 = start("Actor-Base64")
            assertion = start("Assertion")
        }
    }

    private func appendPlain(_ start: [UInt8], _ value: String?, to output: inout [UInt8]) {
        output.append(contentsOf: start)
        if let value, Self.isVisible(value) { output.append(text: value) }
    }

    private func appendEncoded(_ start: [UInt8], _ value: String?, to output: inout [UInt8]) {
        output.append(contentsOf: start)
        if let value, !Self.isVisible(value) { output.append(text: Base64URL.encode(Array(value.utf8))) }
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
