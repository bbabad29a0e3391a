// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9470 §3 Step-up authentication")
struct RFC9470_3_StepUp {
    static let text = "A stronger or more recent authentication is required"
    static let demand = AccessRequirement("notes:write")
        .authenticated(by: ["urn:example:mfa", "urn:example:hwk"], within: .seconds(300))
    let scene = Scene()

    private func refusal(
        _ claims: JSONObject, _ requirement: AccessRequirement, scope: String = "notes:write"
    )
        async -> Refusal?
    {
        await scene.refusal(of: scene.mint(scope: scope, claims: claims), requiring: requirement)
    }

    private func age(_ seconds: Int) -> JSONValue { .number(JSONNumber(1_800_000_000 - seconds)) }

    @Test func `a strong and recent authentication suffices`() async {
        #expect(await refusal(["acr": "urn:example:mfa", "auth_time": age(10)], Self.demand) == nil)
        #expect(await refusal(["acr": "urn:example:hwk", "auth_time": age(300)], Self.demand) == nil)
    }

    @Test func `the challenge names the required authentication and the scope`() async {
        let refusal = await refusal(
            ["acr": "urn:example:pwd", "auth_time": age(10)], Self.demand, scope: "x")
        expectRefused(refusal, .authenticationTooWeak)
        #expect(refusal?.status == .unauthorized)
        #expect(
            refusal?.challenges.map(\.description) == [
                #"Bearer resource_metadata="\#(Scene.metadataURL)", scope="notes:write", "#
                    + #"acr_values="urn:example:mfa urn:example:hwk", max_age="300", "#
                    + #"error="insufficient_user_authentication", error_description="\#(Self.text)""#
            ])
        let old = await self.refusal(["acr": "urn:example:mfa", "auth_time": age(1000)], Self.demand)
        expectRefused(old, .authenticationTooOld)
        #expect(old?.challenges == refusal?.challenges)
    }

    @Test(arguments: [
        "urn:example:mfa2", "URN:example:mfa", "urn:example", "urn:example:mfa urn:example:hwk", "",
    ])
    func `§6: classes are compared exactly, and none includes another`(acr: String) async {
        let requirement = AccessRequirement.anyValidToken.authenticated(by: ["urn:example:mfa"])
        expectRefused(await refusal(["acr": .string(acr)], requirement), .authenticationTooWeak)
    }

    @Test(arguments: [nil, .null, 1, ["urn:example:mfa"]] as [JSONValue?])
    func `§6: a token without acr has no class`(acr: JSONValue?) async {
        var claims: JSONObject = [:]
        claims["acr"] = acr
        let requirement = AccessRequirement.anyValidToken.authenticated(by: ["urn:example:mfa"])
        expectRefused(await refusal(claims, requirement), .authenticationTooWeak)
    }

    @Test func `§6.1: the age counts from auth_time, extended by the leeway`() async {
        let requirement = AccessRequirement.anyValidToken.authenticated(within: .seconds(300))
        #expect(await refusal(["auth_time": age(330)], requirement) == nil)
        expectRefused(await refusal(["auth_time": age(331)], requirement), .authenticationTooOld)
        let now = AccessRequirement.anyValidToken.authenticated(within: .zero)
        #expect(await refusal(["auth_time": age(30)], now) == nil)
        let refusal = await refusal(["auth_time": age(31)], now)
        #expect(refusal?.challenges.first?["max_age"] == "0")
        #expect(refusal?.challenges.first?["acr_values"] == nil)
    }

    @Test(arguments: [nil, .null, "1800000000", true] as [JSONValue?])
    func `§6.1: without auth_time the age of the authentication is unknown`(time: JSONValue?) async {
        var claims: JSONObject = [:]
        claims["auth_time"] = time
        let requirement = AccessRequirement.anyValidToken.authenticated(within: .seconds(86_400))
        expectRefused(await refusal(claims, requirement), .authenticationTooOld)
    }

    @Test func `the token's validity is checked first, the scope last`() async {
        let expired = scene.issuer.mint(audience: Scene.identifier, lifetime: .seconds(-100))
        expectRefused(await scene.refusal(of: expired, requiring: Self.demand), .expired)
        let claims: JSONObject = ["acr": "urn:example:mfa", "auth_time": age(0)]
        let refusal = await refusal(claims, Self.demand, scope: "x")
        expectRefused(refusal, .insufficientScope)
        #expect(refusal?.challenges.first?["acr_values"] == nil)
    }

    @Test func `a cached token becomes too old`() async {
        let token = scene.mint(claims: ["auth_time": age(0)])
        let requirement = AccessRequirement.anyValidToken.authenticated(within: .seconds(60))
        #expect(await scene.refusal(of: token, requiring: requirement) == nil)
        scene.clock.advance(by: .seconds(91))
        expectRefused(await scene.refusal(of: token, requiring: requirement), .authenticationTooOld)
        #expect(await scene.refusal(of: token) == nil)
    }

    @Test func `a DPoP token is challenged in its own scheme`() async {
        let scene = DPoPScene()
        let head = RequestHead.dpop("/notes", token: scene.token, proofs: [scene.proof()])
        let refusal = await scene.resource.refusal(of: head, requiring: Self.demand)
        #expect(refusal?.challenges.map(\.scheme) == [.dpop])
        #expect(refusal?.challenges.first?["error"] == "insufficient_user_authentication")
        #expect(refusal?.challenges.first?["acr_values"] == "urn:example:mfa urn:example:hwk")
    }

    @Test func `a handler may require it`() async throws {
        let token = try await scene.resource.authorize(
            .get("/notes", bearer: scene.mint(scope: "notes:write")))
        let refusal = #expect(throws: Refusal.self) { try token.require(Self.demand) }
        expectRefused(refusal, .authenticationTooWeak)
        #expect(refusal?.challenges.first?["max_age"] == "300")
    }
}
