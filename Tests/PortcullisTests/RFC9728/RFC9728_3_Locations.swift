// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9728 §3 All locations of the metadata")
struct RFC9728_3_Locations {
    static let issuer = TestIssuer("https://as.example.com")

    static func resource(
        _ text: String, rootAlias: Bool = false, _ change: (inout MetadataPublishing) -> Void = { _ in }
    ) throws(ConfigurationError) -> ProtectedResource {
        var publishing = MetadataPublishing()
        change(&publishing)
        var metadata = ProtectedResourceMetadata(resource: try ResourceIdentifier(validating: text))
        metadata.authorizationServers = [issuer.issuer]
        return try ProtectedResource(
            validating: .init(
                metadata, trusting: [issuer.trusted], rootAlias: rootAlias, publishing: publishing))
    }

    /// The part of a URL after the authority.
    static func target(_ url: String) -> String {
        let rest = url.dropFirst(url.hasPrefix("http://") ? 7 : 8)
        return rest.firstIndex { $0 == "/" || $0 == "?" }.map { String(rest[$0...]) } ?? "/"
    }

    static func named(_ resource: ProtectedResource, at target: String) throws -> String? {
        guard let answer = resource.metadataResponse(to: .get(target)) else { return nil }
        #expect(answer.head.status == .ok)
        return try JSONValue.parse(answer.body).object?["resource"]?.string
    }

    @Test(arguments: [
        "https://h", "https://h/", "https://h/p", "https://h/p/", "https://h/a/b/c", "https://h:8443/p",
        "https://h?t=1", "https://h/?t=1", "https://h/p?t=1&u=%7e", "https://h/p/?t",
        "HTTPS://API.Example.COM:443/P",
        "https://[2001:db8::1]/p", "https://[2001:DB8::1]:8443/p?q", "https://h/%70%c3%a9", "https://h/a%20b",
        "https://h/~u", "https://h/%7Eu", "https://h/a;b=c/d,e", "https://xn--bcher-kva.example/p",
        "http://127.0.0.1:8080/mcp",
        "https://h/p?a=b?c/d", "https://h/:@!$&'()*+,;=",
    ])
    func `document, challenge and audience agree byte for byte`(text: String) async throws {
        let resource = try Self.resource(text)
        let url = resource.identifier.metadataURL
        #expect(try Self.named(resource, at: Self.target(url)) == text)
        let refusal = await resource.refusal(of: .get("/"))
        #expect(
            refusal?.challenges.map(\.description) == [#"Bearer resource_metadata="\#(url)""#])
        let token = Self.issuer.mint(audience: text)
        #expect(await resource.refusal(of: .get("/", bearer: token)) == nil)
        let other = Self.issuer.mint(audience: text + "x")
        expectRefused(await resource.refusal(of: .get("/", bearer: other)), .audienceMismatch)
    }

    @Test func `RFC 9728 §3.1: a query matches after percent-normalisation`() throws {
        let resource = try Self.resource("https://h/p?t=%7e")
        let path = "/.well-known/oauth-protected-resource/p"
        #expect(try Self.named(resource, at: path + "?t=%7e") == "https://h/p?t=%7e")
        #expect(try Self.named(resource, at: path + "?t=~") == "https://h/p?t=%7e")
        for target in [path, path + "?", path + "?t=%7E%7E", path + "?t=%zz"] {
            #expect(try Self.named(resource, at: target) == nil)
        }
    }

    @Test func `the same document is served at further suffixes, derived in the same way`() throws {
        let resource = try Self.resource("https://h/p?t=1") {
            $0.additionalSuffixes = ["example-protected-resource"]
        }
        for suffix in ["oauth-protected-resource", "example-protected-resource"] {
            #expect(try Self.named(resource, at: "/.well-known/\(suffix)/p?t=1") == "https://h/p?t=1")
            #expect(try Self.named(resource, at: "/.well-known/\(suffix)/p/?t=1") == "https://h/p?t=1")
            #expect(try Self.named(resource, at: "/.well-known/\(suffix)/q?t=1") == nil)
        }
        // RFC 9728 §3: challenges name the registered suffix.
        #expect(
            resource.metadataLocations.advertised == "https://h/.well-known/oauth-protected-resource/p?t=1")
    }

    @Test(arguments: [
        "", "a/b", "a b", "é", ".", "..", ".a", "a?b", "%61", "oauth-protected-resource",
        "oauth-authorization-server", "openid-configuration",
    ])
    func `an invalid suffix is refused`(suffix: String) {
        let found = problems { () throws(ConfigurationError) in
            _ = try Self.resource("https://h/p") { $0.additionalSuffixes = [suffix] }
        }
        #expect(found.map(\.path) == ["publishing.additionalSuffixes[0]"])
    }

    @Test func `the root alias is served in addition to the resource's own location`() throws {
        let root = "/.well-known/oauth-protected-resource"
        let alias = try Self.resource("https://h/p", rootAlias: true)
        for target in [root, root + "/", root + "/p", root + "/p/", root + "?x=1"] {
            #expect(try Self.named(alias, at: target) == "https://h/p")
        }
        #expect(try Self.named(Self.resource("https://h/p"), at: root) == nil)
    }

