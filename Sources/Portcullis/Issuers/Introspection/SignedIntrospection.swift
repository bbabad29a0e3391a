// SPDX-License-Identifier: MIT

import PortcullisJOSE

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
            try await keys.verify(jws, algorithm, uptime: time.uptime)
            return try members(ClaimsSet(payload: jws.payload))
        } catch {
            throw .untrustedAnswer
        }
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
