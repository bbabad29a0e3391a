// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

/// Keys that other implementations confused.
@Suite("Advisories of 2025 and 2026: keys and algorithms")
struct KeyAdvisories {
    private static let keysURL = "https://as.example.com/jwks"
    private static let hmacFile = "advisories/hmac-keyed-with-public-key.json"
    let scene = Scene()

    private func resource(
        _ keys: KeySource, fetcher: ScriptedFetcher? = nil,
        algorithms: [SignatureAlgorithm] = SignatureAlgorithm.allCases
    ) -> ProtectedResource {
        var policy = TokenPolicy()
        policy.algorithms = algorithms
        return ProtectedResource(
            "https://api.example.com/notes", trusting: .jwt(issuer: "https://as.example.com", keys: keys),
            tokens: policy, fetcher: fetcher ?? ScriptedFetcher(), time: scene.clock.time)
    }

    private func keySet(_ keys: JSONObject...) throws -> JWKSet {
        try JWKSet(["keys": .array(keys.map(JSONValue.object))])
    }

    @Test func `CVE-2026-107720 (fast-jwt): without a key every token is refused`() async throws {
        let token = RequestHead.get("/notes", bearer: scene.mint())
        let none = resource(.fixed(JWKSet([] as [JWK])))
        expectRefused(await none.refusal(of: token), .keysUnavailable)
        let fetcher = ScriptedFetcher()
        let remote = resource(.remote(Self.keysURL), fetcher: fetcher)
        expectRefused(await remote.refusal(of: token), .keysUnavailable)
        for keys in [
            [], [["kty": "oct", "k": ""]], [["kty": "oct", "k": "AAAA", "kid": "test-1"]], [[:]], [.null],
        ]
            as [[JSONValue]]
        {
            fetcher.on(Self.keysURL, json: ["keys": .array(keys)])
            scene.clock.advance(by: .seconds(31))
            expectRefused(await remote.refusal(of: token), .keysUnavailable)
        }
        let stranger = TestIssuer("https://as.example.com", keyID: "test-2")
        expectRefused(await resource(.fixed(stranger.keys)).refusal(of: token), .unknownKey)
    }

    @Test func `CVE-2026-107722, CVE-2026-107724 (fast-jwt), PyJWT: a public key is never an HMAC secret`()
        async throws
    {
        let file = try #require(JSONValue.parse(Fixture.bytes(Self.hmacFile)).object)
        let key = try #require(file["key"]?.object)
        let tokens = try #require(file["tokens"]?.array)
        #expect(tokens.count == 30)
        var bound = key
        bound["alg"] = "RS256"
        for key in [key, bound] {
            let resource = try resource(.fixed(keySet(key)))
            for entry in tokens {
                let token = try #require(entry.object?["token"]?.string)
                let refusal = await resource.refusal(of: .get("/notes", bearer: token))
                expectRefused(refusal, .unsupportedAlgorithm)
            }
        }
    }

