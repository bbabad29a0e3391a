// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 8725 §3.12 Claims that must have certain values")
struct RFC8725_3_12_ClaimValues {
    private let scene = ShapeScene {
        $1.requiredClaimValues = [
            ClaimValues("/token_use", ["access"]), ClaimValues("/realm_access/roles", ["api", "admin"]),
        ]
    }

    @Test(
        arguments: [
            ["token_use": "access", "realm_access": ["roles": ["x", "api"]]],
            ["token_use": ["refresh", "access"], "realm_access": ["roles": "admin"]],
        ] as [JSONObject])
    func `a string or an array that holds one of the values is accepted`(claims: JSONObject) async {
        #expect(await scene.refusal(of: scene.mint(claims)) == nil)
    }

    @Test(
        arguments: [
            ["realm_access": ["roles": ["api"]]], ["token_use": "access"],
            ["token_use": "Access", "realm_access": ["roles": ["api"]]],
            ["token_use": "", "realm_access": ["roles": ["api"]]],
            ["token_use": .null, "realm_access": ["roles": ["api"]]],
            ["token_use": 1, "realm_access": ["roles": ["api"]]],
            ["token_use": ["access": true], "realm_access": ["roles": ["api"]]],
            ["token_use": "access", "realm_access": ["roles": []]],
            ["token_use": "access", "realm_access": ["roles": ["apis", 1]]],
            ["token_use": "access", "realm_access": "api"],
        ] as [JSONObject])
    func `anything else is refused`(claims: JSONObject) async {
        expectRefused(await scene.refusal(of: scene.mint(claims)), .claimValueMismatch)
    }

    @Test func `the finding names the claim, its values and what it is`() async {
        let found = await scene.finding(
            of: scene.mint(["token_use": "refresh", "realm_access": ["roles": ["api"]]]))
        #expect(
            found
                == "expected /token_use access, /realm_access/roles api or admin, "
                + "got /token_use refresh, /realm_access/roles api")
    }

    @Test func `an explanation shows the step`() async throws {
        let token = scene.mint(["token_use": "access", "realm_access": ["roles": ["api"]]])
        let explanation = await scene.resource.explain(.get("/notes", bearer: token))
        let step = try #require(explanation.steps.first { $0.name == "values of claims" })
        #expect(step.outcome == .passed)
        let refused = await scene.resource.explain(
            .get("/notes", bearer: scene.mint(["aud": "x"])), judgingAllSteps: true)
        #expect(refused.failedStep?.reason == .claimValueMismatch)
        #expect(refused.steps.contains { $0.reason == .audienceMismatch && $0.outcome == .wouldFail })
    }
}

@Suite("RFC 9068 §4 Amazon Cognito: a claim that takes the place of aud")
struct RFC9068_4_AudienceSource {
    private let scene = ShapeScene { policy, issuer in
        policy.acceptedTypes = [""]
        policy.requiredClaims = ["sub", "client_id"]
        issuer.requiredClaimValues = [ClaimValues("/token_use", ["access"])]
        issuer.audienceSource = ClaimValues("/client_id", ["4h57", "5j68"])
    }

    /// The claims of an access token of Amazon Cognito.
    private static let claims: JSONObject = [
        "iss": "https://as.example.com", "sub": "user-1", "client_id": "4h57", "token_use": "access",
        "scope": "notes:read", "auth_time": 1_800_000_000, "iat": 1_800_000_000, "exp": 1_800_003_600,
        "jti": "1", "version": 2, "origin_jti": "1", "event_id": "1", "username": "user-1",
        "cognito:groups": ["a"],
    ]

    private func token(_ changes: JSONObject = [:]) -> String {
        var claims = Self.claims
        for member in changes.members { claims[member.name] = member.value }
        return scene.issuer.sign(header: [:], payload: claims.serialized())
    }

    @Test func `a token without aud is accepted by the claim, with an empty audience`() async throws {
        let accepted = try await scene.authorize(token())
        #expect(accepted.audience == [])
        #expect(accepted.clientID == "4h57")
        #expect(await scene.refusal(of: token(["aud": .null, "client_id": "5j68"])) == nil)
        #expect(await scene.refusal(of: token(["client_id": ["5j68"]])) == nil)
    }

    static let refused: [(JSONObject, RefusalReason)] = [
        (["client_id": "other"], .audienceMismatch), (["client_id": .null], .audienceMismatch),
        (["client_id": 1], .audienceMismatch), (["token_use": "id"], .idToken),
        (["token_use": "refresh"], .claimValueMismatch), (["token_use": .null], .claimValueMismatch),
        (["aud": "other"], .audienceMismatch), (["aud": "4h57"], .audienceMismatch),
        (["aud": []], .audienceMismatch), (["aud": ["other"]], .audienceMismatch),
        (["aud": 1], .malformedClaims), (["exp": 1_799_999_000], .expired),
    ]

