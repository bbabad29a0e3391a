// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9449 §4.3 Checking DPoP proofs")
struct RFC9449_4_3_Proofs {
    let scene = DPoPScene()

    @Test(arguments: SignatureAlgorithm.allCases)
    func `a valid proof is accepted, and the token has its binding`(algorithm: SignatureAlgorithm)
        async throws
    {
        let scene = DPoPScene(algorithm: algorithm)
        for _ in 0..<2 {
            let head = RequestHead.dpop("/notes", token: scene.token, proofs: [scene.proof()])
            let token = try await scene.resource.authorize(head, requiring: "notes:read")
            #expect(token.binding == .dpop)
            #expect(token.subject == "user-1")
        }
    }

    @Test func `#1: there is one proof`() async {
        let proof = scene.proof()
        await scene.expectRefused(reason: .missingProof, "The DPoP proof is missing")
        await scene.expectRefused("", reason: .missingProof, "The DPoP proof is missing")
        let several = "More than one DPoP proof was sent"
        await scene.expectRefused(proof, proof, reason: .repeatedProof, several)
        await scene.expectRefused(proof, scene.proof(), reason: .repeatedProof, several)
        await scene.expectRefused("\(proof), \(proof)", reason: .malformedProof, ProofText.malformed)
        #expect(await scene.refusal(proof) == nil)
    }

    @Test(arguments: ["x", "a.b", "a.b.c", "a.b.c.d.e", "e30.e30.e30", "é", ".."])
    func `#2: it is a JWT`(proof: String) async {
        await scene.expectRefused(proof, reason: .malformedProof, ProofText.malformed)
    }

    @Test(arguments: ["jti", "htm", "htu", "iat", "ath"])
    func `#3: every claim is present, and of its type`(name: String) async {
        await scene.expectRefused(
            scene.proof(omitting: [name]), reason: .malformedProof, ProofText.malformed)
        for value in [.null, true, ["GET"], name == "iat" ? "1800000000" : 1] as [JSONValue] {
            await scene.expectRefused(
                scene.proof(claims: [name: value]), reason: .malformedProof, ProofText.malformed)
        }
        if name == "jti" {
            await scene.expectRefused(
                scene.proof(claims: ["jti": ""]), reason: .malformedProof, ProofText.malformed)
        }
    }

    @Test(arguments: ["JWT", "at+jwt", "DPOP+JWT", "application/dpop+jwt", "dpop+jwt ", ""])
    func `#4: the type is dpop+jwt`(type: String) async {
        await scene.expectRefused(
            scene.proof(header: ["typ": .string(type)]), reason: .malformedProof, ProofText.malformed)
    }

    @Test(arguments: ["none", "HS256", "HS512", "es256", "", "RSA1_5"])
    func `#5: the algorithm is asymmetric`(name: String) async {
        await scene.expectRefused(
            scene.proof(header: ["alg": .string(name)]), reason: .unsupportedProofAlgorithm,
            ProofText.malformed)
    }

    @Test func `#5: the algorithm is one that the resource lists`() async throws {
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.dpopSigningAlgorithmsSupported = ["EdDSA", "ES256"]
        let resource = try ProtectedResource(
            validating: .init(metadata, trusting: [scene.issuer.trusted], time: scene.clock.time))
        let head = { (client: TestDPoPClient) in
            let token = scene.issuer.mint(audience: Scene.identifier, boundTo: client)
            return RequestHead.dpop(
                "/notes", token: token, proofs: [client.proof(.get, DPoPScene.uri, token: token)])
        }
        #expect(await resource.refusal(of: head(scene.client)) == nil)
        let other = await resource.refusal(
            of: head(TestDPoPClient(algorithm: .es384, time: scene.clock.time)))
        expectRefused(other, .unsupportedProofAlgorithm)
        #expect(other?.challenges.first?["algs"] == "EdDSA ES256")
    }

