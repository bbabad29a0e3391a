// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("Explanations of the gate's decisions")
struct ExplanationTests {
    private func explain(
        _ scene: Scene, _ token: String?, requiring requirement: AccessRequirement = .anyValidToken
    ) async -> Explanation {
        await scene.resource.explain(.get("/notes", bearer: token), requiring: requirement)
    }

    @Test func `a valid token passes every step`() async {
        let scene = Scene()
        let explanation = await explain(scene, scene.mint(), requiring: "notes:read")
        #expect(explanation.steps.allSatisfy { $0.outcome == .passed })
        #expect((try? explanation.decision.get())??.subject == "user-1")
        #expect(
            explanation.steps.map(\.name) == [
                "credentials", "form of the token", "format of the token", "header and claims", "type",
                "algorithm", "issuer", "key", "signature", "audience", "times", "claims", "possession",
                "scopes",
            ])
    }

    @Test func `each refusal names its step, the expected and the actual value`() async {
        let scene = Scene()
        let identifier = Scene.identifier
        let rows: [(String, String, String, String)] = [
            (scene.mint(header: ["typ": "JWT"]), "type", "at+jwt", "JWT"),
            (scene.mint(claims: ["aud": "https://x"]), "audience", identifier, "https://x"),
            (scene.mint(claims: ["iss": "https://x"]), "issuer", "https://as.example.com", "https://x"),
            (scene.mint(omitting: ["jti", "sub"]), "claims", "sub, client_id, iat, jti", "without sub, jti"),
            (scene.mint(header: ["kid": "other"]), "key", "a key of the issuer", "kid other"),
            (
                scene.mint(claims: ["exp": 1_799_999_000]), "times",
                "now 2027-01-15 08:00:00 UTC, leeway 30 s",
                "exp 2027-01-15 07:43:20 UTC (16 min 40 s ago), nbf none, "
                    + "iat 2027-01-15 08:00:00 UTC (now)"
            ),
        ]
        for (token, name, expected, got) in rows {
            let explanation = await explain(scene, token)
            let step = explanation.failedStep
            #expect(step?.name == name && step?.expected == expected && step?.got == got)
            #expect(explanation.steps.last?.outcome == .notReached)
        }
    }

    @Test func `missing scopes are named`() async {
        let scene = Scene()
        let step = await explain(scene, scene.mint(scope: "a b"), requiring: "notes:write").failedStep
        #expect(step?.name == "scopes" && step?.expected == "notes:write" && step?.got == "a b")
    }

    @Test func `a request without credentials fails at the first step`() async {
        let scene = Scene()
        let explanation = await explain(scene, nil)
        #expect(explanation.failedStep?.got == "none" && explanation.steps.first?.outcome == .failed)
    }

    @Test func `an explanation repeats neither the token nor its control characters`() async {
        let scene = Scene()
        for token in [
            scene.mint(claims: ["aud": "a\u{7}\u{202E}b"]), scene.mint(), "opaque-token-that-is-no-jwt",
        ] {
            let explanation = await explain(scene, token)
            let text = explanation.steps.map { "\($0)" }.joined()
            for part in token.split(separator: ".") where part.count > 20 { #expect(!text.contains(part)) }
            #expect(!text.contains("\u{202E}"))
        }
    }
}
