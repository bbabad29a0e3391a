// SPDX-License-Identifier: MIT

/// The name of a field: a token, compared without regard to case.
///
/// RFC 9110 §5.1.
public struct FieldName: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The name as it is sent.
    public let spelling: String
    package let known: KnownFieldName

    /// Creates a name from a string known only at run time; `nil` if it is not a token.
    public init?(_ spelling: String) {
        guard !spelling.isEmpty, spelling.utf8.allSatisfy(CharacterClass.isTokenCharacter) else { return nil }
        self.init(checked: spelling)
    }

    /// Creates a name from a literal.
    ///
    /// Traps if the literal is not a token.
    public init(stringLiteral spelling: String) {
        guard let name = FieldName(spelling) else {
            endForMistake(
                "\(String(reflecting: spelling)) is not a field name: a field name is a token, "
                    + "one or more of letters, digits and !#$%&'*+-.^_`|~ (RFC 9110 §5.1).")
        }
        self = name
    }

    /// Creates a name that a parser has checked and classified.
    package init(token spelling: String, known: KnownFieldName) {
        self.spelling = spelling
        self.known = known
    }

    private init(checked spelling: String) {
        self.spelling = spelling
        var spelling = spelling
        known = spelling.withUTF8 { KnownFieldName(classifying: UnsafeRawBufferPointer($0)) }
    }

    /// The spelling.
    public var description: String { spelling }

    /// Whether both names are equal, ignoring case.
    public static func == (first: FieldName, second: FieldName) -> Bool {
        first.known == second.known
            && (first.known != .other || haveSameLetters(first.spelling.utf8, second.spelling.utf8))
    }

    /// Hashes the name in lower case.
    public func hash(into hasher: inout Hasher) {
        for byte in spelling.utf8 { hasher.combine(CharacterClass.lowercase(byte)) }
    }

    /// Whether `bytes` spell this name, in any case.
    package func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        Self.haveSameLetters(bytes, spelling.utf8)
    }

    private static func haveSameLetters(
        _ first: some Collection<UInt8>, _ second: some Collection<UInt8>
    ) -> Bool {
        first.count == second.count
            && zip(first, second).allSatisfy { CharacterClass.lowercase($0) == CharacterClass.lowercase($1) }
    }

    /// `Accept`.
    public static let accept: FieldName = "Accept"
    /// `Allow`.
    public static let allow: FieldName = "Allow"
    /// `Authorization`.
    public static let authorization: FieldName = "Authorization"
    /// `Cache-Control`.
    public static let cacheControl: FieldName = "Cache-Control"
    /// `Connection`.
    package static let connection: FieldName = "Connection"
    /// `Content-Length`.
    public static let contentLength: FieldName = "Content-Length"
    /// `Content-Type`.
    public static let contentType: FieldName = "Content-Type"
    /// `Date`.
    package static let date: FieldName = "Date"
    /// `DPoP`.
    ///
    /// RFC 9449 §4.1.
    public static let dpop: FieldName = "DPoP"
    /// `ETag`.
    public static let etag: FieldName = "ETag"
    /// `Expect`.
    package static let expect: FieldName = "Expect"
    /// `Host`.
    public static let host: FieldName = "Host"
    /// `If-None-Match`.
    public static let ifNoneMatch: FieldName = "If-None-Match"
    /// `Keep-Alive`.
    package static let keepAlive: FieldName = "Keep-Alive"
    /// `Location`.
    public static let location: FieldName = "Location"
    /// `Origin`.
    public static let origin: FieldName = "Origin"
    /// `Retry-After`.
    public static let retryAfter: FieldName = "Retry-After"
    /// `Server`.
    package static let server: FieldName = "Server"
    /// `Trailer`.
    package static let trailer: FieldName = "Trailer"
    /// `Transfer-Encoding`.
    package static let transferEncoding: FieldName = "Transfer-Encoding"
    /// `Vary`.
    public static let vary: FieldName = "Vary"
    /// `WWW-Authenticate`.
    public static let wwwAuthenticate: FieldName = "WWW-Authenticate"
}

/// The field names that the server and the gate look up on every request or write themselves.
///
/// The parser classifies each name once.
package enum KnownFieldName: UInt8, Sendable {
    case other, host, contentLength, transferEncoding, connection, expect, authorization, dpop, origin,
        contentType
    case ifNoneMatch, upgrade, date, keepAlive, trailer, cacheControl

    /// - Parameter name: A token.
    package init(classifying name: UnsafeRawBufferPointer) {
        switch name.count {
        case 4:
            self =
                Self.equals(name, "host")
                ? .host : Self.equals(name, "dpop") ? .dpop : Self.equals(name, "date") ? .date : .other
        case 6:
            self = Self.equals(name, "expect") ? .expect : Self.equals(name, "origin") ? .origin : .other
        case 7:
            self =
                Self.equals(name, "upgrade") ? .upgrade : Self.equals(name, "trailer") ? .trailer : .other
        case 10:
            self =
                Self.equals(name, "connection")
                ? .connection : Self.equals(name, "keep-alive") ? .keepAlive : .other
        case 12:
            self = Self.equals(name, "content-type") ? .contentType : .other
        case 13:
            self =
                Self.equals(name, "authorization")
                ? .authorization
                : Self.equals(name, "if-none-match")
                    ? .ifNoneMatch : Self.equals(name, "cache-control") ? .cacheControl : .other
        case 14:
            self = Self.equals(name, "content-length") ? .contentLength : .other
        case 17:
            self = Self.equals(name, "transfer-encoding") ? .transferEncoding : .other
        default:
            self = .other
        }
    }

    // Setting the bit 0x20 turns capitals into small letters and keeps the hyphen; no other character of a
    // token becomes a letter or a hyphen.
    @inline(__always)
    private static func equals(_ name: UnsafeRawBufferPointer, _ lowercased: StaticString) -> Bool {
        guard name.count >= 8 else {
            for index in 0..<name.count where name[index] | 0x20 != lowercased.utf8Start[index] {
                return false
            }
            return true
        }
        // SAFETY: both have the length that the switch has selected, at least eight; the last eight bytes may
        // overlap the first.
        let other = UnsafeRawBufferPointer(start: lowercased.utf8Start, count: name.count)
        return word(name, 0) == word(other, 0) && word(name, name.count - 8) == word(other, name.count - 8)
    }

    @inline(__always)
    private static func word(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> UInt64 {
        bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) | 0x2020_2020_2020_2020
    }
}
