// SPDX-License-Identifier: MIT

import PortcullisJOSE

extension Finding {
    /// A text that stays the same as long as the fault does: it depends on the subject, the code and whom it
    /// is about, not on the wording.
    ///
    /// The first 32 hexadecimal digits of a SHA-256.
    package func fingerprint(of subject: String) -> String {
        let digest = Digest.sha256(Array("\(subject)\n\(code)\n\(about)".utf8))
        return digest.bytes.prefix(16).map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
