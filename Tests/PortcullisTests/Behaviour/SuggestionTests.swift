// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("What would make a refused token acceptable")
struct SuggestionTests {
    static let issuer = "https://as.example.com"

    private func suggestion(
        _ scene: Scene, _ token: String, requiring requirement: AccessRequirement = "notes:read",
        knowing issuers: [String] = []
    ) async -> Suggestion? {
        await scene.resource.explain(
            .get("/notes", bearer: token), requiring: requirement, judgingAllSteps: true
        ).suggestion(knowing: issuers)
    }

    private func expectUnsound(
        _ scene: Scene, _ token: String, _ word: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        guard case .unsound(let why)? = await suggestion(scene, token) else {
            Issue.record("there is a suggestion", sourceLocation: sourceLocation)
            return
        }
        #expect(why.contains(word), "\(why)", sourceLocation: sourceLocation)
        #expect(why.hasSuffix(".") && why.utf8.count < 600, sourceLocation: sourceLocation)
    }

    @Test func `an admitted token needs nothing`() async {
        let scene = Scene()
        #expect(await suggestion(scene, scene.mint()) == nil)
    }

    @Test func `one setting for one deviation`() async {
        let scene = Scene()
        let rows: [(String, [SuggestedSetting])] = [
            (scene.mint(header: ["typ": "JWT"]), [.acceptedTypes(["at+jwt", "JWT"])]),
            (
                scene.mint(omitting: ["jti", "iat"]), [.requiredClaims(["sub", "client_id"])]
            ),
            (
                scene.mint(claims: ["azp": "c"], omitting: ["client_id"]),
                [.clientIDPointers(["/client_id", "/azp"], issuer: Self.issuer)]
            ),
            (scene.mint(scope: nil, claims: ["scp": "notes:read"]), [.scopeClaims(["scope", "scp"])]),
            (
                scene.mint(scope: nil, claims: ["scp": ["a", "notes:read"]]),
                [.scopeClaims(["scope", "scp"])]
            ),
            (
                scene.mint(scope: "openid", claims: ["permissions": ["notes:read"]]),
                [.scopeClaims(["permissions", "scope"])]
            ),
            (
                scene.mint(scope: "openid", claims: ["realm_access": ["roles": ["notes:read"]]]),
                [.scopePointers(["/realm_access/roles", "/scope"], issuer: Self.issuer)]
            ),
            (
                scene.mint(claims: ["aud": "https://API.example.com/notes/"]),
                [.audiences([Scene.identifier, "https://API.example.com/notes/"])]
            ),
            (
                scene.mint(claims: ["aud": "api://notes"]), [.audiences([Scene.identifier, "api://notes"])]
            ),
            (
                scene.mint(claims: ["iss": "https://as.example.com/"]),
                [.issuerSpelling(from: Self.issuer, to: "https://as.example.com/")]
            ),
            (
                scene.mint(claims: ["token_use": "access"], omitting: ["aud"]),
                [
                    .requiredClaimValue(pointer: "/token_use", values: ["access"], issuer: Self.issuer),
                    .audienceFrom(pointer: "/client_id", values: ["client-1"], issuer: Self.issuer),
                ]
            ),
        ]
        for (token, settings) in rows { #expect(await suggestion(scene, token) == .settings(settings)) }
    }

    @Test func `all deviations of one token are named together`() async {
        let scene = Scene()
        let token = scene.mint(
            scope: nil, claims: ["scp": "notes:read", "cid": "c", "aud": "api://notes"],
            omitting: ["client_id"], header: ["typ": "JWT"])
        #expect(
            await suggestion(scene, token)
                == .settings([
                    .acceptedTypes(["at+jwt", "JWT"]), .audiences([Scene.identifier, "api://notes"]),
                    .clientIDPointers(["/client_id", "/cid"], issuer: Self.issuer),
                    .scopeClaims(["scope", "scp"]),
                ]))
    }

