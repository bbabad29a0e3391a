// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 8725 §3.12 Each kind of JWT is valid in its own place alone")
struct RFC8725_3_12_KindsOfJWT {
    static let endpoint = RFC7662_2_Introspection.endpoint
    static let uri = "https://api.example.com/mcp"

    let clock = ManualClock()
    let fetcher = ScriptedFetcher()
    let issuer: TestIssuer
    let client: TestDPoPClient
    let resource: ProtectedResource

    init() {
        issuer = TestIssuer("https://as.example.com", time: clock.time)
        client = TestDPoPClient(time: clock.time)
        var trusted = TrustedIssuer.jwtOrIntrospection(
            issuer: "https://as.example.com", keys: .fixed(issuer.keys), endpoint: Self.endpoint,
            authenticatedBy: .clientSecretBasic(id: "rs", secret: "s"))
        trusted.introspection?.signedResponseAudience = Self.uri
        resource = ProtectedResource(
            "https://api.example.com/mcp", trusting: trusted, dpop: .accepted, fetcher: fetcher,
            time: clock.time)
    }

    /// Claims that satisfy every kind at once, so that only the type distinguishes them.
    private func jwt(_ type: String, ath token: String = "opaque") -> String {
        let claims: JSONObject = [
            "iss": "https://as.example.com", "aud": .string(Self.uri), "sub": "user-1",
            "client_id": "client-1",
            "iat": 1_800_000_000, "exp": 1_800_003_600, "jti": .string(type), "htm": "GET",
            "htu": .string(Self.uri), "ath": .string(Digest.sha256(Array(token.utf8)).base64URL),
            "active": true, "resource": .string(Self.uri),
            "token_introspection": .object(RFC7662_2_Introspection.active),
        ]
        var key = issuer.key.publicKey.publicJSON
        for name in ["kid", "use", "alg"] { key[name] = nil }
        return issuer.sign(
            header: ["typ": .string(type), "jwk": .object(key)], payload: claims.serialized())
    }

    static let types = [
        "at+jwt", "dpop+jwt", "token-introspection+jwt", "JWT", "logout+jwt", "secevent+jwt",
        "oauth-authz-req+jwt", "client-authentication+jwt", "oauth-id-jag+jwt", "statuslist+jwt",
        "txntoken+jwt", "oauth-client-attestation+jwt", "vc+jwt", "sd-jwt",
    ]

    @Test(arguments: types.filter { !["at+jwt", "JWT"].contains($0) }, ["", "application/"])
    func `draft-ietf-oauth-rfc8725bis §3.12: no setting accepts another kind of JWT`(
        type: String, prefix: String
    ) {
        var policy = TokenPolicy()
        policy.acceptedTypes = ["at+jwt", prefix + type.uppercased()]
        let found = problems { () throws(ConfigurationError) in
            var configuration = ProtectedResource.Configuration(
                resource.metadata, trusting: [issuer.trusted])
            configuration.tokens = policy
            _ = try ProtectedResource(validating: configuration)
        }
        #expect(found.map(\.path) == ["tokens.acceptedTypes"])
    }

