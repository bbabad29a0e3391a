// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 8414 §3 Authorization server metadata")
struct RFC8414_3_Discovery {
    /// An issuer whose keys are discovered, and the network around it.
    struct World {
        let clock = ManualClock()
        let fetcher = ScriptedFetcher()
        let issuer: TestIssuer
        let resource: ProtectedResource
        let events = EventLog()

        init(_ name: String, allowsInsecureLoopback: Bool = false) {
            issuer = TestIssuer(name, time: clock.time)
            var trusted = TrustedIssuer.jwt(issuer: name)
            trusted.allowsInsecureLoopback = allowsInsecureLoopback
            let events = events
            resource = ProtectedResource(
                "https://api.example.com/notes", trusting: trusted, fetcher: fetcher, time: clock.time,
                onEvent: { events.append($0) })
        }

        func serveKeys(at url: String) {
            fetcher.on(url, json: .object(issuer.keys.publicJSON))
        }

        func refusal() async -> Refusal? {
            await resource.refusal(of: .get("/notes", bearer: issuer.mint(audience: Scene.identifier)))
        }
    }

    static let oauth = "/.well-known/oauth-authorization-server"
    static let openID = "/.well-known/openid-configuration"

    @Test(arguments: [
        ("https://as.example", ["https://as.example\(oauth)", "https://as.example\(openID)"]),
        ("https://as.example/", ["https://as.example\(oauth)", "https://as.example\(openID)"]),
        (
            "https://as.example/t1",
            [
                "https://as.example\(oauth)/t1", "https://as.example\(openID)/t1",
                "https://as.example/t1\(openID)",
            ]
        ),
        (
            "https://as.example/a/t1/",
            [
                "https://as.example\(oauth)/a/t1", "https://as.example\(openID)/a/t1",
                "https://as.example/a/t1\(openID)",
            ]
        ),
        ("https://as.example:8443", ["https://as.example:8443\(oauth)", "https://as.example:8443\(openID)"]),
    ])
    func `§3.1: the locations are tried in order, until one has the document`(name: String, places: [String])
        async
    {
        for (index, place) in places.enumerated() {
            let world = World(name)
            for other in places { world.fetcher.on(other, status: .notFound) }
            world.fetcher.on(place, json: ["issuer": .string(name), "jwks_uri": "https://keys.example/jwks"])
            world.serveKeys(at: "https://keys.example/jwks")
            #expect(await world.refusal() == nil)
            #expect(world.fetcher.requests.map(\.url) == places[...index] + ["https://keys.example/jwks"])
        }
    }

    @Test(arguments: [
        "https://as.example/", "https://AS.example", "https://as.example:443", "http://as.example", "",
    ])
    func `§3.3: a document of another issuer is not used, however similar`(named: String) async {
        let world = World("https://as.example")
        for path in [Self.oauth, Self.openID] {
            world.fetcher.on(
                "https://as.example\(path)",
                json: ["issuer": .string(named), "jwks_uri": "https://as.example/jwks"])
        }
        world.serveKeys(at: "https://as.example/jwks")
        #expect(await world.refusal()?.status == .serviceUnavailable)
        #expect(world.fetcher.count(of: "https://as.example/jwks") == 0)
    }

    @Test(
        arguments: [
            ["issuer": "https://as.example"], ["issuer": "https://as.example", "jwks_uri": 1],
            ["issuer": "https://as.example", "jwks_uri": "http://as.example/jwks"],
            ["issuer": "https://as.example", "jwks_uri": "http://127.0.0.1/jwks"],
            ["issuer": "https://as.example", "jwks_uri": "file:///etc/passwd"],
            ["jwks_uri": "https://as.example/jwks"],
            [], "x",
        ] as [JSONValue])
    func `§3.2: an unusable document is an outage, not an invalid token`(document: JSONValue) async {
        let world = World("https://as.example")
        for path in [Self.oauth, Self.openID] {
            world.fetcher.on("https://as.example\(path)", json: document)
        }
        world.serveKeys(at: "https://as.example/jwks")
        let refusal = await world.refusal()
        expectRefused(refusal, .keysUnavailable)
        #expect(refusal?.head.fields[.retryAfter] == "5")
        #expect(refusal?.challenges.isEmpty == true)
        #expect(!world.fetcher.requests.contains { $0.url.hasSuffix("jwks") || $0.url.hasPrefix("file") })
    }

