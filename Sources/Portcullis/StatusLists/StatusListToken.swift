// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// The claims of a status list token, checked, with the array still compressed.
///
/// draft-ietf-oauth-status-list §5.1, §8.3.
struct StatusListToken: Sendable {
    /// The media type of the response, which is also the `typ` of the token.
    static let mediaType = "application/statuslist+jwt"
    /// How far `iat` may lie in the future, in seconds.
    static let leeway = 30.0

    let width: StatusList.Width
    /// The array: a zlib stream.
    let compressed: [UInt8]
    /// The claim `ttl`.
    let timeToLive: Duration?
    /// The time until `exp`.
    let remaining: Duration?

    /// Checks the claims of a token whose signature has been verified.
    ///
    /// - Parameters:
    ///   - uri: The URI in the access token, whatever redirects were followed.
    ///   - issuer: The issuer of the access token.
    init(
        _ claims: JSONObject, uri: String, issuer: String, at now: NumericDate
    ) throws(StatusListFault) {
        guard let subject = claims["sub"]?.string, CodePoints.equal(subject, uri) else {
            throw .subjectMismatch
        }
        if let named = claims["iss"] {
            guard let named = named.string, CodePoints.equal(named, issuer) else { throw .issuerMismatch }
        }
        guard let issued = claims["iat"]?.number?.double, issued <= now.seconds + Self.leeway else {
            throw .malformedTime("iat")
        }
        remaining = try Self.remaining(claims["exp"], at: now)
        timeToLive = try Self.timeToLive(claims["ttl"])
        guard let list = claims["status_list"]?.object,
            let width = list["bits"]?.number?.integer.flatMap(StatusList.Width.init(rawValue:))
        else { throw .malformedList("bits") }
        guard let compressed = list["lst"]?.string.flatMap(Base64URL.decode) else {
            throw .malformedList("lst")
        }
        self.width = width
        self.compressed = compressed
    }

    private static func remaining(
        _ expiry: JSONValue?, at now: NumericDate
    ) throws(StatusListFault) -> Duration? {
        guard let expiry else { return nil }
        guard let expiry = expiry.number?.double else { throw .malformedTime("exp") }
        guard expiry > now.seconds else { throw .expired }
        return .seconds(min(expiry - now.seconds, 1e9))
    }

    private static func timeToLive(_ value: JSONValue?) throws(StatusListFault) -> Duration? {
        guard let value else { return nil }
        guard let seconds = value.number?.double, seconds > 0 else { throw .malformedTime("ttl") }
        return .seconds(min(seconds, 1e9))
    }
}
