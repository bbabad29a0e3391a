// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

/// Comparison and binding faults of other implementations.
@Suite("Advisories of 2025 and 2026: comparisons, bindings and refusals")
struct BindingAdvisories {
    /// The gate's comparisons, each tested with a matching and a different value.
    enum Comparison: String, CaseIterable, CustomTestStringConvertible {
        case aud, iss, typ, alg, exp, nbf, jkt, x5t = "x5t#S256", ath, htm, htu, nonce

        var testDescription: String { rawValue }
    }

    private static let certificate: [UInt8] = [0x30, 0x03, 0x02, 0x01, 0x07]

    @Test(arguments: Comparison.allCases)
    func `CVE-2026-50628 (Apache CXF): no comparison of the gate is inverted`(
        comparison: Comparison
    )
        async throws
    {
        for isRight in [true, false] {
            let (refusal, reason) = try await verdict(comparison, isRight: isRight)
            if isRight { #expect(refusal == nil) } else { expectRefused(refusal, reason) }
        }
    }

    private func verdict(_ comparison: Comparison, isRight: Bool) async throws -> (Refusal?, RefusalReason) {
        switch comparison {
        case .aud: await claims(["aud": isRight ? .string(Scene.identifier) : "x"], .audienceMismatch)
        case .iss: await claims(["iss": isRight ? "https://as.example.com" : "x"], .unknownIssuer)
        case .exp: await claims(["exp": isRight ? 1_799_999_971 : 1_799_999_970], .expired)
        case .nbf: await claims(["nbf": isRight ? 1_800_000_030 : 1_800_000_031], .notYetValid)
        case .typ: await header(["typ": isRight ? "at+jwt" : "JWT"], .unsupportedTokenType)
        case .alg: await algorithm(isRight ? .es256 : .es384)
        case .x5t: await bound(to: isRight ? Self.certificate : Self.certificate + [0])
        case .jkt: await proven(isByHolder: isRight, [:], .proofKeyMismatch)
        case .ath: await proven(isRight ? [:] : ["ath": .string(Self.otherHash)], .proofTokenMismatch)
        case .htm: await proven(isRight ? [:] : ["htm": "POST"], .proofMethodMismatch)
        case .htu: await proven(isRight ? [:] : ["htu": "https://api.example.com/x"], .proofTargetMismatch)
        case .nonce: try await nonce(isRight: isRight)
        }
    }

    private static let otherHash = Digest.sha256(Array("other".utf8)).base64URL

    private func claims(_ claims: JSONObject, _ reason: RefusalReason) async -> (Refusal?, RefusalReason) {
        let scene = Scene()
        return (await scene.refusal(of: scene.mint(claims: claims)), reason)
    }

    private func header(_ header: JSONObject, _ reason: RefusalReason) async -> (Refusal?, RefusalReason) {
        let scene = Scene()
        return (await scene.refusal(of: scene.mint(header: header)), reason)
    }

    private func algorithm(_ allowed: SignatureAlgorithm) async -> (Refusal?, RefusalReason) {
        var policy = TokenPolicy()
        policy.algorithms = [allowed]
        let scene = Scene(tokens: policy)
        return (await scene.refusal(of: scene.mint()), .unsupportedAlgorithm)
    }

    private func bound(to certificate: [UInt8]) async -> (Refusal?, RefusalReason) {
        let scene = Scene()
        let token = scene.issuer.mint(audience: Scene.identifier, certificate: certificate)
        let refusal = await scene.resource.refusal(
            of: .get("/notes", bearer: token),
            in: AuthorizationContext(clientCertificate: .connection(der: Self.certificate)))
        return (refusal, .clientCertificateMismatch)
    }

    private func proven(
        isByHolder: Bool = true, _ claims: JSONObject, _ reason: RefusalReason
    ) async -> (Refusal?, RefusalReason) {
        let scene = DPoPScene()
        let client = isByHolder ? scene.client : TestDPoPClient(time: scene.clock.time)
        let proof = client.proof(.get, DPoPScene.uri, token: scene.token, claims: claims)
        return (await scene.refusal(proof), reason)
    }

    private func nonce(isRight: Bool) async throws -> (Refusal?, RefusalReason) {
        let scene = DPoPScene { $0.nonce = .required }
        let nonce = try #require(await scene.refusal(scene.proof())?.dpopNonce)
        let other = try #require(
            await DPoPScene { $0.nonce = .required }.nonceOfRefusal())
        return (await scene.refusal(scene.proof(nonce: isRight ? nonce : other)), .staleNonce)
    }

