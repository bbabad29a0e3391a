// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

/// Whole answers, byte for byte, for tokens with published signatures.
///
/// `Date`, framing and CORS fields are the server's and not shown here.
@Suite("RFC 9728 §5, RFC 6750 §3 Worked exchanges")
struct WorkedExchanges {
    static let challenge =
        #"WWW-Authenticate: Bearer resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/mcp", "#
    let clock = ManualClock()
    let resource: ProtectedResource

    init() throws {
        var policy = TokenPolicy()
        policy.leeway = .zero
        let keys = try JWKSet(parsing: Fixture.bytes("exchanges/jwks.json"))
        resource = ProtectedResource(
            "https://api.example.com/mcp",
            trusting: .jwt(issuer: "https://as.example.com", keys: .fixed(keys)),
            scopes: ["mcp:read", "mcp:write"], tokens: policy, time: clock.time)
    }

    private func refusal(_ name: String?, requiring requirement: ScopeRequirement = "mcp:read") async throws
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
            "HTTP/1.1 401 Unauthorized", Self.challenge + #"scope="mcp:read""#, "Cache-Control: no-store",
        ]
        expect(try await refusal(nil), lines, "", byteCount: 0)
    }

    @Test func `2 and 3: the metadata, and asking for it again`() throws {
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
            "Cache-Control: no-store", "Content-Type: application/json",
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
            "Cache-Control: no-store", "Content-Type: application/json",
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

    @Test(arguments: ["AT4", "AT5"])
    func `13: a bound token is never taken for an unbound one`(name: String) async throws {
        let refusal = try await refusal(name)
        #expect(refusal.reason == .unprovenPossession)
        #expect(refusal.status == .unauthorized)
        #expect(refusal.challenges.first?["error"] == "invalid_token")
    }

    @Test func `17: the authorization server is away and nothing is cached`() async throws {
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
}
