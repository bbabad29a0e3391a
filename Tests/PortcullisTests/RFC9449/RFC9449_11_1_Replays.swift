// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Synchronization
import Testing

@Suite("RFC 9449 §11.1 Replays")
struct RFC9449_11_1_Replays {
    @Test func `a proof is accepted once`() async {
        let scene = DPoPScene()
        let proof = scene.proof()
        #expect(await scene.refusal(proof) == nil)
        await scene.expectRefused(proof, reason: .replayedProof, ProofText.replayed)
        scene.clock.advance(by: .seconds(60))
        await scene.expectRefused(proof, reason: .replayedProof, ProofText.replayed)
        scene.clock.advance(by: .seconds(1))
        await scene.expectRefused(proof, reason: .proofOutsideWindow, ProofText.time)
    }

    @Test func `a proof from the future is accepted once while it is valid`() async {
        let scene = DPoPScene()
        let proof = scene.proof(claims: ["iat": 1_800_000_005])
        #expect(await scene.refusal(proof) == nil)
        scene.clock.advance(by: .seconds(65))
        await scene.expectRefused(proof, reason: .replayedProof, ProofText.replayed)
    }

    @Test func `one key's identifiers do not affect another key's`() async {
        let scene = DPoPScene()
        let claims: JSONObject = ["jti": "a"]
        #expect(await scene.refusal(scene.proof(claims: claims)) == nil)
        expectRefused(await scene.refusal(scene.proof(claims: claims)), .replayedProof)
        let other = TestDPoPClient(time: scene.clock.time)
        let token = scene.issuer.mint(audience: Scene.identifier, boundTo: other)
        let proof = other.proof(.get, DPoPScene.uri, token: token, claims: claims)
        #expect(await scene.refusal(proof, token: token) == nil)
    }

    @Test func `a proof that is refused for another reason is not recorded`() async {
        let scene = DPoPScene()
        let claims: JSONObject = ["jti": "a"]
        let wrong = scene.proof("https://api.example.com/x", claims: claims)
        expectRefused(await scene.refusal(wrong), .proofTargetMismatch)
        #expect(await scene.refusal(scene.proof(claims: claims)) == nil)
    }

    @Test func `of many concurrent uses of a proof one is accepted`() async {
        let scene = DPoPScene()
        for _ in 0..<5 {
            let head = RequestHead.dpop("/notes", token: scene.token, proofs: [scene.proof()])
            let accepted = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<16 { group.addTask { await scene.resource.refusal(of: head) == nil } }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(accepted == 1)
        }
    }

    @Test func `a full store refuses with 503, and evicts no record inside its window`() async {
        let scene = DPoPScene { $0.replayCacheEntryCount = 2 }
        let first = scene.proof()
        #expect(await scene.refusal(first) == nil)
        let refusal = await scene.refusal(scene.proof())
        expectRefused(refusal, .replayStoreFull)
        #expect(
            refusal?.head.lines == [
                "HTTP/1.1 503 Service Unavailable", "Retry-After: 5", "Cache-Control: no-store",
                "Content-Type: application/json",
            ])
        expectRefused(await scene.refusal(first), .replayedProof)
        scene.clock.advance(by: .seconds(62))
        #expect(await scene.refusal(scene.proof()) == nil)
    }

    @Test func `an unavailable store refuses with 503`() async {
        let store = ScriptedStore(.unavailable)
        let scene = DPoPScene { $0.replayStore = store }
        let refusal = await scene.refusal(scene.proof())
        expectRefused(refusal, .replayStoreUnavailable)
        #expect(refusal?.status == .serviceUnavailable)
        #expect(refusal?.challenges == [])
    }

    @Test func `a store gets two hashes and two moments`() async throws {
        let store = ScriptedStore(.fresh)
        let scene = DPoPScene { $0.replayStore = store }
        #expect(await scene.refusal(scene.proof(claims: ["jti": "a"])) == nil)
        let record = try #require(store.records.first)
        let thumbprint = try #require(Base64URL.decode(scene.client.thumbprint))
        #expect(record.keyThumbprint == thumbprint)
        #expect(record.identifier == Digest.sha256(thumbprint + Array("a".utf8)).bytes)
        #expect(record.now == 1_800_000_000)
        #expect(record.until == 1_800_000_060)
    }

    @Test func `a wall clock that jumps forward and back accepts no proof twice`() async {
        let scene = DPoPScene()
        let first = scene.proof()
        #expect(await scene.refusal(first) == nil)
        scene.clock.set(to: 1_800_000_120)
        let ahead = scene.proof()
        #expect(await scene.refusal(ahead) == nil)
        scene.clock.set(to: 1_800_000_000)
        expectRefused(await scene.refusal(first), .replayedProof)
        scene.clock.advance(by: .seconds(120))
        expectRefused(await scene.refusal(ahead), .replayedProof)
    }

    @Test func `resources may share a store`() async {
        let store = InMemoryReplayStore(capacity: 100)
        let change: (inout DPoPPolicy) -> Void = { $0.replayStore = store }
        let scene = DPoPScene(.accepted, change)
        #expect(await scene.refusal(scene.proof()) == nil)
        #expect(store.count == 1)
    }
}

