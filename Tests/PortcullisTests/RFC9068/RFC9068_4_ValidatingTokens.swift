// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9068 §4 Validating JWT access tokens")
struct RFC9068_4_ValidatingTokens {
    let scene = Scene()

    @Test(arguments: ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"])
    func `typ is at+jwt, in any case`(type: String) async {
        #expect(await scene.refusal(of: scene.mint(header: ["typ": .string(type)])) == nil)
    }

    @Test(arguments: [
        "JWT", "jwt", "", "at", "at+jwt ", "application/application/at+jwt", "text/at+jwt", "dpop+jwt",
        "at+jwt;a=b",
        "\u{212A}at+jwt",
    ])
    func `another typ is refused`(type: String) async {
        await scene.expectInvalid(
            scene.mint(header: ["typ": .string(type)]), .unsupportedTokenType, PublicText.unacceptable)
    }

    @Test func `a token without typ is refused unless configured`() async {
        let untyped = { (scene: Scene) in
            let payload = scene.mint().split(separator: ".")[1]
            return scene.issuer.sign(header: [:], payload: Base64URL.decode(String(payload)) ?? [])
        }
        await scene.expectInvalid(untyped(scene), .unsupportedTokenType, PublicText.unacceptable)
        var policy = TokenPolicy()
        policy.acceptedTypes = ["at+jwt", ""]
        let lenient = Scene(tokens: policy)
        #expect(await lenient.refusal(of: untyped(lenient)) == nil)
    }

    @Test func `RFC 8725 §3.11: a compatibility list accepts only the types that it names`() async {
        var policy = TokenPolicy()
        policy.acceptedTypes = ["at+jwt", "JWT"]
        let scene = Scene(tokens: policy)
        #expect(await scene.refusal(of: scene.mint(header: ["typ": "jwt"])) == nil)
        for type in [
            "dpop+jwt", "token-introspection+jwt", "logout+jwt", "secevent+jwt", "oauth-authz-req+jwt",
        ] {
            await scene.expectInvalid(
                scene.mint(header: ["typ": .string(type)]), .unsupportedTokenType, PublicText.unacceptable)
        }
    }

    @Test(arguments: [
        "https://as.example.com/", "https://AS.example.com", "https://as.example.com:443",
        "https://other.example.com",
        "", "https://as.example.co\u{006D}\u{0301}",
    ])
    func `an issuer that differs in any byte is unknown`(issuer: String) async {
        await scene.expectInvalid(
            scene.mint(claims: ["iss": .string(issuer)]), .unknownIssuer, PublicText.unacceptable)
    }

    @Test func `a token without iss, or with an iss that is not a string, is refused`() async {
        await scene.expectInvalid(scene.mint(omitting: ["iss"]), .unknownIssuer, PublicText.unacceptable)
        for value in [1, nil, ["https://as.example.com"]] as [JSONValue?] {
            await scene.expectInvalid(
                scene.mint(claims: ["iss": value ?? .null]), .unknownIssuer, PublicText.unacceptable)
        }
    }

    @Test func `an unknown issuer is refused before any fetch`() async {
        let fetcher = ScriptedFetcher()
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: .jwt(issuer: "https://as.example.com"),
            fetcher: fetcher,
            time: scene.clock.time)
        let stranger = TestIssuer("https://evil.example", time: scene.clock.time)
        let head = RequestHead.get("/notes", bearer: stranger.mint(audience: Scene.identifier))
        expectRefused(await resource.refusal(of: head), .unknownIssuer)
        for token in ["x", "a.b.c", "a.b", "....", scene.mint(header: ["alg": "HS256"])] {
            _ = await resource.refusal(of: .get("/notes", bearer: token))
        }
        #expect(fetcher.requests.isEmpty)
    }

    @Test(
        arguments: [
            "https://api.example.com/notes", ["https://api.example.com/notes"],
            ["x", "https://api.example.com/notes"],
        ] as [JSONValue])
    func `§2.2: the audience names this resource, alone or among others`(audience: JSONValue) async {
        #expect(await scene.refusal(of: scene.mint(claims: ["aud": audience])) == nil)
    }

