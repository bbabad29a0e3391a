// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE

/// Checks of tokens that must not be accepted.
extension ConformanceCheck {
    static let tokens: [ConformanceCheck] = [
        refused("RFC 6750 §2.1", "text outside the alphabet of tokens") { _ in "a token" },
        refused("RFC 7515 §5.2", "text that is no JWT") { _ in "opaque-7d1c" },
        refused("RFC 7515 §5.2", "the signature of another key") { probe in
            let issuer = probe.target.issuer
            let kid = issuer.key.publicKey.publicJSON["kid"]?.string ?? "test-1"
            let other = TestIssuer(issuer.issuer, algorithm: issuer.algorithm, keyID: kid)
            return other.mint(audience: probe.target.resource.text, scope: probe.target.scope)
        },
        refused("RFC 7515 §5.2", "a changed payload") { probe in
            var parts = probe.goodToken.split(separator: ".", omittingEmptySubsequences: false)
            let other = probe.mint(claims: ["sub": "someone-else"])
            parts[1] = other.split(separator: ".", omittingEmptySubsequences: false)[1]
            return parts.joined(separator: ".")
        },
        refused("RFC 8725 §3.1", "no signature") { probe in unsigned(probe, "none", "") },
        refused("RFC 8725 §3.1", "a symmetric algorithm") { probe in
            unsigned(probe, "HS256", Base64URL.encode([UInt8](repeating: 7, count: 32)))
        },
        refused("RFC 8725 §3.5", "a key that the token brings") { probe in
            let other = TestIssuer(probe.target.issuer.issuer, algorithm: probe.target.issuer.algorithm)
            return other.mint(
                audience: probe.target.resource.text, scope: probe.target.scope,
                header: ["kid": "own", "jwk": .object(other.key.publicKey.publicJSON)])
        },
        refused("RFC 7515 §4.1.11", "a critical extension that is unknown") { probe in
            probe.mint(header: ["crit": ["exp-7d1c"], "exp-7d1c": 1])
        },
        refused("RFC 9068 §4", "another issuer") { $0.mint(claims: ["iss": "https://elsewhere.example"]) },
        refused("RFC 9068 §4", "the issuer with a slash more") {
            $0.mint(claims: ["iss": .string($0.target.issuer.issuer + "/")])
        },
        refused("RFC 9068 §4", "another audience") { $0.mint(claims: ["aud": "https://other.example/api"]) },
        refused("RFC 9068 §4", "an audience below the resource") {
            $0.mint(claims: ["aud": .string($0.target.resource.text + "/7d1c")])
        },
        refused("RFC 9068 §4", "no audience") { $0.mint(omitting: ["aud"]) },
        refused("RFC 9068 §4", "another type of JWT") { $0.mint(header: ["typ": "dpop+jwt"]) },
        refused("RFC 9068 §5", "an ID token") { $0.mint(claims: ["at_hash": "x"]) },
        refused("RFC 9068 §4", "an expired token") {
            $0.target.issuer.mint(
                audience: $0.target.resource.text, scope: $0.target.scope, lifetime: .seconds(-3600))
        },
        refused("RFC 9068 §2.2", "no time of expiry") { $0.mint(omitting: ["exp"]) },
        refused("RFC 7519 §4.1.5", "a token that is not yet valid") {
            $0.mint(claims: ["nbf": 4_000_000_000])
        },
        refused("RFC 7519 §4.1.4", "a time of expiry that is no number") {
            $0.mint(claims: ["exp": "4000000000"])
        },
        refused("RFC 7519 §4", "two issuers") { probe in
            let claims = Array(
                "{\"iss\":\"\(probe.target.issuer.issuer)\",\"iss\":\"x\",\"aud\":\"\(probe.target.resource.text)\"}"
                    .utf8)
            return probe.target.issuer.sign(header: ["typ": "at+jwt"], payload: claims)
        },
        refused("RFC 7800 §3.1", "a confirmation that is unknown") {
            $0.mint(claims: ["cnf": ["kid": "7d1c"]])
        },
        refused("RFC 9449 §7.2", "a token that is bound to a key, without a proof") { probe in
            probe.target.issuer.mint(
                audience: probe.target.resource.text, scope: probe.target.scope, boundTo: TestDPoPClient())
        },
        refused("RFC 8705 §3", "a token that is bound to a certificate, without the certificate") { probe in
            probe.target.issuer.mint(
                audience: probe.target.resource.text, scope: probe.target.scope, certificate: [1, 2, 3])
        },
    ]

    /// A check that a token is refused with 401 and `invalid_token`, in words that do not repeat it.
    private static func refused(
        _ clause: String, _ name: String, _ token: @escaping @Sendable (ConformanceProbe) -> String
    ) -> ConformanceCheck {
        ConformanceCheck(clause, "\(name) is refused") { probe throws(ConformanceProblem) in
            let token = token(probe)
            let answer = try await probe.send(bearer: token)
            try probe.expectRefusal(answer, 401, "invalid_token")
            guard token.utf8.count < 20 || !answer.text.contains(token) else {
                throw ConformanceProblem("the answer repeats the token")
            }
        }
    }

    private static func unsigned(_ probe: ConformanceProbe, _ algorithm: String, _ signature: String)
        -> String
    {
        let header: JSONObject = ["alg": .string(algorithm), "typ": "at+jwt", "kid": "test-1"]
        let payload = probe.goodToken.split(separator: ".", omittingEmptySubsequences: false)[1]
        return Base64URL.encode(header.serialized()) + "." + payload + "." + signature
    }
}

extension ConformanceProbe {
    /// A good token with changes.
    func mint(
        claims: JSONObject = [:], omitting: [String] = [], header: JSONObject = [:]
    ) -> String {
        target.issuer.mint(
            audience: target.resource.text, scope: target.scope, claims: claims, omitting: omitting,
            header: header)
    }
}
