// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 7519 §4.1 Times of a token")
struct RFC7519_4_1_Times {
    // The clock shows 1800000000.
    static func scene(leeway: Duration) -> Scene {
        var policy = TokenPolicy()
        policy.leeway = leeway
        return Scene(tokens: policy)
    }

    let scene = RFC7519_4_1_Times.scene(leeway: .zero)

    @Test(arguments: [1_800_000_001, 1_800_000_000.5, 1e300] as [JSONValue])
    func `§4.1.4: before exp a token is accepted`(expiry: JSONValue) async {
        #expect(await scene.refusal(of: scene.mint(claims: ["exp": expiry])) == nil)
    }

    @Test(arguments: [1_800_000_000, 1_799_999_999.999, 0, -1e18, -1e300] as [JSONValue])
    func `§4.1.4: at exp and after, it is refused`(expiry: JSONValue) async {
        await scene.expectInvalid(scene.mint(claims: ["exp": expiry]), .expired, PublicText.expired)
    }

    @Test(arguments: ["1800003600", true, [1_800_003_600], [:]] as [JSONValue])
    func `§2: a time is a JSON number`(value: JSONValue) async {
        for name in ["exp", "nbf", "iat"] {
            await scene.expectInvalid(
                scene.mint(claims: [name: value]), .malformedClaims, PublicText.malformed)
        }
    }

    @Test(arguments: ["1e400", "-1e400", "1E999999999"])
    func `§2: a number without a finite value is malformed and does not crash`(text: String) async throws {
        let number = try JSONValue.parse(Array(text.utf8))
        for name in ["exp", "nbf", "iat"] {
            await scene.expectInvalid(
                scene.mint(claims: [name: number]), .malformedClaims, PublicText.malformed)
        }
    }

    @Test(arguments: [("nbf", RefusalReason.notYetValid), ("iat", .issuedInTheFuture)])
    func `§4.1.5, §4.1.6: a token from the future is not valid yet`(name: String, reason: RefusalReason) async
    {
        #expect(
            await scene.refusal(of: scene.mint(claims: [name: .number(JSONNumber(1_800_000_000))])) == nil)
        for late in [1_800_000_001, 1_800_000_000.25, 1e300] as [JSONValue] {
            await scene.expectInvalid(scene.mint(claims: [name: late]), reason, PublicText.early)
        }
    }

    @Test func `§4.1.5: a cached token is not accepted before nbf either`() async {
        let token = scene.mint(claims: ["nbf": 1_800_000_000])
        #expect(await scene.refusal(of: token) == nil)
        scene.clock.advance(by: .seconds(-60))
        await scene.expectInvalid(token, .notYetValid, PublicText.early)
    }

    @Test func `one leeway applies to all three`() async {
        let scene = Self.scene(leeway: .seconds(30))
        for (name, good, bad) in [
            ("exp", 1_799_999_971, 1_799_999_970), ("nbf", 1_800_000_030, 1_800_000_031),
            ("iat", 1_800_000_030, 1_800_000_031),
        ] {
            #expect(await scene.refusal(of: scene.mint(claims: [name: .number(JSONNumber(good))])) == nil)
            #expect(await scene.refusal(of: scene.mint(claims: [name: .number(JSONNumber(bad))])) != nil)
        }
    }

    @Test(arguments: [Duration.seconds(301), .milliseconds(300_001), .seconds(-1)])
    func `a leeway of more than five minutes is refused`(leeway: Duration) {
        var policy = TokenPolicy()
        policy.leeway = leeway
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.resourceName = "Notes"
        let found = problems { () throws(ConfigurationError) in
            _ = try ProtectedResource(
                validating: .init(metadata, trusting: [scene.issuer.trusted], tokens: policy))
        }
        #expect(found.map(\.path) == ["tokens.leeway"])
    }
}
