// SPDX-License-Identifier: MIT

import COpenSSL

/// Constant-time comparison of secrets.
package enum ConstantTime {
    /// Whether both are equal, in a time that depends only on their lengths.
    package static func equals(_ first: [UInt8], _ second: [UInt8]) -> Bool {
        guard first.count == second.count else { return false }
        return CRYPTO_memcmp(first, second, first.count) == 0
    }
}
