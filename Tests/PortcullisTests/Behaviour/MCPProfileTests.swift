// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("MCP authorization: the profile of an MCP server")
struct MCPProfileTests {
    static let issuer = TestIssuer("https://as.example.com")
    static let identifier = "https://mcp.example.com/mcp"

    static func resource(
        origins: [String] = [], tokens: TokenPolicy = .default,
        _ change: (inout ProtectedResourceMetadata) -> Void = { _ in }
    ) throws(ConfigurationError) -> ProtectedResource {
        var metadata = ProtectedResourceMetadata(resource: try ResourceIdentifier(validating: identifier))
        metadata.authorizationServers = [issuer.issuer]
        metadata.scopesSupported = ["files:read", "files:write"]
        change(&metadata)
        return try ProtectedResource(
            validating: .init(
                metadata, trusting: [issuer.trusted], tokens: tokens,
                profile: .mcp(allowedOrigins: origins)))
    }

    static func paths(_ make: () throws(ConfigurationError) -> ProtectedResource) -> [String?] {
        problems { () throws(ConfigurationError) in _ = try make() }.map(\.path)
    }

    @Test func `MCP 2025-06-18: a server without authorization servers does not start`() {
        #expect(
            Self.paths { () throws(ConfigurationError) in try Self.resource { $0.authorizationServers = [] } }
                == ["metadata.authorizationServers"])
    }

    @Test func `MCP 2025-06-18: the metadata says that tokens are sent in the header`() throws {
        #expect(try Self.resource().metadata.bearerMethodsSupported == [.header])
        #expect(
            try Self.resource().metadataDocument.body.containsSequence(
                #""bearer_methods_supported":["header"]"#.utf8))
    }

    @Test(arguments: [[ProtectedResourceMetadata.BearerMethod.query], [.header, .body]])
    func `MCP 2025-06-18: other bearer methods are refused`(methods: [ProtectedResourceMetadata.BearerMethod])
    {
        let found = Self.paths { () throws(ConfigurationError) in
            try Self.resource { $0.bearerMethodsSupported = methods }
        }
        #expect(found.contains("metadata.bearerMethodsSupported"))
    }

    @Test func `MCP 2025-06-18: the only audience is the server itself`() {
        var tokens = TokenPolicy()
        tokens.audiences = [Self.identifier, "https://api.example.com"]
        #expect(
            Self.paths { () throws(ConfigurationError) in try Self.resource(tokens: tokens) } == [
                "tokens.audiences"
            ])
        tokens.audiences = [Self.identifier]
        #expect(Self.paths { () throws(ConfigurationError) in try Self.resource(tokens: tokens) }.isEmpty)
        tokens.introspectionAudience = .optional
        #expect(
            Self.paths { () throws(ConfigurationError) in try Self.resource(tokens: tokens) }
                == ["tokens.introspectionAudience"])
    }

    @Test(arguments: [
        "https://evil.example", "null", "https://mcp.example.com:8443", "http://mcp.example.com", "",
    ])
    func `MCP 2025-11-25: a foreign origin is 403 before any other check, without a challenge`(origin: String)
        async throws
    {
        let resource = try Self.resource(origins: ["https://app.example.com"])
        for token in [Self.issuer.mint(audience: Self.identifier), nil] {
            let head = RequestHead.get("/mcp", bearer: token, fields: [("Origin", origin)])
            let refusal = await resource.refusal(of: head)
            #expect(refusal?.reason == .forbiddenOrigin && refusal?.status == .forbidden)
            #expect(refusal?.challenges.isEmpty == true)
            #expect(refusal?.head.fields[.wwwAuthenticate] == nil)
        }
    }

    @Test(arguments: [nil, "https://app.example.com", "https://mcp.example.com", "http://localhost:3000"])
    func `MCP 2025-11-25: no origin, the server's own and listed ones are accepted`(origin: String?)
        async throws
    {
        let resource = try Self.resource(origins: ["https://app.example.com", "http://localhost:3000"])
        let token = Self.issuer.mint(audience: Self.identifier)
        let fields = origin.map { [("Origin", $0)] } ?? []
        #expect(await resource.refusal(of: .get("/mcp", bearer: token, fields: fields)) == nil)
        // A cached token does not change that.
        #expect(
            await resource.refusal(of: .get("/mcp", bearer: token, fields: [("Origin", "https://x.example")]))
                != nil)
        let two = [("Origin", "https://app.example.com"), ("Origin", "https://app.example.com")]
        expectRefused(await resource.refusal(of: .get("/mcp", bearer: token, fields: two)), .forbiddenOrigin)
    }

    @Test(arguments: [
        "*", "app.example.com", "https://App.example.com", "https://app.example.com/",
        "https://a.example:443", "null",
    ])
    func `an allowed origin has the form that browsers send`(origin: String) {
        #expect(
            Self.paths { () throws(ConfigurationError) in try Self.resource(origins: [origin]) }
                == ["profile.allowedOrigins[0]"])
    }

    @Test(arguments: [-300, 300, -301, 301], [nil, Duration.seconds(60)])
    func `SEP-1932: proofs may be five minutes old or early, unless the app says otherwise`(
        offset: Int, window: Duration?
    ) async throws {
        let clock = ManualClock()
        let issuer = TestIssuer("https://as.example.com", time: clock.time)
        let client = TestDPoPClient(time: clock.time)
        var metadata = ProtectedResourceMetadata(
            resource: try ResourceIdentifier(validating: Self.identifier))
        metadata.authorizationServers = [issuer.issuer]
        metadata.dpopSigningAlgorithmsSupported = ["ES256"]
        var configuration = ProtectedResource.Configuration(metadata, trusting: [issuer.trusted])
        configuration.profile = .mcp()
        configuration.time = clock.time
        if let window {
            configuration.dpop.proofMaxAge = window
            configuration.dpop.proofMaxFuture = window
        }
        let resource = try ProtectedResource(validating: configuration)
        // A proof from before the start is refused for another reason.
        clock.advance(by: .seconds(1000))
        let token = issuer.mint(audience: Self.identifier, boundTo: client)
        let issued = JSONNumber(1_800_001_000 + offset)
        let proof = client.proof(.get, Self.identifier, token: token, claims: ["iat": .number(issued)])
        let refusal = await resource.refusal(of: .dpop("/mcp", token: token, proofs: [proof]))
        let isTaken = window == nil && abs(offset) == 300
        #expect(refusal?.reason == (isTaken ? nil : .proofOutsideWindow))
    }

    @Test func `MCP 2026-07-28: one challenge names all scopes of the operation`() async throws {
        let token = Self.issuer.mint(audience: Self.identifier, scope: "other")
        let refusal = try await Self.resource().refusal(
            of: .get("/mcp", bearer: token), requiring: .all(of: ["files:read", "files:write"]))
        #expect(refusal?.status == .forbidden)
        let text = refusal?.challenges.map(\.description).joined()
        #expect(text?.contains(#"scope="files:read files:write""#) == true)
        #expect(text?.contains(#"error="insufficient_scope""#) == true)
        #expect(text?.contains("resource_metadata=") == true)
    }

    @Test func `MCP 2026-07-28: scopes that imply others suffice`() async throws {
        var tokens = TokenPolicy()
        tokens.scopeImplications = ["files:write": ["files:read"]]
        let token = Self.issuer.mint(audience: Self.identifier, scope: "files:write")
        let resource = try Self.resource(tokens: tokens)
        #expect(await resource.refusal(of: .get("/mcp", bearer: token), requiring: "files:read") == nil)
    }

    @Test func `MCP 2025-06-18: a session ID is not a token`() async throws {
        let refusal = try await Self.resource().refusal(of: .get("/mcp", fields: [("Mcp-Session-Id", "s")]))
        #expect(refusal?.reason == .missingCredentials && refusal?.status == .unauthorized)
    }

    @Test func `MCP 2025-06-18: one user's handle is refused with another's token`() async throws {
        let resource = try Self.resource()
        func token(_ subject: String) async throws -> AccessToken {
            let text = Self.issuer.mint(audience: Self.identifier, subject: subject)
            return try await resource.authorize(.get("/mcp", bearer: text))
        }
        let handles = SessionBinding()
        let (alice, bob) = (try await token("alice"), try await token("bob"))
        let handle = handles.makeHandle(for: alice)
        #expect(handle.utf8.count == 64 && handles.makeHandle(for: alice) != handle)
        #expect(handles.accepts(handle, with: alice))
        // Another token of the same user, as after a refresh.
        #expect(handles.accepts(handle, with: try await token("alice")))
        #expect(!handles.accepts(handle, with: bob))
        #expect(!SessionBinding().accepts(handle, with: alice))
        for other in ["", "x", String(handle.dropLast()), handle + "AAAA", handle.uppercased()] {
            #expect(!handles.accepts(other, with: alice))
        }
        #expect("\(handles)" == "SessionBinding(redacted)")
    }

    @Test
    func
        `MCP 2025-06-18: servers with one secret accept each other's handles, and a short secret is refused`()
        async throws
    {
        let text = Self.issuer.mint(audience: Self.identifier)
        let token = try await Self.resource().authorize(.get("/mcp", bearer: text))
        let secret = [UInt8](repeating: 7, count: 32)
        let handle = try SessionBinding(validating: secret).makeHandle(for: token)
        #expect(try SessionBinding(validating: secret).accepts(handle, with: token))
        #expect(throws: ConfigurationError.self) { try SessionBinding(validating: [1, 2, 3]) }
    }
}
