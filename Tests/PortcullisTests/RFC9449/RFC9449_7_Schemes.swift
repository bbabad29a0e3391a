// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9449 §7 The schemes DPoP and Bearer")
struct RFC9449_7_Schemes {
    static let both = ["Bearer", "DPoP"]

    private func authorized(_ scene: DPoPScene, _ value: String, _ proofs: String...) async -> Refusal? {
        let fields = [("Authorization", value)] + proofs.map { ("DPoP", $0) }
        return await scene.resource.refusal(of: .get("/notes", fields: fields), requiring: "notes:read")
    }

    private func challenges(_ refusal: Refusal?) -> [String] {
        refusal?.challenges.map { "\($0.scheme.rawValue) \($0["error"] ?? "-")" } ?? []
    }

    @Test(arguments: ["DPoP", "dpop", "DPOP", "dPoP"])
    func `§7.1: the case of the scheme does not matter`(scheme: String) async {
        let scene = DPoPScene()
        #expect(await authorized(scene, "\(scheme) \(scene.token)", scene.proof()) == nil)
        #expect(await authorized(scene, "\(scheme)   \(scene.token)", scene.proof()) == nil)
    }

    @Test func `§7.2: without credentials both schemes are challenged alike, Bearer first`() async {
        let scene = DPoPScene()
        let refusal = await scene.resource.refusal(of: .get("/notes"), requiring: "notes:read")
        let rest = #"resource_metadata="\#(DPoPScene.metadataURL)", scope="notes:read""#
        #expect(
            refusal?.challenges.map(\.description) == [
                "Bearer \(rest)", #"DPoP algs="\#(DPoPScene.algorithms)", \#(rest)"#,
            ])
        #expect(challenges(await authorized(scene, "Basic x")) == ["Bearer -", "DPoP -"])
    }

    @Test func `§7.2: an invalid bearer token gets the error in its scheme, and DPoP is offered`() async {
        let scene = DPoPScene()
        let refusal = await authorized(scene, "Bearer x.y.z")
        #expect(challenges(refusal) == ["Bearer invalid_token", "DPoP -"])
        let none = await authorized(scene, "Bearer")
        #expect(none?.status == .badRequest)
        #expect(challenges(none) == ["Bearer invalid_request", "DPoP -"])
    }

    @Test func `§7.1: an invalid token in the DPoP scheme gets only a DPoP challenge`() async {
        let scene = DPoPScene()
        let refusal = await authorized(scene, "DPoP x.y.z", scene.proof())
        expectRefused(refusal, .malformedJWT)
        #expect(challenges(refusal) == ["DPoP invalid_token"])
        let none = await authorized(scene, "DPoP")
        #expect(none?.status == .badRequest)
        #expect(challenges(none) == ["DPoP invalid_request"])
    }

    @Test func `§7.2: if the scheme is unknown, both challenges have the error`() async {
        let scene = DPoPScene()
        let fields = [("Authorization", "Bearer a"), ("Authorization", "DPoP a")]
        let refusal = await scene.resource.refusal(of: .get("/notes", fields: fields))
        #expect(refusal?.status == .badRequest)
        #expect(challenges(refusal) == ["Bearer invalid_request", "DPoP invalid_request"])
    }

    @Test func `§7.1: a missing scope is challenged in the request's scheme`() async {
        let scene = DPoPScene()
        let head = RequestHead.dpop("/notes", token: scene.token, proofs: [scene.proof()])
        let refusal = await scene.resource.refusal(of: head, requiring: "notes:write")
        #expect(refusal?.status == .forbidden)
        #expect(challenges(refusal) == ["DPoP insufficient_scope"])
        let bearer = scene.issuer.mint(audience: Scene.identifier)
        let other = await scene.resource.refusal(
            of: .get("/notes", bearer: bearer), requiring: "notes:write")
        #expect(challenges(other) == ["Bearer insufficient_scope"])
    }

    @Test func `§7.1: a handler's requirement is challenged in the request's scheme`() async throws {
        let scene = DPoPScene()
        let head = RequestHead.dpop("/notes", token: scene.token, proofs: [scene.proof()])
        let token = try await scene.resource.authorize(head)
        let refusal = #expect(throws: Refusal.self) { try token.require("notes:admin") }
        #expect(challenges(refusal) == ["DPoP insufficient_scope"])
    }

    @Test func `§7.2: a bound token is refused as a bearer token, with a proof or without`() async {
        let scene = DPoPScene()
        for proofs in [[], [scene.proof()]] {
            let head = RequestHead.get("/notes", bearer: scene.token, fields: proofs.map { ("DPoP", $0) })
            let refusal = await scene.resource.refusal(of: head)
            expectRefused(refusal, .boundTokenAsBearer)
            #expect(refusal?.status == .unauthorized)
            #expect(
                refusal?.challenges.map(\.description) == [
                    #"Bearer resource_metadata="\#(DPoPScene.metadataURL)", error="invalid_token", "#
                        + #"error_description="The access token is bound to a key "#
                        + #"and needs the DPoP scheme""#,
                    #"DPoP algs="\#(DPoPScene.algorithms)", resource_metadata="\#(DPoPScene.metadataURL)""#,
                ])
        }
    }

    @Test func `§7.2: a bound token is refused as a bearer token without DPoP too`() async {
        let scene = Scene()
        let client = TestDPoPClient(time: scene.clock.time)
        let token = scene.issuer.mint(audience: Scene.identifier, boundTo: client)
        expectRefused(await scene.refusal(of: token), .boundTokenAsBearer)
        let proof = client.proof(.get, DPoPScene.uri, token: token)
        let refusal = await scene.resource.refusal(of: .dpop("/notes", token: token, proofs: [proof]))
        expectRefused(refusal, .unsupportedScheme)
        #expect(challenges(refusal) == ["Bearer -"])
    }

    @Test func `§7.1: an unbound token in the DPoP scheme is refused`() async {
        let scene = DPoPScene()
        let token = scene.issuer.mint(audience: Scene.identifier, scope: "notes:read")
        let proof = scene.client.proof(.get, DPoPScene.uri, token: token)
        let refusal = await authorized(scene, "DPoP \(token)", proof)
        expectRefused(refusal, .unboundToken)
        #expect(refusal?.status == .unauthorized)
        #expect(challenges(refusal) == ["DPoP invalid_token"])
        #expect(await authorized(scene, "Bearer \(token)") == nil)
    }

    @Test func `a stray proof with a bearer token is ignored`() async {
        let scene = DPoPScene()
        let token = scene.issuer.mint(audience: Scene.identifier, scope: "notes:read")
        #expect(await authorized(scene, "Bearer \(token)", "nonsense", "twice") == nil)
    }

    @Test func `RFC 9728 §2: if bound tokens are required no others are accepted`() async {
        let scene = DPoPScene(.required)
        #expect(await scene.refusal(scene.proof()) == nil)
        #expect(challenges(await scene.resource.refusal(of: .get("/notes"))) == ["DPoP -"])
        let token = scene.issuer.mint(audience: Scene.identifier)
        let refusal = await scene.resource.refusal(of: .get("/notes", bearer: token))
        expectRefused(refusal, .unboundToken)
        #expect(refusal?.status == .unauthorized)
        #expect(
            refusal?.challenges.map(\.description) == [
                #"DPoP algs="\#(DPoPScene.algorithms)", resource_metadata="\#(DPoPScene.metadataURL)", "#
                    + #"error="invalid_token", error_description="The access token is not bound to a key""#
            ])
        let downgraded = await scene.resource.refusal(of: .get("/notes", bearer: scene.token))
        expectRefused(downgraded, .boundTokenAsBearer)
        // Cached tokens too.
        expectRefused(await scene.resource.refusal(of: .get("/notes", bearer: token)), .unboundToken)
    }

    @Test func `RFC 9728 §2: required without a list of algorithms means all of them`() async throws {
        let scene = DPoPScene()
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.dpopBoundAccessTokensRequired = true
        let resource = try ProtectedResource(
            validating: .init(metadata, trusting: [scene.issuer.trusted], time: scene.clock.time))
        let refusal = await resource.refusal(of: .get("/notes"))
        #expect(refusal?.challenges.map { $0["algs"] } == [DPoPScene.algorithms])
    }

    @Test func `RFC 9728 §2: the metadata lists no algorithm that cannot be verified`() {
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.dpopSigningAlgorithmsSupported = ["ES256", "ES256K"]
        let found = problems { () throws(ConfigurationError) in
            _ = try ProtectedResource(
                validating: .init(
                    metadata,
                    trusting: [.jwt(issuer: "https://as.example.com", keys: .fixed(JWKSet([])))]))
        }
        #expect(found.map(\.path) == ["metadata.dpopSigningAlgorithmsSupported[1]"])
    }

    @Test func `a token with a proof is never accepted unless the proof is verified`() async throws {
        let scene = DPoPScene()
        let head = RequestHead.dpop("/notes", token: scene.token, proofs: [scene.proof()])
        _ = try await scene.resource.authorize(head)
        guard case .needs(.signatureTime) = scene.resource.progress(head) else {
            Issue.record("decided without its proof")
            return
        }
        guard
            case .refused(let replay) = scene.resource.progress(head, withTime: true)
        else {
            Issue.record("the proof was accepted twice")
            return
        }
        #expect(replay.reason == .replayedProof)
        guard
            case .refused(let refusal) = scene.resource.progress(.get("/notes", bearer: scene.token))
        else {
            Issue.record("accepted as a bearer token")
            return
        }
        #expect(refusal.reason == .boundTokenAsBearer)
    }

    @Test(arguments: [["ES256"], ["EdDSA", "ES256"], ["PS512"]])
    func `RFC 9728 §2, RFC 9449 §7.1: the metadata and the challenge name the same algorithms`(
        names: [String]
    )
        async throws
    {
        let issuer = TestIssuer("https://as.example.com")
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.authorizationServers = [issuer.issuer]
        metadata.dpopSigningAlgorithmsSupported = names
        let resource = try ProtectedResource(validating: .init(metadata, trusting: [issuer.trusted]))
        let refusal = try #require(await resource.refusal(of: .get("/notes")))
        let document = try JSONValue.parse(resource.metadataDocument.body).object
        #expect(document?["dpop_signing_alg_values_supported"]?.strings == names)
        #expect(refusal.challenges.compactMap { $0["algs"] } == [names.joined(separator: " ")])
    }
}
