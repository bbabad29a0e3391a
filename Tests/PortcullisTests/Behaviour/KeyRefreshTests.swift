// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Synchronization
import Testing

@Suite("RFC 7517 §5 Keys are cached, refreshed and withdrawn")
struct KeyRefreshTests {
    static let url = "https://as.example.com/jwks"
    let clock = ManualClock()
    let fetcher = ScriptedFetcher()
    let events = EventLog()
    let issuer: TestIssuer
    let resource: ProtectedResource

    init() {
        issuer = TestIssuer("https://as.example.com", time: clock.time)
        let events = events
        resource = ProtectedResource(
            "https://api.example.com/notes",
            trusting: .jwt(issuer: "https://as.example.com", keys: .remote(Self.url)), fetcher: fetcher,
            time: clock.time, onEvent: { events.append($0) })
        serve([issuer])
    }

    private func serve(_ issuers: [TestIssuer]) {
        fetcher.on(Self.url, json: .object(JWKSet(issuers.map(\.key.publicKey)).publicJSON))
    }

    private func fetchCount() -> Int { fetcher.count(of: Self.url) }

    private func refusal(_ token: String) async -> Refusal? {
        await resource.refusal(of: .get("/notes", bearer: token))
    }

    private func mint(_ header: JSONObject = [:]) -> String {
        issuer.mint(audience: Scene.identifier, lifetime: .seconds(100_000), header: header)
    }

    @Test func `a hundred requests at the start cause one fetch`() async {
        let gate = Latch()
        let body = JWKSet([issuer.key.publicKey]).publicJSON.serialized()
        fetcher.on(Self.url) { _ in
            await gate.wait()
            return FetchResponse(status: .ok, body: body)
        }
        let tokens = (0..<100).map { _ in mint() }
        let resource = resource
        let refusals = await withTaskGroup(of: Refusal?.self) { group in
            for token in tokens {
                group.addTask { await resource.refusal(of: .get("/notes", bearer: token)) }
            }
            await settle { fetchCount() > 0 }
            gate.open()
            return await group.reduce(into: [Refusal?]()) { $0.append($1) }
        }
        #expect(refusals.allSatisfy { $0 == nil })
        #expect(fetchCount() == 1)
    }

    @Test func `a client that disconnects cancels no fetch`() async {
        let gate = Latch()
        let body = JWKSet([issuer.key.publicKey]).publicJSON.serialized()
        fetcher.on(Self.url) { _ in
            await gate.wait()
            return FetchResponse(status: .ok, body: body)
        }
        let (resource, token) = (resource, mint())
        let leaving = Task { await resource.refusal(of: .get("/notes", bearer: token)) }
        await settle { fetchCount() > 0 }
        leaving.cancel()
        gate.open()
        #expect(await leaving.value == nil)
        #expect(await refusal(mint()) == nil)
        #expect(fetchCount() == 1)
    }

    @Test func `a thousand unknown key IDs cause at most one fetch per cool-down`() async {
        #expect(await refusal(mint()) == nil)
        for number in 0..<50 {
            let refusal = await refusal(mint(["kid": .string("x\(number)")]))
            expectRefused(refusal, .unknownKey)
            #expect(refusal?.challenges.first?["error"] == "invalid_token")
        }
        #expect(fetchCount() == 1)
        clock.advance(by: .seconds(30))
        for number in 0..<50 { _ = await refusal(mint(["kid": .string("y\(number)")])) }
        #expect(fetchCount() == 2)
        clock.advance(by: .seconds(29))
        _ = await refusal(mint(["kid": "z"]))
        #expect(fetchCount() == 2)
    }

    @Test func `a new key is found at once after the cool-down`() async {
        #expect(await refusal(mint()) == nil)
        let next = TestIssuer("https://as.example.com", keyID: "test-2", time: clock.time)
        serve([issuer, next])
        clock.advance(by: .seconds(31))
        #expect(await refusal(next.mint(audience: Scene.identifier)) == nil)
        #expect(await refusal(mint()) == nil)
        #expect(fetchCount() == 2)
    }

