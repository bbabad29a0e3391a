// SPDX-License-Identifier: MIT

import Foundation
import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import PortcullisTransport
import Synchronization
import Testing

/// The published exchanges over sockets: status, every field by name and value, challenges and content byte
/// for byte.
///
/// The clock shows the exchanges' time. Where an exchange and the example server's contract differ, the
/// contract applies; the test with such a case says so.
@Suite("RFC 9728 §5, RFC 6750 §3, RFC 9449 §7 The worked exchanges, as sent")
struct WorkedExchangesServed {
    static let clock = ManualClock()
    static let issuer = "https://as.example.com"

    // MARK: The server

    private static func resource(
        _ identifier: ResourceIdentifier = "https://api.example.com/mcp",
        methods: [ProtectedResourceMetadata.BearerMethod] = [.header], dpop: [String] = ["ES256"],
        rootAlias: Bool = true, trusting trusted: TrustedIssuer? = nil,
        fetcher: ScriptedFetcher? = nil, _ change: (inout TokenPolicy) -> Void = { _ in }
    ) throws -> ProtectedResource {
        var metadata = ProtectedResourceMetadata(resource: identifier)
        metadata.authorizationServers = [issuer]
        metadata.scopesSupported = ["mcp:read", "mcp:write"]
        metadata.bearerMethodsSupported = methods
        metadata.dpopSigningAlgorithmsSupported = dpop
        metadata.resourceName = LocalizedText("Example MCP API")
        var policy = TokenPolicy()
        policy.leeway = .zero
        change(&policy)
        let keys = try JWKSet(parsing: Exchange.bytes("jwks.json"))
        return try ProtectedResource(
            validating: .init(
                metadata, trusting: [trusted ?? .jwt(issuer: issuer, keys: .fixed(keys))],
                tokens: policy, metadataMaxAge: .seconds(3600), rootAlias: rootAlias, fetcher: fetcher,
                time: clock.time))
    }

