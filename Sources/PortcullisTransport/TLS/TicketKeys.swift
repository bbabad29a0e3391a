// SPDX-License-Identifier: MIT

internal import COpenSSL

/// The keys of session tickets: the key for new tickets, and the previous key.
///
/// An attacker with a key can decrypt its tickets, and with TLS 1.2 their sessions: so keys are short-lived.
///
/// RFC 5077 §4, RFC 9325 §3.4.
package struct TicketKeys: Sendable {
    package struct Key: Sendable {
        /// Precedes the tickets in clear text.
        package let name: [UInt8]
        /// 32 bytes for encryption, and 32 for authentication.
        let secrets: [UInt8]
        fileprivate let made: MonotonicInstant
    }

    static let nameByteCount = 16
    private static let secretByteCount = 64
    /// How long a key encrypts new tickets; it decrypts them for as long again.
    package static let lifetime = Duration.seconds(12 * 3600)

    private var newest: Key?
    private var previous: Key?

    package init() {}

    /// The key for new tickets; `nil` if OpenSSL has no random bytes.
    package mutating func current(at now: MonotonicInstant) -> Key? {
        if let newest, now < newest.made + Self.lifetime { return newest }
        guard let made = Self.make(at: now) else { return nil }
        previous = newest
        newest = made
        return made
    }

    /// The key that a ticket was encrypted with, or `nil` if it is unknown or too old.
    package func key(named name: UnsafeRawBufferPointer, at now: MonotonicInstant) -> Key? {
        for key in [newest, previous] {
            guard let key, now < key.made + Self.lifetime + Self.lifetime else { continue }
            if key.name.elementsEqual(name) { return key }
        }
        return nil
    }

    private static func make(at now: MonotonicInstant) -> Key? {
        var name = [UInt8](repeating: 0, count: nameByteCount)
        var secrets = [UInt8](repeating: 0, count: secretByteCount)
        guard RAND_bytes(&name, Int32(nameByteCount)) == 1,
            RAND_priv_bytes(&secrets, Int32(secretByteCount)) == 1
        else { return nil }
        return Key(name: name, secrets: secrets, made: now)
    }
}
