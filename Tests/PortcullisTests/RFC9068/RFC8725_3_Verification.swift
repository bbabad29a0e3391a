// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 8725 §3 Algorithms, keys and form of a JWT")
struct RFC8725_3_Verification {
    let scene = Scene()

    @Test(arguments: [
        "none", "None", "nOnE", "NONE", "HS256", "HS384", "HS512", "es256", "RS1", "", "ES256K",
    ])
    func `§3.1: an unsupported algorithm is refused`(name: String) async {
        await scene.expectInvalid(
            scene.mint(header: ["alg": .string(name)]), .unsupportedAlgorithm, PublicText.unacceptable)
    }

    @Test func `§3.1: an unlisted algorithm is refused although the key could verify it`() async {
        var policy = TokenPolicy()
        policy.algorithms = [.rs256]
        let scene = Scene(tokens: policy)
        await scene.expectInvalid(scene.mint(), .unsupportedAlgorithm, PublicText.unacceptable)
    }

    @Test func `§3.1: an algorithm that does not match the key is refused`() async {
        await scene.expectInvalid(scene.mint(header: ["alg": "RS256"]), .unknownKey, PublicText.unacceptable)
        await scene.expectInvalid(scene.mint(header: ["alg": "ES384"]), .unknownKey, PublicText.unacceptable)
    }

    @Test func `RFC 9068 §2.1: RS256 is among the algorithms`() {
        #expect(TokenPolicy.default.algorithms.contains(.rs256))
    }

    @Test(arguments: [SignatureAlgorithm.rs256, .ps256, .es384, .es512, .ed25519, .eddsa])
    func `tokens with every algorithm are accepted`(algorithm: SignatureAlgorithm) async {
        let issuer = TestIssuer("https://as.example.com", algorithm: algorithm)
        let resource = ProtectedResource("https://api.example.com/notes", trusting: issuer.trusted)
        #expect(await resource.refusal(of: .get("/", bearer: issuer.mint(audience: Scene.identifier))) == nil)
    }

    @Test func `a signature by another key with the same key ID is refused`() async {
        let impostor = TestIssuer("https://as.example.com", time: scene.clock.time)
        await scene.expectInvalid(
            impostor.mint(audience: Scene.identifier), .invalidSignature, PublicText.unacceptable)
    }