    /// An audience that a server has registered, the issuer and more claims of the token, and whether it is
    /// evidently this API.
    static let registered: [(String, String, JSONObject, Bool)] = [
        ("api://notes", issuer, [:], true), ("api://Notes/", issuer, [:], true),
        ("api://api.example.com/notes", issuer, [:], true),
        ("api://api.example.com", issuer, [:], false), ("api://other.example.com/notes", issuer, [:], false),
        ("api://orders", issuer, [:], false), ("api://default", issuer, [:], false),
        ("api://", issuer, [:], false), ("API://notes", issuer, [:], false),
        ("api://notes/admin", issuer, [:], false),
        // Okta: all tokens of a custom authorization server are for its one audience.
        ("api://default", "https://dev-1.okta.com/oauth2/default", [:], true),
        ("api://orders", "https://dev-1.okta.com/oauth2/default", [:], false),
        ("api://default", "https://dev-1.okta.com/default", [:], false),
        // Entra ID: the API that the token is for has defined the scopes.
        ("api://\(application)", issuer, ["ver": "1.0", "tid": "t"], true),
        ("api://\(application)", issuer, ["ver": "2.0", "tid": "t"], true),
        ("api://\(application)", issuer, ["ver": "1.0", "tid": "t", "scope": "other"], false),
        ("api://\(application)", issuer, ["tid": "t"], false),
        ("api://\(application)", issuer, ["ver": "1.0"], false),
        (application, issuer, ["ver": "2.0", "tid": "t"], true),
        (application, issuer, ["ver": "1.0", "tid": "t"], false),
    ]
    private static let application = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"

    @Test(arguments: registered)
    func `RFC 8707 §2: the name of another API is not suggested as an audience`(
        audience: String, issuer: String, claims: JSONObject, isEvident: Bool
    ) async {
        let scene = Scene(issuer: issuer)
        var all = claims
        all["aud"] = .string(audience)
        let token = scene.mint(claims: all)
        guard !isEvident else {
            let found = await suggestion(scene, token)
            #expect(found == .settings([.audiences([Scene.identifier, audience])]))
            return
        }
        await expectUnsound(scene, token, "resource=\(Scene.identifier)")
        if audience.hasPrefix("api://") { await expectUnsound(scene, token, "Application ID URI") }
    }

    @Test func `without a demanded scope nothing ties an application of Entra ID to this API`() async {
        let scene = Scene()
        let audience = JSONValue.string("api://\(Self.application)")
        let token = scene.mint(claims: ["aud": audience, "ver": "1.0", "tid": "t"])
        guard case .unsound? = await suggestion(scene, token, requiring: .anyValidToken) else {
            Issue.record("there is a suggestion")
            return
        }
    }

    @Test func `an algorithm is added, if it is one that can be verified`() async {
        var policy = TokenPolicy()
        policy.algorithms = [.rs256]
        let scene = Scene(tokens: policy)
        #expect(await suggestion(scene, scene.mint()) == .settings([.algorithms([.rs256, .es256])]))
        for name in ["none", "HS256", "es256"] {
            await expectUnsound(scene, scene.mint(header: ["alg": .string(name)]), "algorithm")
        }
    }

