// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

/// Whole answers, byte for byte, for tokens with published signatures.
///
/// The server adds `Date`, framing and CORS fields, which are not compared here; `WorkedExchangesServed` runs
/// the exchanges with them. Exchange 16 is in `RFC7662_2_Introspection`, exchange 18 concerns only the
/// server.
@Suite("RFC 9728 §5, RFC 6750 §3 Worked exchanges")
struct WorkedExchanges {
    static let challenge =
        #"WWW-Authenticate: Bearer "#
        + #"resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/mcp", "#
    static let dpop =
        #"WWW-Authenticate: DPoP algs="ES256", "#
        + #"resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/mcp", "#
        + #"scope="mcp:read""#
    let clock = ManualClock()
    let resource: ProtectedResource

    init() throws {
        resource = try Self.resource(Self.policy, clock)
    }

    private static func resource(
        _ policy: TokenPolicy, _ clock: ManualClock,
        methods: [ProtectedResourceMetadata.BearerMethod] = [.header]
    ) throws -> ProtectedResource {
        let keys = try JWKSet(parsing: Fixture.bytes("exchanges/jwks.json"))
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/mcp")
        metadata.authorizationServers = ["https://as.example.com"]
        metadata.scopesSupported = ["mcp:read", "mcp:write"]
        metadata.bearerMethodsSupported = methods
        metadata.dpopSigningAlgorithmsSupported = ["ES256"]
        return try ProtectedResource(
            validating: .init(
                metadata, trusting: [.jwt(issuer: "https://as.example.com", keys: .fixed(keys))],
                tokens: policy, time: clock.time))
    }

    private static var policy: TokenPolicy {
        var policy = TokenPolicy()
        policy.leeway = .zero
        return policy
    }

    private func refusal(_ name: String?, requiring requirement: AccessRequirement = "mcp:read") async throws
        -> Refusal
    {
        let head = RequestHead.get("/mcp", bearer: try name.map { try Fixture.text("exchanges/\($0).jwt") })
        return try #require(await resource.refusal(of: head, requiring: requirement))
    }

    private func expect(_ refusal: Refusal, _ lines: [String], _ body: String, byteCount: Int) {
        #expect(refusal.head.lines == lines)
        #expect(String(decoding: refusal.body, as: UTF8.self) == body)
        #expect(refusal.body.count == byteCount)
    }

    @Test func `1: no credentials`() async throws {
        let lines = [
            "HTTP/1.1 401 Unauthorized", Self.challenge + #"scope="mcp:read""#, Self.dpop,
            "Cache-Control: no-store",
        ]
        expect(try await refusal(nil), lines, "", byteCount: 0)
    }

    @Test func `2 and 3: the metadata, first and with its entity tag`() throws {
        let json = try JSONValue.parse(Fixture.bytes("exchanges/metadata.json"))
        let metadata = try ProtectedResourceMetadata(json: json)
        let document = MetadataDocument(metadata, maxAge: 3600)
        #expect(document.body == (try Fixture.bytes("exchanges/metadata.json")))
        #expect(document.body.count == 255)
        let path = "/.well-known/oauth-protected-resource/mcp"
        #expect(metadata.resource.wellKnownPath == path)
        let fields = [("Accept", "application/json"), ("MCP-Protocol-Version", "2026-07-28")]
        #expect(
            document.response(to: .get(path, fields: fields)).head.lines == [
                "HTTP/1.1 200 OK", "Cache-Control: public, max-age=3600", #"ETag: "3O577prE5kTpFOGnxO1ynH""#,
                "Access-Control-Allow-Origin: *", "Content-Type: application/json",
            ])
        let condition = [("If-None-Match", #"W/"old", "3O577prE5kTpFOGnxO1ynH""#)]
        #expect(
            document.response(to: .get(path, fields: condition)).head.lines == [
                "HTTP/1.1 304 Not Modified", "Cache-Control: public, max-age=3600",
                #"ETag: "3O577prE5kTpFOGnxO1ynH""#, "Access-Control-Allow-Origin: *",
            ])
    }

