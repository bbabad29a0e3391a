// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// The signing key, and the older keys that are still published.
struct IssuerKeys: Sendable {
    let algorithm: SignatureAlgorithm
    private var current: PrivateJWK
    private var old: [JWK] = []
    private static let maxOldCount = 8

    init(_ algorithm: SignatureAlgorithm) throws(JOSEError) {
        self.algorithm = algorithm
        current = try PrivateJWK.generate(algorithm, keyID: randomIdentifier())
    }

    mutating func rotate(droppingOld: Bool) throws(JOSEError) {
        let next = try PrivateJWK.generate(algorithm, keyID: randomIdentifier())
        old = droppingOld ? [] : Array(([current.publicKey] + old).prefix(Self.maxOldCount))
        current = next
    }

    /// RFC 7517 §5.
    var published: JSONObject {
        let keys = ([current.publicKey] + old).map { key in
            var json = key.publicJSON
            json["use"] = "sig"
            json["alg"] = .string(algorithm.rawValue)
            return JSONValue.object(json)
        }
        return ["keys": .array(keys)]
    }

    func sign(_ claims: JSONObject, type: String?) throws(JOSEError) -> String {
        var header: JSONObject = [:]
        if let type { header["typ"] = .string(type) }
        return try current.sign(header: header, payload: claims.serialized(), algorithm: algorithm)
    }
}