    @Test(arguments: ["a\r\nSet-Cookie: x=y", "a\nb", "a\u{0}", "a\"", "a\\", "a\u{7F}", "\u{2028}", "é", ""])
    func `CVE-2026-50630 (Apache CXF): no realm and no parameter splits a response`(value: String) {
        for name in ["realm", "hint"] {
            let found = problems { () throws(ConfigurationError) in
                _ = try ProtectedResource(
                    validating: .init(
                        ProtectedResourceMetadata(resource: "https://api.example.com/notes"),
                        trusting: [Scene().issuer.trusted], challengeParameters: [(name, value)]))
            }
            #expect(found.map(\.path) == ["challengeParameters.\(name)"])
        }
    }

    @Test func `CVE-2026-50630 (Apache CXF): no text from a request is in a challenge`() async {
        let scene = Scene()
        let mark = "zq-mark"
        for token in [mark, scene.mint(claims: ["sub": .string(mark), "aud": .string(mark)]), "\(mark).b.c"] {
            let head = RequestHead.get(
                "/notes/\(mark)?\(mark)=\(mark)", bearer: token,
                fields: [("Host", "\(mark).example"), ("User-Agent", mark), ("X-Forwarded-Host", mark)])
            let refusal = await scene.resource.refusal(of: head)
            #expect(refusal?.status == .unauthorized)
            let answer =
                (refusal?.head.lines ?? []).joined() + String(decoding: refusal?.body ?? [], as: UTF8.self)
            #expect(!answer.contains(mark))
        }
    }

    @Test func `auth0/node-oauth2-jwt-bearer #244: no Host makes a proof valid for another path`() async {
        let scene = DPoPScene()
        for host in ["api.example.com/other?", "api.example.com/other#", "a@api.example.com", "evil.example"]
        {
            for name in ["Host", "X-Forwarded-Host", "X-Forwarded-Prefix", "X-Forwarded-Uri"] {
                for uri in ["https://api.example.com/other", "https://\(host)/notes", "https://\(host)"] {
                    let head = RequestHead.dpop(
                        .get, "/notes", token: scene.token, proofs: [scene.proof(uri)], fields: [(name, host)]
                    )
                    expectRefused(await scene.resource.refusal(of: head), .proofTargetMismatch)
                }
                let own = RequestHead.dpop(
                    .get, "/notes", token: scene.token, proofs: [scene.proof()], fields: [(name, host)])
                #expect(await scene.resource.refusal(of: own) == nil)
            }
        }
    }

    @Test(arguments: RefusalReason.allCases)
    func `mod_oauth2 #94: every refusal has an error status`(reason: RefusalReason) {
        let challenger = Challenger(metadataURL: Scene.metadataURL, dpopAlgorithms: [.es256])
        for attempt in [Attempt.none, .with(.bearer), .with(.dpop), .unclear] {
            let refusal = challenger.refusal(reason, answering: attempt, requiring: .anyValidToken)
            #expect((400...599).contains(refusal.status.code))
        }
        #expect((400...599).contains(reason.outcome.status))
    }

    @Test func `zeroid #193, #272: a bound token is refused without its proof`() async {
        let scene = DPoPScene()
        let bearer = RequestHead.get("/notes", bearer: scene.token)
        for _ in 0..<2 {
            expectRefused(await scene.resource.refusal(of: bearer), .boundTokenAsBearer)
            guard case .refused(let refusal) = scene.resource.progress(bearer, withTime: true)
            else {
                Issue.record("not refused at once")
                return
            }
            expectRefused(refusal, .boundTokenAsBearer)
            expectRefused(await scene.refusal(), .missingProof)
            #expect(await scene.refusal(scene.proof()) == nil)
        }
        // A resource without a DPoP configuration enforces the binding all the same.
        let plain = Scene()
        let token = plain.issuer.mint(audience: Scene.identifier, boundTo: scene.client)
        expectRefused(await plain.refusal(of: token), .boundTokenAsBearer)
        for confirmation in [["kid": "x"], ["jwk": ["kty": "EC"]], ["x5t": "x"], ["jkt": ""], [:]]
            as [JSONValue]
        {
            let other = plain.mint(claims: ["cnf": confirmation])
            expectRefused(await plain.refusal(of: other), .unprovenPossession)
        }
    }
}

extension DPoPScene {
    /// The nonce in the answer to a request without one.
    fileprivate func nonceOfRefusal() async -> String? {
        await refusal(proof())?.dpopNonce
    }
}
