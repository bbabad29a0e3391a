// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9701 §5 Signed introspection answers")
struct RFC9701_5_SignedResponse {
    static let endpoint = RFC7662_2_Introspection.endpoint
    static let mediaType = "application/token-introspection+jwt"

    let clock = ManualClock()
    let fetcher = ScriptedFetcher()
    let events = EventLog()
    let issuer: TestIssuer
    let resource: ProtectedResource

    init() {
        issuer = TestIssuer("https://as.example.com", time: clock.time)
        var trusted = TrustedIssuer.jwtOrIntrospection(
            issuer: "https://as.example.com", keys: .fixed(issuer.keys), endpoint: Self.endpoint,
            authenticatedBy: .clientSecretBasic(id: "rs:api", secret: "s"))
        trusted.introspection?.signedResponseAudience = "rs:api"
        resource = RFC7662_2_Introspection.resource(
            fetcher: fetcher, clock: clock, events: events, issuer: trusted)
    }

    private var claims: JSONObject {
        [
            "iss": "https://as.example.com", "aud": "rs:api", "iat": 1_800_000_000,
            "token_introspection": .object(RFC7662_2_Introspection.active),
        ]
    }

    private func sign(
        _ claims: JSONObject, type: JSONValue? = "token-introspection+jwt", by signer: TestIssuer? = nil
    ) -> String {
        var header: JSONObject = [:]
        header["typ"] = type
        return (signer ?? issuer).sign(header: header, payload: claims.serialized())
    }

    private func answer(_ jwt: String, as mediaType: String = Self.mediaType) {
        fetcher.on(Self.endpoint) { _ in
            FetchResponse(status: .ok, fields: [.contentType: mediaType], body: Array(jwt.utf8))
        }
    }

    private func expectOutage(
        _ fault: AuthorizationServerFault, sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        let refusal = await resource.refusal(of: .get("/mcp", bearer: "opaque"))
        #expect(refusal?.reason == .introspectionUnavailable, sourceLocation: sourceLocation)
        #expect(refusal?.status == .serviceUnavailable, sourceLocation: sourceLocation)
        #expect(refusal?.challenges == [], sourceLocation: sourceLocation)
        #expect(
            events.all == [
                .introspectionFailed(
                    issuer: "https://as.example.com", fault: .calling(url: Self.endpoint, fault))
            ], sourceLocation: sourceLocation)
    }

    @Test(arguments: [
        "token-introspection+jwt", "Token-Introspection+JWT", "application/token-introspection+jwt",
    ])
    func `§4: a signed answer is requested and accepted`(type: String) async throws {
        answer(sign(claims, type: .string(type)), as: Self.mediaType + "; charset=utf-8")
        let token = try await resource.authorize(.get("/mcp", bearer: "opaque"), requiring: "mcp:read")
        #expect(token.subject == "user-1" && token.format == .opaque)
        #expect(fetcher.requests.first?.fields[.accept] == Self.mediaType)
    }

    @Test func `§5: inactive is inactive`() async {
        var claims = claims
        claims["token_introspection"] = ["active": false]
        answer(sign(claims))
        expectRefused(await resource.refusal(of: .get("/mcp", bearer: "opaque")), .inactiveToken)
    }

    @Test func `§5: members outside the claim are ignored`() async {
        var claims = RFC7662_2_Introspection.active
        claims["aud"] = "rs:api"
        claims["iat"] = 1_800_000_000
        claims["token_introspection"] = [:]
        answer(sign(claims))
        expectRefused(await resource.refusal(of: .get("/mcp", bearer: "opaque")), .inactiveToken)
    }

    @Test(arguments: [
        "application/json", "application/jwt", "text/plain", "application/token-introspection+jwtx",
    ])
    func `§5: an unsigned answer is refused`(mediaType: String) async {
        answer(
            String(decoding: RFC7662_2_Introspection.active.serialized(), as: UTF8.self), as: mediaType)
        await expectOutage(.unsignedAnswer)
    }

    @Test(arguments: ["at+jwt", "JWT", "dpop+jwt", nil] as [JSONValue?])
    func `RFC 8725 §3.12: another kind of JWT is refused`(type: JSONValue?) async {
        answer(sign(claims, type: type))
        await expectOutage(.untrustedAnswer)
    }

    @Test func `§5: another party's signature is refused`() async {
        answer(sign(claims, by: TestIssuer("https://as.example.com", time: clock.time)))
        await expectOutage(.untrustedAnswer)
    }

    @Test func `§5: only configured algorithms are accepted, never none`() async {
        let header = Base64URL.encode(Array(#"{"alg":"none","typ":"token-introspection+jwt"}"#.utf8))
        answer("\(header).\(Base64URL.encode(claims.serialized())).AA")
        await expectOutage(.untrustedAnswer)
    }

    @Test(
        arguments: [
            ("iss", "https://other.example"), ("iss", nil), ("aud", "another-client"), ("aud", nil),
            ("iat", 1_799_999_640), ("iat", 1_800_000_060), ("iat", nil), ("token_introspection", nil),
            ("token_introspection", "text"),
        ] as [(String, JSONValue?)])
    func `§5: iss, aud and iat must be the server, this client and now`(name: String, value: JSONValue?) async
    {
        var claims = claims
        claims[name] = value
        answer(sign(claims))
        await expectOutage(.untrustedAnswer)
    }

    @Test func `§8.1: an answer is not an access token`() async {
        var claims = claims
        for member in RFC7662_2_Introspection.active.members { claims[member.name] = member.value }
        claims["jti"] = "x"
        let jwt = sign(claims)
        let refusal = await resource.refusal(of: .get("/mcp", bearer: jwt))
        expectRefused(refusal, .unsupportedTokenType)
        #expect(refusal?.status == .unauthorized && refusal?.challenges.first?["error"] == "invalid_token")
    }

    @Test func `without keys signed answers are refused at the start`() {
        var trusted = TrustedIssuer.introspection(
            issuer: "https://as.example.com", endpoint: Self.endpoint,
            authenticatedBy: .clientSecretBasic(id: "a", secret: "b"))
        trusted.introspection?.signedResponseAudience = "a"
        let found = problems { () throws(ConfigurationError) in
            _ = try ProtectedResource(
                validating: .init(
                    ProtectedResourceMetadata(resource: "https://api.example.com/mcp"),
                    trusting: [trusted]))
        }
        #expect(found.map(\.path) == ["issuers[0].introspection.signedResponseAudience"])
    }
}
