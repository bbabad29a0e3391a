// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE

extension ProtectedResourceDiscovery {
    /// The leeway for `exp` and `nbf`.
    private static let leeway: Duration = .seconds(60)
    /// The maximum length of signed metadata, in bytes.
    private static let maxSignedByteCount = 262_144
    /// Claims about the JWT and not about the resource.
    ///
    /// RFC 7519 §4.1.
    private static let claimsAboutJWT: Set<String> = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"]

    /// Returns the members of a document with signed values replacing unsigned ones, and their signer.
    ///
    /// RFC 9728 §2.2.
    func applySignedValues(
        of object: JSONObject
    ) async throws(DiscoveryError) -> (effective: JSONObject, signer: String?) {
        guard case .verified(let signers) = configuration.signedMetadata,
            let value = object["signed_metadata"]
        else { return (object, nil) }
        do throws(SignedMetadataFault) {
            guard let text = value.string else { throw .malformed }
            let (claims, signer) = try await verify(text, beside: object, signers)
            var effective = object
            for claim in claims.members where !Self.claimsAboutJWT.contains(claim.name) {
                effective[claim.name] = claim.value
            }
            return (effective, signer)
        } catch {
            throw .signedMetadata(error)
        }
    }

    private func verify(
        _ text: String, beside object: JSONObject, _ signers: [String: JWKSet]
    ) async throws(SignedMetadataFault) -> (claims: JSONObject, signer: String) {
        let jws: CompactJWS
        let claims: ClaimsSet
        let signer: String?
        do throws(JOSEError) {
            jws = try CompactJWS(Array(text.utf8), maximumByteCount: Self.maxSignedByteCount)
            claims = try ClaimsSet(payload: jws.payload)
            signer = try claims.string("iss")
        } catch {
            throw .malformed
        }
        guard claims.json["signed_metadata"] == nil else { throw .nested }
        guard let signer, !signer.isEmpty else { throw .missingIssuer }
        guard let algorithm = jws.header.algorithm else { throw .unknownKey }
        let keys = try await keys(of: signer, object, signers)
        // RFC 9728 §3.3: the key belongs to the issuer; it is never taken from the token.
        let fitting = keys.selectKey(keyID: jws.header.keyID, algorithm: algorithm).candidates
        guard !fitting.isEmpty else { throw .unknownKey }
        let isVerified = fitting.contains { key in
            (try? jws.verify(with: key, algorithm: algorithm)) != nil
        }
        guard isVerified else { throw .invalidSignature }
        try checkTimes(claims)
        return (claims.json, signer)
    }

    private func checkTimes(_ claims: ClaimsSet) throws(SignedMetadataFault) {
        let start: NumericDate?
        let end: NumericDate?
        do throws(JOSEError) {
            start = try claims.numericDate("nbf")
            end = try claims.numericDate("exp")
        } catch {
            throw .malformed
        }
        let now = time.now()
        if let end, end.adding(Self.leeway) <= now { throw .expired }
        if let start, now.adding(Self.leeway) < start { throw .expired }
    }

    private func keys(
        of signer: String, _ object: JSONObject, _ signers: [String: JWKSet]
    ) async throws(SignedMetadataFault) -> JWKSet {
        if let given = signers.first(where: { $0.key.utf8.elementsEqual(signer.utf8) }) { return given.value }
        // The resource may sign itself, with keys on its own origin.
        guard let resource = object["resource"]?.string, let resourceURL = try? HTTPURL(resource),
            [resource, resourceURL.origin(of: resource)].contains(where: {
                $0.utf8.elementsEqual(signer.utf8)
            })
        else { throw .untrustedIssuer }
        guard let location = object["jwks_uri"]?.string, let url = try? HTTPURL(location),
            url.hasOrigin(of: resourceURL)
        else { throw .untrustedIssuer }
        guard let response = try? await response(from: location),
            let keys = try? JWKSet(parsing: response.body)
        else { throw .keysUnavailable }
        return keys
    }
}
