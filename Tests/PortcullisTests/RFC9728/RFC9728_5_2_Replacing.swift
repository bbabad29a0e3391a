// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Synchronization
import Testing

@Suite("RFC 9728 §5.2 Replacing resources that another server serves")
struct RFC9728_5_2_Replacing {
    static let metadataPath = "/.well-known/oauth-protected-resource/notes"

    final class Lines: Sendable {
        private let list = Mutex<[String]>([])
        var all: [String] { list.withLock { $0 } }
        func add(_ line: String) { list.withLock { $0.append(line) } }
    }

    final class End: Sendable {
        let isReached = Atomic(false)
    }

    let clock = ManualClock()
    let issuer = TestIssuer("https://as.example.com")
    let events = EventLog()
    let lines = Lines()

    func resource(
        _ identifier: String = "https://api.example.com/notes", _ name: String = "One",
        trusting issuers: [TestIssuer]? = nil, _ publishing: MetadataPublishing = MetadataPublishing(),
        change: (inout ProtectedResourceMetadata) -> Void = { _ in }
    ) throws -> ProtectedResource {
        let issuers = issuers ?? [issuer]
        var metadata = ProtectedResourceMetadata(resource: try ResourceIdentifier(validating: identifier))
        metadata.authorizationServers = issuers.map(\.issuer)
        metadata.resourceName = LocalizedText(name)
        change(&metadata)
        return try ProtectedResource(
            validating: .init(
                metadata, trusting: issuers.map(\.trusted), challengeParameters: [("realm", name)],
                publishing: publishing, onEvent: { [events] in events.append($0) }))
    }

    func resources(_ list: ProtectedResource...) throws -> ResourceRegistry {
        try ResourceRegistry(list) { [lines] in lines.add($0) }
    }

    static func document(_ set: ResourceRegistry.Snapshot) throws -> (etag: String, name: String) {
        let answer = try #require(set.metadataResponse(to: .get(metadataPath)))
        let json = try JSONValue.parse(answer.body).object
        return (
            try #require(answer.head.fields[.etag]), try #require(json?["resource_name"]?.string)
        )
    }

    static func refusal(_ set: ResourceRegistry.Snapshot, bearer token: String? = nil) async throws
        -> Refusal?
    {
        let head = token.map { RequestHead.get("/notes", bearer: $0) } ?? .get("/notes")
        return try await #require(set.resource(for: head)).refusal(of: head)
    }