    /// Answers of servers that do not know the location of RFC 8414.
    static let otherAnswers: [(name: String, answer: FetchResponse)] =
        [204, 301, 302, 307, 308, 400, 401, 403, 404, 405, 410, 429, 500, 501, 502, 503].map {
            (
                "\($0)",
                FetchResponse(status: Status(code: $0), fields: [.location: "https://as.example/login"])
            )
        }
        + [
            ("empty", ""), ("HTML", "<!doctype html><title>Log in</title>"), ("no object", "[]"),
            ("no issuer", #"{"jwks_uri": "https://as.example/jwks"}"#),
            ("another issuer", #"{"issuer": "https://as.example/", "jwks_uri": "https://as.example/x"}"#),
            ("no jwks_uri", #"{"issuer": "https://as.example"}"#),
            ("null jwks_uri", #"{"issuer": "https://as.example", "jwks_uri": null}"#),
            ("http jwks_uri", #"{"issuer": "https://as.example", "jwks_uri": "http://as.example/x"}"#),
        ].map { ($0.0, FetchResponse(status: .ok, body: Array($0.1.utf8))) }

    @Test(arguments: otherAnswers.map(\.name))
    func `§5: after any answer but a valid document the next location is tried`(name: String) async {
        let answer = Self.otherAnswers.first { $0.name == name }?.answer
        let world = World("https://as.example")
        world.fetcher.on("https://as.example\(Self.oauth)") { _ throws(FetchError) in
            guard let answer else { throw .unreachable }
            return answer
        }
        world.fetcher.on(
            "https://as.example\(Self.openID)",
            json: ["issuer": "https://as.example", "jwks_uri": "https://as.example/jwks"])
        world.serveKeys(at: "https://as.example/jwks")
        #expect(await world.refusal() == nil)
        #expect(
            world.fetcher.requests.map(\.url) == [
                "https://as.example\(Self.oauth)", "https://as.example\(Self.openID)",
                "https://as.example/jwks",
            ])
        #expect(!world.events.all.contains { if case .refreshFailed = $0 { true } else { false } })
    }

    @Test(arguments: [FetchError.timedOut, .unreachable, .untrustedServer, .forbiddenAddress])
    func `without an answer the search ends, since the other locations are on the same host`(
        error: FetchError
    )
        async
    {
        let world = World("https://as.example")
        world.fetcher.on("https://as.example\(Self.oauth)", failing: error)
        expectRefused(await world.refusal(), .keysUnavailable)
        #expect(world.fetcher.requests.count == 1)
        #expect(
            world.events.all.contains {
                if case .refreshFailed(_, let fault) = $0 { fault.cause == .noResponse(error) } else { false }
            })
    }

    @Test func `§2: a document without jwks_uri does not hide one that is unavailable for a moment`() async {
        let world = World("https://as.example")
        world.fetcher.on("https://as.example\(Self.oauth)", json: ["issuer": "https://as.example"])
        world.fetcher.on("https://as.example\(Self.openID)", status: .serviceUnavailable)
        world.serveKeys(at: "https://as.example/jwks")
        expectRefused(await world.refusal(), .keysUnavailable)
        world.fetcher.on(
            "https://as.example\(Self.openID)",
            json: ["issuer": "https://as.example", "jwks_uri": "https://as.example/jwks"])
        world.clock.advance(by: .seconds(30))
        #expect(await world.refusal() == nil)
    }

    @Test func `all locations share one timeout`() async {
        let world = World("https://as.example/t")
        let clock = world.clock
        world.fetcher.on("https://as.example\(Self.oauth)/t") { _ in
            clock.advance(by: .seconds(3))
            return FetchResponse(status: .notFound)
        }
        world.fetcher.on("https://as.example\(Self.openID)/t") { _ in
            clock.advance(by: .seconds(2))
            return FetchResponse(status: .notFound)
        }
        expectRefused(await world.refusal(), .keysUnavailable)
        #expect(world.fetcher.requests.map(\.timeout) == [.seconds(5), .seconds(2)])
    }

    @Test func `§3.3: the report names each location, its cause, and both spellings of the issuer`() async {
        let world = World("https://as.example")
        world.fetcher.on(
            "https://as.example\(Self.oauth)",
            json: ["issuer": "https://as.example/", "jwks_uri": "https://as.example/jwks"])
        world.fetcher.on("https://as.example\(Self.openID)", status: .notFound)
        expectRefused(await world.refusal(), .keysUnavailable)
        let texts = world.events.all.map(\.description)
        #expect(!texts.isEmpty)
        for text in texts {
            #expect(
                text.contains(
                    #"the issuer in the metadata is "https://as.example/", not "https://as.example""#))
            #expect(text.contains("https://as.example\(Self.oauth): "))
            #expect(text.contains("https://as.example\(Self.openID): the answer has status 404, not 200"))
        }
    }

    @Test func `§2: the report names the member that no document has`() async {
        let world = World("https://as.example")
        world.fetcher.on("https://as.example\(Self.oauth)", json: ["issuer": "https://as.example"])
        world.fetcher.on("https://as.example\(Self.openID)", status: .notFound)
        expectRefused(await world.refusal(), .keysUnavailable)
        #expect(
            world.events.all.contains {
                $0.description.contains("https://as.example\(Self.oauth): the document has no jwks_uri")
            })
    }

    @Test(arguments: [
        "https://as.example/\u{1B}[2J", "https://as.example/\n", "", String(repeating: "x", count: 3000),
    ])
    func `an issuer that is not printable is not printed`(named: String) async {
        let world = World("https://as.example")
        for path in [Self.oauth, Self.openID] {
            world.fetcher.on("https://as.example\(path)", json: ["issuer": .string(named)])
        }
        expectRefused(await world.refusal(), .keysUnavailable)
        for event in world.events.all {
            let scalars = event.description.unicodeScalars
            #expect(scalars.allSatisfy { (0x20...0x7E).contains($0.value) || $0 == "\u{2026}" })
            #expect(event.description.utf8.count < 2000)
        }
    }

    @Test func `RFC 8259 §8.1: a byte order mark before a document is ignored`() async {
        let world = World("https://as.example")
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let document: JSONObject = ["issuer": "https://as.example", "jwks_uri": "https://as.example/jwks"]
        let keys = world.issuer.keys.publicJSON
        world.fetcher.on("https://as.example\(Self.oauth)") { _ in
            FetchResponse(status: .ok, body: mark + document.serialized())
        }
        world.fetcher.on("https://as.example/jwks") { _ in
            FetchResponse(status: .ok, body: mark + keys.serialized())
        }
        #expect(await world.refusal() == nil)
        #expect(world.fetcher.requests.count == 2)
    }

    @Test func `§2: http is used only to loopback, and only if allowed`() async {
        let name = "http://127.0.0.1:8081"
        let world = World(name, allowsInsecureLoopback: true)
        world.fetcher.on(
            "\(name)\(Self.oauth)", json: ["issuer": .string(name), "jwks_uri": .string("\(name)/jwks")])
        world.serveKeys(at: "\(name)/jwks")
        #expect(await world.refusal() == nil)

        let metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        for issuer in [
            name, "http://as.example", "https://as.example?x", "https://as.example#", "as.example", "",
        ] {
            let found = problems { () throws(ConfigurationError) in
                _ = try ProtectedResource(validating: .init(metadata, trusting: [.jwt(issuer: issuer)]))
            }
            #expect(found.map(\.path) == ["issuers[0].issuer"])
        }
    }

    @Test func `configured keys are used without a fetch`() async {
        let world = World("https://as.example")
        let fetcher = ScriptedFetcher()
        let fixed = ProtectedResource(
            "https://api.example.com/notes", trusting: world.issuer.trusted, fetcher: fetcher,
            time: world.clock.time)
        let head = RequestHead.get("/notes", bearer: world.issuer.mint(audience: Scene.identifier))
        #expect(await fixed.refusal(of: head) == nil)
        #expect(fetcher.requests.isEmpty)
        fetcher.on("https://as.example/k", json: .object(world.issuer.keys.publicJSON))
        let remote = ProtectedResource(
            "https://api.example.com/notes",
            trusting: .jwt(issuer: "https://as.example", keys: .remote("https://as.example/k")),
            fetcher: fetcher,
            time: world.clock.time)
        #expect(await remote.refusal(of: head) == nil)
        #expect(fetcher.requests.map(\.url) == ["https://as.example/k"])
        #expect(fetcher.requests.first?.fields[.accept] == "application/json, application/jwk-set+json")
    }

    @Test(arguments: [
        "application/json", "application/jwk-set+json", "application/jwk-set+json; charset=utf-8",
    ])
    func `keys are requested as application/json or application/jwk-set+json`(type: String) async {
        let world = World("https://as.example")
        world.fetcher.on(
            "https://as.example\(Self.oauth)",
            json: ["issuer": "https://as.example", "jwks_uri": "https://as.example/jwks"])
        let body = world.issuer.keys.publicJSON.serialized()
        world.fetcher.on("https://as.example/jwks") { _ in
            FetchResponse(status: .ok, fields: [.contentType: type], body: body)
        }
        #expect(await world.refusal() == nil)
    }

    @Test(
        arguments: ["x.y.z", 7, "eyJhbGciOiJub25lIn0.eyJqd2tzX3VyaSI6Imh0dHBzOi8vZXZpbCJ9."] as [JSONValue])
    func `RFC 8414 §2.1: signed_metadata of the authorization server is ignored`(value: JSONValue) async {
        let world = World("https://as.example")
        world.fetcher.on(
            "https://as.example\(Self.oauth)",
            json: [
                "issuer": "https://as.example", "jwks_uri": "https://as.example/jwks",
                "signed_metadata": value,
            ])
        world.serveKeys(at: "https://as.example/jwks")
        #expect(await world.refusal() == nil)
        #expect(world.fetcher.requests.count == 2)
    }
}
