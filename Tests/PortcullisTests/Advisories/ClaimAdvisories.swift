// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

/// Claims that other implementations did not check.
@Suite("Advisories of 2025 and 2026: claims and introspection answers")
struct ClaimAdvisories {
    let scene = Scene()

    @Test(arguments: [Duration.seconds(-1), .milliseconds(-1), .seconds(301), .seconds(Int64.max / 2)])
    func `CVE-2026-107721 (fast-jwt): no leeway switches expiry off`(leeway: Duration) {
        var policy = TokenPolicy()
        policy.leeway = leeway
        let found = problems { () throws(ConfigurationError) in
            _ = try ProtectedResource(
                validating: .init(
                    ProtectedResourceMetadata(resource: "https://api.example.com/notes"),
                    trusting: [scene.issuer.trusted], tokens: policy))
        }
        #expect(found.map(\.path) == ["tokens.leeway"])
    }

    @Test func `CVE-2026-107723 (fast-jwt): a payload that is not an object is refused`() async throws {
        let claims = try #require(Base64URL.decode(String(scene.mint().split(separator: ".")[1])))
        let object = String(decoding: claims, as: UTF8.self)
        let payloads = [
            "[\(object)]", "[[\(object)]]", "[]", "\"x\"", "5", "null", "true", "\(object)\(object)",
            "\(object),\(object)", "",
        ]
        for payload in payloads {
            let token = scene.issuer.sign(header: ["typ": "at+jwt"], payload: Array(payload.utf8))
            await scene.expectInvalid(token, .malformedJWT, PublicText.malformed)
        }
        #expect(await scene.refusal(of: scene.issuer.sign(header: ["typ": "at+jwt"], payload: claims)) == nil)
    }