    @Test func `bad signatures with a known key ID cause at most one fetch per cool-down`() async {
        #expect(await refusal(mint()) == nil)
        let impostor = TestIssuer("https://as.example.com", time: clock.time)
        let forge = { impostor.mint(audience: Scene.identifier, lifetime: .seconds(100_000)) }
        for _ in 0..<20 { expectRefused(await refusal(forge()), .invalidSignature) }
        #expect(fetchCount() == 1)
        clock.advance(by: .seconds(30))
        for _ in 0..<20 { expectRefused(await refusal(forge()), .invalidSignature) }
        #expect(fetchCount() == 2)
        // The cool-down is that of unknown key IDs.
        clock.advance(by: .seconds(29))
        expectRefused(await refusal(forge()), .invalidSignature)
        expectRefused(await refusal(mint(["kid": "x"])), .unknownKey)
        #expect(fetchCount() == 2)
        #expect(await refusal(mint()) == nil)
    }

    @Test func `a key that was replaced under its key ID is found after one fetch`() async {
        #expect(await refusal(mint()) == nil)
        let next = TestIssuer("https://as.example.com", time: clock.time)
        serve([next])
        clock.advance(by: .seconds(30))
        let tokens = (0..<20).map { _ in next.mint(audience: Scene.identifier) }
        let resource = resource
        let refusals = await withTaskGroup(of: Refusal?.self) { group in
            for token in tokens {
                group.addTask { await resource.refusal(of: .get("/notes", bearer: token)) }
            }
            return await group.reduce(into: [Refusal?]()) { $0.append($1) }
        }
        #expect(refusals.allSatisfy { $0 == nil })
        expectRefused(await refusal(mint()), .invalidSignature)
        #expect(fetchCount() == 2)
    }

    @Test func `a key of another type under the same key ID is found after one fetch`() async {
        #expect(await refusal(mint()) == nil)
        let next = TestIssuer("https://as.example.com", algorithm: .ed25519, time: clock.time)
        serve([next])
        clock.advance(by: .seconds(30))
        #expect(await refusal(next.mint(audience: Scene.identifier)) == nil)
        for _ in 0..<20 { expectRefused(await refusal(mint(["alg": "ES384"])), .unknownKey) }
        #expect(fetchCount() == 2)
    }

    @Test func `a bad signature is no outage while the issuer is unreachable`() async {
        #expect(await refusal(mint()) == nil)
        fetcher.on(Self.url, status: .serviceUnavailable)
        clock.advance(by: .seconds(31))
        let impostor = TestIssuer("https://as.example.com", time: clock.time)
        expectRefused(await refusal(impostor.mint(audience: Scene.identifier)), .invalidSignature)
        #expect(fetchCount() == 2)
    }

    /// The signature checks and key fetches that a token causes.
    private func cost(of token: String) async -> (checks: Int, fetches: Int, reason: RefusalReason?) {
        let head = RequestHead.get("/notes", bearer: token)
        var admission = Admission(to: resource)
        var (checks, fetches) = (0, 0)
        while true {
            switch admission.advance(head, requiring: .anyValidToken, in: AuthorizationContext()) {
            case .admitted: return (checks, fetches, nil)
            case .refused(let refusal): return (checks, fetches, refusal.reason)
            case .needs(let need):
                if case .signatureTime = need { checks += 1 }
                if case .keys = need { fetches += 1 }
                admission.supply(await need.answer(form: { nil }))
            }
        }
    }

    @Test func `a forged token costs at most four signature checks and one fetch`() async {
        let decoys = (0..<5).map { _ in TestIssuer("https://as.example.com", time: clock.time) }
        let forged = TestIssuer("https://as.example.com", time: clock.time)
            .mint(audience: Scene.identifier)
        for count in 1...5 {
            serve(Array(decoys.prefix(count)))
            clock.advance(by: .seconds(601))
            _ = await refusal(mint(["kid": "renews"]))
            #expect(await cost(of: forged).checks == min(count, 4))
            clock.advance(by: .seconds(31))
            // Newer keys are tried only as far as the four checks go.
            serve(Array(decoys.suffix(count)))
            let cost = await cost(of: forged)
            #expect(cost.checks <= 4 && cost.fetches == (count < 4 ? 1 : 0))
            #expect(cost.reason == (count < 5 ? .invalidSignature : .ambiguousKey))
        }
    }

