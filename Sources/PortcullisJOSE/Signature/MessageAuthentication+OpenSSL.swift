// SPDX-License-Identifier: MIT

import COpenSSL

/// The HMAC of messages with any key.
///
/// RFC 2104 §2.
package enum HMAC {
    /// The code of a message: as many bytes as the hash has.
    package static func code(over message: [UInt8], key: [UInt8], _ hash: HashAlgorithm) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: hash.byteCount)
        var count = 0
        let made = EVP_Q_mac(
            nil, "HMAC", nil, hash.name, nil, key, key.count, message, message.count, &output,
            output.count, &count)
        guard made != nil, count == output.count else {
            preconditionFailure("OpenSSL could not compute an HMAC: it is out of memory.")
        }
        return output
    }
}

/// A secret key that authenticates short messages with HMAC-SHA-256.
///
/// For values that this server issues and receives back, never for tokens. Redacts itself when printed.
///
/// RFC 2104.
package struct SealingKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    /// The minimum length of a key: that of the hash.
    ///
    /// RFC 2104 §3.
    package static let minimumByteCount = 32

    private let bytes: [UInt8]

    /// Creates a key from secret bytes; `nil` for fewer than ``minimumByteCount``.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.minimumByteCount else { return nil }
        self.bytes = bytes
    }

    private init(checked bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Generates a random key.
    package static func random() -> SealingKey {
        SealingKey(checked: SecureRandom.bytes(minimumByteCount))
    }

    /// The HMAC of a message: 32 bytes.
    package func seal(_ message: [UInt8]) -> [UInt8] { HMAC.code(over: message, key: bytes, .sha256) }

    /// Whether both keys are equal, in a time that depends only on their lengths.
    package func equals(_ other: SealingKey) -> Bool {
        ConstantTime.equals(bytes, other.bytes)
    }

    /// A redacted description.
    package var description: String { "SealingKey(redacted)" }
    /// A redacted description.
    package var debugDescription: String { description }
    /// An empty mirror, so that no secret is printed.
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
