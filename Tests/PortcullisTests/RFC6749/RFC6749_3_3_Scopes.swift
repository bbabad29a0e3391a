// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 6749 §3.3 Scopes")
struct RFC6749_3_3_Scopes {
    @Test(arguments: ["a", "notes:read", "https://h/x", "rating=G,PG-13", "!#$[]^~"])
    func `a scope-token is printable ASCII`(text: String) throws {
        #expect(try Scope(validating: text).name == text)
    }

    @Test(arguments: ["", " ", "a b", "a\"b", "a\\b", "é", "a\t", "a\u{7F}", "a\n"])
    func `other characters are refused`(text: String) {
        #expect(problems { () throws(ConfigurationError) in _ = try Scope(validating: text) }.count == 1)
    }

    @Test(arguments: ["notes:read", "notes:write notes:read", "  notes:read   x "])
    func `order and repeated spaces do not matter`(scope: String) async {
        let scene = Scene()
        #expect(await scene.refusal(of: scene.mint(scope: scope), requiring: "notes:read") == nil)
    }

    @Test(arguments: [0, 1, 7, 8, 9, 100])
    func `a scope is found among any number of scopes`(count: Int) async {
        let scene = Scene()
        let others = (0..<count).map { "other:\($0)" }
        for place in Set([0, count / 2, count]) {
            var scopes = others
            scopes.insert("notes:read", at: place)
            let token = scene.mint(scope: scopes.joined(separator: " "))
            #expect(await scene.refusal(of: token, requiring: "notes:read") == nil)
        }
        let refusal = await scene.refusal(
            of: scene.mint(scope: others.joined(separator: " ")), requiring: "notes:read")
        #expect(refusal?.reason == .insufficientScope)
    }

    @Test(arguments: [nil, "", "Notes:Read", "notes:rea", "notes:readx", "notes:write"] as [String?])
    func `case and every character matter`(scope: String?) async {
        let scene = Scene()
        let refusal = await scene.refusal(of: scene.mint(scope: scope), requiring: "notes:read")
        expectRefused(refusal, .insufficientScope)
        #expect(refusal?.status == .forbidden)
        #expect(
            refusal?.challenges.map(\.description) == [
                #"Bearer resource_metadata="\#(Scene.metadataURL)", scope="notes:read", "#
                    + #"error="insufficient_scope", "#
                    + #"error_description="The access token lacks a required scope""#
            ])
    }

    @Test func `the challenge names all of several missing scopes, or the first of alternatives`() async {
        let scene = Scene()
        let token = scene.mint()
        let all = await scene.refusal(of: token, requiring: ["notes:read", "notes:write", "x"])
        #expect(all?.challenges.first?["scope"] == "notes:read notes:write x")
        let any = await scene.refusal(of: token, requiring: .any(of: ["notes:write", "x"]))
        #expect(any?.challenges.first?["scope"] == "notes:write")
        #expect(await scene.refusal(of: token, requiring: .any(of: ["x", "notes:read"])) == nil)
    }

    @Test func `implied scopes count, through any number of steps and cycles`() async throws {
        var policy = TokenPolicy()
        policy.scopeImplications = [
            "admin": ["notes:write"], "notes:write": ["notes:read", "admin"], "other": ["x"],
        ]
        let scene = Scene(tokens: policy)
        let token = scene.mint(scope: "admin")
        #expect(await scene.refusal(of: token, requiring: ["notes:read", "notes:write"]) == nil)
        expectRefused(await scene.refusal(of: token, requiring: "x"), .insufficientScope)
        #expect(try await scene.resource.authorize(.get("/notes", bearer: token)).scopes == ["admin"])
    }

    @Test func `RFC 8693 §4.2: another claim counts only if configured, as text or as list`()
        async
    {
        let token = { (scene: Scene, value: JSONClaim) in scene.mint(scope: nil, claims: ["scp": value.json])
        }
        let plain = Scene()
        expectRefused(
            await plain.refusal(of: token(plain, .text), requiring: "notes:read"), .insufficientScope)
        var policy = TokenPolicy()
        policy.scopeClaims = ["scp", "scope"]
        let scene = Scene(tokens: policy)
        #expect(await scene.refusal(of: token(scene, .text), requiring: "notes:read") == nil)
        #expect(await scene.refusal(of: token(scene, .list), requiring: "notes:read") == nil)
        let both = scene.mint(scope: "notes:write", claims: ["scp": "notes:read"])
        expectRefused(await scene.refusal(of: both, requiring: "notes:write"), .insufficientScope)
        await scene.expectInvalid(
            scene.mint(claims: ["scp": ["a b"]]), .malformedClaims, PublicText.malformed)
        await scene.expectInvalid(scene.mint(claims: ["scp": 1]), .malformedClaims, PublicText.malformed)
    }

    @Test func `a handler may require more`() async throws {
        let scene = Scene()
        let token = try await scene.resource.authorize(.get("/notes", bearer: scene.mint()))
        try token.require("notes:read")
        let refusal = #expect(throws: Refusal.self) { try token.require("notes:admin") }
        #expect(refusal?.status == .forbidden)
        expectRefused(refusal, .insufficientScope)
        #expect(refusal?.challenges.first?["scope"] == "notes:admin")
    }
}