    @Test func `#6: the signature is that of the key in the proof`() async {
        let stranger = TestDPoPClient(time: scene.clock.time).key.publicKey.publicJSON
        await scene.expectRefused(
            scene.proof(header: ["jwk": .object(stranger)]), reason: .invalidProofSignature,
            ProofText.malformed)
        let proof = scene.proof()
        let other = scene.proof()
        let signature = other.split(separator: ".")[2]
        let forged = proof.split(separator: ".").prefix(2).joined(separator: ".") + "." + signature
        await scene.expectRefused(forged, reason: .invalidProofSignature, ProofText.malformed)
        // A header with a verified signature does not verify others.
        #expect(await scene.refusal(proof) == nil)
        await scene.expectRefused(forged, reason: .invalidProofSignature, ProofText.malformed)
    }

    @Test func `#7: the key is a public one`() async throws {
        var key = scene.client.key.jsonIncludingPrivateMembers
        await scene.expectRefused(
            scene.proof(header: ["jwk": .object(key)]), reason: .malformedProof, ProofText.malformed)
        key["d"] = nil
        #expect(await scene.refusal(scene.proof(header: ["jwk": .object(key)])) == nil)
        for name in ["p", "q", "dp", "dq", "qi", "oth", "k"] {
            var withPrivate = key
            withPrivate[name] = "AAAA"
            await scene.expectRefused(
                scene.proof(header: ["jwk": .object(withPrivate)]), reason: .malformedProof,
                ProofText.malformed)
        }
        let symmetric: JSONObject = ["kty": "oct", "k": "AAAA"]
        for value in [.object(symmetric), .null, "x", .object([:]), ["x"]] as [JSONValue] {
            await scene.expectRefused(
                scene.proof(header: ["jwk": value]), reason: .malformedProof, ProofText.malformed)
        }
    }

    @Test(arguments: ["crit", "b64", "zip"])
    func `#6: a critical extension is refused`(name: String) async {
        await scene.expectRefused(
            scene.proof(header: [name: ["exp"]]), reason: .malformedProof, ProofText.malformed)
    }

    @Test func `§4.2: other references to keys are ignored`() async {
        let header: JSONObject = ["kid": "x", "jku": "https://evil.example/keys", "x5c": ["AAAA"]]
        #expect(await scene.refusal(scene.proof(header: header)) == nil)
    }

    @Test(arguments: ["get", "Get", "POST", "", "GET "])
    func `#8: the method is the request's, in the same case`(method: String) async {
        await scene.expectRefused(
            scene.proof(claims: ["htm": .string(method)]), reason: .proofMethodMismatch, ProofText.other)
    }

    @Test(arguments: [
        "https://api.example.com/notes", "HTTPS://API.example.COM:443/notes",
        "https://api.example.com/%6eotes",
        "https://api.example.com/notes?page=2", "https://api.example.com/notes#top",
        "https://api.example.com/x/../notes", "https://api.example.com/./notes",
        "https://api.example.com/%2e/notes",
    ])
    func `#9: the URI is the request's, normalised, without query and fragment`(uri: String) async {
        #expect(await scene.refusal(scene.proof(uri), target: "/notes?page=2") == nil)
        #expect(await scene.refusal(scene.proof(uri), target: "/%6Eotes") == nil)
        #expect(await scene.refusal(scene.proof(uri), target: "http://internal:8080/notes?x=1") == nil)
    }

    @Test(arguments: [
        "http://api.example.com/notes", "https://api.example.com:444/notes", "https://api.example.com/notes/",
        "https://api.example.com/Notes", "https://api.example.com", "https://api.example.com//notes",
        "https://evil.example.com/notes", "https://x@api.example.com/notes", "/notes", "",
        "https://api.example.com/notes%2f", "https://api.example.com.evil/notes", "notes",
        "https://api.example.com/notes/../x",
        "ftp://api.example.com/notes", "https://api.example.com/note", "https://api.example.com/notess",
    ])
    func `#9: another URI is refused`(uri: String) async {
        await scene.expectRefused(scene.proof(uri), reason: .proofTargetMismatch, ProofText.other)
    }

    @Test func `#9: the request's host fields do not matter`() async {
        let spoofed = [
            ("Host", "evil.example"), ("X-Forwarded-Host", "evil.example"),
            ("Forwarded", "host=evil.example"),
        ]
        let good = RequestHead.dpop(
            .get, "/notes", token: scene.token, proofs: [scene.proof()], fields: spoofed)
        #expect(await scene.resource.refusal(of: good) == nil)
        let bad = RequestHead.dpop(
            .get, "/notes", token: scene.token, proofs: [scene.proof("https://evil.example/notes")],
            fields: spoofed)
        expectRefused(await scene.resource.refusal(of: bad), .proofTargetMismatch)
    }

