// SPDX-License-Identifier: MIT

/// The header of a signed token.
///
/// A class, since all tokens with the same header share one. Untrusted until the signature is verified.
///
/// `jku`, `jwk`, `x5u`, `x5c` and `x5t` are ignored: a token cannot choose its own key.
///
/// RFC 7515 §4.
package final class JOSEHeader: Sendable {
    /// The `alg` parameter as written.
    package let algorithmName: String
    /// The algorithm, or `nil` if it is not supported, such as `none` and `HS256`.
    package let algorithm: SignatureAlgorithm?
    /// The `kid` parameter: untrusted text.
    package let keyID: String?
    /// The `typ` parameter: untrusted text, compared without regard to case.
    package let type: String?
    /// All parameters.
    package let json: JSONObject

    /// Parses the header, and checks the parameters that change how a token is read.
    ///
    /// Checks neither `typ` nor whether the algorithm is allowed.
    ///
    /// RFC 7515 §4.1, §4.1.11; RFC 7519 §5.2; RFC 7797 §6.
    init(_ json: JSONObject) throws(JOSEError) {
        // RFC 7515 §4.1.11: no extension is supported, so any crit is refused, well-formed or not.
        // b64 (RFC 7797 §3) would change the signing input, zip (RFC 7516 §4.1.3) the payload.
        guard json["crit"] == nil, json["b64"] == nil, json["zip"] == nil else { throw .unsupportedExtension }
        guard let algorithmName = json["alg"]?.string else { throw .malformedHeader }
        if let contentType = try Self.text("cty", of: json), Self.namesJWT(contentType) { throw .nestedToken }
        self.algorithmName = algorithmName
        algorithm = SignatureAlgorithm(rawValue: algorithmName)
        keyID = try Self.text("kid", of: json)
        type = try Self.text("typ", of: json)
        self.json = json
    }

    private static func text(_ name: String, of json: JSONObject) throws(JOSEError) -> String? {
        guard let value = json[name] else { return nil }
        guard let text = value.string else { throw .malformedHeader }
        return text
    }

    // RFC 7515 §4.1.10: "application/" may be omitted; media types are compared without regard to case.
    private static func namesJWT(_ contentType: String) -> Bool {
        let lowercased = contentType.lowercased()
        return lowercased == "jwt" || lowercased == "application/jwt"
    }
}