    @Test func `of several keys that fit each is tried`() async {
        let others = (0..<3).map { _ in TestIssuer("https://as.example.com", time: clock.time) }
        serve(others + [issuer])
        let cost = await cost(of: mint())
        #expect(cost.reason == nil && cost.checks == 4)
    }

    @Test func `a withdrawn key stops working with the next refresh, for cached tokens too`() async {
        let token = mint()
        #expect(await refusal(token) == nil)
        let next = TestIssuer("https://as.example.com", keyID: "test-2", time: clock.time)
        serve([next])
        clock.advance(by: .seconds(601))
        // Stale keys are still used, and this request refreshes them in the background.
        #expect(await refusal(token) == nil)
        await settle { fetchCount() == 2 }
        await settle {
            if case .admitted = resource.progress(.get("/", bearer: token)) {
                false
            } else {
                true
            }
        }
        expectRefused(await refusal(token), .unknownKey)
        #expect(await refusal(next.mint(audience: Scene.identifier)) == nil)
    }

    @Test func `an unchanged set keeps tokens cached`() async {
        let token = mint()
        #expect(await refusal(token) == nil)
        clock.advance(by: .seconds(601))
        #expect(await refusal(token) == nil)
        await settle { fetchCount() == 2 }
        for _ in 0..<100 { await Task.yield() }
        guard case .admitted = resource.progress(.get("/notes", bearer: token)) else {
            Issue.record("the token is no longer cached")
            return
        }
    }

    @Test func `while the issuer is unreachable the last good keys are used, for an hour and no longer`()
        async
    {
        let token = mint()
        #expect(await refusal(token) == nil)
        fetcher.on(Self.url, status: .serviceUnavailable)
        clock.advance(by: .seconds(4199))
        #expect(await refusal(mint()) == nil)
        #expect(await refusal(token) == nil)
        clock.advance(by: .seconds(1))
        for token in [token, mint()] {
            let refusal = await refusal(token)
            expectRefused(refusal, .keysUnavailable)
            #expect(refusal?.status == .serviceUnavailable)
            #expect(refusal?.challenges.isEmpty == true)
        }
        #expect(!resource.isReady)
        serve([issuer])
        clock.advance(by: .seconds(30))
        #expect(await refusal(token) == nil)
        #expect(resource.isReady)
    }