    @Test func `CVE-2026-44699 (LibJWT): an RSA key without alg verifies no HMAC with an empty secret`()
        async throws
    {
        let file = try #require(JSONValue.parse(Fixture.bytes(Self.hmacFile)).object)
        let key = try #require(file["key"]?.object)
        #expect(key["alg"] == nil)
        let empty = (file["tokens"]?.array ?? []).compactMap(\.object).filter { $0["secret"] == "empty" }
        #expect(empty.count == 3)
        for entry in empty {
            let refusal = try await resource(.fixed(keySet(key))).refusal(
                of: .get("/notes", bearer: #require(entry["token"]?.string)))
            expectRefused(refusal, .unsupportedAlgorithm)
        }
    }

    @Test(arguments: [
        "../../../etc/passwd", "@evil.example", "x@evil.example/", "?url=https://evil.example", "%2e%2e/keys",
        "https://evil.example/keys", "//evil.example", "test-1/../test-2", "x#", "x\r\nHost: evil.example",
    ])
    func `liboauth2 2.3.0: a kid is only compared and is part of no URL`(keyID: String) async {
        let fetcher = ScriptedFetcher()
        fetcher.on(Self.keysURL, json: .object(scene.issuer.keys.publicJSON))
        let resource = resource(.remote(Self.keysURL), fetcher: fetcher)
        let head = RequestHead.get("/notes", bearer: scene.mint(header: ["kid": .string(keyID)]))
        expectRefused(await resource.refusal(of: head), .unknownKey)
        #expect(!fetcher.requests.isEmpty && fetcher.requests.allSatisfy { $0.url == Self.keysURL })
    }

    @Test(arguments: ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"])
    func `liboauth2 2.3.0: a proof whose jwk has a private member is refused`(name: String) async throws {
        for algorithm in [SignatureAlgorithm.es256, .rs256, .ed25519] {
            let scene = DPoPScene(algorithm: algorithm)
            var key = scene.client.key.publicKey.publicJSON
            for member in ["kid", "use", "alg", "key_ops"] { key[member] = nil }
            #expect(await scene.refusal(scene.proof(header: ["jwk": .object(key)])) == nil)
            key[name] = "AAAA"
            await scene.expectRefused(
                scene.proof(header: ["jwk": .object(key)]), reason: .malformedProof, ProofText.malformed)
        }
    }

    @Test func `RFC 9964: a key set that publishes a priv member is reported`() async throws {
        var key = scene.issuer.key.publicKey.publicJSON
        key["priv"] = "AAAA"
        #expect(try keySet(key).indicesWithPrivateMembers == [0])
    }

    @Test func `CVE-2026-27962 (Authlib): no key is read from a token, and nothing is fetched for it`()
        async throws
    {
        let fetcher = ScriptedFetcher()
        let resource = resource(.fixed(scene.issuer.keys), fetcher: fetcher)
        let attacker = TestIssuer("https://as.example.com", keyID: "evil", time: scene.clock.time)
        let key = JSONValue.object(attacker.key.publicKey.publicJSON)
        let headers: [JSONObject] = [
            ["jwk": key], ["jwk": key, "kid": "test-1"], ["jku": "https://evil.example/keys"],
            ["x5u": "https://evil.example/chain"], ["x5c": ["AAAA"]],
            ["jwk": key, "x5c": ["AAAA"], "jku": "https://evil.example/keys"],
        ]
        for header in headers {
            let token = attacker.mint(audience: Scene.identifier, header: header)
            let isNamed = header["kid"] != nil
            expectRefused(
                await resource.refusal(of: .get("/notes", bearer: token)),
                isNamed ? .invalidSignature : .unknownKey)
        }
        #expect(fetcher.requests.isEmpty)
    }

    // One RSA key without alg may serve several RSA algorithms of the resource's list, and no algorithm
    // outside it.
    @Test func `CVE-2026-22817 (Hono): a key without alg verifies only listed algorithms of its own type`()
        async throws
    {
        let signer = TestIssuer("https://as.example.com", algorithm: .rs256, time: scene.clock.time)
        var free = signer.key.publicKey.publicJSON
        free["alg"] = nil
        var bound = free
        bound["alg"] = "RS256"
        let payload = try #require(
            Base64URL.decode(String(signer.mint(audience: Scene.identifier).split(separator: ".")[1])))
        var pair = signer.key.jsonIncludingPrivateMembers
        pair["alg"] = nil
        let key = try PrivateJWK(pair)
        func verdict(
            _ algorithm: SignatureAlgorithm, _ json: JSONObject, _ list: [SignatureAlgorithm],
            called name: String? = nil
        ) async throws -> Refusal? {
            var header: JSONObject = ["typ": "at+jwt"]
            header["alg"] = name.map { .string($0) }
            let token = try key.sign(header: header, payload: payload, algorithm: algorithm)
            return try await resource(.fixed(keySet(json)), algorithms: list).refusal(
                of: .get("/notes", bearer: token))
        }
        #expect(try await verdict(.rs256, free, [.rs256]) == nil)
        #expect(try await verdict(.ps384, free, [.rs256, .ps384]) == nil)
        // Correctly signed, and not in the list.
        for algorithm in [SignatureAlgorithm.ps256, .rs512, .ps384] {
            expectRefused(try await verdict(algorithm, free, [.rs256, .es256]), .unsupportedAlgorithm)
        }
        // In the list, and not of the key's type.
        for name in ["ES256", "EdDSA", "ES512"] {
            expectRefused(
                try await verdict(.rs256, free, SignatureAlgorithm.allCases, called: name), .unknownKey)
        }
        // Correctly signed and in the list, and not the key's purpose.
        expectRefused(try await verdict(.ps256, bound, SignatureAlgorithm.allCases), .unknownKey)
    }

    @Test func `CVE-2023-51774 (json-jwt): an encrypted token is refused`() async {
        let header = Base64URL.encode(Array(#"{"alg":"RSA-OAEP","enc":"A256GCM","typ":"at+jwt"}"#.utf8))
        for parts in [
            "\(header).AAAA.AAAA.AAAA.AAAA", "\(header)..AAAA.AAAA.AAAA", scene.mint() + ".AAAA.AAAA",
        ] {
            await scene.expectInvalid(parts, .malformedJWT, PublicText.malformed)
        }
        let three = scene.mint(header: ["enc": "A256GCM", "alg": "RSA-OAEP"])
        await scene.expectInvalid(three, .unsupportedAlgorithm, PublicText.unacceptable)
    }

    @Test(arguments: [SignatureAlgorithm.eddsa, .ed25519])
    func `RFC 8032 §5.1: a proof signed without a private key is refused`(
        algorithm: SignatureAlgorithm
    )
        async throws
    {
        // With the neutral point as key and as R, and with S = 0, every message fulfils the equation of
        // RFC 8032 §5.1.7.
        let point = [1] + [UInt8](repeating: 0, count: 31)
        let signature = Base64URL.encode(point + [UInt8](repeating: 0, count: 32))
        let key: JSONObject = ["crv": "Ed25519", "kty": "OKP", "x": .string(Base64URL.encode(point))]
        let scene = DPoPScene()
        let thumbprint = Digest.sha256(key.serialized()).base64URL
        let token = scene.issuer.mint(
            audience: Scene.identifier, claims: ["cnf": ["jkt": .string(thumbprint)]])
        let client = TestDPoPClient(algorithm: algorithm, time: scene.clock.time)
        let proof = client.proof(.get, DPoPScene.uri, token: token, header: ["jwk": .object(key)])
        let forged = proof.split(separator: ".").prefix(2).joined(separator: ".") + "." + signature
        for _ in 0..<2 {
            expectRefused(await scene.refusal(forged, token: token), .malformedProof)
        }
    }
}
