// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("What refusals report as expected and as found")
struct RefusalFindingTests {
    private static let describing = AuthorizationContext(describesRefusals: true)

    private func finding(
        _ resource: ProtectedResource, _ head: RequestHead,
        requiring requirement: AccessRequirement = .anyValidToken,
        certificate: ClientCertificate = .none
    ) async -> RefusalFinding? {
        let context = AuthorizationContext(clientCertificate: certificate, describesRefusals: true)
        return await resource.refusal(of: head, requiring: requirement, in: context)?.finding
    }

    private func expect(
        _ finding: RefusalFinding?, _ expected: String, _ got: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(finding?.expected == expected, sourceLocation: sourceLocation)
        #expect(finding?.got == got, sourceLocation: sourceLocation)
    }

    private static func prefix(_ text: String) -> String {
        String(Digest.sha256(Array(text.utf8)).base64URL.prefix(16))
    }

    @Test func `without an observer no finding is made`() async {
        let scene = Scene()
        for token in [nil, "x", scene.mint(claims: ["aud": "https://x"])] {
            let refusal = await scene.resource.refusal(of: .get("/notes", bearer: token))
            #expect(refusal != nil && refusal?.finding == nil)
        }
    }

    @Test func `a finding for a request without credentials allocates no text`() async throws {
        let scene = Scene()
        let head = RequestHead.get("/notes", bearer: nil)
        let first = try #require(await finding(scene.resource, head))
        expect(first, "Authorization: Bearer", "none")
        #expect(await finding(scene.resource, head) === first)
        guard case .refused(let refusal) = scene.resource.progress(head, in: Self.describing)
        else {
            Issue.record("not refused at once")
            return
        }
        #expect(refusal.finding === first)
    }