/// A store that always gives the same verdict.
private final class ScriptedStore: ReplayStore {
    private let verdict: ReplayVerdict
    private let seen = Mutex<[ReplayRecord]>([])

    var records: [ReplayRecord] { seen.withLock { $0 } }

    init(_ verdict: ReplayVerdict) { self.verdict = verdict }

    func insert(_ record: ReplayRecord) async -> ReplayVerdict {
        seen.withLock { $0.append(record) }
        return verdict
    }
}

@Suite("RFC 9449 §11.1 The in-memory store")
struct InMemoryReplayStoreTests {
    private func record(_ number: Int, key: Int = 0, at now: Int = 0, until: Int = 60) -> ReplayRecord {
        ReplayRecord(
            identifier: Digest.sha256(Array("\(number)".utf8)).bytes,
            keyThumbprint: Digest.sha256(Array("key \(key)".utf8)).bytes, now: NumericDate(now),
            until: NumericDate(until))
    }

    /// A store whose monotonic time advances with the records' wall clock.
    private struct TimedStore {
        let clock = ManualClock(at: 0)
        let store: InMemoryReplayStore
        var count: Int { store.count }
        var byteCount: Int { store.byteCount }

        init(capacity: Int) {
            store = InMemoryReplayStore(capacity: capacity, uptime: clock.time.uptime)
        }

        func insert(_ record: ReplayRecord) -> ReplayVerdict {
            clock.advance(by: .seconds(max(0, record.now.seconds - clock.now.seconds)))
            return store.insert(record)
        }
    }

    @Test func `it keeps every record while it grows and drops others`() {
        let store = TimedStore(capacity: 5000)
        for round in 0..<10 {
            let now = round * 62
            for number in 0..<1000 {
                let key = number
                let record = record(round * 1000 + number, key: key, at: now, until: now + 60)
                #expect(store.insert(record) == .fresh)
                #expect(store.insert(record) == .replayed)
            }
            #expect(store.count == 1000)
            for number in 0..<1000 {
                #expect(store.insert(record(round * 1000 + number, at: now + 60)) == .replayed)
            }
        }
    }

    @Test func `records of different ages expire one by one`() {
        let store = TimedStore(capacity: 500)
        for number in 0..<2000 {
            #expect(store.insert(record(number, key: number, at: number, until: number + 60)) == .fresh)
            #expect(store.count == min(number + 1, 62))
            let oldest = max(0, number - 60)
            #expect(store.insert(record(oldest, at: number)) == .replayed)
        }
    }

