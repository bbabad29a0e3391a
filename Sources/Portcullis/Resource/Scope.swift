// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// One scope-token, such as `notes:read`.
///
/// Case-sensitive. The characters are printable ASCII without the space, `"` and `\`, so that strings compare
/// like bytes.
///
/// RFC 6749 §3.3.
public struct Scope: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The scope-token.
    public let name: String

    /// Makes a scope from a literal.
    ///
    /// Traps if the literal is not a scope-token.
    public init(stringLiteral name: String) {
        guard let scope = Scope(token: name) else {
            endForMistake(
                "A scope is one or more printable ASCII characters without space, quote or backslash; "
                    + "\(String(reflecting: name)) is not one (RFC 6749 §3.3).")
        }
        self = scope
    }

    /// Makes a scope from a value known only at run time.
    ///
    /// - Throws: ``ConfigurationError`` if the text is not a scope-token.
    ///
    /// RFC 6749 §3.3.
    public init(validating name: String) throws(ConfigurationError) {
        guard let scope = Scope(token: name) else {
            throw ConfigurationError(
                "A scope is one or more printable ASCII characters without space, quote or backslash (RFC "
                    + "6749 §3.3)."
            )
        }
        self = scope
    }

    package init?(token name: String) {
        guard !name.isEmpty, name.utf8.allSatisfy(CharacterClass.isScopeCharacter) else { return nil }
        self.name = name
    }

    /// The scope-token.
    public var description: String { name }

    /// Parses a space-separated list.
    ///
    /// Tolerates repeated spaces; returns `nil` if a token has other characters.
    package static func list(_ text: String) -> [Scope]? {
        var text = text
        return text.withUTF8 { bytes in
            var scopes: [Scope] = []
            var start = 0
            while start < bytes.count {
                let end = bytes[start...].firstIndex(of: 0x20) ?? bytes.count
                if end > start {
                    let name = String(
                        decoding: UnsafeBufferPointer(rebasing: bytes[start..<end]), as: UTF8.self)
                    guard let scope = Scope(token: name) else { return nil }
                    scopes.append(scope)
                }
                start = end + 1
            }
            return scopes
        }
    }
}
