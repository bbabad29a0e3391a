// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisStatusList
import PortcullisTesting
import Testing

@Suite("draft-ietf-oauth-status-list §8 Fetching and verifying lists")
struct StatusList_8_Fetching {
    private static func unavailable(
        _ fault: TestStatusListIssuer.Fault, _ expected: AuthorizationServerFault,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        let scene = StatusListScene()
        scene.lists.fault = fault
        let refusal = await scene.refusal(of: scene.token(at: 1))
        #expect(refusal?.reason == .statusListUnavailable, sourceLocation: sourceLocation)
        #expect(refusal?.status == .serviceUnavailable, sourceLocation: sourceLocation)
        #expect(refusal?.challenges == [], sourceLocation: sourceLocation)
        #expect(refusal?.head.fields[.retryAfter] != nil, sourceLocation: sourceLocation)
        #expect(scene.faults == [expected], sourceLocation: sourceLocation)
    }

    @Test func `TSL-06 the request tells nothing of the token`() async throws {
        let scene = StatusListScene()
        #expect(await scene.reason(scene.token(at: 900)) == nil)
        let request = try #require(scene.lists.requests.first)
        #expect(request.url == "https://as.example.com/statuslists/1")
        #expect(request.method == .get)
        #expect(
            request.fields.map { "\($0.name.spelling): \($0.value)" } == [
                "Accept: application/statuslist+jwt", "Accept-Encoding: identity",
            ])
        #expect(request.body == [])
        // TSL-33: no query of our own.
        #expect(!request.url.contains("?"))
    }

    @Test func `TSL-07 a hundred requests cause one fetch`() async {
        let scene = StatusListScene()
        let fetcher = ScriptedFetcher()
        let gate = Latch()
        let lists = scene.lists
        fetcher.on(lists.uri) { request throws(FetchError) in
            await gate.wait()
            return try await lists.fetch(request)
        }
        var trusted = lists.trusted(inflatingWith: ZlibInflater())
        trusted.fetcher = fetcher
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: trusted, time: scene.clock.time)
        let tokens = (0..<100).map { scene.token(at: $0) }
        let refusals = await withTaskGroup(of: Refusal?.self) { group in
            for token in tokens {
                group.addTask { await resource.refusal(of: .get("/notes", bearer: token)) }
            }
            await settle { fetcher.count(of: lists.uri) > 0 }
            for _ in 0..<100 { await Task.yield() }
            gate.open()
            return await group.reduce(into: [Refusal?]()) { $0.append($1) }
        }
        #expect(refusals.allSatisfy { $0 == nil })
        #expect(fetcher.count(of: lists.uri) == 1)
    }

    @Test(arguments: [201, 204, 206, 304, 400, 401, 404, 500, 503])
    func `TSL-08 the status`(code: Int) async throws {
        let status = try #require(Status(code))
        guard code >= 300 else {
            let scene = StatusListScene()
            scene.lists.fault = .status(status)
            #expect(await scene.reason(scene.token(at: 1)) == nil)
            return
        }
        await Self.unavailable(.status(status), .status(code))
    }

    @Test func `TSL-08 the media type`() async {
        for type in ["application/statuslist+cwt", "application/json", "text/html", "", "application/jwt"] {
            await Self.unavailable(.mediaType(type), .unusableStatusList(.mediaType(type)))
        }
        for type in ["Application/StatusList+JWT", "application/statuslist+jwt; charset=utf-8"] {
            let scene = StatusListScene()
            scene.lists.fault = .mediaType(type)
            #expect(await scene.reason(scene.token(at: 1)) == nil)
        }
    }

    @Test func `TSL-09 a content coding that was not asked for is a failure`() async {
        await Self.unavailable(.contentCoding("gzip"), .contentCoding("gzip"))
    }

    @Test func `TSL-10 a redirect is a failure by default`() async {
        let target = "https://as.example.com/statuslists/2"
        await Self.unavailable(.redirect(to: target), .redirect(302, to: target))
    }

    /// A resource that follows up to three redirects, which a script answers.
    private static func redirecting(_ targets: [(from: String, to: String)], list: String) async -> (
        reason: RefusalReason?, fetched: [String]
    ) {
        let scene = StatusListScene()
        let fetcher = ScriptedFetcher()
        for (from, to) in targets {
            fetcher.on(from) { _ in FetchResponse(status: 302, fields: [.location: to]) }
        }
        let token = scene.lists.token
        fetcher.on(list) { _ in
            FetchResponse(
                status: .ok, fields: [.contentType: "application/statuslist+jwt"], body: Array(token.utf8))
        }
        var trusted = scene.lists.trusted(inflatingWith: ZlibInflater())
        trusted.statusLists.maxRedirectCount = 3
        trusted.statusLists.additionalOrigins = ["https://status.example.com"]
        trusted.fetcher = fetcher
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: trusted, time: scene.clock.time)
        let refusal = await resource.refusal(of: .get("/notes", bearer: scene.token(at: 1)))
        return (refusal?.reason, fetcher.requests.map(\.url))
    }

    @Test func `TSL-10 redirects are followed where they are allowed`() async {
        let first = "https://as.example.com/statuslists/1"
        let second = "https://status.example.com/a"
        let third = "https://status.example.com/b"
        let followed = await Self.redirecting([(first, second), (second, "/b")], list: third)
        #expect(followed == (nil, [first, second, third]))
        let loop = await Self.redirecting([(first, second), (second, first)], list: third)
        #expect(loop == (.statusListUnavailable, [first, second, first, second]))
        for target in [
            "https://other.example.com/x", "http://as.example.com/x", "//other.example.com/x", "x", "",
            "https://as.example.com@other.example.com/",
        ] {
            let refused = await Self.redirecting([(first, target)], list: third)
            #expect(refused == (.statusListUnavailable, [first]), "\(target)")
        }
    }

    @Test func `TSL-11 the typ is that of a list`() async {
        for type: JSONValue in ["JWT", "at+jwt", "statuslist+cwt", "", 5] {
            let scene = StatusListScene()
            scene.lists.fault = .header(["typ": type])
            #expect(await scene.reason(scene.token(at: 1)) == .statusListUnavailable)
        }
        let scene = StatusListScene()
        scene.lists.fault = .header(["typ": "application/StatusList+JWT"])
        #expect(await scene.reason(scene.token(at: 1)) == nil)
    }

    @Test func `TSL-12 only a key of the issuer verifies a list`() async throws {
        await Self.unavailable(.signedByStranger, .unusableStatusList(.invalidSignature))
        let scene = StatusListScene()
        let parts = scene.lists.token.split(separator: ".").map(String.init)
        let none = Base64URL.encode(Array(#"{"typ":"statuslist+jwt","alg":"none"}"#.utf8))
        await Self.unavailable(
            .body(Array("\(none).\(parts[1]).".utf8)), .unusableStatusList(.malformedToken))
        await Self.unavailable(
            .body(Array("\(none).\(parts[1]).\(parts[2])".utf8)), .unusableStatusList(.unsupportedAlgorithm))
        let mac = Base64URL.encode(Array(#"{"typ":"statuslist+jwt","alg":"HS256"}"#.utf8))
        await Self.unavailable(
            .body(Array("\(mac).\(parts[1]).\(parts[2])".utf8)), .unusableStatusList(.unsupportedAlgorithm))
        // A key in the header is not a key of the issuer.
        let stranger = TestIssuer("https://as.example.com", keyID: "x", time: scene.clock.time)
        let payload = try #require(Base64URL.decode(parts[1]))
        let own = stranger.sign(
            header: ["typ": "statuslist+jwt", "jwk": .object(stranger.key.publicKey.publicJSON)],
            payload: payload)
        await Self.unavailable(.body(Array(own.utf8)), .unusableStatusList(.invalidSignature))
    }

    @Test func `TSL-12 an algorithm that is not accepted of the issuer is a failure`() async {
        let scene = StatusListScene { $0.algorithms = [.es256] }
        #expect(await scene.reason(scene.token(at: 1)) == nil)
        let other = TestIssuer("https://as.example.com", algorithm: .es384, time: scene.clock.time)
        let list = TestStatusListIssuer(of: other)
        scene.lists.fault = .body(Array(list.token.utf8))
        await scene.pass(.seconds(301))
        #expect(scene.faults == [.unusableStatusList(.unsupportedAlgorithm)])
    }

    @Test func `TSL-13 sub is the URI of the access token`() async {
        for subject: JSONValue in ["https://as.example.com/statuslists/1/", "", .null, 5] {
            await Self.unavailable(
                .claims(["sub": subject]), .unusableStatusList(.subjectMismatch))
        }
    }

    @Test func `TSL-14 the times of a list`() async {
        await Self.unavailable(.claims(["exp": 1_799_999_999]), .unusableStatusList(.expired))
        await Self.unavailable(.claims(["exp": "later"]), .unusableStatusList(.malformedTime("exp")))
        for issued: JSONValue in [.null, "now", 1_800_000_031] {
            await Self.unavailable(.claims(["iat": issued]), .unusableStatusList(.malformedTime("iat")))
        }
        let scene = StatusListScene()
        scene.lists.fault = .claims(["iat": 1_800_000_030])
        #expect(await scene.reason(scene.token(at: 1)) == nil)
    }

    @Test func `TSL-15 ttl is a positive number`() async {
        for value: JSONValue in [0, -1, "300", true] {
            await Self.unavailable(.claims(["ttl": value]), .unusableStatusList(.malformedTime("ttl")))
        }
    }

    @Test func `TSL-16 the members of status_list`() async {
        let lists: [(JSONValue, String)] = [
            (["bits": 3, "lst": "eNo76fITAAPfAgc"], "bits"),
            (["bits": "2", "lst": "eNo76fITAAPfAgc"], "bits"),
            (["bits": 16, "lst": "eNo76fITAAPfAgc"], "bits"), (["lst": "eNo76fITAAPfAgc"], "bits"),
            (["bits": 2, "lst": "eNo76fITAAPfAgc="], "lst"), (["bits": 2], "lst"),
            (["bits": 2, "lst": 5], "lst"),
            ([], "bits"), (.null, "bits"),
        ]
        for (list, name) in lists {
            await Self.unavailable(
                .claims(["status_list": list]), .unusableStatusList(.malformedList(name)))
        }
        let scene = StatusListScene()
        scene.lists.fault = .claims([
            "x": 1,
            "status_list": ["bits": 2, "lst": "eNo76fITAAPfAgc", "aggregation_uri": "https://x", "y": 1],
        ])
        #expect(await scene.reason(scene.token(at: 2)) == nil)
    }

    @Test func `TSL-17 iss, if it is there, is the issuer`() async {
        for name: JSONValue in ["https://other.example.com", "https://as.example.com/", 5] {
            await Self.unavailable(.claims(["iss": name]), .unusableStatusList(.issuerMismatch))
        }
        let scene = StatusListScene()
        scene.lists.fault = .claims(["iss": "https://as.example.com"])
        #expect(await scene.reason(scene.token(at: 1)) == nil)
    }

    @Test func `TSL-18 a malformed array is a failure of its list`() async throws {
        for text in StatusListVectors.malformed.values {
            let bytes = try #require(Base64URL.decode(text))
            await Self.unavailable(.array(bytes), .unusableStatusList(.malformedCompression))
        }
    }

    @Test func `TSL-28 transport failures are nobody's fault but the list's`() async {
        for error: FetchError in [.unreachable, .timedOut, .untrustedServer, .malformedResponse] {
            await Self.unavailable(.noAnswer(error), .noResponse(error))
        }
        await Self.unavailable(.body([]), .unusableStatusList(.malformedToken))
        await Self.unavailable(.body(Array("{}".utf8)), .unusableStatusList(.malformedToken))
    }

    // MARK: Vectors

    @Test func `the draft's signed list verifies`() async throws {
        let uri = "https://example.com/statuslists/1"
        let clock = ManualClock(at: 1_700_000_000)
        let issuer = TestIssuer("https://example.com", time: clock.time)
        let keys = JWKSet([issuer.key.publicKey, try JWK(StatusListVectors.draftKey)])
        let list = TestStatusListIssuer(of: issuer, at: uri)
        list.fault = .body(Array(StatusListVectors.draftList.utf8))
        var trusted = list.trusted(inflatingWith: ZlibInflater())
        trusted.keys = .fixed(keys)
        let resource = ProtectedResource("https://api.example.com/notes", trusting: trusted, time: clock.time)
        for (index, value) in [1, 0, 0, 1].enumerated() {
            let token = issuer.mint(audience: Scene.identifier, claims: list.claims(at: index))
            let reason = await resource.refusal(of: .get("/notes", bearer: token))?.reason
            #expect(reason == (value == 0 ? nil : .revokedToken))
        }
        #expect(list.requests.count == 1)
    }

    @Test func `TSL-22 the verdicts of the vectors`() async throws {
        let clock = ManualClock()
        let fetcher = ScriptedFetcher()
        fetcher.on(StatusListVectors.uri) { _ in
            FetchResponse(
                status: .ok, fields: [.contentType: "application/statuslist+jwt"],
                body: Array(StatusListVectors.list.utf8))
        }
        var trusted = TrustedIssuer.jwt(
            issuer: StatusListVectors.issuer, keys: .fixed(JWKSet([try JWK(StatusListVectors.key)])))
        trusted.statusLists.inflater = ZlibInflater()
        trusted.fetcher = fetcher
        let resource = ProtectedResource("https://api.example.com/mcp", trusting: trusted, time: clock.time)
        let expected: [Int: RefusalReason?] = [
            0: .revokedToken, 1: .suspendedToken, 2: nil, 3: .unacceptedStatus, 12: .statusOutOfRange,
        ]
        for (index, reason) in expected {
            let token = try #require(StatusListVectors.tokens[index])
            let refusal = await resource.refusal(of: .get("/mcp", bearer: token))
            #expect(refusal?.reason == reason, "AT-\(index)")
            if let refusal { #expect(refusal.status == .unauthorized) }
        }
        #expect(fetcher.requests.count == 1)
    }
}
