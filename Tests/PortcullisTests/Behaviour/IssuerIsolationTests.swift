// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9728 §7.6, RFC 8725 §3.8 No issuer's key verifies another's token")
struct IssuerIsolationTests {
    static let endpoint = "https://c.example/introspect"
    let clock = ManualClock()
    let fetcher = ScriptedFetcher()
    let first: TestIssuer
    let second: TestIssuer
    let resource: ProtectedResource

    init() {
        // Both have the same kid, so that only the issuer distinguishes the keys.
        first = TestIssuer("https://a.example", keyID: "shared", time: clock.time)
        second = TestIssuer("https://b.example", keyID: "shared", time: clock.time)
        var policy = TokenPolicy()
        policy.format = .any
        resource = ProtectedResource(
            "https://api.example.com/notes", trusting: first.trusted,
            .jwt(issuer: "https://b.example", keys: .remote("https://b.example/jwks")),
            .introspection(
                issuer: "https://c.example", endpoint: Self.endpoint,
                authenticatedBy: .clientSecretBasic(id: "rs", secret: "s")),
            tokens: policy, fetcher: fetcher, time: clock.time)
        fetcher.on("https://b.example/jwks", json: .object(second.keys.publicJSON))
        fetcher.on(
            Self.endpoint, json: ["active": true, "aud": "https://api.example.com/notes", "sub": "c-user"])
    }

    private func refusal(_ token: String) async -> Refusal? {
        await resource.refusal(of: .get("/notes", bearer: token))
    }

    private func expectInvalid(
        _ token: String, _ reason: RefusalReason, sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        expectRefused(await refusal(token), reason, sourceLocation: sourceLocation)
    }

    @Test func `each issuer's own tokens are accepted`() async throws {
        for (token, name) in [
            (first.mint(audience: Scene.identifier), "https://a.example"),
            (second.mint(audience: Scene.identifier), "https://b.example"), ("opaque", "https://c.example"),
        ] {
            #expect(try await resource.authorize(.get("/notes", bearer: token)).issuer == name)
        }
    }

    @Test(arguments: [true, false])
    func `a token that names one issuer and is signed by another is refused`(isReversed: Bool) async {
        let (named, signer) = isReversed ? (second, first) : (first, second)
        let token = signer.mint(audience: Scene.identifier, claims: ["iss": .string(named.issuer)])
        await expectInvalid(token, .invalidSignature)
    }

    @Test(arguments: ["https://a.example/", "https://A.example", "https://d.example", "a.example", ""])
    func `issuers are compared byte by byte, and an unknown issuer's URL is never fetched`(name: String) async
    {
        let token = first.mint(audience: Scene.identifier, claims: ["iss": .string(name)])
        await expectInvalid(token, .unknownIssuer)
        #expect(fetcher.requests.isEmpty)
    }

    @Test func `a JWT is sent to the introspecting issuer only if that issuer issued it`() async {
        let token = second.mint(audience: Scene.identifier, claims: ["iss": "https://a.example"])
        await expectInvalid(token, .invalidSignature)
        await expectInvalid(first.mint(audience: "https://other.example"), .audienceMismatch)
        #expect(fetcher.count(of: Self.endpoint) == 0)
        #expect(
            await refusal(first.mint(audience: Scene.identifier, claims: ["iss": "https://c.example"])) == nil
        )
        #expect(fetcher.count(of: Self.endpoint) == 1)
    }

    @Test func `the introspecting issuer cannot activate another issuer's token`() async {
        fetcher.on(
            Self.endpoint,
            json: ["active": true, "iss": "https://a.example", "aud": .string(Scene.identifier), "sub": "x"])
        await expectInvalid("opaque", .unknownIssuer)
    }

    @Test func `one issuer's outage does not affect the others`() async {
        fetcher.on("https://b.example/jwks", failing: .unreachable)
        fetcher.on(Self.endpoint, failing: .unreachable)
        #expect(await refusal(second.mint(audience: Scene.identifier))?.status == .serviceUnavailable)
        #expect(await refusal("opaque")?.status == .serviceUnavailable)
        #expect(await refusal(first.mint(audience: Scene.identifier)) == nil)
    }

    @Test func `a subject is unique only within its issuer`() async {
        let tokens = [first, second].map { $0.mint(audience: Scene.identifier, subject: "user") }
        for token in tokens { #expect(await refusal(token) == nil) }
        resource.invalidate(subject: "user", of: "https://a.example")
        let isKnown = tokens.map { token in
            if case .admitted = resource.progress(.get("/notes", bearer: token)) {
                true
            } else {
                false
            }
        }
        #expect(isKnown == [false, true])
    }
}
