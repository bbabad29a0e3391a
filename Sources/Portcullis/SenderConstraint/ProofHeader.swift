// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// The header of a DPoP proof: its key and algorithm.
///
/// Usually the same for every proof of a client, and therefore cached.
///
/// RFC 9449 §4.2.
final class ProofHeader: Sendable {
    /// The encoded header.
    let part: [UInt8]
    let header: JOSEHeader
    let algorithm: SignatureAlgorithm
    let key: JWK
    /// The thumbprint of the key.
    ///
    /// RFC 7638.
    let thumbprint: SHA256Digest

    /// Validates a header.
    ///
    /// RFC 9449 §4.3, 4, 5 and 7.
    init(_ jws: CompactJWS, accepting algorithms: Set<SignatureAlgorithm>) throws(RefusalReason) {
        let header = jws.header
        guard let type = header.type, type.utf8.elementsEqual("dpop+jwt".utf8) else { throw .malformedProof }
        guard let algorithm = header.algorithm, algorithms.contains(algorithm) else {
            throw .unsupportedProofAlgorithm
        }
        guard let object = header.json["jwk"]?.object, let key = try? JWK(object) else {
            throw .malformedProof
        }
        // RFC 9449 §4.3, 7: a published private key proves nothing.
        guard !key.hasPrivateMembers, key.canVerify(algorithm),
            let thumbprint = Base64URL.decode(key.thumbprint).flatMap(SHA256Digest.init)
        else { throw .malformedProof }
        part = jws.headerPart
        self.header = header
        self.algorithm = algorithm
        self.key = key
        self.thumbprint = thumbprint
    }
}

/// The claims of a DPoP proof; only their types are checked.
///
/// RFC 9449 §4.2, §4.3, 3.
struct ProofClaims {
    let identifier: String
    let method: String
    let uri: String
    let issuedAt: NumericDate
    let tokenHash: String
    let nonce: String?

    init(_ payload: [UInt8]) throws(RefusalReason) {
        do throws(JOSEError) {
            let claims = try ClaimsSet(payload: payload)
            guard let identifier = try claims.string("jti"), !identifier.isEmpty,
                let method = try claims.string("htm"), let uri = try claims.string("htu"),
                let issuedAt = try claims.numericDate("iat"), let tokenHash = try claims.string("ath")
            else { throw .malformedClaim }
            self.identifier = identifier
            self.method = method
            self.uri = uri
            self.issuedAt = issuedAt
            self.tokenHash = tokenHash
            // A client writes no null: only tokens and answers of servers are read that leniently.
            if claims.json["nonce"]?.isNull == true { throw .malformedClaim }
            nonce = try claims.string("nonce")
        } catch {
            throw .malformedProof
        }
    }
}
