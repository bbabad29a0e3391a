// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisStatusList
import PortcullisTesting
import Testing

@Suite("draft-ietf-oauth-status-list §13 Using and refreshing lists")
struct StatusList_13_Refreshing {
    @Test func `TSL-21 an index beyond the list is refused after one refetch`() async {
        let scene = StatusListScene(count: 16)
        #expect(await scene.reason(scene.token(at: 15)) == nil)
        // The list was fetched just now.
        let refusal = await scene.refusal(of: scene.token(at: 16))
        #expect(refusal?.reason == .statusOutOfRange)
        #expect(refusal?.status == .unauthorized)
        #expect(scene.fetchCount == 1)
        scene.clock.advance(by: .seconds(31))
        for _ in 0..<3 { #expect(await scene.reason(scene.token(at: 16)) == .statusOutOfRange) }
        #expect(scene.fetchCount == 2)
    }

    @Test func `TSL-21 a list that has grown meanwhile is fetched for the new token`() async {
        let scene = StatusListScene(count: 16)
        #expect(await scene.reason(scene.token(at: 15)) == nil)
        let longer = TestStatusListIssuer(of: scene.issuer, count: 32)
        scene.lists.fault = .body(Array(longer.token.utf8))
        scene.clock.advance(by: .seconds(31))
        #expect(await scene.reason(scene.token(at: 16)) == nil)
        #expect(scene.fetchCount == 2)
    }

    @Test func `TSL-22 a suspension is lifted by a later list`() async {
        let scene = StatusListScene()
        let token = scene.token(at: 7)
        scene.lists.suspend(7)
        let refusal = await scene.refusal(of: token)
        #expect(refusal?.reason == .suspendedToken)
        #expect(refusal?.status == .unauthorized)
        #expect(refusal?.challenges.first?.description.contains(#"error="invalid_token""#) == true)
        scene.lists.set(0, at: 7)
        await scene.pass(.seconds(301))
        #expect(await scene.reason(token) == nil)
    }

    @Test func `TSL-23 other values are refused unless they are configured`() async {
        for value: UInt8 in [3, 4, 11, 12, 15, 255] {
            let scene = StatusListScene(bits: 8) { $0.statusLists.validValues = [0, 3, 12] }
            scene.lists.set(value, at: 1)
            let isGood = [3, 12].contains(value)
            #expect(await scene.reason(scene.token(at: 1)) == (isGood ? nil : .unacceptedStatus))
        }
    }

    @Test func `TSL-24 a good status makes no invalid token valid`() async {
        let scene = StatusListScene()
        let token = scene.issuer.mint(
            audience: StatusListScene.identifier, lifetime: .seconds(100), claims: scene.lists.claims(at: 1))
        #expect(await scene.reason(token) == nil)
        await scene.pass(.seconds(131))
        #expect(await scene.reason(token) == .expired)
    }

    @Test func `TSL-25 a list is used for its ttl from the time of fetching`() async {
        let scene = StatusListScene(timeToLive: .seconds(300))
        #expect(await scene.reason(scene.token(at: 1)) == nil)
        await scene.pass(.seconds(299))
        #expect(scene.fetchCount == 1)
        await scene.pass(.seconds(2))
        #expect(scene.fetchCount == 2)
        await scene.pass(.seconds(299))
        #expect(scene.fetchCount == 2)
    }

    @Test func `TSL-25 without ttl until exp, without both for 300 seconds`() async {
        let expiring = StatusListScene(timeToLive: nil, lifetime: .seconds(1000))
        #expect(await expiring.reason(expiring.token(at: 1)) == nil)
        await expiring.pass(.seconds(999))
        #expect(expiring.fetchCount == 1)
        await expiring.pass(.seconds(1))
        #expect(expiring.fetchCount == 2)
        let eternal = StatusListScene(timeToLive: nil, lifetime: nil)
        #expect(await eternal.reason(eternal.token(at: 1)) == nil)
        await eternal.pass(.seconds(299))
        #expect(eternal.fetchCount == 1)
        await eternal.pass(.seconds(2))
        #expect(eternal.fetchCount == 2)
    }

    @Test func `TSL-25 a list is never used beyond its exp`() async {
        let scene = StatusListScene(timeToLive: .seconds(300), lifetime: .seconds(100))
        let token = scene.token(at: 1)
        #expect(await scene.reason(token) == nil)
        scene.lists.fault = .status(500)
        scene.clock.advance(by: .seconds(99))
        #expect(await scene.reason(token) == nil)
        scene.clock.advance(by: .seconds(1))
        #expect(await scene.reason(token) == .statusListUnavailable)
    }

    @Test func `TSL-26 ttl is clamped to 30 seconds and 24 hours`() async {
        let hasty = StatusListScene()
        hasty.lists.fault = .claims(["ttl": 0.001])
        #expect(await hasty.reason(hasty.token(at: 1)) == nil)
        for _ in 0..<29 { await hasty.pass(.seconds(1)) }
        #expect(hasty.fetchCount == 1)
        await hasty.pass(.seconds(1))
        #expect(hasty.fetchCount == 2)
        let lazy = StatusListScene()
        lazy.lists.fault = .claims(["ttl": 1_000_000_000])
        let token = lazy.token(at: 1)
        #expect(await lazy.reason(token) == nil)
        await lazy.pass(.seconds(86_398))
        #expect(lazy.fetchCount == 1)
        #expect(await lazy.reason(token) == nil)
        await lazy.pass(.seconds(2))
        #expect(lazy.fetchCount == 2)
    }

    @Test func `TSL-27 the last list is used for the grace period, then 503`() async {
        let scene = StatusListScene { $0.statusLists.gracePeriod = .seconds(200) }
        let token = scene.token(at: 1)
        #expect(await scene.reason(token) == nil)
        scene.lists.fault = .status(500)
        await scene.pass(.seconds(301))
        #expect(await scene.reason(token) == nil)
        await scene.pass(.seconds(198))
        #expect(await scene.reason(token) == nil)
        await scene.pass(.seconds(1))
        let refusal = await scene.refusal(of: token)
        #expect(refusal?.reason == .statusListUnavailable)
        #expect(refusal?.status == .serviceUnavailable)
        #expect(refusal?.challenges == [])
        #expect(refusal?.retryAfter == .seconds(5))
        scene.lists.fault = nil
        await scene.pass(.seconds(31))
        #expect(await scene.reason(token) == nil)
    }

    @Test func `TSL-27 failures are tried again after 1, 2, 4 and at most 30 seconds`() async {
        let scene = StatusListScene()
        scene.lists.fault = .status(500)
        let token = scene.token(at: 1)
        var attempts: [Int] = []
        for second in 0...100 {
            let before = scene.fetchCount
            #expect(await scene.reason(token) == .statusListUnavailable)
            if scene.fetchCount > before { attempts.append(second) }
            scene.clock.advance(by: .seconds(1))
        }
        #expect(attempts == [0, 1, 3, 7, 15, 31, 61, 91])
    }

    @Test func `TSL-27 fail_open accepts the token and reports each use`() async {
        let scene = StatusListScene { $0.statusLists.failsOpen = true }
        scene.lists.fault = .status(500)
        let token = scene.token(at: 1)
        for _ in 0..<3 { #expect(await scene.reason(token) == nil) }
        #expect(scene.kinds.filter { $0 == "status_unchecked" }.count == 3)
        #expect(scene.resource.warnings.contains { $0.contains("status list is unavailable") })
        // What is known against a token counts, and so does what is wrong with it.
        scene.lists.fault = nil
        scene.lists.revoke(1)
        scene.clock.advance(by: .seconds(31))
        #expect(await scene.reason(token) == .revokedToken)
        #expect(await scene.reason(scene.token(at: 5000)) == .statusOutOfRange)
        #expect(await scene.reason(scene.token(status: "x")) == .malformedStatus)
    }

    @Test func `without an inflater a token with a status is 503`() async {
        let scene = StatusListScene { $0.statusLists.inflater = nil }
        let refusal = await scene.refusal(of: scene.token(at: 1))
        #expect(refusal?.reason == .statusListUnavailable)
        #expect(await scene.reason(scene.token([:])) == nil)
        #expect(scene.faults == [.unusableStatusList(.noInflater)])
        #expect(scene.fetchCount == 0)
    }

    @Test func `TSL-28 what is known against the token is 401, what is not known 503`() {
        let atFault: [RefusalReason] = [
            .malformedStatus, .missingStatus, .unsupportedStatus, .forbiddenStatusList, .revokedToken,
            .suspendedToken, .unacceptedStatus, .statusOutOfRange,
        ]
        for reason in atFault { #expect(reason.outcome == (401, "invalid_token")) }
        #expect(RefusalReason.statusListUnavailable.outcome == (503, "temporarily_unavailable"))
        let rows = RefusalReason.allCases.filter { $0.step(isIntrospected: false) == .status }
        #expect(Set(rows) == Set(atFault + [.statusListUnavailable]))
    }

    @Test func `TSL-29 a known token is looked up in the current list`() async {
        let scene = StatusListScene()
        let (revoked, other) = (scene.token(at: 7), scene.token(at: 8))
        for token in [revoked, other] {
            for _ in 0..<3 { #expect(await scene.reason(token) == nil) }
        }
        scene.lists.revoke(7)
        #expect(await scene.reason(revoked) == nil)
        await scene.pass(.seconds(301))
        #expect(await scene.reason(revoked) == .revokedToken)
        #expect(await scene.reason(other) == nil)
        #expect(scene.resource.knownTokenCount == 2)
    }

    @Test func `TSL-29 a known token is decided in one step, without a need`() async {
        let scene = StatusListScene()
        let head = RequestHead.get("/notes", bearer: scene.token(at: 7))
        #expect(await scene.resource.refusal(of: head) == nil)
        guard case .admitted = scene.resource.progress(head) else {
            Issue.record("A known token with a list at hand needs nothing.")
            return
        }
    }

    // MARK: Privacy

    @Test func `TSL-31 lists are refreshed by the timer and not by requests`() async {
        let scene = StatusListScene()
        let token = scene.token(at: 1)
        #expect(await scene.reason(token) == nil)
        scene.clock.advance(by: .seconds(400))
        for index in 0..<20 { #expect(await scene.reason(scene.token(at: index)) == nil) }
        #expect(scene.fetchCount == 1)
        await scene.resource.refreshDueStatusLists()
        #expect(scene.fetchCount == 2)
    }

    @Test func `TSL-31 a list that no token uses is dropped after a day`() async {
        let scene = StatusListScene(timeToLive: .seconds(40_000))
        #expect(await scene.reason(scene.token(at: 1)) == nil)
        await scene.pass(.seconds(40_000))
        await scene.pass(.seconds(40_000))
        #expect(scene.fetchCount == 3)
        await scene.pass(.seconds(40_000))
        await scene.pass(.seconds(40_000))
        #expect(scene.fetchCount == 3)
        #expect(await scene.reason(scene.token(at: 1)) == nil)
        #expect(scene.fetchCount == 4)
    }

    /// A resource whose issuer has many lists, each of this token's making.
    private static func manyLists(
        maxListByteCount: Int = 16_777_216, fault: TestStatusListIssuer.Fault? = nil
    ) -> (scene: StatusListScene, resource: ProtectedResource, token: (Int) -> String) {
        let scene = StatusListScene()
        let fetcher = ScriptedFetcher()
        for number in 0..<70 {
            let list = TestStatusListIssuer(
                of: scene.issuer, at: "https://as.example.com/lists/\(number)", count: 8)
            list.fault = fault
            fetcher.on(list.uri) { request throws(FetchError) in try await list.fetch(request) }
        }
        var trusted = scene.lists.trusted(inflatingWith: ZlibInflater())
        trusted.fetcher = fetcher
        trusted.statusLists.maxListByteCount = maxListByteCount
        let events = scene.events
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: trusted, time: scene.clock.time,
            onEvent: { events.append($0) })
        let token = { (number: Int) in
            let reference: JSONObject = [
                "idx": 0, "uri": .string("https://as.example.com/lists/\(number)"),
            ]
            return scene.token(status: ["status_list": .object(reference)])
        }
        return (scene, resource, token)
    }

    @Test func `TSL-19 and TSL-31 the 65th list of an issuer is refused and reported`() async {
        let (scene, resource, token) = Self.manyLists()
        for number in 0..<64 {
            #expect(await resource.refusal(of: .get("/notes", bearer: token(number))) == nil)
        }
        for _ in 0..<3 {
            let refusal = await resource.refusal(of: .get("/notes", bearer: token(64)))
            #expect(refusal?.reason == .statusListUnavailable)
        }
        #expect(scene.kinds.filter { $0 == "status_lists_refused" }.count == 1)
        #expect(await resource.refusal(of: .get("/notes", bearer: token(0))) == nil)
        // A list that was not used for ten minutes makes room.
        scene.clock.advance(by: .seconds(601))
        for number in 1..<64 { _ = await resource.refusal(of: .get("/notes", bearer: token(number))) }
        #expect(await resource.refusal(of: .get("/notes", bearer: token(64))) == nil)
        #expect(await resource.refusal(of: .get("/notes", bearer: token(65)))?.status == 503)
    }

    @Test func `TSL-19 the lists of an issuer take at most 64 MiB`() async {
        let (scene, resource, token) = Self.manyLists(fault: .bomb(byteCount: 16_700_000))
        for number in 0..<4 {
            #expect(await resource.refusal(of: .get("/notes", bearer: token(number))) == nil)
        }
        #expect(await resource.refusal(of: .get("/notes", bearer: token(4)))?.status == 503)
        #expect(scene.faults == [.unusableStatusList(.noRoom)])
        for number in 0..<4 {
            #expect(await resource.refusal(of: .get("/notes", bearer: token(number))) == nil)
        }
    }

    @Test func `TSL-31 nothing that is logged has an index`() async {
        let scene = StatusListScene()
        scene.lists.revoke(777)
        let context = AuthorizationContext(describesRefusals: true)
        let refusal = await scene.resource.refusal(
            of: .get("/notes", bearer: scene.token(at: 777)), in: context)
        let finding = refusal?.finding
        #expect(finding?.expected == "a good status in https://as.example.com/statuslists/1")
        #expect(finding?.got == "revoked")
        scene.lists.fault = .status(500)
        await scene.pass(.seconds(301))
        let text = scene.events.all.map(\.description).joined() + "\(finding.debugDescription)"
        #expect(!text.contains("777"))
    }

    // MARK: Reports

    @Test func `TSL-36 lists that are loaded, changed and failed are events`() async {
        let scene = StatusListScene(count: 16)
        #expect(await scene.reason(scene.token(at: 1)) == nil)
        await scene.pass(.seconds(301))
        #expect(scene.kinds == ["status_list_loaded"])
        scene.lists.revoke(1)
        await scene.pass(.seconds(301))
        scene.lists.fault = .status(500)
        await scene.pass(.seconds(301))
        #expect(scene.kinds == ["status_list_loaded", "status_list_loaded", "status_list_failed"])
        #expect(
            scene.events.all.map(\.description) == [
                "https://as.example.com: a status list with 16 entries loaded",
                "https://as.example.com: a status list with 16 entries loaded",
                "https://as.example.com: a status list could not be loaded: "
                    + "https://as.example.com/statuslists/1: the answer has status 500, not 200",
            ])
    }

    @Test func `TSL-36 calls and fill are measured for each issuer`() async throws {
        let scene = StatusListScene()
        #expect(await scene.reason(scene.token(at: 1)) == nil)
        scene.lists.fault = .status(500)
        await scene.pass(.seconds(301))
        let measured = ResourceMeasurements(of: [scene.resource])
        let calls = measured.calls.filter { $0.key.series.kind == .statusList }
        #expect(
            Dictionary(uniqueKeysWithValues: calls.map { ($0.key.series.outcome, $0.value.count) })
                == [.ok: 1, .status: 1])
        let fills = measured.fills.filter { $0.key.name.hasPrefix("status_list") }
        #expect(
            Set(fills.map { "\($0.key.name) \($0.value.count)" }) == [
                "status_lists 1", "status_list_bytes 256",
            ])
    }

    @Test func `explain says which list decided`() async throws {
        let scene = StatusListScene()
        scene.lists.revoke(5)
        let refused = await scene.resource.explain(.get("/notes", bearer: scene.token(at: 5)))
        let step = try #require(refused.failedStep)
        #expect(step.name == "status of the token")
        #expect(step.expected == "a good status in https://as.example.com/statuslists/1")
        #expect(step.got == "revoked")
        let admitted = await scene.resource.explain(.get("/notes", bearer: scene.token(at: 6)))
        let passed = admitted.steps.first { $0.name == "status of the token" }
        #expect(passed?.outcome == .passed)
        #expect(passed?.got == "good")
        let plain = await scene.resource.explain(.get("/notes", bearer: scene.token([:])))
        #expect(!plain.steps.contains { $0.name == "status of the token" })
    }

    @Test func `a reload while the list can't be fetched keeps the last one`() async throws {
        let scene = StatusListScene()
        let keys = "https://as.example.com/jwks"
        let fetcher = ScriptedFetcher()
        let list = scene.lists
        fetcher.on(keys, json: .object(scene.issuer.keys.publicJSON))
        fetcher.on(list.uri) { request throws(FetchError) in try await list.fetch(request) }
        func declare(_ connections: IssuerConnections) throws -> ProtectedResource {
            var trusted = TrustedIssuer.jwt(issuer: "https://as.example.com", keys: .remote(keys))
            trusted.statusLists.inflater = ZlibInflater()
            var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
            metadata.authorizationServers = ["https://as.example.com"]
            return try ProtectedResource(
                ProtectedResource.Configuration(
                    metadata, trusting: [trusted], fetcher: fetcher, time: scene.clock.time,
                    connectionPool: connections))
        }
        let connections = IssuerConnections()
        let head = RequestHead.get("/notes", bearer: scene.token(at: 1))
        list.revoke(2)
        #expect(await (try declare(connections)).refusal(of: head) == nil)
        list.fault = .status(500)
        let reloaded = try declare(IssuerConnections(succeeding: connections))
        #expect(await reloaded.refusal(of: head) == nil)
        let revoked = RequestHead.get("/notes", bearer: scene.token(at: 2))
        #expect(await reloaded.refusal(of: revoked)?.reason == .revokedToken)
        // It ends when it would have without the reload.
        scene.clock.advance(by: .seconds(601))
        #expect(await reloaded.refusal(of: head)?.reason == .statusListUnavailable)
    }

    // MARK: Aggregation

    /// A resource that discovers its issuer, whose metadata names an aggregation document.
    private static func aggregating(_ document: JSONValue) -> (
        fetcher: ScriptedFetcher, resource: ProtectedResource, issuer: TestIssuer
    ) {
        let clock = ManualClock()
        let issuer = TestIssuer("https://as.example.com", time: clock.time)
        let fetcher = ScriptedFetcher()
        fetcher.on(
            "https://as.example.com/.well-known/oauth-authorization-server",
            json: [
                "issuer": "https://as.example.com", "jwks_uri": "https://as.example.com/jwks",
                "status_list_aggregation_endpoint": "https://as.example.com/aggregation",
            ])
        fetcher.on("https://as.example.com/jwks", json: .object(issuer.keys.publicJSON))
        fetcher.on("https://as.example.com/aggregation", json: document)
        for number in 0..<80 {
            let list = TestStatusListIssuer(
                of: issuer, at: "https://as.example.com/lists/\(number)", count: 8)
            fetcher.on(list.uri) { request throws(FetchError) in try await list.fetch(request) }
        }
        var trusted = TrustedIssuer.jwt(issuer: "https://as.example.com")
        trusted.statusLists.inflater = ZlibInflater()
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: trusted, fetcher: fetcher, time: clock.time)
        return (fetcher, resource, issuer)
    }