    @Test func `4: a browser's preflight for the metadata, and a wrong method`() {
        let fields = [
            ("Origin", "https://inspector.example"), ("Access-Control-Request-Method", "GET"),
            ("Access-Control-Request-Headers", "mcp-protocol-version"),
        ]
        let document = resource.metadataDocument
        #expect(
            document.response(to: .test(.options, "/x", fields: fields)).head.lines == [
                "HTTP/1.1 204 No Content", "Access-Control-Allow-Origin: *",
                "Access-Control-Allow-Methods: GET, HEAD, OPTIONS",
                "Access-Control-Allow-Headers: mcp-protocol-version", "Vary: Access-Control-Request-Headers",
            ])
        #expect(
            document.response(to: .test(.post, "/x")).head.lines == [
                "HTTP/1.1 405 Method Not Allowed", "Allow: GET, HEAD, OPTIONS",
                "Access-Control-Allow-Origin: *",
            ])
    }

    @Test func `5: a valid token, the scheme in lower case`() async throws {
        let value = "bearer " + (try Fixture.text("exchanges/AT1.jwt"))
        let head = RequestHead.get("/mcp", fields: [("Authorization", value)])
        let token = try await resource.authorize(head, requiring: "mcp:read")
        #expect(token.subject == "user-1")
        #expect(token.clientID == "client-1")
        #expect(token.issuer == "https://as.example.com")
        #expect(token.audience == ["https://api.example.com/mcp"])
        #expect(token.scopes == ["mcp:read"])
        #expect(token.expiresAt == 1_800_003_500)
        #expect(token.format == .jwt)
        #expect(token.binding == .none)
        #expect(token.claims["jti"]?.string == "at-1")
    }

    @Test func `6: an expired token`() async throws {
        let lines = [
            "HTTP/1.1 401 Unauthorized",
            Self.challenge
                + #"scope="mcp:read", error="invalid_token", error_description="The access token expired""#,
            Self.dpop, "Cache-Control: no-store", "Content-Type: application/json",
        ]
        let body = #"{"error":"invalid_token","error_description":"The access token expired"}"#
        let refusal = try await refusal("AT2")
        #expect(refusal.reason == .expired)
        expect(refusal, lines, body, byteCount: 72)
    }

    @Test func `7: a token for another audience`() async throws {
        let text = "The access token is not intended for this resource"
        let lines = [
            "HTTP/1.1 401 Unauthorized",
            Self.challenge + #"scope="mcp:read", error="invalid_token", error_description="\#(text)""#,
            Self.dpop, "Cache-Control: no-store", "Content-Type: application/json",
        ]
        let refusal = try await refusal("AT3")
        #expect(refusal.reason == .audienceMismatch)
        expect(refusal, lines, #"{"error":"invalid_token","error_description":"\#(text)"}"#, byteCount: 98)
    }

    @Test func `8: insufficient scope`() async throws {
        let text = "The access token lacks a required scope"
        let lines = [
            "HTTP/1.1 403 Forbidden",
            Self.challenge
                + #"scope="mcp:read mcp:write", error="insufficient_scope", error_description="\#(text)""#,
            "Cache-Control: no-store", "Content-Type: application/json",
        ]
        let refusal = try await refusal("AT1", requiring: ["mcp:read", "mcp:write"])
        #expect(refusal.reason == .insufficientScope)
        expect(
            refusal, lines, #"{"error":"insufficient_scope","error_description":"\#(text)"}"#, byteCount: 92)
    }

    @Test func `17: the authorization server is unreachable and nothing is cached`() async throws {
        let fetcher = ScriptedFetcher()
        let resource = ProtectedResource(
            "https://api.example.com/mcp", trusting: .jwt(issuer: "https://as.example.com"), fetcher: fetcher,
            time: clock.time)
        let head = RequestHead.get("/mcp", bearer: try Fixture.text("exchanges/AT1.jwt"))
        let refusal = try #require(await resource.refusal(of: head))
        #expect(refusal.reason == .keysUnavailable)
        let lines = [
            "HTTP/1.1 503 Service Unavailable", "Retry-After: 5", "Cache-Control: no-store",
            "Content-Type: application/json",
        ]
        expect(refusal, lines, #"{"error":"temporarily_unavailable"}"#, byteCount: 35)
    }

    private func refused(
        _ text: String, _ error: String, _ status: String = "401 Unauthorized", more: String...
    )
        -> [String]
    {
        [
            "HTTP/1.1 \(status)",
            Self.challenge + #"scope="mcp:read", error="\#(error)", error_description="\#(text)""#,
        ] + more + ["Cache-Control: no-store", "Content-Type: application/json"]
    }

    private func body(_ text: String, _ error: String) -> String {
        #"{"error":"\#(error)","error_description":"\#(text)"}"#
    }

    @Test func `9: two methods in one request`() async throws {
        let token = try Fixture.text("exchanges/AT1.jwt")
        let resource = try Self.resource(Self.policy, clock, methods: [.header, .body])
        let type = ("Content-Type", "application/x-www-form-urlencoded")
        let form = Array("access_token=\(token)&x=1".utf8)
        #expect(form.count == 399)
        let refusal = await resource.refusal(
            of: .test(.post, "/mcp", bearer: token, fields: [type]), requiring: "mcp:read",
            in: AuthorizationContext(form: form))
        let text = "More than one method was used to send the access token"
        expect(
            try #require(refusal), refused(text, "invalid_request", "400 Bad Request", more: Self.dpop),
            body(text, "invalid_request"), byteCount: 104)
        let twice = await resource.refusal(
            of: .get("/mcp", bearer: token, fields: [("Authorization", "Bearer \(token)")]))
        #expect(twice?.challenges.map { $0["error"] } == ["invalid_request", "invalid_request"])
    }

    @Test func `10: a token in the query, with query tokens off and on`() async throws {
        let token = try Fixture.text("exchanges/AT1.jwt")
        let head = RequestHead.get("/mcp?access_token=\(token)")
        let off = try #require(await resource.refusal(of: head, requiring: "mcp:read"))
        let lines = [
            "HTTP/1.1 401 Unauthorized", Self.challenge + #"scope="mcp:read""#, Self.dpop,
            "Cache-Control: no-store",
        ]
        expect(off, lines, "", byteCount: 0)
        let on = try Self.resource(Self.policy, clock, methods: [.header, .query])
        #expect(await on.refusal(of: head, requiring: "mcp:read") == nil)
        var fields: Fields = [:]
        on.complete(&fields, status: .ok, answering: head)
        #expect(fields.map { "\($0.name): \($0.value)" } == ["Cache-Control: private, no-store"])
    }

    private func bound(_ proof: String, target: String = "/mcp") throws -> RequestHead {
        .dpop(
            .get, target, token: try Fixture.text("exchanges/AT4.jwt"),
            proofs: [try Fixture.text("exchanges/\(proof).jwt")])
    }

    @Test func `11: a valid proof, once`() async throws {
        let head = try bound("PROOF1", target: "/mcp?page=2")
        let token = try await resource.authorize(head, requiring: "mcp:read")
        #expect(token.binding == .dpop)
        #expect(token.subject == "user-1")
        let again = await resource.refusal(of: head, requiring: "mcp:read")
        expectRefused(again, .replayedProof)
        #expect(again?.challenges.map { $0["error"] } == ["invalid_dpop_proof"])
    }

    @Test func `12: a nonce demanded, then accepted`() async throws {
        var policy = Self.policy
        policy.dpop.nonce = .required
        policy.dpop.nonceSource = PublishedNonce()
        let resource = try Self.resource(policy, clock)
        let refusal = try #require(
            await resource.refusal(of: try bound("PROOF1"), requiring: "mcp:read"))
        let text = "A nonce is required in the DPoP proof"
        let lines = [
            "HTTP/1.1 401 Unauthorized",
            Self.dpop + #", error="use_dpop_nonce", error_description="\#(text)""#,
            "DPoP-Nonce: NHs2u0SxX1nR8mJ0c3xv", "Cache-Control: no-store", "Content-Type: application/json",
        ]
        expect(refusal, lines, body(text, "use_dpop_nonce"), byteCount: 86)
        let head = try bound("PROOF2")
        #expect(await resource.refusal(of: head, requiring: "mcp:read") == nil)
        var fields: Fields = [.contentType: "application/json"]
        resource.complete(&fields, status: .ok, answering: head)
        #expect(
            fields.map { "\($0.name): \($0.value)" } == [
                "Content-Type: application/json", "DPoP-Nonce: NHs2u0SxX1nR8mJ0c3xv",
                "Cache-Control: no-store",
            ])
    }

    @Test func `13: a bound token sent as a bearer token`() async throws {
        let text = "The access token is bound to a key and needs the DPoP scheme"
        let refusal = try await refusal("AT4")
        #expect(refusal.reason == .boundTokenAsBearer)
        expect(
            refusal, refused(text, "invalid_token", more: Self.dpop), body(text, "invalid_token"),
            byteCount: 108)
    }

    @Test func `14: step-up authentication`() async throws {
        let text = "A stronger or more recent authentication is required"
        let refusal = try await refusal(
            "AT6",
            requiring: AccessRequirement("mcp:read")
                .authenticated(by: ["urn:example:mfa"], within: .seconds(300)))
        let lines = [
            "HTTP/1.1 401 Unauthorized",
            Self.challenge + #"scope="mcp:read", acr_values="urn:example:mfa", max_age="300", "#
                + #"error="insufficient_user_authentication", error_description="\#(text)""#,
            "Cache-Control: no-store", "Content-Type: application/json",
        ]
        expect(refusal, lines, body(text, "insufficient_user_authentication"), byteCount: 119)
    }

    @Test func `15: a certificate-bound token behind a proxy`() async throws {
        let token = try Fixture.text("exchanges/AT5.jwt")
        let certificate = ("Client-Cert", ":\(try Fixture.text("exchanges/CERT.b64")):")
        let context = AuthorizationContext(clientCertificate: .trustedField)
        let head = RequestHead.get("/mcp", bearer: token, fields: [certificate])
        let access = try await resource.authorize(head, requiring: "mcp:read", in: context)
        #expect(access.binding == .mutualTLS)
        var fields: Fields = [:]
        resource.complete(&fields, status: .ok, answering: head, in: context)
        #expect(fields.map { "\($0.name): \($0.value)" } == ["Vary: Client-Cert"])
        let text = "The access token is bound to a client certificate"
        let without = try #require(
            await resource.refusal(of: .get("/mcp", bearer: token), requiring: "mcp:read", in: context))
        let lines = [
            "HTTP/1.1 401 Unauthorized",
            Self.challenge + #"scope="mcp:read", error="invalid_token", error_description="\#(text)""#,
            Self.dpop, "Cache-Control: no-store", "Vary: Client-Cert", "Content-Type: application/json",
        ]
        expect(without, lines, body(text, "invalid_token"), byteCount: 97)
        let untrusted = await resource.refusal(of: head, requiring: "mcp:read")
        #expect(untrusted?.challenges == without.challenges)
    }
}

/// The nonce of the published exchange.
private struct PublishedNonce: NonceSource {
    private static let nonce = "NHs2u0SxX1nR8mJ0c3xv"

    func nonce(at now: NumericDate) -> String { Self.nonce }
    func validity(of nonce: String, at now: NumericDate) -> NonceValidity? {
        nonce == Self.nonce ? NonceValidity(issuedSince: now, until: now.adding(seconds: 300)) : nil
    }
}