    @Test func `§3.8: one issuer's keys are not used for another, even with the same key ID`() async {
        let first = TestIssuer("https://a.example", time: scene.clock.time)
        let second = TestIssuer("https://b.example", time: scene.clock.time)
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: first.trusted, second.trusted, time: scene.clock.time)
        for issuer in [first, second] {
            #expect(
                await resource.refusal(of: .get("/", bearer: issuer.mint(audience: Scene.identifier))) == nil)
        }
        let forged = second.mint(audience: Scene.identifier, claims: ["iss": "https://a.example"])
        expectRefused(await resource.refusal(of: .get("/", bearer: forged)), .invalidSignature)
    }

    @Test(arguments: ["test-2", "", "TEST-1", "../test-1", "' OR 1=1", "tes\u{0074}\u{0301}-1"])
    func `§3.10: an unknown kid finds no key, and no other key replaces it`(name: String) async {
        await scene.expectInvalid(
            scene.mint(header: ["kid": .string(name)]), .unknownKey, PublicText.unacceptable)
    }

    @Test(arguments: [5, .null, ["test-1"]] as [JSONValue])
    func `RFC 7515 §4.1.4: a kid is a string`(value: JSONValue) async {
        await scene.expectInvalid(scene.mint(header: ["kid": value]), .malformedJWT, PublicText.malformed)
    }

    @Test func `a token without kid is tried with each key that fits, at most four`() async throws {
        let others = (2...5).map {
            TestIssuer("https://as.example.com", keyID: "test-\($0)", time: scene.clock.time)
        }
        let payload = try #require(Base64URL.decode(String(scene.mint().split(separator: ".")[1])))
        let nameless = { (key: PrivateJWK) throws(JOSEError) in
            var json = key.jsonIncludingPrivateMembers
            json["kid"] = nil
            return try PrivateJWK(json).sign(header: ["typ": "at+jwt"], payload: payload, algorithm: .es256)
        }
        let token = try nameless(scene.issuer.key)
        #expect(await scene.refusal(of: token) == nil)
        for count in 1...4 {
            let keys = others.prefix(count).map(\.key.publicKey) + [scene.issuer.key.publicKey]
            let resource = ProtectedResource(
                "https://api.example.com/notes",
                trusting: .jwt(issuer: "https://as.example.com", keys: .fixed(JWKSet(keys))),
                time: scene.clock.time)
            let refusal = await resource.refusal(of: .get("/notes", bearer: token))
            guard count == 4 else {
                #expect(refusal == nil)
                continue
            }
            expectRefused(refusal, .ambiguousKey)
            #expect(refusal?.challenges.first?["error"] == "invalid_token")
        }
    }

    @Test func `§3.1: an issuer's own algorithms replace those of the resource`() async {
        let first = TestIssuer("https://a.example", time: scene.clock.time)
        let second = TestIssuer("https://b.example", algorithm: .ed25519, time: scene.clock.time)
        var policy = TokenPolicy()
        policy.algorithms = [.ed25519]
        for (own, reasons) in [
            ([.es256], [nil, nil]), ([.rs256], [.unsupportedAlgorithm, nil]),
            (nil, [.unsupportedAlgorithm, nil]),
        ] as [([SignatureAlgorithm]?, [RefusalReason?])] {
            var trusted = first.trusted
            trusted.algorithms = own
            let resource = ProtectedResource(
                "https://api.example.com/notes", trusting: trusted, second.trusted, tokens: policy,
                time: scene.clock.time)
            for (issuer, reason) in zip([first, second], reasons) {
                let refusal = await resource.refusal(
                    of: .get("/", bearer: issuer.mint(audience: Scene.identifier)))
                #expect(refusal?.reason == reason)
            }
        }
    }

    @Test func `§3.1: an algorithm of another issuer is refused although the key could verify it`() async {
        let first = TestIssuer("https://a.example", time: scene.clock.time)
        let second = TestIssuer("https://b.example", algorithm: .ed25519, time: scene.clock.time)
        var (strict, other) = (first.trusted, second.trusted)
        strict.algorithms = [.rs256]
        other.algorithms = [.ed25519, .es256]
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: strict, other, time: scene.clock.time)
        let head = RequestHead.get("/", bearer: first.mint(audience: Scene.identifier))
        expectRefused(await resource.refusal(of: head), .unsupportedAlgorithm)
    }

    @Test(arguments: ["jku", "x5u"])
    func `RFC 7515 §4.1.2: a token does not choose its own key`(name: String) async throws {
        let impostor = TestIssuer("https://as.example.com", time: scene.clock.time)
        let key = JSONValue.object(impostor.key.publicKey.publicJSON)
        let token = impostor.mint(
            audience: Scene.identifier, header: [name: "https://evil.example/keys", "jwk": key])
        await scene.expectInvalid(token, .invalidSignature, PublicText.unacceptable)
    }

    @Test(arguments: [[], ["exp"], ["b64"], "exp", ["alg"], .null] as [JSONValue])
    func `RFC 7515 §4.1.11: no critical extension is supported`(critical: JSONValue) async {
        let token = scene.mint(header: ["crit": critical, "exp": 1, "b64": false])
        await scene.expectInvalid(token, .malformedJWT, PublicText.malformed)
    }

    @Test func `RFC 7519 §5.2: a nested token is refused`() async {
        await scene.expectInvalid(scene.mint(header: ["cty": "JWT"]), .malformedJWT, PublicText.malformed)
    }

    @Test(arguments: [
        "x", "a.b", "..", "a..c", ".b.c", "a.b.", "a.b.c.d", "a.b.c.d.e", "e30.e30.e30", "a+b.c/d.e~",
    ])
    func `RFC 7515 §7.1: anything but three parts with a header is malformed`(token: String) async {
        await scene.expectInvalid(token, .malformedJWT, PublicText.malformed)
    }

    @Test func `RFC 7515 §2: base64url is canonical`() async throws {
        let token = scene.mint()
        let last = try #require(token.last)
        // An ES256 signature of 64 bytes leaves four unused bits in its last character.
        let twin = try #require(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".firstIndex(of: last))
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        let changed = String(token.dropLast()) + String(alphabet[alphabet.index(after: twin)])
        await scene.expectInvalid(changed, .malformedJWT, PublicText.malformed)
        await scene.expectInvalid(token + "=", .malformedJWT, PublicText.malformed)
    }

    @Test(arguments: [
        #"{"aud":"x","aud":"https://api.example.com/notes"}"#, #"{"aud":"x","\u0061ud":"y"}"#, "[]", "\"x\"",
        "{}x",
        "\u{FEFF}{}", "", "{",
    ])
    func `RFC 7519 §4, §7.2: the payload is one JSON object with distinct names`(payload: String) async {
        let token = scene.issuer.sign(header: ["typ": "at+jwt"], payload: Array(payload.utf8))
        await scene.expectInvalid(token, .malformedJWT, PublicText.malformed)
    }

    @Test(
        arguments: [
            ["jkt": "x"], ["x5t#S256": "x"], ["x": "y"], [:], "x", ["jkt": "x", "x5t#S256": "y"],
            ["jkt": 1], [["jkt": "x"]], ["JKT": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"],
            ["jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I="],
            ["jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", "jwk": ["kty": "EC"]],
            ["jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", "x5t#S256": "x"],
            ["x5t": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"],
        ] as [JSONValue])
    func `RFC 7800 §3.1: a bound token is never treated as unbound`(confirmation: JSONValue) async {
        await scene.expectInvalid(
            scene.mint(claims: ["cnf": confirmation]), .unprovenPossession, PublicText.unproven)
    }
}
