// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// HMAC with any key, for signatures that a verifier of public keys must refuse.
///
/// RFC 2104 §2, RFC 7518 §3.2.
enum HMAC {
    /// The code of a message.
    static func code(over message: [UInt8], key: [UInt8], _ hash: HashAlgorithm) -> [UInt8] {
        let blockLength = hash == .sha256 ? 64 : 128
        var block = key.count > blockLength ? Digest.hash(key, with: hash) : key
        block += [UInt8](repeating: 0, count: blockLength - block.count)
        let inner = Digest.hash(block.map { $0 ^ 0x36 } + message, with: hash)
        return Digest.hash(block.map { $0 ^ 0x5C } + inner, with: hash)
    }
}
