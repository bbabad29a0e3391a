// SPDX-License-Identifier: MIT

/// A request method.
///
/// Methods are case-sensitive: `get` is not `GET`.
///
/// RFC 9110 §9.1.
public struct Method: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The method's name, as in the request line.
    public let name: String

    /// Makes a method from a literal.
    ///
    /// Traps with a message if the literal is not a token.
    public init(stringLiteral name: String) {
        guard let method = Method(name) else {
            endForMistake("\(String(reflecting: name)) is not a method: a method is a token (RFC 9110 §9.1).")
        }
        self = method
    }

    /// Makes a method from a name known only at run time; `nil` if it is not a token.
    ///
    /// RFC 9110 §9.1, §5.6.2.
    public init?(_ name: String) {
        guard !name.isEmpty, name.utf8.allSatisfy(CharacterClass.isTokenCharacter) else { return nil }
        self.name = name
    }

    package init(token name: String) {
        self.name = name
    }

    /// The name.
    public var description: String { name }

    /// `GET`.
    ///
    /// RFC 9110 §9.3.1.
    public static let get: Method = "GET"
    /// `HEAD`.
    ///
    /// RFC 9110 §9.3.2.
    public static let head: Method = "HEAD"
    /// `POST`.
    ///
    /// RFC 9110 §9.3.3.
    public static let post: Method = "POST"
    /// `PUT`.
    ///
    /// RFC 9110 §9.3.4.
    public static let put: Method = "PUT"
    /// `DELETE`.
    ///
    /// RFC 9110 §9.3.5.
    public static let delete: Method = "DELETE"
    /// `CONNECT`.
    ///
    /// RFC 9110 §9.3.6.
    package static let connect: Method = "CONNECT"
    /// `OPTIONS`.
    ///
    /// RFC 9110 §9.3.7.
    public static let options: Method = "OPTIONS"
    /// `TRACE`.
    ///
    /// RFC 9110 §9.3.8.
    package static let trace: Method = "TRACE"
    /// `PATCH`.
    ///
    /// RFC 5789 §2.
    public static let patch: Method = "PATCH"
}