    @Test func `findings about a JWT`() async {
        let scene = Scene()
        let forged = scene.mint().split(separator: ".").dropLast().joined(separator: ".") + ".AAAA"
        let rows: [(String, String, String)] = [
            (
                "a", "strict JSON in three base64url parts", "malformed"
            ),
            (scene.mint(header: ["typ": "JWT"]), "at+jwt", "JWT"),
            (scene.mint(claims: ["iss": "https://x"]), "https://as.example.com", "https://x"),
            (scene.mint(header: ["kid": "other"]), "a key of the issuer", "kid other"),
            (
                forged, "a signature by the issuer's key test-1",
                "\(forged.utf8.count) characters, SHA-256 \(Self.prefix(forged))"
            ),
            (scene.mint(claims: ["aud": ["https://x", "y"]]), Scene.identifier, "https://x, y"),
            (
                scene.mint(claims: ["exp": 1_799_999_000]), "now 2027-01-15 08:00:00 UTC, leeway 30 s",
                "exp 2027-01-15 07:43:20 UTC (16 min 40 s ago), nbf none, "
                    + "iat 2027-01-15 08:00:00 UTC (now)"
            ),
            (scene.mint(omitting: ["exp"]), "sub, client_id, iat, jti", "without exp"),
            (
                scene.mint(claims: ["sub": 7, "nbf": "x"]),
                "nbf: a number, sub: a string", "nbf: a string, sub: a number"
            ),
            (
                scene.mint(claims: ["cnf": ["jwk": ["kty": "EC"]]]),
                "cnf with jkt or x5t#S256 and nothing else", "cnf with jwk"
            ),
        ]
        for (token, expected, got) in rows {
            let found = await finding(scene.resource, .get("/notes", bearer: token))
            #expect(found?.expected == expected)
            if got == "malformed" { #expect(found?.got.isEmpty == false) } else { #expect(found?.got == got) }
        }
    }

    @Test func `findings about a token's form`() async {
        let scene = Scene()
        expect(
            await finding(scene.resource, .get("/notes", bearer: "a,b")), "the characters of a token68",
            "3 characters")
        expect(
            await finding(scene.resource, .get("/notes", bearer: String(repeating: "a", count: 20_000))),
            "at most 16384 characters", "20000 characters")
    }

    @Test func `findings about scopes and the user's authentication`() async throws {
        let scene = Scene()
        let token = scene.mint(scope: "a b", claims: ["acr": "low"])
        let head = RequestHead.get("/notes", bearer: token)
        for _ in 0..<2 {
            expect(await finding(scene.resource, head, requiring: "notes:write"), "notes:write", "a b")
            expect(
                await finding(
                    scene.resource, head,
                    requiring: AccessRequirement.anyValidToken.authenticated(
                        by: ["high"], within: .seconds(60))),
                "acr high, at most 60 s ago", "acr low, auth_time none")
        }
        let accepted = try await scene.resource.authorize(head)
        let refusal = #expect(throws: Refusal.self) { try accepted.require("notes:write") }
        expect(refusal?.finding, "notes:write", "a b")
    }

    @Test func `findings about a DPoP proof, without proof, nonce or identifier`() async {
        let scene = DPoPScene { $0.nonce = .required }
        let nonce = await scene.refusal(scene.proof())?.dpopNonce
        let stranger = TestDPoPClient(time: scene.clock.time)
        let hash = Self.prefix(scene.token)
        let rows: [(String, String, String)] = [
            (scene.proof(claims: ["htm": "PUT"]), "htm GET", "htm PUT"),
            (
                scene.proof("https://x.example/notes?secret=1"), "htu \(DPoPScene.uri)",
                "htu https://x.example/notes with a query or fragment"
            ),
            (
                scene.proof(claims: ["ath": .string("0123456789a0123456789a0123456789a0123456789")]),
                "ath \(hash)", "ath 0123456789a01234"
            ),
            (
                scene.proof(omitting: ["jti"]), "a dpop+jwt with jwk, jti, htm, htu, iat and ath",
                "one without jti"
            ),
            (
                scene.proof(header: ["typ": "JWT"]), "a dpop+jwt with jwk, jti, htm, htu, iat and ath",
                "typ JWT"
            ),
            (scene.proof(), "a nonce of this resource", "none"),
            (
                scene.proof(nonce: "another-nonce"), "a nonce of this resource of the last 600 s",
                "13 characters"
            ),
            (
                stranger.proof(.get, DPoPScene.uri, token: scene.token, nonce: nonce),
                "the key \(scene.client.thumbprint.prefix(16))", "the key \(stranger.thumbprint.prefix(16))"
            ),
        ]
        for (proof, expected, got) in rows {
            expect(
                await finding(scene.resource, .dpop("/notes", token: scene.token, proofs: [proof])), expected,
                got)
        }
        // Where a nonce dates the proof, its iat is not checked.
        let plain = DPoPScene()
        for (elapsed, first, last) in [(10, "08:00:00", "08:00:15"), (90, "08:00:40", "08:01:45")] {
            plain.clock.advance(by: .seconds(elapsed))
            let old = plain.proof(claims: ["iat": 1])
            expect(
                await finding(plain.resource, .dpop("/notes", token: plain.token, proofs: [old])),
                "iat from 2027-01-15 \(first) UTC to 2027-01-15 \(last) UTC",
                "iat 1970-01-01 00:00:01 UTC (57 years ago)")
        }
        let identifier = "an-identifier-that-nobody-will-guess"
        let used = scene.proof(nonce: nonce, claims: ["jti": .string(identifier)])
        let head = RequestHead.dpop("/notes", token: scene.token, proofs: [used])
        #expect(await finding(scene.resource, head) == nil)
        expect(
            await finding(scene.resource, head), "a jti that this key has not used",
            "36 characters, SHA-256 \(Self.prefix(identifier))")
        expect(
            await finding(scene.resource, .get("/notes", bearer: scene.token)),
            "Authorization: DPoP, with a proof", "Authorization: Bearer")
        expect(
            await finding(scene.resource, .dpop("/notes", token: scene.token, proofs: [used, used])),
            "one DPoP field", "2")
    }

    @Test func `findings about a certificate`() async {
        let scene = Scene()
        let der = RFC8705_3_CertificateBinding.der
        let token = scene.issuer.mint(audience: Scene.identifier, certificate: der)
        let head = RequestHead.get("/notes", bearer: token)
        let bound = "the certificate \(Digest.sha256(der).base64URL.prefix(16))"
        expect(await finding(scene.resource, head), bound, "none")
        expect(
            await finding(scene.resource, head, certificate: .connection(der: [1])), bound,
            "the certificate \(Digest.sha256([1]).base64URL.prefix(16))")
    }

    @Test func `findings about an introspected token, when it is introspected and when that is cached`() async
    {
        let fetcher = ScriptedFetcher()
        let clock = ManualClock()
        var answer = RFC7662_2_Introspection.active
        answer["aud"] = "https://x"
        fetcher.on(RFC7662_2_Introspection.endpoint, json: .object(answer))
        let resource = RFC7662_2_Introspection.resource(fetcher: fetcher, clock: clock)
        for _ in 0..<2 {
            expect(
                await finding(resource, .get("/mcp", bearer: "opaque")), "https://api.example.com/mcp",
                "https://x")
        }
        #expect(fetcher.requests.count == 1)
        fetcher.on(RFC7662_2_Introspection.endpoint, json: ["active": false])
        expect(
            await finding(resource, .get("/mcp", bearer: "other")), "active and of the issuer that was asked",
            "not active")
        fetcher.on(RFC7662_2_Introspection.endpoint, json: [1])
        expect(
            await finding(resource, .get("/mcp", bearer: "third")), "an answer of https://as.example.com",
            "no usable answer")
    }

    @Test func `texts are printable and bounded`() async throws {
        let scene = Scene()
        let audience = "a\n\u{202E}\u{7}" + String(repeating: "long", count: 1000)
        let token = scene.mint(claims: ["aud": .string(audience)])
        let found = try #require(await finding(scene.resource, .get("/notes", bearer: token)))
        #expect(found.got.hasPrefix(#"a\u{a}\u{202e}\u{7}long"#))
        #expect(found.got.utf8.count < 250 && found.got.utf8.allSatisfy { (0x20...0x7E).contains($0) })
    }

    @Test(arguments: [31, 32])
    func `values that are short enough to guess are not hashed`(count: Int) async {
        let scene = DPoPScene { $0.nonce = .required }
        let secret = String(repeating: "s", count: count)
        let shown = "\(count) characters" + (count < 32 ? "" : ", SHA-256 \(Self.prefix(secret))")
        let head = RequestHead.dpop("/notes", token: scene.token, proofs: [scene.proof(nonce: secret)])
        expect(await finding(scene.resource, head), "a nonce of this resource of the last 600 s", shown)
        let explanation = await scene.resource.explain(.get("/notes", bearer: secret))
        #expect(explanation.steps.first { $0.name == "form of the token" }?.got == shown)
        // A malformed token may be any text, of any length.
        let pasted = secret + "," + secret
        expect(
            await finding(scene.resource, .get("/notes", bearer: pasted)), "the characters of a token68",
            "\(2 * count + 1) characters")
    }

    @Test func `a token in place of its hash is not repeated`() async {
        let scene = DPoPScene()
        let proof = scene.proof(claims: ["ath": .string(scene.token)])
        expect(
            await finding(scene.resource, .dpop("/notes", token: scene.token, proofs: [proof])),
            "ath \(Self.prefix(scene.token))", "ath \(scene.token.utf8.count) characters")
    }

    @Test func `thousands of scopes, required or granted, make no long text`() async throws {
        let issuer = TestIssuer("https://as.example.com")
        let scopes = (0..<5000).compactMap { Scope(token: "notes:a-scope-with-a-long-name-\($0)") }
        let names = scopes.map(\.name)
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: issuer.trusted, scopes: scopes)
        let token = issuer.mint(audience: Scene.identifier, scope: names[..<200].joined(separator: " "))
        let wanted = AccessRequirement(.all(of: scopes))
        let found = try #require(await finding(resource, .get("/notes", bearer: token), requiring: wanted))
        #expect(found.expected.hasPrefix(names[0] + " ") && found.got.hasPrefix(names[0] + " "))
        #expect(found.expected.utf8.count <= 1003 && found.expected.hasSuffix("..."))
        #expect(found.got.utf8.count <= 203 && found.got.hasSuffix("..."))
        let accepted = try await resource.authorize(.get("/notes", bearer: token))
        let refusal = #expect(throws: Refusal.self) { try accepted.require(wanted) }
        #expect(refusal?.finding == found)
    }
}
