// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 8705 §3 Certificate-bound tokens")
struct RFC8705_3_CertificateBinding {
    static let der: [UInt8] = [0x30, 0x03, 0x02, 0x01, 0x07]
    static let field = ("Client-Cert", ":MAMCAQc=:")
    let scene = Scene()

    private var token: String { scene.issuer.mint(audience: Scene.identifier, certificate: Self.der) }

    private func refusal(
        _ certificate: ClientCertificate, _ fields: (String, String)..., token: String? = nil
    ) async
        -> Refusal?
    {
        await scene.resource.refusal(
            of: .get("/notes", bearer: token ?? self.token, fields: fields),
            in: AuthorizationContext(clientCertificate: certificate))
    }

    private func expectInvalid(_ refusal: Refusal?, _ reason: RefusalReason) {
        #expect(refusal?.reason == reason)
        #expect(refusal?.status == .unauthorized)
        #expect(
            refusal?.challenges.map(\.description) == [
                #"Bearer resource_metadata="\#(Scene.metadataURL)", error="invalid_token", "#
                    + #"error_description="The access token is bound to a client certificate""#
            ])
    }

    @Test func `§3: the connection's certificate must be the one that the token is bound to`() async throws {
        let head = RequestHead.get("/notes", bearer: token)
        let token = try await scene.resource.authorize(
            head, in: AuthorizationContext(clientCertificate: .connection(der: Self.der)))
        #expect(token.binding == .mutualTLS)
    }

    @Test func `§3: another certificate and no certificate are refused, whatever is cached`() async {
        let token = token
        for _ in 0..<2 {
            expectInvalid(
                await refusal(.connection(der: Self.der + [0]), token: token), .clientCertificateMismatch)
            expectInvalid(await refusal(.none, token: token), .missingClientCertificate)
            #expect(await refusal(.connection(der: Self.der), token: token) == nil)
        }
    }

    @Test func `RFC 9440 §4: the field of an untrusted peer is ignored`() async {
        expectInvalid(await refusal(.none, Self.field), .missingClientCertificate)
        expectInvalid(
            await refusal(.connection(der: [1]), Self.field), .clientCertificateMismatch)
        #expect(await refusal(.connection(der: Self.der), ("Client-Cert", "nonsense")) == nil)
    }

    @Test func `RFC 9440 §2.2: a trusted proxy's field counts, whatever else is there`() async {
        #expect(await refusal(.trustedField, Self.field) == nil)
        #expect(
            await refusal(.trustedField, ("client-cert", ":MAMCAQc=:"), ("Client-Cert-Chain", "x")) == nil)
        expectInvalid(await refusal(.trustedField), .missingClientCertificate)
        expectInvalid(await refusal(.trustedField, ("Client-Cert", ":MAMCAQg=:")), .clientCertificateMismatch)
        expectInvalid(
            await refusal(.trustedField, ("Client-Cert-Chain", ":MAMCAQc=:")), .missingClientCertificate)
    }

    @Test(arguments: [
        "", ":", "::", "MAMCAQc=", ":MAMCAQc=", "MAMCAQc=:", ":MAMCAQc:", ":MAMC AQc=:", ":MAMCAQc=:;a=1",
        ":MAMCAQc=:, :MAMCAQc=:", ":MAMCAQd=:", ":_-MCAQc=:", "\"MAMCAQc=\"", ":MAMCAQc==:", ":M:",
    ])
    func `RFC 9440 §2.1: a malformed field is a malformed request, for any token`(value: String)
        async
    {
        for token in [token, scene.mint(), "x"] {
            let refusal = await refusal(.trustedField, ("Client-Cert", value), token: token)
            expectRefused(refusal, .malformedClientCertificate)
            #expect(refusal?.status == .badRequest)
            #expect(
                refusal?.head.lines == [
                    "HTTP/1.1 400 Bad Request", "Cache-Control: no-store", "Vary: Client-Cert",
                ])
            #expect(refusal?.body == [])
        }
    }

    @Test func `RFC 9440 §2.2: two fields are a malformed request`() async {
        let refusal = await refusal(.trustedField, Self.field, Self.field)
        expectRefused(refusal, .malformedClientCertificate)
        #expect(refusal?.status == .badRequest)
    }

    @Test func `RFC 9440 §2.4: answers that depend on the field have Vary`() async {
        #expect(await refusal(.trustedField)?.head.fields[.vary] == "Client-Cert")
        #expect(await refusal(.none)?.head.fields[.vary] == nil)
        var fields: Fields = [.vary: "Origin"]
        let head = RequestHead.get("/notes", bearer: token, fields: [Self.field])
        scene.resource.complete(
            &fields, status: .ok, answering: head, in: AuthorizationContext(clientCertificate: .trustedField))
        #expect(fields.values(of: .vary) == ["Origin", "Client-Cert"])
    }

    @Test func `an unbound token needs no certificate, and is accepted with one`() async {
        #expect(await refusal(.none, token: scene.mint()) == nil)
        #expect(await refusal(.connection(der: [1]), token: scene.mint()) == nil)
        #expect(await refusal(.trustedField, Self.field, token: scene.mint()) == nil)
        #expect(await refusal(.trustedField, token: scene.mint()) == nil)
    }

    @Test func `RFC 7800 §3.1: a token bound to a key and to a certificate needs both`() async {
        let scene = DPoPScene()
        let token = scene.issuer.mint(
            audience: Scene.identifier, boundTo: scene.client, certificate: Self.der)
        func refusal(_ certificate: ClientCertificate) async -> Refusal? {
            let proof = scene.client.proof(.get, DPoPScene.uri, token: token)
            return await scene.resource.refusal(
                of: .dpop("/notes", token: token, proofs: [proof]),
                in: AuthorizationContext(clientCertificate: certificate))
        }
        #expect(await refusal(.connection(der: Self.der)) == nil)
        let missing = await refusal(.none)
        expectRefused(missing, .missingClientCertificate)
        #expect(missing?.challenges.map(\.scheme) == [.dpop])
        let bearer = await scene.resource.refusal(
            of: .get("/notes", bearer: token),
            in: AuthorizationContext(clientCertificate: .connection(der: Self.der)))
        expectRefused(bearer, .boundTokenAsBearer)
    }

    @Test func `§3.2: an introspected token is bound too`() async {
        let fetcher = ScriptedFetcher()
        fetcher.on(
            "https://as.example.com/introspect",
            json: [
                "active": true, "aud": .string(Scene.identifier), "token_type": "Bearer",
                "cnf": ["x5t#S256": .string(Digest.sha256(Self.der).base64URL)],
            ])
        let resource = ProtectedResource(
            "https://api.example.com/notes",
            trusting: .introspection(
                issuer: "https://as.example.com", endpoint: "https://as.example.com/introspect",
                authenticatedBy: .clientSecretBasic(id: "a", secret: "b")), fetcher: fetcher)
        let head = RequestHead.get("/notes", bearer: "opaque")
        expectRefused(await resource.refusal(of: head), .missingClientCertificate)
        let context = AuthorizationContext(clientCertificate: .connection(der: Self.der))
        #expect(await resource.refusal(of: head, in: context) == nil)
    }

    @Test func `the immediate decision is the same`() async throws {
        let token = token
        let head = RequestHead.get("/notes", bearer: token)
        _ = await refusal(.connection(der: Self.der), token: token)
        let good = AuthorizationContext(clientCertificate: .connection(der: Self.der))
        guard case .admitted = scene.resource.progress(head, in: good),
            case .refused(let refusal) = scene.resource.progress(head),
            case .refused(let other) = scene.resource.progress(
                head, in: AuthorizationContext(clientCertificate: .trustedField))
        else {
            Issue.record("another decision")
            return
        }
        #expect(refusal.reason == .missingClientCertificate && other.reason == .missingClientCertificate)
        // The answer varies with the certificate, which the gate adds on the answer's way back.
        #expect(
            scene.resource.completesAnswer(
                to: head, in: AuthorizationContext(clientCertificate: .trustedField)))
    }
}
