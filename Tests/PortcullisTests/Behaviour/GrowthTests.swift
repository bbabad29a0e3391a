// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import PortcullisTransport
import Testing

@Suite("Growth: tokens, keys, issuers and proofs")
struct GrowthTests {
    private static func digest(_ number: Int) -> SHA256Digest {
        Digest.sha256(Array("\(number)".utf8))
    }

    @Test(arguments: [1, 100, 16_384, 16_385, 100_000])
    func `a table of tokens holds as many as its capacity, in parts or not`(capacity: Int) {
        let table = TokenTable<Int>(capacity: capacity)
        let count = capacity * 9 / 10
        for number in 0..<count { table.insert(number, for: Self.digest(number)) }
        #expect(table.count == count)
        #expect((0..<count).allSatisfy { table[Self.digest($0)] == $0 })
        #expect(table[Self.digest(-1)] == nil)
        // Parts fill up at slightly different times.
        for number in count..<(2 * capacity) { table.insert(number, for: Self.digest(number)) }
        #expect((capacity * 95 / 100...capacity * 101 / 100 + 1).contains(table.count))
    }

    @Test(arguments: [100, 100_000])
    func `entries are removed one by one, by a condition, and all at once`(capacity: Int) {
        let table = TokenTable<Int>(capacity: capacity)
        let count = capacity / 2
        for number in 0..<count { table.insert(number, for: Self.digest(number)) }
        table.remove(Self.digest(0))
        #expect(table[Self.digest(0)] == nil && table[Self.digest(1)] == 1)
        table.removeAll { $0 % 2 == 1 }
        #expect(table.count == count / 2 - 1)
        #expect(table[Self.digest(1)] == nil && table[Self.digest(2)] == 2)
        table.removeAll()
        #expect(table.count == 0)
    }

    @Test func `a token of any of 200 keys is verified with its own`() async throws {
        let keys = try (0..<200).map { try PrivateJWK.generate(.es256, keyID: "k\($0)") }
        let set = JWKSet(keys.map(\.publicKey))
        for key in keys {
            guard case .found(let found) = set.selectKey(keyID: key.publicKey.keyID, algorithm: .es256) else {
                Issue.record("not found")
                return
            }
            #expect(found.thumbprint == key.publicKey.thumbprint)
        }
        #expect(Self.isUnknown(set.selectKey(keyID: "k200", algorithm: .es256)))
        guard case .several(let few, isComplete: false) = set.selectKey(keyID: nil, algorithm: .es256),
            few.count == JWKSet.maximumCandidateCount
        else {
            Issue.record("a token without kid fits 200 keys, of which four are tried")
            return
        }
        guard case .noCandidate = set.selectKey(keyID: "k7", algorithm: .rs256) else {
            Issue.record("an EC key verifies no RS256")
            return
        }
    }

    @Test func `in a large set too, kid is compared by code points`() throws {
        let others = try (0..<20).map { try PrivateJWK.generate(.es256, keyID: "k\($0)").publicKey }
        let accented = try PrivateJWK.generate(.es256, keyID: "\u{E9}").publicKey
        let set = JWKSet(others + [accented])
        #expect(Self.isUnknown(set.selectKey(keyID: "e\u{301}", algorithm: .es256)))
        guard case .found = set.selectKey(keyID: "\u{E9}", algorithm: .es256) else {
            Issue.record("not found")
            return
        }
    }

    private static func isUnknown(_ selection: KeySelection) -> Bool {
        if case .unknownKeyID = selection { true } else { false }
    }

    private static func resource(_ issuers: [TestIssuer]) throws -> ProtectedResource {
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.authorizationServers = issuers.map(\.issuer)
        return try ProtectedResource(validating: .init(metadata, trusting: issuers.map(\.trusted)))
    }

    @Test func `a resource trusts up to 64 issuers, each for its own tokens`() async throws {
        let issuers = (0..<64).map { TestIssuer("https://as\($0).example.com") }
        let resource = try Self.resource(issuers)
        for issuer in issuers {
            let token = issuer.mint(audience: "https://api.example.com/notes")
            let admitted = try await resource.authorize(.get("/notes", bearer: token))
            #expect(admitted.issuer == issuer.issuer)
        }
        let stranger = TestIssuer("https://as64.example.com")
        let foreign = stranger.mint(audience: "https://api.example.com/notes")
        let refusal = await #expect(throws: Refusal.self) {
            try await resource.authorize(.get("/notes", bearer: foreign))
        }
        #expect(refusal?.reason == .unknownIssuer)
        let error = #expect(throws: ConfigurationError.self) { try Self.resource(issuers + [stranger]) }
        #expect(error?.description.contains("at most 64 issuers") == true)
    }

    @Test func `a store with few proofs is small`() {
        let store = InMemoryReplayStore()
        let record = ReplayRecord(
            identifier: Array(repeating: 1, count: 32), keyThumbprint: Array(repeating: 2, count: 32),
            now: NumericDate(0), until: NumericDate(60))
        #expect(store.insert(record) == .fresh)
        #expect(store.byteCount < 4096)
    }

    @Test func `a replaced resource forgets its tokens, and the new one checks them again`() async throws {
        let issuer = TestIssuer("https://as.example.com")
        let old = try Self.resource([issuer])
        let registry = try ResourceRegistry([old])
        let head = RequestHead.get("/notes", bearer: issuer.mint(audience: "https://api.example.com/notes"))
        _ = try await old.authorize(head)
        #expect(old.knownTokenCount == 1)
        try registry.replace([try Self.resource([issuer])])
        #expect(old.knownTokenCount == 0)
        _ = try await registry.current.resource(for: head)?.authorize(head)
        // The same declaration keeps them.
        try registry.replace(registry.current.resources)
        #expect(registry.current.resources[0].knownTokenCount == 1)
    }
}
