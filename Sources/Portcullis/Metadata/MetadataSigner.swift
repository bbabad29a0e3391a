// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// Signs the metadata of one resource.
///
/// RFC 9728 §2.2.
struct MetadataSigner: Sendable {
    private let signing: MetadataSigning
    /// The claims without the times, in order.
    private let claims: JSONObject
    private let keyID: String
    /// The published verification key.
    let publicKey: JSONObject

    init(_ signing: MetadataSigning, _ metadata: ProtectedResourceMetadata) {
        self.signing = signing
        publicKey = Self.published(signing.key.publicKey)
        keyID = publicKey["kid"]?.string ?? signing.key.publicKey.thumbprint
        var claims: JSONObject = ["iss": .string(signing.issuer ?? metadata.resource.text)]
        // RFC 9728 §2.2: the JWT does not contain itself.
        for member in metadata.json.members where !member.name.utf8.elementsEqual("signed_metadata".utf8) {
            claims[member.name] = member.value
        }
        self.claims = claims
    }

    /// The lifetime of a signature, in seconds.
    var lifetime: Double { Double(signing.lifetime.components.seconds) }
    var answersAcceptedJWT: Bool { signing.answersAcceptedJWT }
    var otherKeys: [JSONObject] { signing.otherKeys.map(Self.published) }

    /// Returns a compact JWS over the metadata, issued now.
    func sign(at now: Int) throws(JOSEError) -> String {
        var claims = claims
        claims["iat"] = .number(JSONNumber(now))
        claims["exp"] = .number(JSONNumber(now + Int(lifetime)))
        return try signing.key.sign(
            header: ["typ": "JWT", "kid": .string(keyID)], payload: claims.serialized(),
            algorithm: signing.algorithm)
    }

    /// Returns the public members, with `kid` and `use`.
    ///
    /// RFC 9728 §2: in a set with keys for several uses each needs `use`; here every key has it.
    static func published(_ key: JWK) -> JSONObject {
        var json = key.publicJSON
        if json["kid"] == nil { json["kid"] = .string(key.thumbprint) }
        if json["use"] == nil { json["use"] = "sig" }
        return json
    }
}