    @Test(arguments: refused)
    func `anything else is refused`(changes: JSONObject, reason: RefusalReason) async {
        expectRefused(await scene.refusal(of: token(changes)), reason)
    }

    @Test func `a token for the resource itself is accepted as always`() async throws {
        let accepted = try await scene.authorize(
            token(["aud": "https://api.example.com/notes", "client_id": "other"]))
        #expect(accepted.audience == ["https://api.example.com/notes"])
    }

    private func faults(
        _ profile: ResourceProfile = .general, _ change: (inout TrustedIssuer) -> Void
    ) -> [ConfigurationError.Problem] {
        var trusted = scene.issuer.trusted
        change(&trusted)
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.authorizationServers = [trusted.issuer]
        var configuration = ProtectedResource.Configuration(metadata, trusting: [trusted])
        configuration.profile = profile
        return PortcullisTests.problems { () throws(ConfigurationError) in
            _ = try ProtectedResource(validating: configuration)
        }
    }

    @Test func `it needs required claim values, and is refused under the profile of MCP`() {
        let source = ClaimValues("/client_id", ["a"])
        let required = [ClaimValues("/token_use", ["access"])]
        #expect(faults { $0.audienceSource = source }.map(\.path) == ["issuers[0].audienceSource"])
        #expect(
            faults {
                $0.audienceSource = ClaimValues("/client_id", [])
                $0.requiredClaimValues = required
            }.map(\.path) == ["issuers[0].audienceSource"])
        let fine = { (issuer: inout TrustedIssuer) in
            issuer.audienceSource = source
            issuer.requiredClaimValues = required
        }
        #expect(faults(.general, fine) == [])
        #expect(faults(.mcp(), fine).map(\.path) == ["issuers[0].audienceSource"])
    }

    @Test func `it is a warning at start, with its consequence`() {
        #expect(
            scene.resource.warnings.contains(
                "Tokens of https://as.example.com without aud are accepted by the value of /client_id: what "
                    + "these clients got for another API of the issuer works here too (RFC 8707 §2)."))
        #expect(Scene().resource.warnings == [])
    }
}

@Suite("RFC 9068 §5 ID tokens")
struct RFC9068_5_IDTokens {
    private let scene = ShapeScene { policy, _ in
        policy.acceptedTypes = ["at+jwt", "JWT", ""]
        policy.requiredClaims = []
    }

    @Test(
        arguments: [
            ["at_hash": "x"], ["c_hash": "x"], ["at_hash": 1], ["token_use": "id"], ["token_use": ["id"]],
            ["at_hash": "x", "nonce": "n"], ["at_hash": "x", "aud": "client-1"],
        ] as [JSONObject])
    func `the claims of an ID token alone are refused`(claims: JSONObject) async {
        let refusal = await scene.refusal(of: scene.mint(claims))
        expectRefused(refusal, .idToken)
        #expect(scene.events.all == [])
    }

    @Test(arguments: [["token_use": "access"], ["token_use": 1], ["s_hash": "x"]] as [JSONObject])
    func `other claims are not`(claims: JSONObject) async {
        #expect(await scene.refusal(of: scene.mint(claims)) == nil)
        #expect(scene.events.all == [])
    }

    @Test func `the finding names the claims`() async {
        #expect(
            await scene.finding(of: scene.mint(["at_hash": "secret", "token_use": "id"]))
                == "expected no at_hash, no c_hash, no token_use of id, got at_hash, token_use id")
    }

    @Test func `a forged ID token is refused for its signature`() async {
        let impostor = TestIssuer("https://as.example.com", time: scene.clock.time)
        let token = impostor.mint(audience: Scene.identifier, claims: ["at_hash": "x"])
        expectRefused(await scene.refusal(of: token), .invalidSignature)
    }

    @Test func `a nonce alone is accepted, and reported once a minute`() async {
        let event = ResourceEvent.tokenWithNonce(
            issuer: "https://as.example.com", resource: "https://api.example.com/notes")
        for _ in 0..<3 { #expect(await scene.refusal(of: scene.mint(["nonce": "n"])) == nil) }
        #expect(scene.events.all == [event])
        scene.clock.advance(by: .seconds(59))
        #expect(await scene.refusal(of: scene.mint(["nonce": "n"])) == nil)
        #expect(scene.events.all == [event])
        scene.clock.advance(by: .seconds(1))
        #expect(await scene.refusal(of: scene.mint(["nonce": "n"])) == nil)
        #expect(scene.events.all == [event, event])
    }

    @Test func `a refused token with a nonce is not reported`() async {
        expectRefused(await scene.refusal(of: scene.mint(["nonce": "n", "aud": "x"])), .audienceMismatch)
        #expect(scene.events.all == [])
    }
}
