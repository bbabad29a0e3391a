// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// Makes session identifiers (handles) that only the user of the token that they were made for can use.
///
/// A handle identifies a session or other server state. It is not a credential: every request needs its
/// token, and a handle with the token of another user is refused. It consists of random bytes and a seal, and
/// is not stored; the app decides where and how long it keeps the state. The user is the token's
/// ``AccessToken/holder``: a client whose identifier is a user's `sub` is another one.
///
///     let session = handles.makeHandle(for: token)  // for the response that opens a session
///     guard handles.accepts(handle, with: token) else { return .notFound }
///
/// MCP security best practices, "Session Hijacking".
public struct SessionBinding: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    private static let randomByteCount = 16
    private static let sealByteCount = 32

    private let key: SealingKey

    /// Makes handles that are valid until this process ends, for this value and its copies.
    public init() {
        key = .random()
    }

    /// Makes handles that are valid for every process with the same secret.
    ///
    /// - Throws: ``ConfigurationError`` if the secret has fewer than 32 bytes.
    public init(validating secret: [UInt8]) throws(ConfigurationError) {
        guard let key = SealingKey(secret) else {
            throw ConfigurationError("A handle key must have 32 or more random bytes.")
        }
        self.key = key
    }

    /// Returns a new handle for the user of a token: 64 characters of base64url.
    ///
    /// If the token names neither a subject nor a client, the handle is never accepted.
    public func makeHandle(for token: AccessToken) -> String {
        let random = SecureRandom.bytes(Self.randomByteCount)
        return Base64URL.encode(random + seal(random, for: token))
    }

    /// Whether a handle was made with this key, for the user of this token.
    ///
    /// Does not check that the state still exists.
    public func accepts(_ handle: String, with token: AccessToken) -> Bool {
        guard let bytes = Base64URL.decode(handle),
            bytes.count == Self.randomByteCount + Self.sealByteCount, token.holder != nil
        else { return false }
        let random = Array(bytes.prefix(Self.randomByteCount))
        return ConstantTime.equals(Array(bytes.dropFirst(Self.randomByteCount)), seal(random, for: token))
    }

    private func seal(_ random: [UInt8], for token: AccessToken) -> [UInt8] {
        var message = Array("State-Handle".utf8)
        // Each part is preceded by its length, so that different users never have the same text.
        let holder = token.holder
        let kind = holder?.kind == .user ? "sub" : "client_id"
        for part in [token.issuer, kind, holder?.name ?? ""] {
            message += Array(" \(part.utf8.count) ".utf8) + Array(part.utf8)
        }
        return key.seal(message + random)
    }

    /// A fixed string, without the key.
    public var description: String { "SessionBinding(redacted)" }
    /// A fixed string, without the key.
    public var debugDescription: String { description }
    /// A fixed string, without the key.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
