// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

/// Cache faults of other implementations.
@Suite("Advisories of 2025 and 2026: caches of tokens")
struct CacheAdvisories {
    private static let endpoint = RFC7662_2_Introspection.endpoint
    let clock = ManualClock()
    let fetcher = ScriptedFetcher()

    /// Whether a token is in the cache, so that a test knows that it tests a second use.
    private func isKnown(_ token: String, to resource: ProtectedResource, at path: String) -> Bool {
        if case .admitted = resource.progress(.get(path, bearer: token)) { true } else { false }
    }

    @Test func `CVE-2026-107719 (fast-jwt): a cached token without iat ends with its exp`() async {
        var policy = TokenPolicy()
        policy.requiredClaims = []
        let scene = Scene(tokens: policy)
        let token = scene.mint(omitting: ["iat"])
        #expect(await scene.refusal(of: token) == nil)
        #expect(isKnown(token, to: scene.resource, at: "/notes"))
        scene.clock.advance(by: .seconds(3629))
        #expect(await scene.refusal(of: token) == nil)
        scene.clock.advance(by: .seconds(1))
        await scene.expectInvalid(token, .expired, PublicText.expired)
    }

    @Test func `CVE-2026-107719 (fast-jwt): a cached introspection answer without iat ends with its exp`()
        async
    {
        var answer = RFC7662_2_Introspection.active
        answer["iat"] = nil
        fetcher.on(Self.endpoint, json: .object(answer))
        var policy = TokenPolicy()
        policy.introspectionCacheLifetime = .seconds(1_000_000)
        let resource = RFC7662_2_Introspection.resource(policy, fetcher: fetcher, clock: clock)
        #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil)
        #expect(isKnown("a", to: resource, at: "/mcp"))
        clock.advance(by: .seconds(3530))
        expectRefused(await resource.refusal(of: .get("/mcp", bearer: "a")), .expired)
    }

    // The families have a common beginning, a common end, a common jti, and a common header with payload.
    @Test func `CVE-2026-35039 (fast-jwt): similar tokens have their own claims, at each use`()
        async throws
    {
        var policy = TokenPolicy()
        policy.verifiedCacheEntryCount = 20_000
        policy.introspectionCacheLifetime = .seconds(10_000)
        fetcher.on(Self.endpoint) { request in
            let token = String(decoding: request.body, as: UTF8.self).split(separator: "&")[0]
            var answer = RFC7662_2_Introspection.active
            // The number is in the middle of the token.
            answer["sub"] = .string(String(token.dropFirst(6 + 200).dropLast(200)))
            return FetchResponse(status: .ok, body: answer.serialized())
        }
        let resource = RFC7662_2_Introspection.resource(policy, fetcher: fetcher, clock: clock)
        let common = String(repeating: "A", count: 200)
        for round in 0..<2 {
            for number in 0..<10_000 {
                let token = try await resource.authorize(
                    .get("/mcp", bearer: "\(common)\(number)\(common)"))
                try #require(token.subject == "\(number)", "round \(round)")
            }
            #expect(fetcher.requests.count == 10_000)
        }
    }

    @Test func `CVE-2026-35039 (fast-jwt): signed tokens with one jti or one payload have their own claims`()
        async throws
    {
        let scene = Scene()
        let tokens = (0..<300).map { number in
            scene.mint(claims: ["jti": "1", "sub": .string("user-\(number)")])
        }
        for _ in 0..<2 {
            for (number, token) in tokens.enumerated() {
                let subject = try await scene.resource.authorize(.get("/notes", bearer: token)).subject
                try #require(subject == "user-\(number)")
            }
        }
        // The same header and payload with another token's signature.
        let twin = tokens[0].split(separator: ".").prefix(2) + [tokens[1].split(separator: ".")[2]]
        await scene.expectInvalid(
            twin.joined(separator: "."), .invalidSignature, PublicText.unacceptable)
        #expect(await scene.refusal(of: tokens[0]) == nil)
    }

    @Test func `liboauth2 2.3.0: exp is checked again when a token comes from the cache`() async {
        let scene = Scene()
        let token = scene.mint(claims: ["exp": 1_800_000_010])
        #expect(await scene.refusal(of: token) == nil)
        #expect(isKnown(token, to: scene.resource, at: "/notes"))
        scene.clock.advance(by: .seconds(40))
        guard
            case .refused(let refusal) = scene.resource.progress(
                .get("/notes", bearer: token), withTime: true)
        else {
            Issue.record("not refused at once")
            return
        }
        expectRefused(refusal, .expired)
        await scene.expectInvalid(token, .expired, PublicText.expired)
    }

    @Test func `liboauth2 2.3.0: exp is required by default, and always in a JWT`() async {
        let scene = Scene()
        await scene.expectInvalid(scene.mint(omitting: ["exp"]), .missingClaim, PublicText.malformed)
        var policy = TokenPolicy()
        policy.requiredClaims = []
        let lenient = Scene(tokens: policy)
        await lenient.expectInvalid(lenient.mint(omitting: ["exp"]), .missingClaim, PublicText.malformed)
    }

    @Test func `CVE-2026-52869 (MCP Python SDK): a session handle is valid only for its own user`()
        async throws
    {
        let scene = Scene()
        func token(_ subject: String, _ client: String = "client-1") async throws -> AccessToken {
            let text = scene.mint(claims: ["sub": .string(subject), "client_id": .string(client)])
            return try await scene.resource.authorize(.get("/notes", bearer: text))
        }
        let handles = SessionBinding()
        let handle = handles.makeHandle(for: try await token("alice"))
        #expect(handles.accepts(handle, with: try await token("alice")))
        for other in ["bob", "Alice", "alice ", "", "client-1", "al\u{200D}ice"] {
            #expect(!handles.accepts(handle, with: try await token(other)))
        }
        // A handle alone is not a token.
        let head = RequestHead.get("/notes", fields: [("Mcp-Session-Id", handle)])
        expectRefused(await scene.resource.refusal(of: head), .missingCredentials)
    }

    @Test func `CVE-2026-52869 (MCP Python SDK): no cached decision outlives a revocation`() async {
        fetcher.on(Self.endpoint, json: .object(RFC7662_2_Introspection.active))
        let resource = RFC7662_2_Introspection.resource(fetcher: fetcher, clock: clock)
        for revoke in [
            { resource.invalidate("a") }, { resource.invalidate(subject: "user-1") },
            { resource.invalidateAllTokens() },
        ] {
            fetcher.on(Self.endpoint, json: .object(RFC7662_2_Introspection.active))
            clock.advance(by: .seconds(60))
            #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil)
            #expect(isKnown("a", to: resource, at: "/mcp"))
            fetcher.on(Self.endpoint, json: ["active": false])
            revoke()
            #expect(!isKnown("a", to: resource, at: "/mcp"))
            expectRefused(await resource.refusal(of: .get("/mcp", bearer: "a")), .inactiveToken)
        }
    }
}