    @Test func `an issuer's own list of algorithms is extended, not replaced`() async {
        let scene = ShapeScene { $1.algorithms = [.rs256] }
        let explanation = await scene.resource.explain(
            .get("/notes", bearer: scene.mint()), judgingAllSteps: true)
        #expect(
            explanation.suggestion(knowing: [])
                == .settings([.issuerAlgorithms([.rs256, .es256], issuer: Self.issuer)]))
    }

    @Test func `no setting is suggested that would be unsound`() async {
        let scene = Scene()
        let forged = scene.mint().split(separator: ".").dropLast().joined(separator: ".") + ".AAAA"
        await expectUnsound(scene, scene.mint(claims: ["aud": "client-1"]), "resource=\(Scene.identifier)")
        await expectUnsound(scene, scene.mint(claims: ["aud": "c", "azp": "c"]), "RFC 8707")
        await expectUnsound(scene, scene.mint(claims: ["aud": "https://other.example"]), "RFC 8707")
        await expectUnsound(scene, scene.mint(claims: ["aud": "https://api.example.com"]), "RFC 8707")
        await expectUnsound(scene, scene.mint(omitting: ["aud"]), "RFC 9068")
        for claims: JSONObject in [
            ["at_hash": "x"], ["c_hash": "x"], ["token_use": "id"], ["typ": "ID"],
            ["nonce": "n", "aud": "client-1"],
        ] {
            let token = scene.mint(claims: claims, header: ["typ": "JWT"])
            await expectUnsound(scene, token, "ID token")
        }
        await expectUnsound(scene, scene.mint(header: ["typ": "logout+jwt"]), "logout+jwt")
        await expectUnsound(scene, scene.mint(header: ["typ": "statuslist+jwt"]), "access token")
        await expectUnsound(
            scene, scene.mint(claims: ["exp": 1_799_999_000]), "2027-01-15 07:43:20 UTC (16 min 40 s ago)")
        await expectUnsound(scene, scene.mint(claims: ["nbf": 1_800_000_600]), "in 10 min")
        await expectUnsound(scene, scene.mint(claims: ["exp": "1800000600"]), "exp is a string")
        await expectUnsound(scene, scene.mint(omitting: ["exp"]), "exp")
        await expectUnsound(scene, scene.mint(claims: ["iss": "https://other.example"]), "RFC 9728")
        await expectUnsound(scene, scene.mint(omitting: ["iss"]), "iss")
        await expectUnsound(scene, scene.mint(scope: "other"), "notes:read")
        await expectUnsound(scene, forged, "key")
        await expectUnsound(scene, "a.b.c.d.e", "encrypted")
        await expectUnsound(scene, "a,b", "token")
    }

    @Test func `a forged token gets no advice about settings`() async {
        let scene = Scene()
        let forger = TestIssuer(Self.issuer, time: scene.clock.time)
        let token = forger.mint(audience: Scene.identifier, header: ["typ": "JWT"])
        await expectUnsound(scene, token, "key")
    }

    @Test func `an issuer that the operator configured is added, and another is not`() async {
        let scene = Scene()
        let other = TestIssuer("https://proxy.example.com", time: scene.clock.time)
        let token = other.mint(audience: Scene.identifier, scope: "notes:read")
        #expect(
            await suggestion(scene, token, knowing: [other.issuer])
                == .settings([.additionalIssuer(other.issuer)]))
        await expectUnsound(scene, token, "https://proxy.example.com")
    }

    @Test func `an opaque token needs introspection, where the server has it`() async {
        let scene = Scene()
        #expect(
            await suggestion(scene, "opaque-token") == .settings([.introspection(issuer: Self.issuer)]))
        let google = Scene(issuer: "https://accounts.google.com")
        await expectUnsound(google, "ya29.a0opaque", "introspection")
        for hasEndpoint in [true, false] {
            let fetcher = ScriptedFetcher()
            var document: JSONObject = [
                "issuer": .string(Self.issuer), "jwks_uri": "https://as.example.com/keys",
            ]
            if hasEndpoint { document["introspection_endpoint"] = "https://as.example.com/introspect" }
            fetcher.on(Self.issuer + "/.well-known/oauth-authorization-server", json: .object(document))
            let resource = ProtectedResource(
                "https://api.example.com/notes", trusting: .jwt(issuer: Self.issuer), fetcher: fetcher)
            let found = await resource.explain(.get("/notes", bearer: "opaque"), judgingAllSteps: true)
                .suggestion()
            if hasEndpoint {
                #expect(found == .settings([.introspection(issuer: Self.issuer)]))
            } else {
                guard case .unsound? = found else {
                    Issue.record("there is a suggestion")
                    return
                }
            }
        }
    }

    @Test func `an answer without audience has its own setting`() async {
        let fetcher = ScriptedFetcher()
        let clock = ManualClock()
        var answer = RFC7662_2_Introspection.active
        answer["aud"] = nil
        fetcher.on(RFC7662_2_Introspection.endpoint, json: .object(answer))
        let resource = RFC7662_2_Introspection.resource(fetcher: fetcher, clock: clock)
        let found = await resource.explain(.get("/mcp", bearer: "opaque"), judgingAllSteps: true).suggestion()
        #expect(found == .settings([.optionalIntrospectionAudience]))
    }

    @Test func `an MCP server accepts its own identifier alone`() async throws {
        let resource = try MCPProfileTests.resource()
        for claims: JSONObject in [
            ["aud": .string(MCPProfileTests.identifier + "/")], ["aud": "api://mcp"],
            ["aud": [], "token_use": "access"],
        ] {
            let token = MCPProfileTests.issuer.mint(audience: MCPProfileTests.identifier, claims: claims)
            let found = await resource.explain(.get("/mcp", bearer: token), judgingAllSteps: true)
                .suggestion()
            guard case .unsound? = found else {
                Issue.record("\(claims.members.map(\.name)) has a suggestion")
                continue
            }
        }
    }

    @Test
    func `the keys of the issuer are fetched to judge the signature of a token that was refused before`()
        async
    {
        let clock = ManualClock()
        let issuer = TestIssuer(Self.issuer, time: clock.time)
        let fetcher = ScriptedFetcher()
        fetcher.on("https://as.example.com/keys", json: .object(issuer.keys.publicJSON))
        let resource = ProtectedResource(
            "https://api.example.com/notes",
            trusting: .jwt(issuer: Self.issuer, keys: .remote("https://as.example.com/keys")),
            fetcher: fetcher, time: clock.time)
        let token = issuer.mint(audience: Scene.identifier, header: ["typ": "JWT"])
        let explanation = await resource.explain(.get("/notes", bearer: token), judgingAllSteps: true)
        #expect(explanation.steps.first { $0.name == "signature" }?.outcome == .wouldPass)
        #expect(fetcher.requests.count == 1)
        let first = await resource.explain(.get("/notes", bearer: token))
        #expect(first.steps.first { $0.name == "signature" }?.outcome == .notReached)
    }

    @Test func `an explanation that judges all steps makes no refused token acceptable`() async {
        let scene = Scene()
        let token = scene.mint(header: ["typ": "JWT"])
        for _ in 0..<2 { _ = await suggestion(scene, token) }
        expectRefused(await scene.refusal(of: token), .unsupportedTokenType)
        expectRefused(await scene.refusal(of: scene.mint(header: ["typ": "JWT"])), .unsupportedTokenType)
    }

    @Test func `times are dates, with their distance`() async {
        let scene = Scene()
        for (exp, words) in [
            (1_799_999_999, "(1 s ago)"), (1_799_990_000, "(2 h 46 min ago)"),
            (1_799_000_000, "(11 days ago)"),
            (1_799_910_000, "(1 day ago)"), (0, "1970-01-01 00:00:00 UTC (57 years ago)"),
            (1_800_000_059, "(in 59 s)"), (1_800_003_600, "(in 1 h)"),
        ] {
            let token = scene.mint(claims: ["exp": .number(JSONNumber(exp))])
            let step = await scene.resource.explain(.get("/notes", bearer: token)).steps
                .first { $0.name == "times" }
            #expect(step?.got?.contains(words) == true, "\(step?.got ?? "none")")
        }
        for value: JSONValue in ["soon", .number(JSONNumber(Int.max)), -5] {
            let token = scene.mint(claims: ["nbf": value])
            let step = await scene.resource.explain(.get("/notes", bearer: token)).steps
                .first { $0.name == "times" }
            #expect(step != nil)
        }
    }
}
