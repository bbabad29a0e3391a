// SPDX-License-Identifier: MIT

public import Portcullis
import PortcullisJOSE

/// A token that a resource must refuse, by what is wrong with it.
///
/// Everything else about it is right, so that a test shows this check alone.
public enum WrongToken: String, Sendable, Hashable, CaseIterable {
    /// `exp` was an hour ago.
    case expired
    /// `nbf` is in an hour.
    case notYetValid
    /// `aud` is another resource.
    case wrongAudience
    /// `aud` is absent.
    case noAudience
    /// `iss` is another authorization server.
    case wrongIssuer
    /// Signed with a key that the issuer does not publish, under the `kid` of one that it does.
    case signedByStranger
    /// `alg` is `none`, and the signature is empty. RFC 8725 §2.1.
    case algNone
    /// The signature is that of other claims.
    case changedClaims
    /// `exp` is absent. RFC 9068 §2.2.
    case noExpiry
    /// An ID token: `typ` is `JWT`, and it has `nonce` and `at_hash`. RFC 8725 §3.12.
    case idToken
    /// Bound to a key that the client of the request does not have. RFC 9449 §6.1.
    case boundToOtherKey
}

extension TestIssuer {
    /// Mints an access token for a resource.
    ///
    /// See ``mint(audience:scope:subject:clientID:boundTo:certificate:lifetime:claims:omitting:header:)`` for
    /// everything else that a token may have.
    public func mint(
        for resource: ProtectedResource, scope: String? = nil, subject: String = "user-1",
        boundTo client: TestDPoPClient? = nil
    ) -> String {
        mint(audience: resource.identifier.text, scope: scope, subject: subject, boundTo: client)
    }

    /// Mints a token that the resource must refuse with 401.
    public func mint(_ wrong: WrongToken, for resource: ProtectedResource, scope: String? = nil) -> String {
        let audience = resource.identifier.text
        switch wrong {
        case .expired: return mint(audience: audience, scope: scope, lifetime: .seconds(-3600))
        case .notYetValid:
            return mint(audience: audience, scope: scope, claims: ["nbf": .number(seconds(from: 3600))])
        case .wrongAudience: return mint(audience: "https://other.example/api", scope: scope)
        case .noAudience: return mint(audience: audience, scope: scope, omitting: ["aud"])
        case .wrongIssuer:
            return mint(audience: audience, scope: scope, claims: ["iss": "https://stranger.example"])
        case .signedByStranger:
            return TestIssuer(issuer, algorithm: algorithm, keyID: key.publicKey.keyID ?? "test-1")
                .mint(audience: audience, scope: scope)
        case .algNone:
            let header = Base64URL.encode(Array(#"{"alg":"none","typ":"at+jwt"}"#.utf8))
            return "\(header).\(parts(of: mint(audience: audience, scope: scope))[1])."
        case .changedClaims:
            let signed = parts(of: mint(audience: audience, scope: scope, subject: "user-2"))
            let other = parts(of: mint(audience: audience, scope: scope))
            return "\(signed[0]).\(other[1]).\(signed[2])"
        case .noExpiry: return mint(audience: audience, scope: scope, omitting: ["exp"])
        case .idToken:
            return mint(
                audience: audience, scope: scope,
                claims: ["nonce": "n", "at_hash": "MTIzNDU2Nzg5MDEyMzQ1Ng"],
                header: ["typ": "JWT"])
        case .boundToOtherKey: return mint(audience: audience, scope: scope, boundTo: TestDPoPClient())
        }
    }

    private func seconds(from now: Int) -> JSONNumber {
        JSONNumber((time.now().wholeSeconds ?? 0) + now)
    }

    private func parts(of token: String) -> [Substring] { token.split(separator: ".") }
}
