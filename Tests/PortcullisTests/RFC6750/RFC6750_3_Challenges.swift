// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 6750 §3 Challenges")
struct RFC6750_3_Challenges {
    static func resource(_ parameters: [(name: String, value: String)]) throws(ConfigurationError)
        -> ProtectedResource
    {
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.authorizationServers = ["https://as.example.com"]
        return try ProtectedResource(
            validating: .init(
                metadata,
                trusting: [.jwt(issuer: "https://as.example.com", keys: .fixed(JWKSet([])))],
                challengeParameters: parameters))
    }

    @Test func `the order is fixed: realm first, error and its description last`() async throws {
        let resource = try Self.resource([
            ("authorization_uri", "https://as.example.com/a"), ("realm", "notes"),
        ])
        let refusal = await resource.refusal(of: .get("/notes", bearer: "a b"), requiring: ["b", "a"])
        #expect(
            refusal?.challenges.map(\.description) == [
                #"Bearer realm="notes", resource_metadata="\#(Scene.metadataURL)", scope="b a", "#
                    + #"authorization_uri="https://as.example.com/a", error="invalid_token", "#
                    + #"error_description="The access token is malformed""#
            ])
    }

    @Test(arguments: [
        ("scope", "a"), ("ERROR", "a"), ("error_description", "a"), ("error_uri", "a"),
        ("resource_metadata", "a"),
        ("algs", "a"), ("acr_values", "a"), ("max_age", "a"), ("x_scope", "a"), ("my-Error", "a"),
        ("x_resource_metadata", "a"), ("", "a"), ("a b", "a"), ("a=b", "a"), ("a,b", "a"), ("é", "a"),
        ("realm", ""),
        ("realm", "a\"b"), ("realm", "a\\b"), ("realm", "a\r\nb"), ("realm", "é"), ("realm", "a,b"),
        ("x", "scope=b"),
        ("x", "the error=b"), ("x", "resource_metadata=b"), ("x", "a\tb"),
    ])
    func `a parameter that clients would misread is refused`(name: String, value: String) {
        let found = problems { () throws(ConfigurationError) in _ = try Self.resource([(name, value)]) }
        #expect(found.map(\.path) == ["challengeParameters.\(name)"])
    }

    @Test func `a parameter occurs once, in any case`() {
        let found = problems { () throws(ConfigurationError) in
            _ = try Self.resource([("realm", "a"), ("Realm", "b")])
        }
        #expect(found.map(\.path) == ["challengeParameters.Realm"])
    }

    @Test(arguments: RefusalReason.allCases)
    func `texts are fixed and safe for simple parsers`(reason: RefusalReason) {
        let (status, error) = reason.outcome
        #expect([400, 401, 403, 503].contains(status))
        #expect(reason.publicDescription != nil || error == nil || status == 503)
        guard let text = reason.publicDescription else { return }
        #expect(error != nil)
        #expect(Challenge.isQuotable(text))
        #expect(!text.contains(",") && !text.contains("=") && !text.isEmpty)
    }

    @Test(arguments: RefusalReason.allCases)
    func `no refusal is cacheable, and every refusal but 503 names the metadata`(reason: RefusalReason)
        throws
    {
        let challenger = Challenger(metadataURL: Scene.metadataURL)
        let isOutage = reason.outcome.status == 503
        let isBare = isOutage || reason == .malformedClientCertificate
        let refusal =
            isOutage
            ? challenger.unavailable(reason, retryAfter: .seconds(5))
            : challenger.refusal(reason, requiring: "a")
        #expect(refusal.head.fields[.cacheControl] == "no-store")
        #expect(refusal.head.fields.values(of: .wwwAuthenticate).count == (isBare ? 0 : 1))
        #expect(
            refusal.challenges.allSatisfy {
                $0["resource_metadata"] == Scene.metadataURL
                    && $0["scope"] == (reason.namesNoScope ? nil : "a")
            })
        #expect(refusal.head.fields.contains(.contentType) == !refusal.body.isEmpty)
        guard !refusal.body.isEmpty else { return }
        let body = try JSONValue.parse(refusal.body).object
        let error = refusal.challenges.first?["error"] ?? reason.outcome.error
        #expect(body?["error"]?.string == error)
        #expect(body?["error_description"]?.string == refusal.challenges.first?["error_description"])
    }

    @Test func `no text from the request is in the answer`() async {
        let scene = Scene()
        let head = RequestHead.get(
            "/notes?secret", bearer: "evil.evil.evil",
            fields: [("Host", "evil.example"), ("X-Forwarded-Host", "evil")])
        let refusal = await scene.resource.refusal(of: head)
        #expect(refusal.map { !$0.head.lines.joined().contains("evil") } == true)
        #expect(refusal.map { !"\($0)".contains("evil") } == true)
    }

    @Test func `Retry-After is in whole seconds, rounded up`() {
        let challenger = Challenger(metadataURL: Scene.metadataURL)
        let after = { (duration: Duration) in
            challenger.unavailable(.keysUnavailable, retryAfter: duration).head.fields[.retryAfter]
        }
        #expect(after(.seconds(5)) == "5")
        #expect(after(.milliseconds(1001)) == "2")
        #expect(after(.zero) == "1")
    }
}