    @Test(arguments: types)
    func `only an access token is accepted as an access token`(type: String) async {
        let refusal = await resource.refusal(of: .get("/mcp", bearer: jwt(type)))
        if type == "at+jwt" { #expect(refusal == nil) } else { expectRefused(refusal, .unsupportedTokenType) }
    }

    @Test(arguments: types)
    func `only a proof is accepted as a proof`(type: String) async {
        let token = issuer.mint(
            audience: Self.uri, claims: ["cnf": ["jkt": .string(issuer.key.publicKey.thumbprint)]])
        let refusal = await resource.refusal(
            of: .dpop("/mcp", token: token, proofs: [jwt(type, ath: token)]))
        if type == "dpop+jwt" { #expect(refusal == nil) } else { expectRefused(refusal, .malformedProof) }
    }

    @Test(arguments: types)
    func `only a signed answer is accepted as an introspection answer`(type: String) async {
        let body = Array(jwt(type).utf8)
        fetcher.on(Self.endpoint) { _ in
            FetchResponse(
                status: .ok, fields: [.contentType: "application/token-introspection+jwt"], body: body)
        }
        let refusal = await resource.refusal(of: .get("/mcp", bearer: "opaque"))
        if type == "token-introspection+jwt" {
            #expect(refusal == nil)
        } else {
            expectRefused(refusal, .introspectionUnavailable)
        }
    }

    @Test
    func `RFC 9068 §5: an ID token is refused for its type, its claims, or its audience`()
        async
    {
        let claims: JSONObject = [
            "aud": "client-1", "nonce": "n", "at_hash": "x", "auth_time": 1_800_000_000,
        ]
        let scene = Scene()
        await scene.expectInvalid(
            scene.mint(claims: claims, header: ["typ": "JWT"]), .unsupportedTokenType, PublicText.unacceptable
        )
        var policy = TokenPolicy()
        policy.acceptedTypes = ["at+jwt", "JWT", ""]
        let lenient = Scene(tokens: policy)
        await lenient.expectInvalid(
            lenient.mint(claims: claims, header: ["typ": "JWT"]), .idToken, PublicText.identity)
        let bare: JSONObject = ["aud": "client-1", "nonce": "n"]
        await lenient.expectInvalid(
            lenient.mint(claims: bare, header: ["typ": "JWT"]), .audienceMismatch, PublicText.audience)
    }
}

@Suite("RFC 8725 §3.10, RFC 7516 §7.1, RFC 8259 What a token contains")
struct RFC8725_3_10_UntrustedInput {
    let scene = Scene()

    @Test(arguments: ["jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256"])
    func `§3.10: a key or its URL in a token is neither used nor fetched`(name: String) async throws {
        let fetcher = ScriptedFetcher()
        let keys = JSONValue.object(scene.issuer.keys.publicJSON)
        fetcher.on("https://as.example.com/jwks", json: keys)
        fetcher.on("https://evil.example/keys", json: keys)
        let resource = ProtectedResource(
            "https://api.example.com/notes",
            trusting: .jwt(issuer: "https://as.example.com", keys: .remote("https://as.example.com/jwks")),
            fetcher: fetcher, time: scene.clock.time)
        let impostor = TestIssuer("https://as.example.com", time: scene.clock.time)
        let value: JSONValue =
            switch name {
            case "jwk": .object(impostor.key.publicKey.publicJSON)
            case "x5c": ["MIIB"]
            case "jku", "x5u": "https://evil.example/keys"
            default: "a"
            }
        let forged = impostor.mint(audience: Scene.identifier, header: [name: value])
        expectRefused(await resource.refusal(of: .get("/notes", bearer: forged)), .invalidSignature)
        // In a valid token they are ignored.
        #expect(await resource.refusal(of: .get("/notes", bearer: scene.mint(header: [name: value]))) == nil)
        let critical = scene.mint(header: [name: value, "crit": [.string(name)]])
        expectRefused(await resource.refusal(of: .get("/notes", bearer: critical)), .malformedJWT)
        #expect(fetcher.count(of: "https://evil.example/keys") == 0)
        #expect(fetcher.requests.count == 1)
    }

    @Test(arguments: [
        #"{"alg":"RSA-OAEP","enc":"A256GCM"}"#, #"{"alg":"dir","enc":"A128GCM","zip":"DEF"}"#,
        #"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"p2s":"AAAA"}"#,
        #"{"alg":"ECDH-ES","enc":"A128GCM","epk":{"kty":"EC"},"cty":"JWT"}"#,
    ])
    func `RFC 9068 §4, RFC 7516 §7.1: an encrypted token is refused before any cryptography`(
        header: String
    )
        async
    {
        let parts = [Array(header.utf8), [1, 2, 3], Array(repeating: 0, count: 12), [4, 5], [6, 7]]
        let token = parts.map(Base64URL.encode).joined(separator: ".")
        await scene.expectInvalid(token, .malformedJWT, PublicText.malformed)
    }

    static let payloads: [[UInt8]] = [
        [0xFF, 0xFE, 0x7B, 0x00, 0x7D, 0x00], [0x7B, 0x00, 0x7D, 0x00], [0x00, 0x7B, 0x00, 0x7D],
        [0x7B, 0, 0, 0, 0x7D, 0, 0, 0], [0xEF, 0xBB, 0xBF, 0x7B, 0x7D],
        Array("{\"a\":\"".utf8) + [0xFF] + Array("\"}".utf8),
        Array("{\"a\":\"".utf8) + [0xED, 0xA0, 0x80] + Array("\"}".utf8), Array("{} {}".utf8),
        Array("{\"a\":\(String(repeating: "[", count: 20))\(String(repeating: "]", count: 20))}".utf8),
        Array("{\(String(repeating: "\"a\":{", count: 40))".utf8),
    ]

    @Test(arguments: payloads)
    func `RFC 8725 §3.7, RFC 8259 §8.1: a payload is one JSON object in UTF-8, at most 20 levels deep`(
        payload: [UInt8]
    )
        async
    {
        let token = scene.issuer.sign(header: ["typ": "at+jwt"], payload: payload)
        await scene.expectInvalid(token, .malformedJWT, PublicText.malformed)
    }

    @Test func `RFC 8259 §9: a payload of 20 levels is read`() async {
        let nested = String(repeating: "[", count: 19) + String(repeating: "]", count: 19)
        let claims = String(
            decoding: Base64URL.decode(String(scene.mint().split(separator: ".")[1])) ?? [], as: UTF8.self)
        let payload = Array("\(claims.dropLast()),\"x\":\(nested)}".utf8)
        #expect(
            await scene.refusal(of: scene.issuer.sign(header: ["typ": "at+jwt"], payload: payload)) == nil)
    }

    @Test
    func `RFC 8725 §3: a token of a megabyte is refused for its length, a short one for its member count`()
        async
    {
        let long = String(repeating: "A", count: 1_048_576)
        await scene.expectInvalid("e30.\(long).AA", .tokenTooLong, PublicText.malformed)
        var policy = TokenPolicy()
        policy.maxTokenByteCount = 1_048_576
        let scene = Scene(tokens: policy)
        let members = (0..<10_001).map { "\"\($0)\":0" }.joined(separator: ",")
        let token = scene.issuer.sign(header: ["typ": "at+jwt"], payload: Array("{\(members)}".utf8))
        await scene.expectInvalid(token, .malformedJWT, PublicText.malformed)
    }

    @Test(arguments: ["../../etc/passwd", "' OR 1=1 --", "\u{0}", "\r\nX: y", "<script>", "é"])
    func `§3.10: claims are only text`(text: String) async throws {
        let claims: JSONObject = ["sub": .string(text), "client_id": .string(text), "jti": .string(text)]
        let token = try await scene.resource.authorize(.get("/notes", bearer: scene.mint(claims: claims)))
        #expect(token.subject == text && token.clientID == text)
        let refusal = await scene.refusal(of: scene.mint(claims: claims), requiring: "notes:write")
        expectRefused(refusal, .insufficientScope)
        #expect(refusal.map { !$0.head.lines.joined().contains(text) } == true)
    }
}
