// SPDX-License-Identifier: MIT

import COpenSSL

/// Bytes that nobody can predict.
package enum SecureRandom {
    /// Makes `count` random bytes.
    ///
    /// Traps if the machine has no randomness to give, since weak bytes would be worse.
    package static func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard let length = Int32(exactly: count), RAND_bytes(&bytes, length) == 1 else {
            preconditionFailure("OpenSSL has no random bytes to give.")
        }
        return bytes
    }
}