    private static func listFetches(_ fetcher: ScriptedFetcher) -> [String] {
        fetcher.requests.map(\.url).filter { $0.contains("/lists/") }
    }

    @Test func `TSL-32 lists that the issuer lists are fetched before the first request`() async {
        let uri = "https://as.example.com/lists/1"
        let (fetcher, resource, issuer) = Self.aggregating(
            ["status_lists": [.string(uri), "https://other.example.com/lists/2", 5]])
        resource.warmUp()
        resource.warmUp()
        await settle { fetcher.count(of: uri) == 1 }
        #expect(Self.listFetches(fetcher) == [uri])
        #expect(fetcher.count(of: "https://as.example.com/aggregation") == 1)
        let reference: JSONValue = ["status_list": ["idx": 0, "uri": .string(uri)]]
        let token = issuer.mint(audience: Scene.identifier, claims: ["status": reference])
        #expect(await resource.refusal(of: .get("/notes", bearer: token)) == nil)
        #expect(fetcher.count(of: uri) == 1)
    }

    @Test func `TSL-32 the first 64 lists of a long document are fetched`() async {
        let uris = (0..<10_000).map { JSONValue.string("https://as.example.com/lists/\($0)") }
        let (fetcher, resource, _) = Self.aggregating(["status_lists": .array(uris)])
        resource.warmUp()
        await settle { Self.listFetches(fetcher).count == 64 }
        for _ in 0..<1000 { await Task.yield() }
        #expect(
            Set(Self.listFetches(fetcher)) == Set((0..<64).map { "https://as.example.com/lists/\($0)" }))
    }

    @Test func `TSL-32 a malformed document is harmless`() async {
        for document: JSONValue in [[], ["status_lists": "x"], [:], "x"] {
            let (fetcher, resource, issuer) = Self.aggregating(document)
            resource.warmUp()
            await settle { fetcher.count(of: "https://as.example.com/aggregation") == 1 }
            let reference: JSONValue = [
                "status_list": ["idx": 0, "uri": "https://as.example.com/lists/3"]
            ]
            let token = issuer.mint(audience: Scene.identifier, claims: ["status": reference])
            #expect(await resource.refusal(of: .get("/notes", bearer: token)) == nil)
        }
    }

    // MARK: Tenants

    @Test func `the tenants of a pattern have lists of their own`() async throws {
        let clock = ManualClock()
        let fetcher = ScriptedFetcher()
        let signer = TestIssuer("https://login.example.com/a", time: clock.time)
        var trusted = TrustedIssuer.tenants(of: "https://login.example.com/{tenant}", named: ["a", "b"])
        trusted.keys = .fixed(signer.keys)
        trusted.fetcher = fetcher
        trusted.statusLists.inflater = ZlibInflater()
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: trusted, time: clock.time)
        let list = TestStatusListIssuer(of: signer, at: "https://login.example.com/lists/1")
        fetcher.on(list.uri) { request throws(FetchError) in try await list.fetch(request) }
        list.revoke(3)
        for tenant in ["a", "b"] {
            for index in [3, 4] {
                var claims = list.claims(at: index)
                claims["iss"] = .string("https://login.example.com/\(tenant)")
                let token = signer.mint(
                    audience: Scene.identifier, lifetime: .seconds(10_000), claims: claims)
                let reason = await resource.refusal(of: .get("/notes", bearer: token))?.reason
                #expect(reason == (index == 3 ? .revokedToken : nil))
            }
        }
        // One fetch for each tenant: its list counts for its own tokens alone.
        #expect(list.requests.count == 2)
    }
}