    @Test
    func `a configured metadata URL is in the challenge, and is served if it is on this server`()
        async throws
    {
        let own = try Self.resource("https://h/api") { $0.advertisedURL = "https://H/api/metadata.json?v=1" }
        let refusal = await own.refusal(of: .get("/api"))
        #expect(
            refusal?.challenges.map(\.description) == [
                #"Bearer resource_metadata="https://H/api/metadata.json?v=1""#
            ])
        #expect(try Self.named(own, at: "/api/metadata.json?v=1") == "https://h/api")
        #expect(try Self.named(own, at: "/.well-known/oauth-protected-resource/api") == "https://h/api")
        for target in ["/api/metadata.json", "/api/metadata.json/?v=1", "/api"] {
            #expect(try Self.named(own, at: target) == nil)
        }
        let custom = try Self.resource("https://h/api") {
            $0.advertisedURL = "https://h/custom/metadata/location.json"
        }
        #expect(try Self.named(custom, at: "/custom/metadata/location.json") == "https://h/api")
        let elsewhere = try Self.resource("https://h/api") { $0.advertisedURL = "https://meta.example/api" }
        #expect(elsewhere.metadataLocations.advertised == "https://meta.example/api")
        #expect(try Self.named(elsewhere, at: "/api") == nil)
    }

    @Test(arguments: [
        "http://h/m", "https://h/m#f", "/m", "", "https://h/a//b", "https://h/\"", "https://h/m%2fn",
    ])
    func `RFC 9728 §5.1: a URL that no client could use is refused`(url: String) {
        let found = problems { () throws(ConfigurationError) in
            _ = try Self.resource("https://h/p") { $0.advertisedURL = url }
        }
        #expect(found.map(\.path) == ["publishing.advertisedURL"])
    }

    @Test
    func `RFC 9728 §3.3: each of ten thousand identifiers has its own document at its location`()
        throws
    {
        var identifiers = GeneratedIdentifiers(seed: 9728)
        for _ in 0..<10_000 {
            let text = identifiers.next()
            let identifier = try ResourceIdentifier(validating: text)
            #expect(identifier.metadataURL == GeneratedIdentifiers.expectedLocation(of: text))
            let resource = ProtectedResourceMetadata(resource: identifier)
            #expect(resource.json["resource"]?.string.map { Array($0.utf8) } == Array(text.utf8))
            let location = identifier.wellKnownLocation
            let target = Self.target(identifier.metadataURL).split(separator: "?", maxSplits: 1)
            let path = try RequestPath(String(target[0]))
            #expect(location.matches(path: path.text, query: target.count > 1 ? String(target[1]) : nil))
        }
    }
}

/// Identifiers of every shape, the same ones each time.
struct GeneratedIdentifiers {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> String {
        var text = pick(["https", "HTTPS", "Https"]) + "://" + host()
        if chance(3) { text += ":\(1 + random(65_535))" }
        let count = random(5)
        for _ in 0..<count { text += "/" + segment() }
        if chance(4) { text += "/" }
        if chance(5) { text += "?" + query() }
        return text
    }

    /// RFC 9728 §3.1 literally: the text before the path, the well-known path, the rest; a lone slash is
    /// removed.
    static func expectedLocation(of text: String) -> String {
        let afterScheme = text.index(text.startIndex, offsetBy: text.lowercased().hasPrefix("https") ? 8 : 7)
        let pathStart = text[afterScheme...].firstIndex { $0 == "/" || $0 == "?" } ?? text.endIndex
        var rest = String(text[pathStart...])
        if rest == "/" { rest = "" }
        if rest.hasPrefix("/?") { rest.removeFirst() }
        return text[..<pathStart] + "/.well-known/oauth-protected-resource" + rest
    }

    private mutating func host() -> String {
        switch random(5) {
        case 0: "[2001:db8::\(String(random(0xFFFF), radix: 16))]"
        case 1: "192.0.2.\(random(256))"
        case 2: "API-\(random(100)).Example.COM"
        default: "h\(random(1000)).example"
        }
    }

    private mutating func segment() -> String {
        let pieces = [
            "a", "Z", "9", "-", "_", "~", "%41", "%7e", "%c3%a9", "%20", ":", "@", "!", "$", "&", "'", "(",
            ")", "*",
            "+", ",", ";", "=", "%25",
        ]
        var text = "s"
        for _ in 0..<random(6) { text += pick(pieces) }
        return text
    }

    private mutating func query() -> String {
        let pieces = ["a=1", "&", "%7e", "/", "?", "t", "=", "%20", ":"]
        var text = "q"
        for _ in 0..<random(5) { text += pick(pieces) }
        return text
    }

    private mutating func pick(_ choices: [String]) -> String { choices[random(choices.count)] }
    private mutating func chance(_ one: Int) -> Bool { random(one) == 0 }

    // SplitMix64.
    private mutating func random(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((value ^ (value >> 31)) % UInt64(bound))
    }
}
