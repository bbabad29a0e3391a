// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// The DPoP proof of a token request: the key that the token gets bound to.
///
/// Checks signature, type, method, URL and age; does not remember proofs. RFC 9449 §4.3, §5.
enum TokenProof {
    /// The algorithms of proofs, as in the metadata.
    static let algorithms: [SignatureAlgorithm] = [.es256, .ed25519, .rs256]
    private static let maxByteCount = 8_192
    /// In seconds, in both directions.
    private static let maxAge = 300.0

    /// Returns the thumbprint of the proof's key, or `nil` if the request has no proof.
    ///
    /// - Throws: `invalid_dpop_proof` for a malformed proof, one for another request, and more than one.
    static func thumbprint(
        of proofs: [String], for url: String, now: NumericDate
    ) throws(OAuthProblem) -> String? {
        guard let proof = proofs.first else { return nil }
        guard proofs.count == 1, let key = try? provenKey(proof, for: url, now: now) else {
            throw .invalidProof
        }
        return key.thumbprint
    }

    /// The key of a proof, or `nil` if it proves nothing.
    private static func provenKey(
        _ proof: String, for url: String, now: NumericDate
    ) throws(JOSEError) -> JWK? {
        let jws = try CompactJWS(Array(proof.utf8), maximumByteCount: maxByteCount)
        guard jws.header.type == "dpop+jwt", let algorithm = jws.header.algorithm,
            algorithms.contains(algorithm), let object = jws.header.json["jwk"]?.object
        else { return nil }
        let claims = try ClaimsSet(payload: jws.payload)
        let key = try JWK(object)
        guard !key.hasPrivateMembers, try claims.string("htm") == "POST",
            try claims.string("htu")?.utf8.elementsEqual(url.utf8) == true,
            try claims.string("jti")?.isEmpty == false,
            let issuedAt = try claims.numericDate("iat"), abs(issuedAt.seconds - now.seconds) <= maxAge
        else { return nil }
        try jws.verify(with: key, algorithm: algorithm)
        return key
    }
}
