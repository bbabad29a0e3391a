// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("RFC 9728 §3.1 Many resources on many hosts")
struct RFC9728_3_1_ManyResources {
    static let issuer = TestIssuer("https://as.example.com")

    static func resource(
        _ text: String, rootAlias: Bool = false, jwksURI: String? = nil,
        _ change: (inout MetadataPublishing) throws -> Void = { _ in }
    ) throws -> ProtectedResource {
        var publishing = MetadataPublishing()
        try change(&publishing)
        var metadata = ProtectedResourceMetadata(resource: try ResourceIdentifier(validating: text))
        metadata.authorizationServers = [issuer.issuer]
        metadata.jwksURI = jwksURI
        return try ProtectedResource(
            validating: .init(
                metadata, trusting: [issuer.trusted], rootAlias: rootAlias, publishing: publishing))
    }

    static func table(_ resources: [ProtectedResource]) throws -> AskedTable {
        try AskedTable { routes in
            for resource in resources {
                routes.protect(resource) { $0.get("/") { _, token in .text(token.resource.text) } }
            }
        }
    }

    static func table(_ identifiers: [String]) throws -> AskedTable {
        try table(identifiers.map { try resource($0) })
    }

    /// The authority and the rest of a URL, as in a client's request.
    static func request(_ url: String) -> (host: String, target: String) {
        let rest = url.dropFirst(url.lowercased().hasPrefix("http://") ? 7 : 8)
        guard let end = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) else { return (String(rest), "/") }
        let target = String(rest[end...])
        return (String(rest[..<end]), target.hasPrefix("?") ? "/" + target : target)
    }

    static let identifiers = [
        "https://a.example", "https://a.example/p", "https://a.example/p/q", "https://a.example/P",
        "https://a.example:8443/p", "HTTPS://B.Example:443/P%7E/", "https://b.example/p?t=1",
        "https://b.example/p?t=2",
        "https://b.example/%70%c3%a9", "https://[2001:db8::1]/p", "https://[2001:DB8:0:0::1]:8443/",
        "https://192.0.2.1/p", "http://localhost:8080/mcp", "https://c.example/?x=%7e",
        "https://d.example/a;b=c/d,e",
    ]

    @Test(arguments: identifiers)
    func `document, challenge, audience and routing agree byte for byte`(text: String) async throws {
        let table = try Self.table(Self.identifiers)
        let identifier = try ResourceIdentifier(validating: text)
        // RFC 9728 §3.1, §3.3: the document at the derived URL names the identifier.
        let location = Self.request(identifier.metadataURL)
        let document = try await table.ask(location.target, host: location.host)
        #expect(document.status == .ok)
        #expect(try JSONValue.parse(document.bytes).object?["resource"]?.string == text)
        // RFC 9728 §5.1: a call without a token gets that URL. Routing ignores the query, so such resources
        // share the first one's.
        let call = Self.request(text)
        let refused = try await table.ask(call.target, host: call.host)
        let expected = text == "https://b.example/p?t=2" ? "https://b.example/p?t=1" : text
        let url = try ResourceIdentifier(validating: expected).metadataURL
        #expect(refused.status == .unauthorized)
        #expect(refused.fields[.wwwAuthenticate] == #"Bearer resource_metadata="\#(url)""#)
        // RFC 9728 §7.4: a token for the identifier is accepted, one for another resource is not.
        let opened = try await table.ask(
            call.target, host: call.host, bearer: Self.issuer.mint(audience: expected))
        #expect(opened.status == .ok && String(decoding: opened.bytes, as: UTF8.self) == expected)
        let other = try await table.ask(
            call.target, host: call.host, bearer: Self.issuer.mint(audience: "https://e.example/p"))
        #expect(other.status == .unauthorized)
    }

    @Test(arguments: [
        ("[2001:db8::1]", 200), ("[2001:0DB8:0:0:0:0:0:1]", 200), ("[2001:db8::1]:443", 200),
        ("[2001:db8::1]:", 200),
        ("[2001:db8::1]:8443", 404), ("[2001:db8::2]", 421), ("A.EXAMPLE", 200), ("a.example:443", 200),
        ("a.example:80", 421), ("e.example", 421), ("a.example.", 421),
    ])
    func `RFC 9110 §15.5.20: a host without resources is 421, in any spelling`(host: String, status: Int)
        async throws
    {
        let table = try Self.table(Self.identifiers)
        let path = "/.well-known/oauth-protected-resource/p"
        #expect(try await table.ask(path, host: host).status.code == status)
    }

    @Test func `an unknown suffix is 404, and never another resource's document`() async throws {
        let table = try Self.table(["https://a.example/p", "https://a.example/p/q"])
        let root = "/.well-known/oauth-protected-resource"
        for path in [
            root, root + "/", root + "/nope", root + "/P", root + "/p/x", root + "/pq", root + "/p/q/r",
        ] {
            let answer = try await table.ask(path, host: "a.example")
            #expect(answer.status == .notFound)
            #expect(answer.fields["Access-Control-Allow-Origin"] == "*")
        }
    }

    @Test(arguments: [
        ("/p", "https://a.example/p"), ("/p/", "https://a.example/p"), ("/p/x", "https://a.example/p"),
        ("/px", "https://a.example"), ("/p/q", "https://a.example/p/q"), ("/p/q/r", "https://a.example/p/q"),
        ("/p/qr", "https://a.example/p"), ("/P", "https://a.example"), ("/", "https://a.example"),
        ("/%70/q", "https://a.example/p/q"),
    ])
    func `the longest prefix by whole segments owns the request`(path: String, owner: String)
        async throws
    {
        let table = try Self.table(["https://a.example", "https://a.example/p", "https://a.example/p/q"])
        let url = try ResourceIdentifier(validating: owner).metadataURL
        let answer = try await table.ask(path, host: "a.example")
        #expect(answer.fields[.wwwAuthenticate] == #"Bearer resource_metadata="\#(url)""#)
    }

    @Test func `a token for the parent is refused at the child`() async throws {
        let table = try Self.table(["https://a.example/p", "https://a.example/p/q"])
        let token = Self.issuer.mint(audience: "https://a.example/p")
        #expect(try await table.ask("/p", host: "x", bearer: token).status == .ok)
        #expect(try await table.ask("/p/q", host: "x", bearer: token).status == .unauthorized)
    }

    @Test(arguments: [
        ("https://a.example/p", "https://a.example/p/"), ("https://a.example/p", "HTTPS://A.example:443/%70"),
        ("https://[::1]/p", "https://[0:0:0:0:0:0:0:1]/p"), ("https://a.example", "https://a.example/"),
    ])
    func `resources with one location are refused at start, and the message names both`(
        first: String, second: String
    )
        throws
    {
        do {
            _ = try Self.table([first, "https://z.example", second])
            Issue.record("it must not pass")
        } catch let error as ConfigurationError {
            #expect(error.problems.count == 1)
            #expect(error.description.contains("\(first) and \(second)"))
        }
    }

    @Test func `two root aliases of one host are refused, and the message names both`() throws {
        let resources = [
            try Self.resource("https://a.example/p", rootAlias: true),
            try Self.resource("https://a.example/q", rootAlias: true),
            try Self.resource("https://b.example/q", rootAlias: true),
        ]
        do {
            _ = try Self.table(resources)
            Issue.record("it must not pass")
        } catch let error as ConfigurationError {
            #expect(error.description.contains("https://a.example/p and https://a.example/q"))
            #expect(!error.description.contains("b.example"))
        }
    }

    @Test func `RFC 9728 §3: further suffixes are served, and nothing else below them`() async throws {
        let resource = try Self.resource("https://a.example") {
            $0.additionalSuffixes = ["x-protected-resource"]
        }
        let table = try Self.table([resource])
        #expect(try await table.ask("/.well-known/x-protected-resource", host: "x").status == .ok)
        #expect(try await table.ask("/.well-known/x-protected-resource/p", host: "x").status == .notFound)
        // Paths that are not reserved belong to the resource at the root.
        #expect(try await table.ask("/.well-known/x-protected-resources", host: "x").status == .unauthorized)
    }

    @Test func `a metadata URL below the resource needs no token`() async throws {
        let resource = try Self.resource("https://a.example/api") {
            $0.advertisedURL = "https://a.example/api/about.json"
        }
        let table = try Self.table([resource])
        let answer = try await table.ask("/api/about.json", host: "x")
        #expect(answer.status == .ok && answer.fields[.contentType] == "application/json")
        #expect(try await table.ask("/api/about.json/", host: "x").status == .unauthorized)
        let refused = try await table.ask("/api", host: "x")
        #expect(
            refused.fields[.wwwAuthenticate]
                == #"Bearer resource_metadata="https://a.example/api/about.json""#)
    }

    static func signing(_ keyID: String) throws -> MetadataSigning {
        MetadataSigning(key: try .generate(.es256, keyID: keyID), algorithm: .es256)
    }

    @Test
    func
        `RFC 9728 §2: jwks_uri is served without a token, with the keys of all resources that name it`()
        async throws
    {
        let keys = "https://a.example/p/keys"
        let table = try Self.table([
            Self.resource("https://a.example/p", jwksURI: keys) { $0.signing = try Self.signing("1") },
            Self.resource("https://a.example/q", jwksURI: keys) { $0.signing = try Self.signing("2") },
            Self.resource("https://a.example/r", jwksURI: "https://keys.example/r") {
                $0.signing = try Self.signing("3")
            },
        ])
        let answer = try await table.ask("/p/keys", host: "x")
        #expect(answer.status == .ok && answer.fields[.contentType] == "application/jwk-set+json")
        #expect(answer.fields["Access-Control-Allow-Origin"] == "*")
        #expect(try JWKSet(parsing: answer.bytes).keys.map(\.keyID) == ["1", "2"])
        let etag = try #require(answer.fields[.etag])
        let again = try await table.ask("/p/keys", host: "x", fields: [("If-None-Match", etag)])
        #expect(again.status == .notModified)
        #expect(try await table.ask("/p/keys", host: "x", method: .post).status == .methodNotAllowed)
        #expect(try await table.ask("/p/keys/", host: "x").status == .unauthorized)
    }

    @Test(arguments: ["https://a.example/p", "https://a.example/.well-known/oauth-protected-resource/p"])
    func `a jwks_uri at the location of something else is refused`(keys: String) throws {
        let resource = try Self.resource("https://a.example/p", jwksURI: keys) {
            $0.signing = try Self.signing("1")
        }
        #expect(throws: ConfigurationError.self) { try Self.table([resource]) }
    }

    @Test func `guarded answers and refusals link to the metadata if that is switched on`() async throws {
        let linking = try Self.resource("https://a.example/p") { $0.linksFromAnswers = true }
        let table = try Self.table([linking, Self.resource("https://a.example/q")])
        let link =
            #"<https://a.example/.well-known/oauth-protected-resource/p>; rel="oauth-protected-resource""#
        let token = Self.issuer.mint(audience: "https://a.example/p")
        for (target, token, status) in [("/p", token, 200), ("/p", nil, 401), ("/p/x", token, 404)] {
            // Each path through the chain: first with waiting, then without.
            for _ in 0..<2 {
                let answer = try await table.ask(target, host: "x", bearer: token)
                #expect(answer.status.code == status)
                #expect(answer.fields.values(of: "Link") == [link])
            }
        }
        #expect(try await table.ask("/q", host: "x").fields["Link"] == nil)
        #expect(
            try await table.ask("/.well-known/oauth-protected-resource/p", host: "x").fields["Link"] == nil)
    }

    @Test func `finding a resource among thousands costs no more than among two`() throws {
        func lookup(among count: Int) throws -> () -> Duration {
            let asked = try Self.table((0..<count).map { "https://h\($0 % 40).example/t\($0)/p" })
            let path = try RequestPath("/t\(count - 1)/p/x")
            let host = "h\((count - 1) % 40).example"
            return {
                ContinuousClock().measure {
                    for _ in 0..<500 { _ = asked.table.destination(.get, authority: host, path) }
                }
            }
        }
        let (amongFew, amongMany) = (try lookup(among: 2), try lookup(among: 4000))
        var (few, many) = (Duration.seconds(60), Duration.seconds(60))
        // The best of several runs, in turn, because other work disturbs single runs and whole seconds.
        for _ in 0..<20 {
            few = min(few, amongFew())
            many = min(many, amongMany())
        }
        #expect(many < few * 5, "\(few) among 2, \(many) among 4000, for 500 requests")
    }
}
