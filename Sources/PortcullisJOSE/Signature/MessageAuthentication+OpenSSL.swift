// SPDX-License-Identifier: MIT

import COpenSSL

/// A secret that short messages are sealed with, by HMAC with SHA-256.
///
/// For what this server hands out and gets back, never for tokens. Redacts itself when printed.
///
/// RFC 2104.
package struct SealingKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    /// The fewest bytes that a key has: those of a hash.
    ///
    /// RFC 2104 §3.
    package static let minimumByteCount = 32

    private let bytes: [UInt8]

    /// Makes a key of secret bytes, or nothing if they are fewer than ``minimumByteCount``.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.minimumByteCount else { return nil }
        self.bytes = bytes
    }

    private init(checked bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Makes a key that nobody else knows.
    package static func random() -> SealingKey {
        SealingKey(checked: SecureRandom.bytes(minimumByteCount))
    }

    /// The 32 bytes that only a holder of the key can make of this message.
    package func seal(_ message: [UInt8]) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: 32)
        var count = 0
        let made = EVP_Q_mac(
            nil, "HMAC", nil, "SHA256", nil, bytes, bytes.count, message, message.count, &output,
            output.count, &count)
        guard made != nil, count == output.count else {
            preconditionFailure("OpenSSL could not compute an HMAC: it is out of memory.")
        }
        return output
    }

    /// Whether both are the same secret, in a time that depends on their lengths only.
    package func equals(_ other: SealingKey) -> Bool {
        ConstantTime.equals(bytes, other.bytes)
    }

    /// Nothing of what it holds.
    package var description: String { "SealingKey(redacted)" }
    /// Nothing of what it holds.
    package var debugDescription: String { description }
    /// Nothing of what it holds.
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
