// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// A certificate of a key that nobody trusts, to be put into `x5c`.
///
/// RFC 5280 §4.1.
enum OwnCertificate {
    private static let ecdsaWithSHA256 = DER.sequence([
        0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02,
    ])
    private static let commonName: [UInt8] = [0x06, 0x03, 0x55, 0x04, 0x03]

    /// A certificate of version 1 that is valid from 2020 to 2049, as DER; `nil` if OpenSSL cannot sign.
    static func der(of key: PrivateJWK) -> [UInt8]? {
        guard let publicKey = KeyEncodings.der(of: key.publicKey.publicJSON) else { return nil }
        let name = DER.sequence(
            DER.set(DER.sequence(commonName, DER.value(0x0C, Array("portcullis-check".utf8)))))
        let validity = DER.sequence(
            DER.value(0x17, Array("200101000000Z".utf8)), DER.value(0x17, Array("491231235959Z".utf8)))
        let body = DER.sequence(DER.integer([1]), ecdsaWithSHA256, name, validity, name, publicKey)
        guard let signature = try? key.sign(body, algorithm: .es256) else { return nil }
        let half = signature.count / 2
        let numbers = DER.sequence(
            DER.integer(Array(signature[..<half])), DER.integer(Array(signature[half...])))
        return DER.sequence(body, ecdsaWithSHA256, DER.bitString(numbers))
    }
}
