// SPDX-License-Identifier: MIT

/// The decoded members of a key pair, with checked lengths.
struct PrivateKeyMaterial: Sendable {
    let publicHalf: PublicKeyMaterial
    /// The secret numbers, under OpenSSL's names.
    let secrets: [(name: StaticString, value: [UInt8])]

    /// RFC 7518 §6.3: the members of an RSA key, and OpenSSL's names for them.
    static let rsaParameterNames: [(member: String, parameter: StaticString)] = [
        ("n", "n"), ("e", "e"), ("d", "d"), ("p", "rsa-factor1"), ("q", "rsa-factor2"),
        ("dp", "rsa-exponent1"), ("dq", "rsa-exponent2"), ("qi", "rsa-coefficient1"),
    ]

    /// RFC 7518 §6.2.2, §6.3.2; RFC 8037 §2.
    init(_ json: JSONObject) throws(JOSEError) {
        publicHalf = try PublicKeyMaterial(json)
        switch publicHalf {
        case .rsa:
            // RFC 7518 §6.3.2.7: keys with more than two primes are not supported and must be refused.
            guard json["oth"] == nil else { throw .malformedKey }
            var secrets: [(name: StaticString, value: [UInt8])] = []
            for name in Self.rsaParameterNames.dropFirst(2) {
                secrets.append((name.parameter, try PublicKeyMaterial.octets(name.member, of: json)))
            }
            self.secrets = secrets
        case .ellipticCurve(let curve, _, _):
            let d = try PublicKeyMaterial.octets("d", of: json)
            guard d.count == curve.coordinateByteCount else { throw .malformedKey }
            secrets = [("priv", d)]
        case .ed25519:
            let d = try PublicKeyMaterial.octets("d", of: json)
            guard d.count == 32 else { throw .malformedKey }
            secrets = [("priv", d)]
        }
    }
}
