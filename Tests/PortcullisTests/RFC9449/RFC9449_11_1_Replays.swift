// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Synchronization
import Testing

@Suite("RFC 9449 §11.1 Replays")
struct RFC9449_11_1_Replays {
    @Test func `a proof counts once`() async {
        let scene = DPoPScene()
        let proof = scene.proof()
        #expect(await scene.refusal(proof) == nil)
        await scene.expectRefused(proof, reason: .replayedProof, ProofText.replayed)
        scene.clock.advance(by: .seconds(60))
        await scene.expectRefused(proof, reason: .replayedProof, ProofText.replayed)
        scene.clock.advance(by: .seconds(1))
        await scene.expectRefused(proof, reason: .proofOutsideWindow, ProofText.time)
    }

    @Test func `a proof from the future counts once, for as long as it is good`() async {
        let scene = DPoPScene()
        let proof = scene.proof(claims: ["iat": 1_800_000_005])
        #expect(await scene.refusal(proof) == nil)
        scene.clock.advance(by: .seconds(65))
        await scene.expectRefused(proof, reason: .replayedProof, ProofText.replayed)
    }

    @Test func `an identifier of one key says nothing about those of others`() async {
        let scene = DPoPScene()
        let claims: JSONObject = ["jti": "a"]
        #expect(await scene.refusal(scene.proof(claims: claims)) == nil)
        expectRefused(await scene.refusal(scene.proof(claims: claims)), .replayedProof)
        let other = TestDPoPClient(time: scene.clock.time)
        let token = scene.issuer.mint(audience: Scene.identifier, boundTo: other)
        let proof = other.proof(.get, DPoPScene.uri, token: token, claims: claims)
        #expect(await scene.refusal(proof, token: token) == nil)
    }

    @Test func `what is refused for another reason is not recorded`() async {
        let scene = DPoPScene()
        let claims: JSONObject = ["jti": "a"]
        let wrong = scene.proof("https://api.example.com/x", claims: claims)
        expectRefused(await scene.refusal(wrong), .proofTargetMismatch)
        #expect(await scene.refusal(scene.proof(claims: claims)) == nil)
    }

    @Test func `of many at the same time one gets in`() async {
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

    @Test func `a full store refuses with 503, and drops nothing inside its window`() async {
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

    @Test func `a store that is away refuses with 503`() async {
        let store = ScriptedStore(.unavailable)
        let scene = DPoPScene { $0.replayStore = store }
        let refusal = await scene.refusal(scene.proof())
        expectRefused(refusal, .replayStoreUnavailable)
        #expect(refusal?.status == .serviceUnavailable)
        #expect(refusal?.challenges == [])
    }

    @Test func `a store learns two hashes and two moments`() async throws {
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

    @Test func `resources may share a store`() async {
        let store = InMemoryReplayStore(capacity: 100)
        let change: (inout DPoPPolicy) -> Void = { $0.replayStore = store }
        let scene = DPoPScene(.accepted, change)
        #expect(await scene.refusal(scene.proof()) == nil)
        #expect(store.count == 1)
    }
}

/// A store that always says the same.
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

@Suite("RFC 9449 §11.1 The store in memory")
struct InMemoryReplayStoreTests {
    private func record(_ number: Int, key: Int = 0, at now: Int = 0, until: Int = 60) -> ReplayRecord {
        ReplayRecord(
            identifier: Digest.sha256(Array("\(number)".utf8)).bytes,
            keyThumbprint: Digest.sha256(Array("key \(key)".utf8)).bytes, now: NumericDate(now),
            until: NumericDate(until))
    }

    @Test func `it knows what it was told, through growth and forgetting`() {
        let store = InMemoryReplayStore(capacity: 5000)
        for round in 0..<10 {
            let now = round * 61
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

    @Test func `records of different ages are forgotten one by one`() {
        let store = InMemoryReplayStore(capacity: 500)
        for number in 0..<2000 {
            #expect(store.insert(record(number, key: number, at: number, until: number + 60)) == .fresh)
            #expect(store.count == min(number + 1, 61))
            let oldest = max(0, number - 60)
            #expect(store.insert(record(oldest, at: number)) == .replayed)
        }
    }

    @Test func `above half full one key has an eighth, and others still get in`() {
        let store = InMemoryReplayStore(capacity: 800)
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
        // Keys are counted by a hash of 16 bits: in one run of a hundred, another key shares a count with these two.
        var refused = 0
        for key in 3..<313 where store.count < 800 { refused += insert(key) == .full ? 1 : 0 }
        #expect(store.count == 800 && refused < 10)
        #expect(insert(1000) == .full)
        #expect(store.insert(record(1)) == .replayed)
        // A busy client is not held back for good.
        #expect(store.insert(record(5000, key: 1, at: 61, until: 121)) == .fresh)
    }

    @Test func `a million records take at most 40 bytes each`() {
        let capacity = 50_000
        let store = InMemoryReplayStore(capacity: capacity)
        for number in 0..<capacity {
            if store.insert(record(number, key: number)) != .fresh { Issue.record("no room") }
        }
        #expect(store.count == capacity)
        #expect(store.byteCount <= capacity * 40)
    }

    @Test func `a clock that goes back forgets nothing`() {
        let store = InMemoryReplayStore(capacity: 10)
        #expect(store.insert(record(1, at: 1000, until: 1060)) == .fresh)
        #expect(store.insert(record(1, at: 10, until: 70)) == .replayed)
        #expect(store.insert(record(2, key: 2, at: 10, until: 70)) == .fresh)
        #expect(store.insert(record(2, key: 2, at: 70, until: 130)) == .replayed)
    }

    @Test func `records outlive a change of the capacity`() {
        let first = InMemoryReplayStore(capacity: 4)
        for number in 0..<4 { #expect(first.insert(record(number, key: number)) == .fresh) }
        let smaller = InMemoryReplayStore(sharing: first, capacity: 2)
        #expect(smaller.insert(record(1)) == .replayed)
        #expect(smaller.insert(record(9, key: 9)) == .full)
        let larger = InMemoryReplayStore(sharing: smaller, capacity: 100)
        #expect(larger.insert(record(9, key: 9)) == .fresh)
        #expect(larger.insert(record(0)) == .replayed)
    }

    @Test func `what is no hash is not taken for one`() {
        let store = InMemoryReplayStore(capacity: 10)
        let record = ReplayRecord(identifier: [1], keyThumbprint: [2], now: 0, until: 1)
        #expect(store.insert(record) == .unavailable)
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
                GateConfiguration(
                    metadata: metadata, issuers: [scene.issuer.trusted], tokens: tokens,
                    time: scene.clock.time, proofMemories: memories))
        }
        let head = RequestHead.dpop("/notes", token: scene.token, proofs: [scene.proof()])
        let first = ProofMemories()
        #expect(await (try resource(first)).refusal(of: head) == nil)
        // A configuration in between that was not used changes nothing.
        _ = try resource(ProofMemories(succeeding: first))
        let second = ProofMemories(succeeding: first)
        expectRefused(await (try resource(second)).refusal(of: head), .replayedProof)
        #expect(await (try resource(ProofMemories())).refusal(of: head) == nil)
    }
}