    @Test func `a failure is tried again after 1, 2, 4, 8, 16 and then every 30 seconds`() async {
        fetcher.on(Self.url, failing: .timedOut)
        var attempts: [Int] = []
        for second in 0..<100 {
            let before = fetchCount()
            let refusal = await refusal(mint())
            expectRefused(refusal, .keysUnavailable)
            if fetchCount() > before { attempts.append(second) }
            clock.advance(by: .seconds(1))
        }
        #expect(attempts == [0, 1, 3, 7, 15, 31, 61, 91])
        #expect(
            events.all.contains(
                .refreshFailed(
                    issuer: "https://as.example.com",
                    fault: .calling(url: Self.url, .noResponse(.timedOut)))))
        serve([issuer])
        clock.advance(by: .seconds(30))
        #expect(await refusal(mint()) == nil)
    }

    @Test func `an unknown key ID is an outage while the issuer is unreachable`() async {
        #expect(await refusal(mint()) == nil)
        fetcher.on(Self.url, status: .badRequest)
        clock.advance(by: .seconds(31))
        expectRefused(await refusal(mint(["kid": "x"])), .keysUnavailable)
        #expect(await refusal(mint()) == nil)
    }

    @Test(arguments: [
        #"{"keys":[]}"#, "[]", "{}", "", "<html></html>", #"{"keys":{}}"#,
        #"{"keys":[{"kty":"oct","k":"AAAA"}]}"#,
        #"{"keys":[],"keys":[]}"#,
    ])
    func `a set without usable keys replaces nothing`(body: String) async {
        let token = mint()
        #expect(await refusal(token) == nil)
        fetcher.on(Self.url) { _ in FetchResponse(status: .ok, body: Array(body.utf8)) }
        clock.advance(by: .seconds(601))
        #expect(await refusal(token) == nil)
        await settle { fetchCount() == 2 }
        #expect(await refusal(token) == nil)
        #expect(await refusal(mint()) == nil)
    }

    @Test func `without any keys there is an outage`() async {
        fetcher.on(Self.url, json: ["keys": []])
        expectRefused(await refusal(mint()), .keysUnavailable)
        let fixed = ProtectedResource(
            "https://api.example.com/notes",
            trusting: .jwt(issuer: "https://as.example.com", keys: .fixed(JWKSet([]))), time: clock.time)
        expectRefused(await fixed.refusal(of: .get("/notes", bearer: mint())), .keysUnavailable)
        #expect(!fixed.isReady)
    }

    @Test func `an answer above the limit is a fault`() async {
        let bytes = [UInt8](repeating: 0x20, count: 1_048_577)
        fetcher.on(Self.url) { _ in FetchResponse(status: .ok, body: bytes) }
        expectRefused(await refusal(mint()), .keysUnavailable)
        #expect(fetcher.requests.first?.maxResponseByteCount == 1_048_576)
        #expect(fetcher.requests.first?.timeout == .seconds(5))
    }

    @Test func `warming up loads the keys before the first request`() async {
        let gate = Latch()
        let body = JWKSet([issuer.key.publicKey]).publicJSON.serialized()
        fetcher.on(Self.url) { _ in
            await gate.wait()
            return FetchResponse(status: .ok, body: body)
        }
        #expect(!resource.isReady)
        gate.open()
        await settle { resource.isReady }
        #expect(resource.isReady)
        #expect(fetchCount() == 1)
        #expect(await refusal(mint()) == nil)
        #expect(fetchCount() == 1)
    }

    @Test func `private keys that an issuer publishes are reported and used as public keys`() async {
        fetcher.on(Self.url, json: ["keys": [.object(issuer.key.jsonIncludingPrivateMembers)]])
        #expect(await refusal(mint()) == nil)
        #expect(events.all.contains(.privateKeysPublished(issuer: "https://as.example.com")))
    }

    @Test func `unusable keys are reported by index, keys of other types are not`() async {
        var short = issuer.key.publicKey.publicJSON
        short["x"] = .string(String(repeating: "A", count: 42))
        fetcher.on(Self.url, json: ["keys": [["kty": "OKP", "crv": "X25519"], .object(short)]])
        expectRefused(await refusal(mint()), .keysUnavailable)
        let name = "https://as.example.com"
        #expect(
            events.all == [
                .keySkipped(issuer: name, index: 1, reason: .malformedKey),
                .refreshFailed(issuer: name, fault: .calling(url: Self.url, .emptyKeySet)),
            ])
    }

    @Test func `of many faulty keys the first eight are reported`() async {
        fetcher.on(Self.url, json: ["keys": .array(Array(repeating: ["kty": "EC"], count: 300))])
        expectRefused(await refusal(mint()), .keysUnavailable)
        #expect(events.all.count { if case .keySkipped = $0 { true } else { false } } == 8)
    }

    @Test func `two resources that trust the same issuer share its keys`() async throws {
        let pool = IssuerConnections()
        for path in ["a", "b"] {
            let identifier = try ResourceIdentifier(validating: "https://api.example.com/\(path)")
            let resource = try ProtectedResource(
                ProtectedResource.Configuration(
                    .init(resource: identifier),
                    trusting: [.jwt(issuer: "https://as.example.com", keys: .remote(Self.url))],
                    fetcher: fetcher,
                    time: clock.time, connectionPool: pool))
            #expect(
                await resource.refusal(of: .get("/", bearer: issuer.mint(audience: identifier.text))) == nil)
        }
        #expect(fetchCount() == 1)
    }
}
