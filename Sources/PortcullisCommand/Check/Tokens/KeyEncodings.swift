// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// The encodings of a public key that a careless verifier takes for a secret.
///
/// RFC 5280 §4.1.2.7, RFC 8017 appendix A.1.1, RFC 5480 §2, RFC 8410 §4, RFC 7468 §13.
enum KeyEncodings {
    private static let rsa: [UInt8] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01]
    private static let ellipticCurve: [UInt8] = [0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]
    private static let ed25519: [UInt8] = [0x06, 0x03, 0x2B, 0x65, 0x70]
    private static let curves: [String: [UInt8]] = [
        "P-256": [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07],
        "P-384": [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22],
        "P-521": [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x23],
    ]

    /// The SubjectPublicKeyInfo of a JWK, or `nil` for a key of another type.
    static func der(of key: JSONObject) -> [UInt8]? {
        func bytes(_ name: String) -> [UInt8]? { key[name]?.string.flatMap { Base64URL.decode($0) } }
        switch key["kty"]?.string {
        case "RSA":
            guard let modulus = bytes("n"), let exponent = bytes("e") else { return nil }
            let numbers = DER.sequence(DER.integer(modulus), DER.integer(exponent))
            return DER.sequence(DER.sequence(rsa, DER.null), DER.bitString(numbers))
        case "EC":
            guard let curve = key["crv"]?.string.flatMap({ curves[$0] }), let x = bytes("x"),
                let y = bytes("y")
            else { return nil }
            return DER.sequence(DER.sequence(ellipticCurve, curve), DER.bitString([0x04] + x + y))
        case "OKP":
            guard key["crv"] == "Ed25519", let x = bytes("x") else { return nil }
            return DER.sequence(DER.sequence(ed25519), DER.bitString(x))
        default: return nil
        }
    }

    /// The same as PEM, with lines of 64 characters and a line feed at the end.
    static func pem(of der: [UInt8]) -> [UInt8] {
        let text = Array(Base64.encode(der).utf8)
        var lines = ["-----BEGIN PUBLIC KEY-----"]
        for start in stride(from: 0, to: text.count, by: 64) {
            lines.append(String(decoding: text[start..<min(start + 64, text.count)], as: UTF8.self))
        }
        lines.append("-----END PUBLIC KEY-----")
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    /// All encodings, with their names.
    static func all(of key: JSONObject) -> [(name: String, bytes: [UInt8])] {
        guard let der = der(of: key) else { return [("JWK", key.serialized())] }
        let pem = pem(of: der)
        return [
            ("PEM", pem), ("PEM without its last line feed", pem.dropLast()), ("DER", der),
            ("JWK", key.serialized()),
        ]
    }
}
