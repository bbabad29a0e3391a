// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// Binds sessions, and other state that a server keeps, to the user of a token: makes handles, and accepts them from that user only.
///
/// A handle is no credential: every request needs its token, and a handle that comes with the token of somebody else is refused. It holds
/// nothing but random bytes and a seal, and nothing is remembered of it; where the state is kept, and for how long, is the app's own.
/// The user is the token's `sub` within its issuer, or its client where there is none.
///
///     let session = handles.makeHandle(for: token)                      // for the answer that opens a session
///     guard handles.accepts(handle, with: token) else { return .notFound }
///
/// MCP security best practices, "Session Hijacking".
public struct SessionBinding: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    private static let randomByteCount = 16
    private static let sealByteCount = 32

    private let key: SealingKey

    /// Makes handles that are good for as long as this process, and its copies of this value, live.
    public init() {
        key = .random()
    }

    /// Makes handles that are good wherever the same secret is known.
    ///
    /// - Throws: ``ConfigurationError`` if the secret has fewer than 32 bytes.
    public init(validating secret: [UInt8]) throws(ConfigurationError) {
        guard let key = SealingKey(secret) else {
            throw ConfigurationError("A key for handles has 32 or more random bytes.")
        }
        self.key = key
    }

    /// A new handle for the user that a token speaks for: 64 characters of base64url.
    ///
    /// Of a token that names neither a user nor a client it is good for nobody.
    public func makeHandle(for token: AccessToken) -> String {
        let random = SecureRandom.bytes(Self.randomByteCount)
        return Base64URL.encode(random + seal(random, for: token))
    }

    /// Whether a handle was made here, for the user that this token speaks for.
    ///
    /// Does not say whether the state is still there.
    public func accepts(_ handle: String, with token: AccessToken) -> Bool {
        guard let bytes = Base64URL.decode(handle),
            bytes.count == Self.randomByteCount + Self.sealByteCount,
            token.subject != nil || token.clientID != nil
        else { return false }
        let random = Array(bytes.prefix(Self.randomByteCount))
        return ConstantTime.equals(Array(bytes.dropFirst(Self.randomByteCount)), seal(random, for: token))
    }

    private func seal(_ random: [UInt8], for token: AccessToken) -> [UInt8] {
        var message = Array("State-Handle".utf8)
        // Each part with its length, so that no two users have the same text.
        let user = token.subject.map { ("sub", $0) } ?? ("client_id", token.clientID ?? "")
        for part in [token.issuer, user.0, user.1] {
            message += Array(" \(part.utf8.count) ".utf8) + Array(part.utf8)
        }
        return key.seal(message + random)
    }

    /// Nothing of what it holds.
    public var description: String { "SessionBinding(redacted)" }
    /// Nothing of what it holds.
    public var debugDescription: String { description }
    /// Nothing of what it holds.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