    @Test func `#9: a resource without a path has the path of a slash`() async throws {
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com:8443")
        metadata.dpopBoundAccessTokensRequired = true
        let resource = try ProtectedResource(
            validating: .init(metadata, trusting: [scene.issuer.trusted], time: scene.clock.time))
        let token = scene.issuer.mint(audience: "https://api.example.com:8443", boundTo: scene.client)
        for uri in ["https://api.example.com:8443", "https://api.example.com:8443/"] {
            let proof = scene.client.proof(.get, uri, token: token)
            #expect(await resource.refusal(of: .dpop("/", token: token, proofs: [proof])) == nil)
        }
    }

    @Test func `#11: iat is now`() async {
        // Proofs from before the start have their own tests.
        scene.clock.advance(by: .seconds(60))
        for age in [60, 59, 0, -5] {
            let moment = JSONValue.number(JSONNumber(1_800_000_060 - age))
            #expect(await scene.refusal(scene.proof(claims: ["iat": moment])) == nil)
        }
        for age in [61, 3600, -6, -3600, 1_800_000_000] {
            let moment = JSONValue.number(JSONNumber(1_800_000_060 - age))
            await scene.expectRefused(
                scene.proof(claims: ["iat": moment]), reason: .proofOutsideWindow, ProofText.time)
        }
    }

    @Test func `#11: the window is configurable`() async {
        let scene = DPoPScene {
            $0.proofMaxAge = .seconds(300)
            $0.proofMaxFuture = .zero
        }
        let proof = scene.proof()
        scene.clock.advance(by: .seconds(300))
        #expect(await scene.refusal(proof) == nil)
        let old = scene.proof()
        scene.clock.advance(by: .milliseconds(300_500))
        expectRefused(await scene.refusal(old), .proofOutsideWindow)
        let early = scene.proof(claims: ["iat": .number(JSONNumber(1_800_000_602))])
        expectRefused(await scene.refusal(early), .proofOutsideWindow)
    }

    @Test func `#12: ath equals the hash of the presented token`() async {
        let other = Digest.sha256(Array("other".utf8)).base64URL
        let right = Digest.sha256(Array(scene.token.utf8)).base64URL
        for value in [other, "", right + "=", String(right.dropLast())] {
            await scene.expectRefused(
                scene.proof(claims: ["ath": .string(value)]), reason: .proofTokenMismatch, ProofText.other)
        }
    }

    @Test func `§7.1: the hash of the RFC's own token`() {
        let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
        #expect(
            Digest.sha256(Array(token.utf8)).base64URL == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo")
    }

    @Test func `§6.1: the key is the one that the token is bound to`() async {
        let stranger = TestDPoPClient(time: scene.clock.time)
        let proof = stranger.proof(.get, DPoPScene.uri, token: scene.token)
        let refusal = await scene.refusal(proof)
        expectRefused(refusal, .proofKeyMismatch)
        #expect(refusal?.status == .unauthorized)
        #expect(
            refusal?.challenges.map(\.description) == [
                #"DPoP algs="\#(DPoPScene.algorithms)", resource_metadata="\#(DPoPScene.metadataURL)", "#
                    + #"error="invalid_token", error_description="The access token is bound to another key""#
            ])
    }

    @Test func `a proof's length is bounded`() async {
        let proof = scene.proof(claims: ["x": .string(String(repeating: "a", count: 9000))])
        await scene.expectRefused(proof, reason: .malformedProof, ProofText.malformed)
        let long = scene.proof(claims: ["jti": .string(String(repeating: "a", count: 2000))])
        #expect(await scene.refusal(long) == nil)
    }

    @Test func `no part of a proof is in the answer`() async {
        let refusal = await scene.refusal(scene.proof("https://api.example.com/secret"))
        #expect(refusal.map { !($0.head.lines.joined() + "\($0)").contains("secret") } == true)
    }
}
