// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport

/// Verifies introspection responses that the authorization server has signed for this client.
///
/// RFC 9701 §5.
struct SignedIntrospection: Sendable {
    /// The media type of such a response, which is also its `typ`.
    static let mediaType = "application/token-introspection+jwt"
    /// The maximum age of a response and the tolerated clock difference, in seconds.
    static let maxAge = 300.0
    static let leeway = 60.0

    let issuer: String
    /// The expected `aud`: usually the resource's client identifier at the server.
    let audience: String
    let keys: KeyStore
    let time: TimeSource

    /// Returns the members about the token from a valid response.
    ///
    /// - Throws: `untrustedAnswer` for an invalid response.
    ///
    /// RFC 9701 §5, RFC 8725 §3.12.
    func read(_ body: [UInt8]) async throws(AuthorizationServerFault) -> JSONObject {
        do throws(JOSEError) {
            let jws = try CompactJWS(body, maximumByteCount: body.count)
            // RFC 9701 §5: with typ no other kind of JWT, an access token say, passes for an answer.
            let type = MediaType.normalized(jws.header.type ?? "")
            guard type.utf8.elementsEqual("token-introspection+jwt".utf8),
                let algorithm = jws.header.algorithm
            else { throw .malformedHeader }
            try await verify(jws, algorithm)
            return try members(ClaimsSet(payload: jws.payload))
        } catch {
            throw .untrustedAnswer
        }
    }

    /// Tries the keys that fit, and after a fetch of newer ones those too, as for an access token.
    private func verify(_ jws: CompactJWS, _ algorithm: SignatureAlgorithm) async throws(JOSEError) {
        var failed: [String] = []
        var asked: KeyQuestion.Lack?
        var outcome: KeyQuestion.Outcome?
        while true {
            let search = try? keys.key(jws.header.keyID, algorithm, at: time.uptime(), after: asked, outcome)
            let lack: KeyQuestion.Lack?
            switch search {
            case .found(let key, let generation):
                if try verify(jws, [key], algorithm, &failed) { return }
                lack = asked == nil ? keys.renewal(since: generation, at: time.uptime()) : nil
            case .several(let fitting, _, let generation):
                if try verify(jws, fitting, algorithm, &failed) { return }
                lack = asked == nil ? keys.renewal(since: generation, at: time.uptime()) : nil
            case .lacking(let keys): lack = keys
            case nil: lack = nil
            }
            guard let lack else { throw .keyNotUsable }
            asked = lack
            outcome = await withCheckedContinuation { waiting in
                keys.obtain(lack) { waiting.resume(returning: $0) }
            }
        }
    }

    /// Whether one of the keys verifies the signature; tries none twice, and not too many.
    private func verify(
        _ jws: CompactJWS, _ fitting: [JWK], _ algorithm: SignatureAlgorithm, _ failed: inout [String]
    ) throws(JOSEError) -> Bool {
        for key in fitting where !failed.contains(key.thumbprint) {
            guard failed.count < JWKSet.maximumCandidateCount else { return false }
            do throws(JOSEError) {
                try jws.verify(with: key, algorithm: algorithm)
                return true
            } catch .cryptographyUnavailable {
                throw .cryptographyUnavailable
            } catch {
                failed.append(key.thumbprint)
            }
        }
        return false
    }

    /// RFC 9701 §5: one claim contains the members about the token; the others are about the response.
    private func members(_ claims: ClaimsSet) throws(JOSEError) -> JSONObject {
        let now = time.now().seconds
        guard try claims.string("iss")?.utf8.elementsEqual(issuer.utf8) == true,
            try claims.stringOrStrings("aud")?.contains(where: { $0.utf8.elementsEqual(audience.utf8) })
                == true,
            let issuedAt = try claims.numericDate("iat")?.seconds,
            issuedAt > now - Self.maxAge - Self.leeway, issuedAt < now + Self.leeway,
            let members = try claims.object("token_introspection")
        else { throw .malformedClaim }
        return members
    }
}
