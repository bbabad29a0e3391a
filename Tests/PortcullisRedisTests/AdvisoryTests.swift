// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisRedis
import PortcullisTesting
import Testing

/// Attacks that injected store commands in other implementations.
@Suite("Advisories of 2025 and 2026: commands to a store")
struct AdvisoryTests {
    static let words = [
        "", " ", "a b", "a\r\nFLUSHALL\r\n", "%s%n%x", "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n", "$-1\r\n",
        "\u{0}",
        "\"", "'", "\\", "é\u{2028}", "PX 1", "\n",
    ]

    @Test(.enabled(if: StoreServer.program != nil))
    func `liboauth2 2.3.0: an argument of any bytes is one bulk string of a command`() async throws {
        let server = try await StoreServer()
        let store = try server.client()
        for word in Self.words {
            #expect(
                try await store.execute([Array("ECHO".utf8), Array(word.utf8)]) == .bytes(Array(word.utf8)))
        }
        #expect(try await store.execute([Array("DBSIZE".utf8)]) == .integer(0))
    }

    @Test(.enabled(if: StoreServer.program != nil))
    func `liboauth2 2.3.0: any jti of a proof adds one key to the store and runs no other command`()
        async throws
    {
        let server = try await StoreServer()
        let store = try server.client()
        let issuer = TestIssuer("https://as.example.com")
        let client = TestDPoPClient()
        var policy = TokenPolicy()
        policy.dpop.replayStore = RedisReplayStore(store)
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: issuer.trusted, tokens: policy, dpop: .required)
        let token = issuer.mint(audience: "https://api.example.com/notes", boundTo: client)
        var count = 0
        for word in Self.words where !word.isEmpty {
            let proof = client.proof(
                .get, "https://api.example.com/notes", token: token, claims: ["jti": .string(word)])
            _ = try await resource.authorize(.dpop(.get, "/notes", token: token, proofs: [proof]))
            count += 1
            #expect(try await store.execute([Array("DBSIZE".utf8)]) == .integer(Int64(count)))
        }
        try await expectHashedNames(store)
    }

    @Test(.enabled(if: StoreServer.program != nil))
    func `liboauth2 2.3.0: any token and any subject of an introspected token adds one key`() async throws {
        let server = try await StoreServer()
        let store = try server.client()
        let cache = RedisIntrospectionCache(store)
        for (number, word) in Self.words.enumerated() {
            let fetcher = ScriptedFetcher()
            var issuer = TrustedIssuer.introspection(
                issuer: "https://as.example.com", endpoint: "https://as.example.com/introspect",
                authenticatedBy: .clientSecretBasic(id: "rs", secret: "s"))
            issuer.introspection?.sharedCache = cache
            fetcher.on(
                "https://as.example.com/introspect",
                json: [
                    "active": true, "aud": "https://api.example.com/mcp", "sub": .string(word),
                    "jti": .string(word),
                ])
            let resource = ProtectedResource(
                "https://api.example.com/mcp", trusting: issuer, fetcher: fetcher)
            let token = try await resource.authorize(.get("/mcp", bearer: "token+/\(number)~="))
            #expect(token.subject == word)
            // One answer, and the indices of one token and one subject.
            #expect(try await store.execute([Array("DBSIZE".utf8)]) == .integer(Int64(3 * (number + 1))))
        }
        try await expectHashedNames(store)
    }

    /// Every key in the store is a fixed prefix and hashes.
    private func expectHashedNames(_ store: RedisClient) async throws {
        guard case .array(let names) = try await store.execute([Array("KEYS".utf8), Array("*".utf8)]) else {
            Issue.record("no names")
            return
        }
        for name in names.compactMap(\.payload) {
            let isHashed = [
                "proof:": 32, "answer:": 96, "answers:": 64, "answers-of-token:": 64,
            ].contains { kind, count in
                let beginning = Array("portcullis:\(kind)".utf8)
                return name.starts(with: beginning) && name.count == beginning.count + count
            }
            #expect(isHashed)
        }
    }
}
