// SPDX-License-Identifier: MIT

import COpenSSL

extension ProductVersion {
    /// The OpenSSL that this process has loaded, such as `OpenSSL 3.0.17 1 Jul 2025`.
    package static var openSSL: String {
        OpenSSL_version(OPENSSL_VERSION).map { String(cString: $0) } ?? "OpenSSL"
    }

    /// What `--version` of a program prints: its version, and that of OpenSSL.
    package static func lines(of program: String) -> String { "\(program) \(text)\n\(openSSL)\n" }
}
