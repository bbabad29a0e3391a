// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP

/// A strict parser of `WWW-Authenticate`.
///
/// RFC 9110 §11.2, §11.6.1:
///
///     WWW-Authenticate = #challenge
///     challenge        = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
///     auth-param       = token BWS "=" BWS ( token / quoted-string )
struct ChallengeReader {
    typealias Reason = ChallengeSyntaxError.Reason

    private let bytes: [UInt8]
    private var offset = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func list() throws(ChallengeSyntaxError) -> [ReceivedChallenge] {
        var challenges: [ReceivedChallenge] = []
        while skipEmptyElements() { challenges.append(try challenge()) }
        return challenges
    }

    private mutating func challenge() throws(ChallengeSyntaxError) -> ReceivedChallenge {
        let start = offset
        let scheme = try token()
        guard current != 0x3D else { throw error(.parameterWithoutScheme, at: start) }
        let end = offset
        skipBlanks()
        guard offset > end, current != nil else {
            try expectEndOfElement()
            return ReceivedChallenge(scheme: scheme)
        }
        if current == 0x3D { throw error(.parameterWithoutScheme, at: start) }
        if let token68 = takeToken68() { return ReceivedChallenge(scheme: scheme, token68: token68) }
        return ReceivedChallenge(scheme: scheme, parameters: try parameters())
    }

    /// Parses the parameters up to the next scheme.
    private mutating func parameters() throws(ChallengeSyntaxError) -> [ReceivedChallenge.Parameter] {
        var parameters: [ReceivedChallenge.Parameter] = []
        while skipEmptyElements() {
            let start = offset
            let name = try token()
            skipBlanks()
            guard current == 0x3D else {
                // A token without a value begins the next challenge, unless it comes first: then it is
                // ambiguous.
                guard !parameters.isEmpty else { throw error(.missingComma, at: offset) }
                offset = start
                return parameters
            }
            offset += 1
            skipBlanks()
            let value = try value()
            guard !parameters.contains(where: { ASCII.equalIgnoringCase($0.name, name) }) else {
                throw error(.repeatedParameter, at: start)
            }
            parameters.append(.init(name: name, value: value))
            try expectEndOfElement()
        }
        return parameters
    }

    private mutating func value() throws(ChallengeSyntaxError) -> String {
        guard current == 0x22 else {
            guard let current, CharacterClass.isTokenCharacter(current) else { throw error(.missingValue) }
            return try token()
        }
        let start = offset
        var text: [UInt8] = []
        offset += 1
        while let byte = current {
            offset += 1
            switch byte {
            case 0x22:
                return String(decoding: text, as: UTF8.self)
            case 0x5C:
                guard let escaped = current else { throw error(.unterminatedString, at: start) }
                guard CharacterClass.isFieldValueCharacter(escaped) else { throw error(.controlCharacter) }
                text.append(escaped)
                offset += 1
            default:
                guard CharacterClass.isFieldValueCharacter(byte) else {
                    throw error(.controlCharacter, at: offset - 1)
                }
                text.append(byte)
            }
        }
        throw error(.unterminatedString, at: start)
    }

    /// Parses a token68 that fills its element, or returns `nil`: then the element is a parameter.
    private mutating func takeToken68() -> String? {
        var end = offset
        while end < bytes.count, CharacterClass.isToken68Character(bytes[end]) { end += 1 }
        guard end > offset else { return nil }
        while end < bytes.count, bytes[end] == 0x3D { end += 1 }
        var next = end
        while next < bytes.count, Self.isBlank(bytes[next]) { next += 1 }
        guard next == bytes.count || bytes[next] == 0x2C else { return nil }
        defer { offset = next }
        return String(decoding: bytes[offset..<end], as: UTF8.self)
    }

    private mutating func token() throws(ChallengeSyntaxError) -> String {
        let start = offset
        while let byte = current, CharacterClass.isTokenCharacter(byte) { offset += 1 }
        guard offset > start else { throw error(.missingToken) }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    /// Skips commas and blanks, and returns whether anything is left.
    ///
    /// RFC 9110 §5.6.1.2: empty elements of a list are ignored.
    private mutating func skipEmptyElements() -> Bool {
        while let byte = current, byte == 0x2C || Self.isBlank(byte) { offset += 1 }
        return current != nil
    }

    private mutating func skipBlanks() {
        while let byte = current, Self.isBlank(byte) { offset += 1 }
    }

    private mutating func expectEndOfElement() throws(ChallengeSyntaxError) {
        skipBlanks()
        guard current == nil || current == 0x2C else { throw error(.missingComma) }
    }

    private var current: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private func error(_ reason: Reason, at place: Int? = nil) -> ChallengeSyntaxError {
        ChallengeSyntaxError(reason: reason, offset: place ?? offset)
    }
}
