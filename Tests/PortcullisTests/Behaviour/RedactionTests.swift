// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 6750 §5.3 Printed values contain no secret")
struct RedactionTests {
    /// Every way to print a value in a log.
    static func prints(of value: some Any) -> String {
        var dumped = ""
        dump(value, to: &dumped)
        return "\(value) \(String(reflecting: value)) \([value]) \(dumped)"
    }

    /// The forms to search for: the text itself, and its bytes as Swift prints an array of them.
    static func spellings(of secret: String) -> [String] {
        let bytes = Array(secret.utf8)
        return [secret, bytes.map(String.init).joined(separator: ", ")]
    }

    @Test func `a printed request head contains no secret`() {
        let head = RequestHead.get(
            "/notes?access_token=s3cr3t", bearer: "s3cr3t", fields: [("Cookie", "s3cr3t")])
        for prints in [Self.prints(of: head), Self.prints(of: head.fields)] {
            for secret in Self.spellings(of: "s3cr3t") { #expect(!prints.contains(secret)) }
        }
        #expect("\(head)" == "RequestHead(GET)")
    }

    @Test func `a printed introspection request or answer contains no secret`() {
        let request = FetchRequest(
            url: "https://as.example.com/introspect", method: .post, fields: [.authorization: "Basic s3cr3t"],
            body: Array("token=s3cr3t".utf8))
        let response = FetchResponse(
            status: .ok, fields: [.contentType: "s3cr3t"], body: Array("s3cr3t".utf8))
        for prints in [Self.prints(of: request), Self.prints(of: response)] {
            for secret in Self.spellings(of: "s3cr3t") { #expect(!prints.contains(secret)) }
        }
        #expect("\(request)" == "FetchRequest(POST https://as.example.com/introspect)")
    }

    @Test func `a printed resource, its parts and its decisions contain no secret`() async throws {
        let scene = Scene()
        let token = scene.mint(claims: ["email": "s3cr3t@example.com"])
        let issuer = TrustedIssuer.introspection(
            issuer: "https://as.example.com", authenticatedBy: .clientSecretBasic(id: "rs", secret: "s3cr3t"))
        let accepted = try await scene.resource.authorize(.get("/notes", bearer: token))
        let refused = try #require(await scene.refusal(of: "s3cr3t"))
        let all = [
            Self.prints(of: accepted), Self.prints(of: refused), Self.prints(of: issuer),
            Self.prints(of: refused.head), Self.prints(of: scene.issuer.key),
        ]
        let exponent = try #require(scene.issuer.key.jsonIncludingPrivateMembers["d"]?.string)
        for prints in all {
            #expect(!prints.contains("s3cr3t") && !prints.contains(token) && !prints.contains(exponent))
        }
    }
}