    @Test(
        arguments: [
            "x", "", [], ["x"], "https://API.example.com/notes", "https://api.example.com/notes/",
            "https://api.example.com/note", "https://api.example.com/", "https://api.example.com:443/notes",
            "https://api.example.com/notes#", "https://api.example.com/%6eotes",
        ] as [JSONValue])
    func `§2.2: another audience is refused, however similar`(audience: JSONValue) async {
        await scene.expectInvalid(
            scene.mint(claims: ["aud": audience]), .audienceMismatch, PublicText.audience)
    }

    @Test(arguments: [1, true, ["https://api.example.com/notes", 1], ["a": "b"]] as [JSONValue])
    func `RFC 7519 §4.1.3: an audience that is neither a string nor a list of strings is malformed`(
        audience: JSONValue
    )
        async
    {
        await scene.expectInvalid(
            scene.mint(claims: ["aud": audience]), .malformedClaims, PublicText.malformed)
    }

    @Test func `a token without audience is refused`() async {
        await scene.expectInvalid(scene.mint(omitting: ["aud"]), .audienceMismatch, PublicText.audience)
    }

    @Test(arguments: [
        ("https://h", "https://h/"), ("https://h/", "https://h"), ("https://h:8443", "https://h:8443/"),
    ])
    func `RFC 8707 §2: without a path the identifier matches with and without slash`(
        identifier: String, audience: String
    ) async throws {
        let resource = ProtectedResource(
            try ResourceIdentifier(validating: identifier), trusting: scene.issuer.trusted,
            time: scene.clock.time)
        for named in [identifier, audience] {
            #expect(await resource.refusal(of: .get("/", bearer: scene.issuer.mint(audience: named))) == nil)
        }
        let refusal = await resource.refusal(
            of: .get("/", bearer: scene.issuer.mint(audience: "https://h//")))
        expectRefused(refusal, .audienceMismatch)
    }

    @Test func `configured audiences replace the identifier`() async {
        var policy = TokenPolicy()
        policy.audiences = ["api-1"]
        let scene = Scene(tokens: policy)
        #expect(await scene.refusal(of: scene.mint(claims: ["aud": "api-1"])) == nil)
        await scene.expectInvalid(scene.mint(), .audienceMismatch, PublicText.audience)
    }

    @Test(arguments: ["sub", "client_id", "iat", "jti"])
    func `§2.2: required claims are required, unless configured otherwise`(name: String) async {
        await scene.expectInvalid(scene.mint(omitting: [name]), .missingClaim, PublicText.malformed)
        var policy = TokenPolicy()
        policy.requiredClaims = []
        let lenient = Scene(tokens: policy)
        #expect(await lenient.refusal(of: lenient.mint(omitting: [name])) == nil)
    }

    @Test(arguments: ["sub", "jti"])
    func `§2.2: required claims are strings, whether required or not`(name: String) async {
        var policy = TokenPolicy()
        policy.requiredClaims = []
        for scene in [scene, Scene(tokens: policy)] {
            for value in [1, true, ["a"]] as [JSONValue] {
                await scene.expectInvalid(
                    scene.mint(claims: [name: value]), .malformedClaims, PublicText.malformed)
            }
        }
    }

    @Test func `exp is required, whatever the configuration`() async {
        var policy = TokenPolicy()
        policy.requiredClaims = []
        let scene = Scene(tokens: policy)
        await scene.expectInvalid(scene.mint(omitting: ["exp"]), .missingClaim, PublicText.malformed)
    }

    @Test func `the app gets unknown claims`() async throws {
        let token = scene.mint(claims: ["https://example.com/x": ["y": [1, 2.5]]])
        let claims = try await scene.resource.authorize(.get("/notes", bearer: token)).claims
        #expect(claims["https://example.com/x"] == ["y": [1, 2.5]])
    }

    @Test func `an ID token is refused`() async {
        let token = scene.mint(claims: ["aud": "client-1", "nonce": "n"], header: ["typ": "JWT"])
        #expect(await scene.refusal(of: token)?.status == .unauthorized)
    }

    @Test func `a printed token contains no secret`() async throws {
        let token = try await scene.resource.authorize(.get("/notes", bearer: scene.mint()))
        var dumped = ""
        dump(token, to: &dumped)
        for text in ["\(token)", String(reflecting: token), dumped] {
            #expect(!text.contains("user-1") && !text.contains("client-1"))
        }
    }
}