    @Test
    func `a replacement changes document, entity tag and challenge, and reports both hashes`()
        async throws
    {
        let old = try resource()
        let new = try resource("https://api.example.com/notes", "Two")
        let resources = try resources(old)
        let before = try Self.document(resources.current)
        try resources.replace([new])
        let after = try Self.document(resources.current)
        #expect(before.name == "One" && after.name == "Two" && before.etag != after.etag)
        #expect(try await Self.refusal(resources.current)?.challenges.first?["realm"] == "Two")
        #expect(
            lines.all == [
                "metadata of https://api.example.com/notes: \(old.metadataHash) is now \(new.metadataHash)"
            ])
        #expect(
            events.all == [
                .documentChanged(resource: new.identifier, old: old.metadataHash, new: new.metadataHash)
            ])
    }

    @Test func `a request in flight ends with its own set`() async throws {
        let resources = try resources(resource())
        let held = resources.current
        try resources.replace([resource("https://api.example.com/notes", "Two")])
        #expect(try Self.document(held).name == "One")
        #expect(try await Self.refusal(held)?.challenges.first?["realm"] == "One")
        let token = issuer.mint(audience: "https://api.example.com/notes")
        #expect(try await Self.refusal(held, bearer: token) == nil)
    }

    @Test func `tokens of a removed authorization server get a fresh challenge, cached ones too`()
        async throws
    {
        let goes = TestIssuer("https://goes.example.com")
        let resources = try resources(
            resource("https://api.example.com/notes", trusting: [goes, issuer]))
        let token = goes.mint(audience: "https://api.example.com/notes")
        for _ in 0..<2 { #expect(try await Self.refusal(resources.current, bearer: token) == nil) }
        try resources.replace([resource()])
        let refusal = try #require(try await Self.refusal(resources.current, bearer: token))
        #expect(refusal.status == .unauthorized)
        #expect(refusal.challenges.first?["error"] == "invalid_token")
        #expect(
            refusal.challenges.first?["resource_metadata"]
                == "https://api.example.com\(Self.metadataPath)")
    }

    @Test func `a resource that returns has no cached token`() async throws {
        let first = try resource()
        let resources = try resources(first)
        let token = issuer.mint(audience: "https://api.example.com/notes")
        #expect(try await Self.refusal(resources.current, bearer: token) == nil)
        try resources.replace([resource("https://api.example.com/notes", "Two")])
        try resources.replace([first])
        let head = RequestHead.get("/notes", bearer: token)
        if case .admitted = first.progress(head) { Issue.record("the token is cached") }
        #expect(try await Self.refusal(resources.current, bearer: token) == nil)
    }

    @Test func `added and removed resources are each reported`() throws {
        let old = try resource()
        let new = try resource("https://api.example.com/other")
        let resources = try resources(old)
        try resources.replace([new])
        #expect(
            lines.all == [
                "metadata of https://api.example.com/other: new, \(new.metadataHash)",
                "metadata of https://api.example.com/notes: gone, was \(old.metadataHash)",
            ])
        #expect(
            events.all == [
                .documentChanged(resource: new.identifier, old: nil, new: new.metadataHash),
                .documentChanged(resource: old.identifier, old: old.metadataHash, new: nil),
            ])
        #expect(resources.current[old.identifier] == nil && resources.current[new.identifier] != nil)
        #expect(resources.current.metadataResponse(to: .get(Self.metadataPath))?.head.status == .notFound)
    }

    @Test func `resources with one location are refused, and change nothing`() throws {
        let resources = try resources(resource())
        let twins = try [
            resource("https://api.example.com/a"), resource("https://API.example.com/a/"),
        ]
        let problems = problems { () throws(ConfigurationError) in try resources.replace(twins) }
        #expect(
            problems.map(\.message) == [
                "two resources would have the same metadata location: https://api.example.com/a and "
                    + "https://API.example.com/a/"
            ])
        #expect(try Self.document(resources.current).name == "One" && lines.all.isEmpty)
    }

    @Test func `RFC 9449 §11.1: a used proof stays used, and a nonce stays valid`() async throws {
        let client = TestDPoPClient(time: clock.time)
        let issuer = TestIssuer("https://as.example.com", time: clock.time)
        func guarding() -> ProtectedResource {
            var tokens = TokenPolicy()
            tokens.dpop.nonce = .required
            return ProtectedResource(
                "https://api.example.com/notes", trusting: issuer.trusted, tokens: tokens, dpop: .accepted,
                time: clock.time)
        }
        let resources = try resources(guarding())
        let token = issuer.mint(audience: "https://api.example.com/notes", boundTo: client)
        func ask(_ proof: String) async throws -> Refusal? {
            let head = RequestHead.dpop("/notes", token: token, proofs: [proof])
            return try await #require(resources.current.resource(for: head)).refusal(of: head)
        }
        func proof(_ nonce: String?) -> String {
            client.proof(.get, "https://api.example.com/notes", token: token, nonce: nonce)
        }
        let nonce = try #require(try await ask(proof(nil))?.dpopNonce)
        let used = proof(nonce)
        #expect(try await ask(used) == nil)
        for _ in 0..<3 {
            try resources.replace([guarding()])
            #expect(try await ask(used)?.reason == .replayedProof)
            #expect(try await ask(proof(nonce)) == nil)
        }
    }

    @Test func `keys are used until they are refreshed, if both resources fetch in the same way`()
        async throws
    {
        let network = ScriptedFetcher()
        let issuer = TestIssuer("https://as.example.com", time: clock.time)
        network.on("https://as.example.com/jwks", json: .object(issuer.keys.publicJSON))
        func remote(_ way: ScriptedFetcher) -> ProtectedResource {
            ProtectedResource(
                "https://api.example.com/notes",
                trusting: .jwt(issuer: issuer.issuer, keys: .remote("https://as.example.com/jwks")),
                fetcher: way, time: clock.time)
        }
        let resources = try resources(remote(network))
        let token = issuer.mint(audience: "https://api.example.com/notes")
        #expect(try await Self.refusal(resources.current, bearer: token) == nil)
        network.on("https://as.example.com/jwks", failing: .unreachable)
        try resources.replace([remote(network)])
        #expect(try await Self.refusal(resources.current, bearer: token) == nil)
        try resources.replace([remote(ScriptedFetcher())])
        #expect(try await Self.refusal(resources.current, bearer: token)?.reason == .keysUnavailable)
    }

    @Test func `RFC 9728 §2.2: the previous signing key stays published, and keys are served at jwks_uri`()
        throws
    {
        func signing(_ keyID: String) throws -> ProtectedResource {
            var publishing = MetadataPublishing()
            publishing.signing = MetadataSigning(
                key: try .generate(.es256, keyID: keyID), algorithm: .es256)
            return try resource("https://api.example.com/notes", keyID, publishing) {
                $0.jwksURI = "https://api.example.com/keys"
            }
        }
        let resources = try resources(signing("old"))
        try resources.replace([signing("new")])
        let keys = try #require(resources.current.metadataResponse(to: .get("/keys")))
        #expect(try JWKSet(parsing: keys.body).keys.map(\.keyID) == ["new", "old"])
    }

    @Test(arguments: [
        ("/notes", "https://api.example.com/notes"), ("/notes/", "https://api.example.com/notes"),
        ("/notes/7?x=/photos", "https://api.example.com/notes"),
        ("/n%6Ftes/7", "https://api.example.com/notes"),
        ("/notes/deep/7", "https://api.example.com/notes/deep/"),
        ("/notes/deep/", "https://api.example.com/notes/deep/"),
        ("/notes/deep", "https://api.example.com/notes"), ("/notesx", nil), ("/Notes", nil), ("/", nil),
        ("https://API.example.com/notes/7", "https://api.example.com/notes"),
        ("https://api.example.com:443/notes", "https://api.example.com/notes"),
        ("https://other.example/notes", "https://other.example/notes"),
        ("https://[2001:DB8::1]/notes", "https://[2001:db8:0:0:0:0:0:1]/notes"),
        ("/notes?a|{b}", "https://api.example.com/notes"),
        ("https://api.example.com/notes?a|{b}[c]", "https://api.example.com/notes"),
        ("https://api.example.com/notes?%", "https://api.example.com/notes"),
        ("https://other.example/notes?%zz", "https://other.example/notes"),
        ("https://evil.example/public", nil), ("https://api.example.com", nil),
    ])
    func `the longest path by whole segments owns a request, at its authority`(
        target: String, owner: String?
    ) throws {
        let names = [
            "https://api.example.com/notes", "https://api.example.com/notes/deep/",
            "https://other.example/notes",
            "https://[2001:db8:0:0:0:0:0:1]/notes",
        ]
        let set = try ResourceRegistry(names.map { try resource($0) }, log: { _ in }).current
        let fields = target.hasPrefix("/") ? [("Host", "api.example.com")] : []
        let head = try RequestHead(method: .get, target: target, fields: fields)
        #expect(try set.resource(for: head)?.identifier.text == owner)
    }

    @Test(arguments: [
        ("/notes", ["evil.example"]), ("/notes/7", []), ("/notes", ["api.example.com", "evil.example"]),
        ("/notes", ["api.example.com evil.example"]), ("/photos", ["api.example.com"]),
        ("https://evil.example/notes", ["api.example.com"]), ("https://evil.example/notes?[", []),
    ])
    func `RFC 9110 §15.5.20: a host without resources does not bypass a path's gate`(
        target: String, hosts: [String]
    ) throws {
        let set = try resources(
            resource("https://api.example.com/notes"), resource("https://other.example/photos")
        ).current
        let head = try RequestHead(method: .get, target: target, fields: hosts.map { ("Host", $0) })
        #expect(throws: MalformedMessage.misdirectedRequest) { try set.resource(for: head) }
        #expect(MalformedMessage.misdirectedRequest.status == .misdirectedRequest)
    }

    @Test func `looking up a path of 64 KiB is no slower than reading it`() throws {
        let set = try resources(
            resource("https://api.example.com/notes"), resource("https://other.example/photos/deep/")
        ).current
        let tail = String(repeating: "/a", count: 32_768)
        let clock = ContinuousClock()
        for (path, owner) in [("", nil), ("/notes", "https://api.example.com/notes"), ("/notesx", nil)] {
            let head = try RequestHead(
                method: .get, target: path + tail, fields: [("Host", "api.example.com")])
            let begin = clock.now
            #expect(try set.resource(for: head)?.identifier.text == owner)
            #expect(clock.now - begin < .seconds(2))
        }
    }

    @Test(arguments: [
        "https://u@api.example.com/notes", "https://api.example.com:x/notes", "https:///notes", "notes",
        "https:/notes", "ws://api.example.com/notes", "https://api.example.com:99999/notes",
    ])
    func `RFC 9112 §3.2: a malformed target throws and belongs to no resource`(target: String) throws {
        let set = try resources(resource()).current
        let head = try RequestHead(method: .get, target: target, fields: [("Host", "api.example.com")])
        #expect(throws: MalformedMessage.self) { try set.resource(for: head) }
        #expect(set.metadataResponse(to: head) == nil)
    }

    @Test(arguments: [
        "/public/../notes", "//notes", "/public/%2e%2e/notes", "/public%2Fnotes", "/public%5cnotes",
    ])
    func `RFC 3986 §6.2.2: an ambiguous path throws and belongs to no resource`(target: String) throws {
        let set = try resources(resource()).current
        #expect(throws: MalformedMessage.ambiguousPath) { try set.resource(for: .get(target)) }
        #expect(set.metadataResponse(to: .get(target)) == nil)
    }

    @Test func `RFC 9728 §3.1: host and query select the document, and unknown ones are 404`() throws {
        let set = try resources(
            resource("https://a.example/p?t=1", "a1"), resource("https://a.example/p?t=2", "a2"),
            resource("https://b.example/p", "b")
        ).current
        func name(_ host: String, _ query: String = "") throws -> String? {
            let head = try RequestHead(
                method: .get, target: "/.well-known/oauth-protected-resource/p" + query,
                fields: [("Host", host)])
            guard let answer = set.metadataResponse(to: head) else { return nil }
            guard answer.head.status == .ok else { return "\(answer.head.status.code)" }
            return try JSONValue.parse(answer.body).object?["resource_name"]?.string
        }
        #expect(try name("a.example", "?t=1") == "a1" && name("a.example", "?t=2") == "a2")
        #expect(try name("a.example") == "404" && name("b.example") == "b" && name("c.example") == nil)
        #expect(try name("A.Example:443", "?t=1") == "a1")
    }

    @Test func `during a hundred swaps under load no request sees two sets`() async throws {
        let sets = try (0..<8).map { try resource("https://api.example.com/notes", "set \($0)") }
        let resources = try ResourceRegistry([sets[0]], log: { _ in })
        let tags = Dictionary(
            uniqueKeysWithValues: try sets.map { resource in
                let document = try Self.document(try ResourceRegistry([resource], log: { _ in }).current)
                return (document.name, document.etag)
            })
        let end = End()
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var count = 0
                    while !end.isReached.load(ordering: .relaxed) || count == 0 {
                        let set = resources.current
                        let realm = try await Self.refusal(set)?.challenges.first?["realm"]
                        let document = try Self.document(set)
                        #expect(realm == document.name && tags[document.name] == document.etag)
                        count += 1
                        await Task.yield()
                    }
                    return count
                }
            }
            for number in 1...100 {
                try resources.replace([sets[number % sets.count]])
                await Task.yield()
            }
            end.isReached.store(true, ordering: .relaxed)
            return try await group.reduce(0, +)
        }
        #expect(count >= 4)
    }
}