    @Test func `above half full one key has an eighth of the capacity, and others are still accepted`() {
        let store = TimedStore(capacity: 800)
        var number = 0
        func insert(_ key: Int) -> ReplayVerdict {
            number += 1
            return store.insert(record(number, key: key))
        }
        for _ in 0..<400 { #expect(insert(1) == .fresh) }
        #expect(insert(1) == .full)
        for _ in 0..<100 { #expect(insert(2) == .fresh) }
        #expect(insert(2) == .full)
        #expect(insert(1) == .full)
        // Keys are counted by a hash of 16 bits: in one run of a hundred, another key shares a count with
        // these two.
        var refused = 0
        for key in 3..<313 where store.count < 800 { refused += insert(key) == .full ? 1 : 0 }
        #expect(store.count == 800 && refused < 10)
        #expect(insert(1000) == .full)
        #expect(store.insert(record(1)) == .replayed)
        // A busy client is not held back forever.
        #expect(store.insert(record(5000, key: 1, at: 62, until: 122)) == .fresh)
    }

    @Test func `a million records take at most 40 bytes each`() {
        let capacity = 50_000
        let store = TimedStore(capacity: capacity)
        for number in 0..<capacity {
            if store.insert(record(number, key: number)) != .fresh { Issue.record("no room") }
        }
        #expect(store.count == capacity)
        #expect(store.byteCount <= capacity * 40)
    }

    @Test func `a wall clock that jumps forward and back forgets nothing`() {
        let store = TimedStore(capacity: 10)
        #expect(store.insert(record(1, at: 1000, until: 1060)) == .fresh)
        #expect(store.store.insert(record(2, key: 2, at: 1200, until: 1260)) == .fresh)
        #expect(store.store.insert(record(1, at: 1001, until: 1060)) == .replayed)
    }

    @Test func `a proof used while the clock was ahead stays used at its own time`() {
        let store = TimedStore(capacity: 10)
        #expect(store.insert(record(1, at: 1000, until: 1060)) == .fresh)
        // The clock is a day ahead, a proof of that day is used, and the clock is set back.
        #expect(store.store.insert(record(2, at: 87_400, until: 87_460)) == .fresh)
        #expect(store.insert(record(3, at: 1070, until: 1130)) == .fresh)
        #expect(store.count == 1)
        #expect(store.insert(record(2, at: 87_399, until: 87_460)) == .replayed)
        // Single proofs of that second are no longer recorded, so that all are refused; those after it are
        // accepted.
        #expect(store.insert(record(4, at: 87_400, until: 87_460)) == .replayed)
        #expect(store.insert(record(5, at: 87_410, until: 87_470)) == .fresh)
        #expect(store.insert(record(6, at: 87_470, until: 87_530)) == .fresh)
    }

    @Test func `a distant date fills no table`() {
        let store = TimedStore(capacity: 50)
        for number in 0..<50 {
            let far = record(number, key: number, at: 80_000, until: 80_060)
            #expect(store.store.insert(far) == .fresh)
        }
        #expect(store.insert(record(100, key: 100, at: 61, until: 121)) == .full)
        for number in 0..<50 {
            #expect(store.insert(record(100 + number, key: number, at: 63, until: 123)) == .fresh)
        }
    }

    @Test func `a record inserted after a later moment is kept for its whole lifetime`() {
        let store = TimedStore(capacity: 10)
        #expect(store.insert(record(1, at: 100, until: 160)) == .fresh)
        #expect(store.store.insert(record(2, key: 2, at: 40, until: 100)) == .fresh)
        #expect(store.insert(record(3, key: 3, at: 160, until: 220)) == .fresh)
        #expect(store.store.insert(record(2, key: 2, at: 100, until: 100)) == .replayed)
    }

    @Test func `records survive a change of the capacity`() {
        let first = InMemoryReplayStore(capacity: 4)
        for number in 0..<4 { #expect(first.insert(record(number, key: number)) == .fresh) }
        let smaller = InMemoryReplayStore(sharing: first, capacity: 2)
        #expect(smaller.insert(record(1)) == .replayed)
        #expect(smaller.insert(record(9, key: 9)) == .full)
        let larger = InMemoryReplayStore(sharing: smaller, capacity: 100)
        #expect(larger.insert(record(9, key: 9)) == .fresh)
        #expect(larger.insert(record(0)) == .replayed)
    }

    @Test func `a value that is not a hash is not treated as one`() {
        let store = TimedStore(capacity: 10)
        let record = ReplayRecord(identifier: [1], keyThumbprint: [2], now: 0, until: 1)
        #expect(store.insert(record) == .unavailable)
    }
}

@Suite("RFC 9449 §11.1 Periods without single records")
struct ForgottenPeriodsTests {
    @Test func `adjacent seconds form one period`() {
        var periods = ForgottenPeriods()
        for second in [100, 103, 101, 200, 108, 112] as [UInt32] { periods.add(second) }
        #expect(periods.periods == [100...112, 200...200])
        #expect(periods.contains(106) && !periods.contains(113) && !periods.contains(99))
        periods.drop(before: 112)
        #expect(periods.contains(112))
        periods.drop(before: 113)
        #expect(periods.periods == [200...200])
    }

    @Test func `there are at most sixteen, and the closest are merged`() {
        var periods = ForgottenPeriods()
        for number in 0..<16 { periods.add(UInt32(1000 * number)) }
        periods.add(15_100)
        #expect(periods.periods.count == ForgottenPeriods.maximumCount)
        #expect(periods.periods.last == 15_000...15_100)
        periods.add(.max)
        #expect(periods.contains(.max) && periods.periods.count == 16)
    }
}

@Suite("RFC 9449 §11.1 Proofs from before the start")
struct ProofsBeforeStartTests {
    @Test func `a store that does not survive the server has not seen them`() async {
        let scene = DPoPScene()
        scene.clock.advance(by: .seconds(10))
        #expect(await scene.refusal(scene.proof(claims: ["iat": 1_800_000_000])) == nil)
        let early = scene.proof(claims: ["iat": 1_799_999_999])
        await scene.expectRefused(early, reason: .proofOutsideWindow, ProofText.time)
    }

    @Test func `a store that survives the server has seen them`() async {
        let scene = DPoPScene { $0.replayStore = ScriptedStore(.fresh) }
        #expect(await scene.refusal(scene.proof(claims: ["iat": 1_799_999_990])) == nil)
    }

    @Test func `a clock that was ahead at the start and is set back refuses nothing new`() async {
        let scene = DPoPScene()
        scene.clock.advance(by: .seconds(5))
        scene.clock.set(to: 1_799_900_000)
        let token = scene.issuer.mint(audience: Scene.identifier, boundTo: scene.client)
        func refusal(_ time: Int) async -> Refusal? {
            let claims: JSONObject = ["iat": .number(JSONNumber(time))]
            let proof = scene.client.proof(.get, DPoPScene.uri, token: token, claims: claims)
            return await scene.refusal(proof, token: token)
        }
        #expect(await refusal(1_799_900_000) == nil)
        #expect(await refusal(1_799_899_995) == nil)
        expectRefused(await refusal(1_799_899_994), .proofOutsideWindow)
    }

    @Test func `a proof with a nonce is accepted by the nonce's time`() async throws {
        let key = try NonceKey(validating: Array(repeating: 7, count: 32))
        let given = DPoPScene(at: 1_800_000_005) {
            $0.nonce = .required
            $0.nonceKeys = [key]
        }
        // The window of the start: an earlier process may have issued the nonce.
        given.clock.advance(by: .seconds(10))
        let first = try #require(await given.refusal(given.proof())?.dpopNonce)
        #expect(await given.refusal(given.proof(nonce: first)) == nil)
        let early = given.proof(nonce: first, claims: ["iat": 1_800_000_004])
        expectRefused(await given.refusal(early), .proofOutsideWindow)
        given.clock.advance(by: .seconds(300))
        let second = try #require(await given.refusal(given.proof())?.dpopNonce)
        #expect(await given.refusal(given.proof(nonce: second, claims: ["iat": 1_799_000_000])) == nil)
    }

    @Test
    func
        `a proof with a fresh nonce is accepted once during the nonce's lifetime, whatever its iat`()
        async throws
    {
        let scene = DPoPScene { $0.nonce = .required }
        let nonce = try #require(await scene.refusal(scene.proof())?.dpopNonce)
        for time in [1_800_000_000 - 86_400, 1_800_000_000 + 86_400] {
            let proof = scene.proof(nonce: nonce, claims: ["iat": .number(JSONNumber(time))])
            #expect(await scene.refusal(proof) == nil)
            expectRefused(await scene.refusal(proof), .replayedProof)
        }
        let proof = scene.proof(nonce: nonce)
        #expect(await scene.refusal(proof) == nil)
        scene.clock.advance(by: .seconds(599))
        expectRefused(await scene.refusal(proof), .replayedProof)
        scene.clock.advance(by: .seconds(1))
        expectRefused(await scene.refusal(proof), .staleNonce)
    }

    @Test func `a clock that is set back issues new nonces, so that none from the future is accepted then`()
        async throws
    {
        let scene = DPoPScene { $0.nonce = .required }
        scene.clock.set(to: 1_800_003_000)
        let ahead = try #require(await scene.refusal(scene.proof())?.dpopNonce)
        let proof = scene.proof(nonce: ahead)
        #expect(await scene.refusal(proof) == nil)
        scene.clock.set(to: 1_800_000_000)
        expectRefused(await scene.refusal(scene.proof()), .missingNonce)
        scene.clock.advance(by: .seconds(3000))
        expectRefused(await scene.refusal(proof), .staleNonce)
    }
}

@Suite("RFC 9449 §11.1 Proofs and a new configuration")
struct ProofMemoriesTests {
    @Test func `records stay when a configuration is replaced by another`() async throws {
        let scene = DPoPScene()
        func resource(_ memories: ProofMemories) throws -> ProtectedResource {
            var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
            metadata.dpopSigningAlgorithmsSupported = ["ES256"]
            var tokens = TokenPolicy()
            tokens.dpop.replayCacheEntryCount = 10
            return try ProtectedResource(
                ProtectedResource.Configuration(
                    metadata, trusting: [scene.issuer.trusted], tokens: tokens,
                    time: scene.clock.time, proofMemories: memories))
        }
        let head = RequestHead.dpop("/notes", token: scene.token, proofs: [scene.proof()])
        let first = ProofMemories()
        #expect(await (try resource(first)).refusal(of: head) == nil)
        // An unused configuration in between changes nothing.
        _ = try resource(ProofMemories(succeeding: first))
        let second = ProofMemories(succeeding: first)
        expectRefused(await (try resource(second)).refusal(of: head), .replayedProof)
        #expect(await (try resource(ProofMemories())).refusal(of: head) == nil)
    }
}