    private static func declare(
        _ resource: ProtectedResource, posting: AccessRequirement = ["mcp:read", "mcp:write"],
        cors: CORSPolicy = .anyOrigin, in routes: inout Routes
    ) {
        let answer: @Sendable (Request, AccessToken) -> Response = { _, token in
            .bytes(
                Array(#"{"ok":true,"sub":"\#(token.subject ?? "")"}"#.utf8), contentType: "application/json")
        }
        routes.protect(resource) { mcp in
            mcp.cors = cors
            mcp.get("/", requiring: "mcp:read", answer)
            mcp.post("/", requiring: posting, answer)
            mcp.delete("/", requiring: "mcp:read", answer)
            mcp.get(
                "/transfer",
                requiring: AccessRequirement("mcp:read")
                    .authenticated(by: ["urn:example:mfa"], within: .seconds(300)), answer)
        }
    }

    private func serve(
        _ resource: ProtectedResource, posting: AccessRequirement = ["mcp:read", "mcp:write"],
        cors: CORSPolicy = .anyOrigin,
        configuring configure: @escaping @Sendable (inout Server.Configuration) -> Void = { _ in },
        besides: (inout Routes) -> Void = { _ in }, _ test: (RunningServer) async throws -> Void
    ) async throws {
        var setup = RunningServer.Setup()
        setup.configure = { configuration in
            configuration.dateSeconds = { 1_800_000_000 }
            configure(&configuration)
        }
        try await withServer(
            setup,
            { (routes: inout Routes) in
                Self.declare(resource, posting: posting, cors: cors, in: &routes)
                besides(&routes)
            }, test)
    }

    /// Sends the request of an exchange and compares the answer with the published one.
    private func run(
        _ name: String, _ answerName: String, on server: RunningServer,
        contract changes: [String: [String]] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let request = try Exchange.text(name)
        var expected = try Exchange.reply(answerName)
        for (name, values) in changes {
            expected.fields.removeAll { $0.name.lowercased() == name }
            expected.fields += values.map { Reply.Field(name: name, value: $0) }
        }
        let reply = try await server.exchange(request)
        #expect(reply.statusLine == expected.statusLine, sourceLocation: sourceLocation)
        #expect(reply.byName == expected.byName, sourceLocation: sourceLocation)
        #expect(reply.text == expected.text, sourceLocation: sourceLocation)
        // Compares the challenges again separately: their order, every byte.
        #expect(
            reply.all("www-authenticate") == expected.all("www-authenticate"), sourceLocation: sourceLocation)
    }

    // MARK: The exchanges

    @Test func `1: no credentials`() async throws {
        try await serve(Self.resource()) { server in
            try await run("01-1-request", "01-2-response", on: server)
            let head = try await server.exchange(
                try Exchange.text("01-1-request").replacing("GET", with: "HEAD"))
            #expect(head.byName == (try Exchange.reply("01-2-response").byName) && head.body.isEmpty)
        }
    }

    @Test func `2: the metadata`() async throws {
        try await serve(Self.resource()) { server in
            try await run("02-1-request", "02-2-response", on: server)
            let expected = try Exchange.reply("02-2-response")
            for path in [
                "/.well-known/oauth-protected-resource/mcp/", "/.well-known/oauth-protected-resource",
            ] {
                let reply = try await server.get(path)
                #expect(reply.byName == expected.byName && reply.body == expected.body)
            }
        }
    }

    @Test func `3: the metadata again`() async throws {
        try await serve(Self.resource()) { try await run("03-1-request", "03-2-response", on: $0) }
    }

    @Test func `4: a browser's preflight for the metadata, and a wrong method`() async throws {
        try await serve(Self.resource()) { server in
            try await run("04-1-request", "04-2-response", on: server)
            try await run("04-3-request", "04-4-response", on: server)
        }
    }

    @Test(arguments: [5, 6, 7, 8, 13, 14])
    func `5 to 8, 13, 14: a valid bearer token, and invalid ones`(number: Int) async throws {
        let name = number < 10 ? "0\(number)" : "\(number)"
        try await serve(Self.resource()) {
            try await run("\(name)-1-request", "\(name)-2-response", on: $0)
        }
    }

    @Test func `9: two methods in one request`() async throws {
        try await serve(Self.resource(methods: [.header, .body]), posting: "mcp:read") { server in
            try await run("09-1-request", "09-2-response", on: server)
            let token = try Exchange.token("AT1")
            let twice = try await server.get(
                "/mcp", "Authorization: Bearer \(token)", "Authorization: Bearer \(token)")
            #expect(twice.status == 400)
            #expect(
                twice.all("www-authenticate").filter { $0.contains(#"error="invalid_request""#) }.count == 2)
        }
    }

    @Test func `10: a token in the query, with query tokens off and on`() async throws {
        let legacy = try Self.resource(
            "https://api.example.com/legacy", methods: [.header, .query], dpop: [], rootAlias: false
        ) { $0.audiences = ["https://api.example.com/mcp"] }
        try await serve(
            Self.resource(),
            besides: { routes in
                routes.protect(legacy) { legacy in
                    legacy.cors = .anyOrigin
                    legacy.get("/") { _, _ in
                        .bytes(Array(#"{"ok":true}"#.utf8), contentType: "application/json")
                    }
                }
            }
        ) { server in
            try await run("10-1-request", "10-2-response", on: server)
            try await run("10-3-request", "10-4-response", on: server)
        }
    }

    @Test func `11: a proof, once`() async throws {
        try await serve(Self.resource()) { server in
            try await run("11-1-request", "11-2-response", on: server)
            let again = try await server.exchange(try Exchange.text("11-1-request"))
            #expect(again.status == 401)
            #expect(
                again.all("www-authenticate").map {
                    $0.hasPrefix("DPoP ") && $0.contains(#"error="invalid_dpop_proof""#)
                }
                    == [true])
        }
    }

    @Test func `12: a nonce demanded, then accepted`() async throws {
        let resource = try Self.resource {
            $0.dpop.nonce = .required
            $0.dpop.nonceSource = PublishedNonce()
        }
        try await serve(resource) { server in
            try await run("12-1-request", "12-2-response", on: server)
            try await run("12-3-request", "12-4-response", on: server)
        }
    }

    @Test func `15: a certificate-bound token behind a proxy, and without one`() async throws {
        let proxies = try TrustedProxies(["127.0.0.1/32"], sendsClientCertificates: true)
        try await serve(Self.resource(), configuring: { $0.proxies = proxies }) { server in
            try await run("15-1-request", "15-2-response", on: server)
            try await run("15-3-request", "15-4-response", on: server)
        }
        // From an untrusted peer the field is ignored, and the answer does not vary with it.
        try await serve(Self.resource()) { server in
            try await run("15-1-request", "15-4-response", on: server, contract: ["vary": []])
        }
    }

    @Test func `16: introspection, request and answer`() async throws {
        let asked = Mutex<[(fields: [String: String], body: String)]>([])
        let answers = Mutex(["16-2-response", "16-3-response"])
        try await withServer(
            RunningServer.Setup(),
            { (routes: inout Routes) in
                routes.post("/introspect") { request in
                    let body = String(decoding: try await request.body.collect(), as: UTF8.self)
                    var fields: [String: String] = [:]
                    for field in request.head.fields {
                        fields[field.name.lowercased()] = field.value
                    }
                    let seen = (fields, body)
                    asked.withLock { $0.append(seen) }
                    let reply = try Exchange.reply(answers.withLock { $0.removeFirst() })
                    return Response(
                        status: .ok,
                        fields: [.contentType: "application/json", .cacheControl: "no-store"],
                        body: .bytes(reply.body))
                }
            }
        ) { server in
            var trusted = TrustedIssuer.introspection(
                issuer: Self.issuer, endpoint: "http://127.0.0.1:\(server.port)/introspect",
                authenticatedBy: .clientSecretBasic(id: "rs:api", secret: "p%w d"))
            trusted.allowsInsecureLoopback = true
            let resource = try Self.resource(trusting: trusted)
            try await serve(resource) { server in
                let good = try await server.get("/mcp", "Authorization: Bearer opaque+t/1=")
                let expected = try Exchange.reply("05-2-response")
                #expect(good.byName == expected.byName && good.body == expected.body)
                let bad = try await server.get("/mcp", "Authorization: Bearer opaque+t/2=")
                let form = try Exchange.text("06-2-response")
                    .replacing("The access token expired", with: "The access token is not active")
                    .replacing("Content-Length: 72", with: "Content-Length: 78")
                let refused = try Exchange.reply(parsing: form)
                #expect(bad.byName == refused.byName && bad.body == refused.body)
            }
            // The host is this test's; everything else is as published.
            var published = try Exchange.reply(
                parsing: try Exchange.text("16-1-request").replacing(
                    "POST /introspect HTTP/1.1", with: "HTTP/1.1 200 OK"))
            published.fields.removeAll { $0.name == "Host" }
            var first = try #require(asked.withLock { $0.first })
            #expect(first.fields.removeValue(forKey: "host") == "127.0.0.1:\(server.port)")
            #expect(first.fields.removeValue(forKey: "user-agent") == HTTPClient.defaultUserAgent)
            #expect(first.fields.mapValues { [$0] } == published.byName)
            #expect(first.body == published.text)
            #expect(asked.withLock { $0.count } == 2)
        }
    }

    @Test func `17: the authorization server is unreachable and nothing is cached`() async throws {
        let resource = try Self.resource(trusting: .jwt(issuer: Self.issuer), fetcher: ScriptedFetcher())
        try await serve(resource) { try await run("17-1-request", "17-2-response", on: $0) }
    }

    @Test func `18: a preflight from a browser's client`() async throws {
        let policy = try CORSPolicy(allowing: ["https://app.example"])
        try await serve(Self.resource(), cors: policy) { server in
            // The contract: GET implies HEAD, so HEAD is named too. The order of a list means nothing
            // (RFC 9110 §5.6.1).
            try await run(
                "18-1-request", "18-2-response", on: server,
                contract: ["access-control-allow-methods": ["DELETE, GET, HEAD, OPTIONS, POST"]])
            let other = try await server.exchange(
                try Exchange.text("18-1-request").replacing(
                    "https://app.example", with: "https://evil.example"))
            #expect(!other.fields.contains { $0.name.lowercased().hasPrefix("access-control-allow") })
        }
    }
}

/// The files of the exchanges, with their placeholders filled.
private enum Exchange {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/exchanges")

    static func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: root.appending(path: name)))
    }

    static func token(_ name: String) throws -> String {
        String(decoding: try bytes("\(name).jwt"), as: UTF8.self).trimmingCharacters(in: .newlines)
    }

    static func text(_ name: String) throws -> String {
        var text = String(decoding: try bytes("http/\(name).http"), as: UTF8.self)
        for name in ["AT1", "AT2", "AT3", "AT4", "AT5", "AT6", "PROOF1", "PROOF2"] {
            text = text.replacing("<\(name)>", with: try token(name))
        }
        let certificate = String(decoding: try bytes("CERT.b64"), as: UTF8.self)
        return text.replacing("<CERT>", with: certificate.trimmingCharacters(in: .newlines))
    }

    static func reply(_ name: String) throws -> Reply { try reply(parsing: text(name)) }

    static func reply(parsing text: String) throws -> Reply {
        var reader = ReplyReader(
            isHead: false, pending: Array(text.utf8), receive: { () throws(RawClient.Failure) in [] })
        return try reader.read()
    }
}

extension Reply {
    /// The values of each field, in their order.
    fileprivate var byName: [String: [String]] {
        Dictionary(grouping: fields) { $0.name.lowercased() }.mapValues { $0.map(\.value) }
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