    @Test(
        arguments: ["https://other.example.com/mcp", [], ["https://other.example.com/mcp"], "", nil]
            as [JSONValue?])
    func `CVE-2026-116684, GHSA-rvq5-wwqv-78pq (MCP SDKs): a token for another server is refused`(
        audience: JSONValue?
    ) async throws {
        var own = TokenPolicy()
        own.audiences = [MCPProfileTests.identifier]
        for policy in [TokenPolicy.default, own] {
            let resource = try MCPProfileTests.resource(tokens: policy)
            let good = MCPProfileTests.issuer.mint(audience: MCPProfileTests.identifier)
            #expect(await resource.refusal(of: .get("/mcp", bearer: good)) == nil)
            let token = MCPProfileTests.issuer.mint(
                audience: "", claims: audience.map { ["aud": $0] } ?? [:],
                omitting: audience == nil ? ["aud"] : [])
            expectRefused(await resource.refusal(of: .get("/mcp", bearer: token)), .audienceMismatch)
            try await expectIntrospectedRefused(audience, policy)
        }
        own.introspectionAudience = .optional
        #expect(
            MCPProfileTests.paths { () throws(ConfigurationError) in
                try MCPProfileTests.resource(tokens: own)
            } == ["tokens.introspectionAudience"])
    }

    private func expectIntrospectedRefused(_ audience: JSONValue?, _ policy: TokenPolicy) async throws {
        let fetcher = ScriptedFetcher()
        let endpoint = RFC7662_2_Introspection.endpoint
        var metadata = ProtectedResourceMetadata(
            resource: try ResourceIdentifier(validating: MCPProfileTests.identifier))
        metadata.authorizationServers = ["https://as.example.com"]
        let resource = try ProtectedResource(
            validating: .init(
                metadata,
                trusting: [
                    .introspection(
                        issuer: "https://as.example.com", endpoint: endpoint,
                        authenticatedBy: .clientSecretBasic(id: "a", secret: "b"))
                ],
                tokens: policy, profile: .mcp(), fetcher: fetcher, time: scene.clock.time))
        var answer = RFC7662_2_Introspection.active
        answer["aud"] = .string(MCPProfileTests.identifier)
        fetcher.on(endpoint, json: .object(answer))
        #expect(await resource.refusal(of: .get("/mcp", bearer: "good")) == nil)
        answer["aud"] = audience
        fetcher.on(endpoint, json: .object(answer))
        expectRefused(await resource.refusal(of: .get("/mcp", bearer: "other")), .audienceMismatch)
    }

    @Test func `CVE-2026-50627 (Apache CXF): aud, iss and exp are each checked`() async {
        let wrong: [(JSONObject, RefusalReason)] = [
            (["aud": "https://other.example.com"], .audienceMismatch),
            (["iss": "https://other.example.com"], .unknownIssuer),
            (["exp": 1_799_999_970], .expired),
        ]
        for (claims, reason) in wrong {
            expectRefused(await scene.refusal(of: scene.mint(claims: claims)), reason)
        }
        let absent: [(String, RefusalReason)] = [
            ("aud", .audienceMismatch), ("iss", .unknownIssuer), ("exp", .missingClaim),
        ]
        for (name, reason) in absent {
            expectRefused(await scene.refusal(of: scene.mint(omitting: [name])), reason)
        }
        #expect(await scene.refusal(of: scene.mint()) == nil)
    }

    @Test func `CVE-2026-50623 (Apache CXF): only an unambiguous answer activates a token`() async {
        let bodies: [(Int, String, RefusalReason)] = [
            (200, #"{"active":false}"#, .inactiveToken), (200, "{}", .inactiveToken),
            (200, #"{"active":"true"}"#, .inactiveToken), (200, #"{"active":1}"#, .inactiveToken),
            (200, "", .introspectionUnavailable), (200, "<html>active</html>", .introspectionUnavailable),
            (200, #"[{"active":true}]"#, .introspectionUnavailable),
            (401, #"{"active":true}"#, .introspectionUnavailable),
            (500, #"{"active":true}"#, .introspectionUnavailable),
            (204, "", .introspectionUnavailable), (302, #"{"active":true}"#, .introspectionUnavailable),
        ]
        for (status, body, reason) in bodies {
            let fetcher = ScriptedFetcher()
            let resource = RFC7662_2_Introspection.resource(fetcher: fetcher, clock: ManualClock())
            var answer = RFC7662_2_Introspection.active
            answer["active"] = nil
            // All other members, so that only the flag is missing.
            let rest = String(decoding: answer.serialized().dropFirst(), as: UTF8.self)
            let text = body.hasPrefix("{\"") ? body.dropLast() + "," + rest : body[...]
            fetcher.on(RFC7662_2_Introspection.endpoint) { _ in
                FetchResponse(status: Status(code: status), body: Array(text.utf8))
            }
            expectRefused(await resource.refusal(of: .get("/mcp", bearer: "a")), reason)
        }
    }

    @Test func `liboauth2 2.3.1: a token without iss is refused, even if its key is known`() async {
        var policy = TokenPolicy()
        policy.requiredClaims = []
        for scene in [scene, Scene(tokens: policy)] {
            await scene.expectInvalid(scene.mint(omitting: ["iss"]), .unknownIssuer, PublicText.unacceptable)
        }
    }

    @Test func `GHSA-gvp8-978c-rx2q (PyJWT): one resource's policy does not affect another's`() async {
        var lenient = TokenPolicy()
        lenient.requiredClaims = []
        lenient.algorithms = [.es256, .rs256]
        lenient.acceptedTypes = ["at+jwt", "JWT"]
        lenient.leeway = .seconds(300)
        let strict = scene.resource
        let other = ProtectedResource(
            "https://api.example.com/notes", trusting: scene.issuer.trusted, tokens: lenient,
            time: scene.clock.time)
        let tokens: [(String, RefusalReason)] = [
            (scene.mint(header: ["typ": "JWT"]), .unsupportedTokenType),
            (scene.mint(omitting: ["jti"]), .missingClaim),
            (scene.mint(claims: ["exp": 1_799_999_800]), .expired),
        ]
        for _ in 0..<2 {
            for (token, reason) in tokens {
                let head = RequestHead.get("/notes", bearer: token)
                #expect(await other.refusal(of: head) == nil)
                expectRefused(await strict.refusal(of: head), reason)
            }
        }
    }

    @Test func `GHSA-9v7f (PyJWT): a redirect of a key set is not followed`() async throws {
        let fetcher = ScriptedFetcher()
        let (url, elsewhere) = ("https://as.example.com/jwks", "https://evil.example/jwks")
        fetcher.on(elsewhere, json: .object(scene.issuer.keys.publicJSON))
        let body = scene.issuer.keys.publicJSON.serialized()
        for code in [301, 302, 303, 307, 308] {
            fetcher.on(url) { _ in
                FetchResponse(
                    status: Status(code: code), fields: ["Location": "https://evil.example/jwks"], body: body)
            }
            let resource = ProtectedResource(
                "https://api.example.com/notes",
                trusting: .jwt(issuer: "https://as.example.com", keys: .remote(url)), fetcher: fetcher,
                time: scene.clock.time)
            expectRefused(
                await resource.refusal(of: .get("/notes", bearer: scene.mint())), .keysUnavailable)
        }
        #expect(fetcher.count(of: elsewhere) == 0)
    }

    @Test(arguments: [("[", "]"), (#"{"a":"#, "}")])
    func `GHSA-42vr-xj54-vc7v (PyJWT): deep nesting is refused and crashes nothing`(
        open: String, close: String
    )
        async throws
    {
        let depth = 100_000
        let deep = String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
        var policy = TokenPolicy()
        policy.maxTokenByteCount = 1_048_576
        let scene = Scene(tokens: policy)
        for shown in [21, 1000, 100_000] {
            let text = String(repeating: open, count: shown) + "1" + String(repeating: close, count: shown)
            let good = scene.mint().split(separator: ".")
            let header = Base64URL.encode(Array(#"{"alg":"ES256","typ":"at+jwt","x":\#(text)}"#.utf8))
            await scene.expectInvalid(
                "\(header).\(good[1]).\(good[2])",
                header.utf8.count > 1_048_000 ? .tokenTooLong : .malformedJWT, PublicText.malformed)
            let payload = #"{"iss":"https://as.example.com","x":\#(text)}"#
            let token = scene.issuer.sign(header: ["typ": "at+jwt"], payload: Array(payload.utf8))
            await scene.expectInvalid(
                token, token.utf8.count > 1_048_576 ? .tokenTooLong : .malformedJWT, PublicText.malformed)
        }
        let fetcher = ScriptedFetcher()
        let well = "https://as.example.com/.well-known/oauth-authorization-server"
        fetcher.on(well) { _ in
            FetchResponse(status: .ok, body: Array(#"{"issuer":"https://as.example.com","x":\#(deep)}"#.utf8))
        }
        fetcher.on("https://as.example.com/jwks") { _ in
            FetchResponse(status: .ok, body: Array(#"{"keys":\#(deep)}"#.utf8))
        }
        for keys in [KeySource.discovered, .remote("https://as.example.com/jwks")] {
            let resource = ProtectedResource(
                "https://api.example.com/notes", trusting: .jwt(issuer: "https://as.example.com", keys: keys),
                fetcher: fetcher, time: scene.clock.time)
            expectRefused(await resource.refusal(of: .get("/notes", bearer: scene.mint())), .keysUnavailable)
        }
    }

    @Test(arguments: [
        "x@notes:read", "notes:read@x", "notes:readx", "xnotes:read", "Notes:read", "notes:", "notes:read,x",
    ])
    func `GHSA-c5c4-8r6x-56w3 (oauth2-proxy): rules compare whole values, never suffixes`(value: String)
        async
    {
        let scope = await scene.refusal(of: scene.mint(scope: value), requiring: "notes:read")
        expectRefused(scope, .insufficientScope)
        for audience in [
            "https://evil.example@api.example.com/notes",
            "https://evil.example/https://api.example.com/notes",
            "a@\(Scene.identifier)", "\(Scene.identifier)@x",
        ] {
            await scene.expectInvalid(
                scene.mint(claims: ["aud": .string(audience)]), .audienceMismatch, PublicText.audience)
        }
        let strong = AccessRequirement.anyValidToken.authenticated(by: ["phr"])
        for acr in ["x@phr", "phr@x", "xphr", "phrh"] {
            expectRefused(
                await scene.refusal(of: scene.mint(claims: ["acr": .string(acr)]), requiring: strong),
                .authenticationTooWeak)
        }
    }
}
