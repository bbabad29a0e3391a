// SPDX-License-Identifier: MIT

/// A public key that verifies signatures: RSA, P-256, P-384, P-521 or Ed25519.
///
/// The initializer decodes the key once. Certificate members such as `x5c` are ignored.
///
/// RFC 7517 §4.
public struct JWK: Sendable {
    /// The `kid` member.
    public let keyID: String?
    /// The `kty` member: `RSA`, `EC` or `OKP`.
    package let keyType: String
    /// The `alg` member; `nil` if it is absent or not supported.
    public let algorithm: SignatureAlgorithm?
    /// The `use` member.
    package let use: String?
    /// The `key_ops` member.
    package let keyOperations: [String]?
    /// The SHA-256 thumbprint in base64url, 43 characters, as in `jkt`.
    ///
    /// RFC 7638 §3.
    public let thumbprint: String
    /// The key and its `kid`, `use`, `key_ops` and `alg`, without private and unknown members.
    public let publicJSON: JSONObject

    /// Whether the JSON had private members, which were ignored.
    ///
    /// RFC 7517 §9.2: the publisher should be warned.
    package let hasPrivateMembers: Bool

    private let algorithmName: String?
    private let key: PublicKey

    /// Parses a key.
    ///
    /// Ignores private members, and members that are `null`. Does not check that `use` and `key_ops` allow verification; ``JWKSet`` does
    /// when it selects a key.
    ///
    /// - Throws: `unsupportedKeyType` for `oct` and unknown types, `unsupportedCurve`, `malformedKey`,
    ///   `malformedBase64URL`, `unsuitableKeyStrength` for RSA outside 2048 to 8192 bits, with an unfit
    ///   exponent or with the fingerprint of CVE-2017-15361 (ROCA), and for an Ed25519 point of small order,
    ///   `inconsistentKey` for a point that is not on its curve or an Ed25519 point that is not reduced.
    ///
    /// RFC 7517 §4, RFC 7518 §6, RFC 8037 §2, RFC 8032 §5.1.
    public init(_ json: JSONObject) throws(JOSEError) {
        let material = try PublicKeyMaterial(json)
        keyType = material.shape.typeName
        keyID = try Self.text("kid", of: json)
        use = try Self.text("use", of: json)
        keyOperations = try Self.operations(of: json)
        algorithmName = try Self.text("alg", of: json)
        algorithm = algorithmName.flatMap { SignatureAlgorithm(rawValue: $0) }
        hasPrivateMembers = Self.hasPrivateMembers(json)
        key = try PublicKey(material)

        var publicJSON = material.requiredMembers
        thumbprint = Digest.sha256(publicJSON.serialized()).base64URL
        for name in ["kid", "use", "key_ops", "alg"] {
            publicJSON[name] = Self.value(name, of: json)
        }
        self.publicJSON = publicJSON
    }

    /// Whether type and curve match the algorithm, and `use`, `key_ops` and `alg`, if present, allow it.
    ///
    /// Deviates from RFC 8725 §3.1, by which a key is used with exactly one algorithm: an RSA key without
    /// `alg` verifies each RSA algorithm that the issuer's list allows, since many servers publish such keys
    /// and none of these algorithms weakens another. Narrow the list to end that.
    ///
    /// RFC 7517 §4.2-§4.4, RFC 8725 §3.1.
    package func canVerify(_ algorithm: SignatureAlgorithm) -> Bool {
        guard key.shape == algorithm.keyShape else { return false }
        if let use, !CodePoints.equal(use, "sig") { return false }
        if let keyOperations, !keyOperations.contains(where: { CodePoints.equal($0, "verify") }) {
            return false
        }
        guard let algorithmName else { return true }
        return CodePoints.equal(algorithmName, algorithm.rawValue)
    }

    /// Whether `signature` verifies with this key over the first `count` bytes of `message`.
    func verifies(
        _ signature: [UInt8],
        over message: [UInt8],
        count: Int,
        algorithm: SignatureAlgorithm
    ) throws(JOSEError) -> Bool {
        try key.verifies(signature, over: message, count: count, algorithm: algorithm)
    }

    /// RFC 7518 §6.2.2, §6.3.2, §6.4.1; RFC 8037 §2; RFC 9964.
    private static let privateNames = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"]

    static func hasPrivateMembers(_ json: JSONObject) -> Bool {
        privateNames.contains { value($0, of: json) != nil }
    }

    /// Returns a member; `null` counts as absent, since serializers write it for members without a value.
    private static func value(_ name: String, of json: JSONObject) -> JSONValue? {
        json[name].flatMap { $0.isNull ? nil : $0 }
    }

    private static func text(_ name: String, of json: JSONObject) throws(JOSEError) -> String? {
        guard let value = value(name, of: json) else { return nil }
        guard let text = value.string else { throw .malformedKey }
        return text
    }

    // RFC 7517 §4.3: an array of strings without duplicates.
    private static func operations(of json: JSONObject) throws(JOSEError) -> [String]? {
        guard let value = value("key_ops", of: json) else { return nil }
        guard let operations = value.strings, Set(operations).count == operations.count else {
            throw .malformedKey
        }
        return operations
    }
}

extension JWK: CustomStringConvertible {
    /// The key's type and thumbprint.
    public var description: String {
        "JWK(\(keyType), \(thumbprint))"
    }
}
