// SPDX-License-Identifier: MIT

import COpenSSL

/// Cryptographically secure random bytes.
package enum SecureRandom {
    /// Returns `count` random bytes.
    ///
    /// Traps if OpenSSL has no randomness, since weak bytes would be worse.
    package static func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard let length = Int32(exactly: count), RAND_bytes(&bytes, length) == 1 else {
            preconditionFailure("OpenSSL has no random bytes.")
        }
        return bytes
    }
}
