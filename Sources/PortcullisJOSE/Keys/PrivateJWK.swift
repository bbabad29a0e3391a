// SPDX-License-Identifier: MIT

/// A key pair that signs.
///
/// Its description contains the public half only.
///
/// RFC 7517 §4, RFC 7518 §6.
public struct PrivateJWK: Sendable {
    /// The public half, with `kid`, `use` and `alg`.
    public let publicKey: JWK
    /// The key with its private members, to store and never to publish.
    public let jsonIncludingPrivateMembers: JSONObject

    private let key: PrivateKey

    /// Generates a key for the algorithm, with `use: sig` and `alg`; RSA keys have 2048 bits.
    ///
    /// An RSA key takes about 0.1 seconds of CPU time.
    ///
    /// - Throws: `cryptographyUnavailable`.
    ///
    /// RFC 7518 §6, RFC 8037 §2.
    public static func generate(
        _ algorithm: SignatureAlgorithm,
        keyID: String? = nil
    ) throws(JOSEError) -> PrivateJWK {
        let key = try PrivateKey(generating: algorithm.keyShape)
        var json = try key.members()
        json["kid"] = keyID.map { .string($0) }
        json["use"] = "sig"
        json["alg"] = .string(algorithm.rawValue)
        return try PrivateJWK(key, json)
    }

    /// Parses a key pair.
    ///
    /// An RSA key must have all of `d`, `p`, `q`, `dp`, `dq` and `qi`.
    ///
    /// - Throws: The errors of ``JWK/init(_:)``, and `inconsistentKey` if the halves do not match.
    ///
    /// RFC 7518 §6.2.2, §6.3.2; RFC 8037 §2.
    public init(_ json: JSONObject) throws(JOSEError) {
        try self.init(PrivateKey(PrivateKeyMaterial(json)), json)
        try checkHalves()
    }

    private init(_ key: PrivateKey, _ json: JSONObject) throws(JOSEError) {
        var publicJSON = try JWK(json).publicJSON
        // The private key's key_ops is about signing; the public half verifies.
        publicJSON["key_ops"] = nil
        publicKey = try JWK(publicJSON)
        jsonIncludingPrivateMembers = json
        self.key = key
    }

    /// Signs a payload as a compact JWS.
    ///
    /// Prepends `alg`, and `kid` if the key has one, unless the header has them: the caller's values stay
    /// even if they are wrong, so that tests can make invalid tokens.
    ///
    /// - Throws: `keyNotUsable` if the algorithm does not match the key, `cryptographyUnavailable`.
    ///
    /// RFC 7515 §5.1, §7.1.
    package func sign(
        header: JSONObject = [:],
        payload: [UInt8],
        algorithm: SignatureAlgorithm
    ) throws(JOSEError) -> String {
        var complete = JSONObject()
        complete["alg"] = .string(algorithm.rawValue)
        complete["kid"] = publicKey.keyID.map { .string($0) }
        for member in header.members {
            complete[member.name] = member.value
        }
        let input = Base64URL.encode(complete.serialized()) + "." + Base64URL.encode(payload)
        return input + "." + Base64URL.encode(try sign(Array(input.utf8), algorithm: algorithm))
    }

    /// Signs bytes; the signature has the format of RFC 7518.
    ///
    /// RFC 7518 §3.
    package func sign(_ bytes: [UInt8], algorithm: SignatureAlgorithm) throws(JOSEError) -> [UInt8] {
        try key.sign(bytes, algorithm: algorithm)
    }

    // Signing and verifying once shows for every key type whether its halves match.
    private func checkHalves() throws(JOSEError) {
        guard let algorithm = SignatureAlgorithm.allCases.first(where: { $0.keyShape == key.shape }) else {
            throw .keyNotUsable
        }
        let message = SecureRandom.bytes(32)
        let signature = try key.sign(message, algorithm: algorithm)
        guard
            try publicKey.verifies(signature, over: message, count: message.count, algorithm: algorithm)
        else { throw .inconsistentKey }
    }
}

extension PrivateJWK: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The type and the public thumbprint.
    public var description: String {
        "PrivateJWK(\(publicKey.keyType), \(publicKey.thumbprint))"
    }

    /// The type and the public thumbprint.
    public var debugDescription: String {
        description
    }

    /// Shows the public half only, so that `dump` does not print secrets.
    public var customMirror: Mirror {
        Mirror(self, children: ["publicKey": publicKey])
    }
}
