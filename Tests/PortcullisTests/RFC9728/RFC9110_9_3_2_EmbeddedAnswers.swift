// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisTesting
import Testing

@Suite("RFC 9110 §9.3.2 The gate's answers in another server")
struct EmbeddedAnswerTests {
    private static let path = "/.well-known/oauth-protected-resource/notes"
    private let issuer = TestIssuer("https://as.example.com")
    private var resource: ProtectedResource {
        ProtectedResource("https://api.example.com/notes", trusting: issuer.trusted)
    }

    @Test func `the answer to HEAD has the length of the document and no body`() throws {
        let registry = try ResourceRegistry([resource])
        let full = try #require(resource.metadataResponse(to: .get(Self.path)))
        let head = RequestHead.test(.head, Self.path)
        for answer in [resource.metadataResponse(to: head), registry.current.metadataResponse(to: head)] {
            let answer = try #require(answer)
            #expect(answer.head.status == .ok)
            #expect(answer.body.isEmpty)
            #expect(answer.head.fields[.contentLength] == String(full.body.count))
        }
        #expect(full.head.fields[.contentLength] == nil)
    }

    @Test func `an unchanged document has no length for HEAD`() throws {
        let tag = try #require(resource.metadataResponse(to: .get(Self.path))?.head.fields[.etag])
        let head = RequestHead.test(.head, Self.path, fields: [("If-None-Match", tag)])
        let answer = try #require(resource.metadataResponse(to: head))
        #expect(answer.head.status == .notModified)
        #expect(answer.head.fields[.contentLength] == nil)
    }

    @Test func `RFC 9449 §8.2: an admitted request gets the next nonce and no other field changes`() {
        var policy = DPoPPolicy()
        policy.nonce = .required
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: issuer.trusted, dpop: .accepted(policy))
        let head = RequestHead.dpop("/notes", token: "t", proofs: ["p"])
        let fields = resource.additionalFields(for: head, status: .ok)
        #expect(fields["DPoP-Nonce"] != nil)
        #expect(fields[.cacheControl] == "no-store")
        #expect(fields.count == 2)
        #expect(resource.additionalFields(for: .get("/notes", bearer: "t"), status: .ok).count == 2)
    }

    @Test func `RFC 9440 §2.4: an answer from a proxy that sends certificates varies with them`() {
        let fields = resource.additionalFields(
            for: .get("/notes", bearer: "t"), status: .ok,
            in: AuthorizationContext(clientCertificate: .trustedField))
        #expect(fields.values(of: .vary) == ["Client-Cert"])
        #expect(fields.count == 1)
    }
}
