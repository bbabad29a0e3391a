// SPDX-License-Identifier: MIT

/// A key pair to sign with.
///
/// Prints as its public half only.
///
/// RFC 7517 §4, RFC 7518 §6.
public struct PrivateJWK: Sendable {
    /// The public half, with `kid`, `use` and `alg`.
    public let publicKey: JWK
    /// The key with its secrets: for storing it, never for publishing.
    public let jsonIncludingPrivateMembers: JSONObject

    private let key: PrivateKey

    /// Makes a new key for the algorithm, marked `use: sig` and with its `alg`; RSA with 2048 bits.
    ///
    /// Making an RSA key takes about a tenth of a second of processor.
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

    /// Reads a key pair.
    ///
    /// An RSA key must have all of `d`, `p`, `q`, `dp`, `dq` and `qi`.
    ///
    /// - Throws: What ``JWK/init(_:)`` throws, and `inconsistentKey` if the halves do not belong together.
    ///
    /// RFC 7518 §6.2.2, §6.3.2; RFC 8037 §2.
    public init(_ json: JSONObject) throws(JOSEError) {
        try self.init(PrivateKey(PrivateKeyMaterial(json)), json)
        try checkHalves()
    }

    private init(_ key: PrivateKey, _ json: JSONObject) throws(JOSEError) {
        var publicJSON = try JWK(json).publicJSON
        // key_ops of a private key speaks of signing; its public half is for verifying.
        publicJSON["key_ops"] = nil
        publicKey = try JWK(publicJSON)
        jsonIncludingPrivateMembers = json
        self.key = key
    }

    /// Signs, as a compact JWS.
    ///
    /// `alg`, and `kid` if the key has one, are put in front of the header's parameters, unless they are among them:
    /// what the caller wrote stays, even if it is not true, so that tests can make tokens that lie.
    ///
    /// - Throws: `keyNotUsable` if the algorithm does not fit the key, `cryptographyUnavailable`.
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

    /// Signs bytes; the signature is in the form of RFC 7518.
    ///
    /// RFC 7518 §3.
    package func sign(_ bytes: [UInt8], algorithm: SignatureAlgorithm) throws(JOSEError) -> [UInt8] {
        try key.sign(bytes, algorithm: algorithm)
    }

    // One signature tells for every type of key whether its halves belong together.
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
