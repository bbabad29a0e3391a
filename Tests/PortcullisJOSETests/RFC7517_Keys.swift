// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Testing

private func publicKey(_ name: String) throws -> JSONObject {
    try Fixture.object("keys/accepted/\(name).json")
}

private func set(_ keys: JSONObject...) throws -> JWKSet {
    try JWKSet(["keys": .array(keys.map { .object($0) })])
}

extension KeySelection {
    fileprivate var name: String {
        switch self {
        case .found(let key): key.keyID ?? "found"
        case .unknownKeyID: "unknownKeyID"
        case .noCandidate: "noCandidate"
        case .several(let keys, let isComplete): "\(keys.count)\(isComplete ? "" : " of more")"
        }
    }
}

@Suite("RFC 7517 §4 JSON Web Key (JWK) Format")
struct RFC7517_4_Keys {
    @Test(arguments: Fixture.names(in: "keys/accepted"))
    func `a valid key is read`(name: String) throws {
        let key = try JWK(publicKey(name))
        #expect(!key.hasPrivateMembers)
        #expect(try JWK(key.publicJSON).thumbprint == key.thumbprint)
    }

    @Test func `members are read`() throws {
        let json = try publicKey("P-256").with("kid", "k").with("use", "sig").with("key_ops", ["verify"])
        let key = try JWK(json.with("alg", "ES256"))
        #expect(key.keyID == "k")
        #expect(key.keyType == "EC")
        #expect(key.use == "sig")
        #expect(key.keyOperations == ["verify"])
        #expect(key.algorithm == .es256)
    }

    @Test func `a key fits only the algorithms of its type and curve`() throws {
        let expected: [String: [SignatureAlgorithm]] = [
            "rsa-2048-bits": [.rs256, .rs384, .rs512, .ps256, .ps384, .ps512],
            "P-256": [.es256], "P-384": [.es384], "P-521": [.es512], "Ed25519": [.eddsa, .ed25519],
        ]
        for (name, algorithms) in expected {
            let key = try JWK(publicKey(name))
            #expect(SignatureAlgorithm.allCases.filter { key.canVerify($0) } == algorithms)
        }
    }

    @Test func `alg binds the key to exactly one algorithm`() throws {
        let json = try publicKey("rsa-2048-bits")
        #expect(
            try SignatureAlgorithm.allCases.filter { try JWK(json.with("alg", "PS256")).canVerify($0) } == [
                .ps256
            ])
        for name in ["rs256", "RS256 ", "RSA-OAEP", "", "none", "HS256", "ES256"] {
            let key = try JWK(json.with("alg", .string(name)))
            #expect(!SignatureAlgorithm.allCases.contains { key.canVerify($0) })
        }
    }

    @Test(arguments: ["enc", "SIG", "", "sig ", "verify"])
    func `use other than sig never verifies`(use: String) throws {
        #expect(try !JWK(publicKey("P-256").with("use", .string(use))).canVerify(.es256))
    }

    @Test func `key_ops must name verify`() throws {
        let json = try publicKey("P-256")
        #expect(try JWK(json.with("key_ops", ["sign", "verify"])).canVerify(.es256))
        for operations in [[], ["sign"], ["Verify"], ["encrypt", "decrypt"]] as [JSONValue] {
            #expect(try !JWK(json.with("key_ops", operations)).canVerify(.es256))
        }
    }

    @Test func `use and key_ops must both allow it`() throws {
        let json = try publicKey("P-256").with("use", "enc").with("key_ops", ["verify"])
        #expect(try !JWK(json).canVerify(.es256))
    }

    @Test func `a key does not print its kid`() throws {
        let key = try JWK(publicKey("P-256").with("kid", "attacker\r\ntext"))
        #expect("\(key)" == "JWK(EC, \(key.thumbprint))")
    }
}

@Suite("RFC 7517 Appendices A, B Examples")
struct RFC7517_A_Examples {
    private func set(_ name: String) throws -> JWKSet {
        try JWKSet(parsing: Fixture.bytes("rfc7517/\(name).json"))
    }

    @Test func `A.1: one key is for encryption, the other for its one algorithm`() throws {
        let set = try set("A.1")
        #expect(set.keys.map(\.keyID) == ["1", "2011-04-29"] && set.skipped.isEmpty)
        #expect(set.indicesWithPrivateMembers.isEmpty)
        #expect(!SignatureAlgorithm.allCases.contains { set.keys[0].canVerify($0) })
        #expect(SignatureAlgorithm.allCases.filter { set.keys[1].canVerify($0) } == [.rs256])
        #expect(set.selectKey(keyID: "1", algorithm: .es256).name == "noCandidate")
        #expect(set.selectKey(keyID: "2011-04-29", algorithm: .rs256).name == "2011-04-29")
        #expect(set.keys[1].thumbprint == (try Fixture.text("rfc7638/3.1/thumbprint.txt")))
    }

    @Test func `A.2: private keys are reported, and match the public keys of A.1`() throws {
        let set = try set("A.2")
        #expect(set.indicesWithPrivateMembers == [0, 1])
        #expect(set.keys.map(\.thumbprint) == (try self.set("A.1")).keys.map(\.thumbprint))
        let keys = try Fixture.object("rfc7517/A.2.json")["keys"]?.array ?? []
        let rsa = try PrivateJWK(#require(keys.last?.object))
        let token = try CompactJWS(text: rsa.sign(payload: [1], algorithm: .rs256))
        try token.verify(with: (try self.set("A.1")).keys[1], algorithm: .rs256)
        let ec = try PrivateJWK(#require(keys.first?.object).with("use", nil))
        try CompactJWS(text: ec.sign(payload: [1], algorithm: .es256))
            .verify(with: ec.publicKey, algorithm: .es256)
        #expect(ec.publicKey.thumbprint == (try self.set("A.1")).keys[0].thumbprint)
    }

    @Test func `A.3: symmetric keys are refused`() throws {
        let set = try set("A.3")
        #expect(set.keys.isEmpty)
        #expect(set.skipped.map(\.reason) == [.unsupportedKeyType, .unsupportedKeyType])
        #expect(set.indicesWithPrivateMembers == [0, 1])
    }

    @Test func `B: the certificate in a key is ignored`() throws {
        let json = try Fixture.object("rfc7517/B.json")
        let key = try JWK(json)
        #expect(key.keyID == "1b94c" && key.use == "sig" && key.canVerify(.rs256))
        #expect(key.thumbprint == (try JWK(json.with("x5c", ["nonsense"]))).thumbprint)
    }
}

@Suite("RFC 7517 §5 JWK Set Format")
struct RFC7517_5_KeySets {
    @Test(arguments: [
        "{}", "[]", "null", "\"keys\"", #"{"keys":{}}"#, #"{"keys":null}"#, #"{"keys":"a"}"#, #"{"Keys":[]}"#,
    ])
    func `anything but an object with an array is refused`(text: String) {
        #expect(throws: JOSEError.malformedKeySet) { try JWKSet(parsing: Array(text.utf8)) }
    }

    @Test(arguments: ["", "<html>", #"{"keys":[]"#, #"{"keys":[],"keys":[]}"#])
    func `a document that is not strict JSON is refused`(text: String) {
        do throws(JOSEError) {
            _ = try JWKSet(parsing: Array(text.utf8))
            Issue.record("read")
        } catch {
            #expect(error.name == "malformedJSON")
        }
    }

    @Test func `RFC 8259 §8.1: one byte order mark before the document is ignored`() throws {
        let text = try JSONValue.object(set(publicKey("P-256")).publicJSON).serialized()
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        #expect(try JWKSet(parsing: mark + text).keys.count == 1)
        for broken in [mark + mark + text, Array(mark.dropLast()) + text, mark, text + mark] {
            #expect(throws: JOSEError.self) { try JWKSet(parsing: broken) }
        }
    }

    @Test func `members that are null count as absent`() throws {
        let key = try JWK(publicKey("members-null"))
        #expect(key.keyID == nil && key.use == nil && key.keyOperations == nil && key.algorithm == nil)
        #expect(key.publicJSON.members.map(\.name).sorted() == ["crv", "kty", "x", "y"])
        let set = try JWKSet(["keys": [.object(publicKey("members-null").with("d", .null))]])
        #expect(set.indicesWithPrivateMembers.isEmpty)
        #expect(set.selectKey(keyID: nil, algorithm: .es256).candidates.count == 1)
        #expect(throws: JOSEError.malformedKey) { try JWK(publicKey("P-256").with("x", .null)) }
    }

    @Test func `an empty set is a set without keys`() throws {
        #expect(try JWKSet(["keys": []]).keys.isEmpty)
    }

    @Test func `malformed keys are skipped and reported by index`() throws {
        let good = try publicKey("P-256")
        let weak = try Fixture.object("keys/refused/rsa-1024-bits.json").nested("key")
        let set = try JWKSet([
            "keys": [5, ["kty": "oct", "k": "AAAA"], .object(good), [:], .object(weak), .null]
        ])
        #expect(set.keys.count == 1)
        #expect(set.skipped.map(\.index) == [0, 1, 3, 4, 5])
        #expect(
            set.skipped.map(\.reason) == [
                .malformedKey, .unsupportedKeyType, .malformedKey, .unsuitableKeyStrength, .malformedKey,
            ])
    }

    @Test func `keys beyond the limit are skipped`() throws {
        let key = JSONValue.object(try publicKey("Ed25519"))
        let set = try JWKSet(["keys": .array(Array(repeating: key, count: JWKSet.maximumKeyCount + 2))])
        #expect(set.keys.count == JWKSet.maximumKeyCount)
        #expect(set.skipped.map(\.reason) == [.tooManyKeys, .tooManyKeys])
    }

    @Test func `the public form of a set reads back`() throws {
        let original = try set(publicKey("P-256").with("kid", "a"), publicKey("Ed25519").with("kid", "b"))
        let copy = try JWKSet(parsing: original.publicJSON.serialized())
        #expect(copy.keys.map(\.thumbprint) == original.keys.map(\.thumbprint))
        #expect(copy.keys.map(\.keyID) == ["a", "b"])
    }
}

@Suite("RFC 7517 §4.5 \"kid\" (Key ID) Parameter: selecting a key")
struct RFC7517_4_5_Selection {
    @Test func `kid selects exactly`() throws {
        let set = try set(
            publicKey("P-256").with("kid", "a"), publicKey("P-256-x-with-leading-zero").with("kid", "b"))
        #expect(set.selectKey(keyID: "a", algorithm: .es256).name == "a")
        #expect(set.selectKey(keyID: "b", algorithm: .es256).name == "b")
        for other in ["A", "a ", "", "c", "a\u{301}"] {
            #expect(set.selectKey(keyID: other, algorithm: .es256).name == "unknownKeyID")
        }
    }

    @Test func `kid is compared by code points`() throws {
        let set = try set(publicKey("P-256").with("kid", "\u{E9}"))
        #expect(set.selectKey(keyID: "e\u{301}", algorithm: .es256).name == "unknownKeyID")
    }

    @Test func `an unknown kid never falls back to the only key`() throws {
        #expect(try set(publicKey("P-256")).selectKey(keyID: "a", algorithm: .es256).name == "unknownKeyID")
        #expect(try set().selectKey(keyID: "a", algorithm: .es256).name == "unknownKeyID")
    }

    @Test func `keys with one kid and different kty are distinguished by the algorithm`() throws {
        let set = try set(publicKey("rsa-2048-bits").with("kid", "1"), publicKey("P-256").with("kid", "1"))
        guard case .found(let rsa) = set.selectKey(keyID: "1", algorithm: .rs256),
            case .found(let ec) = set.selectKey(keyID: "1", algorithm: .es256)
        else {
            Issue.record("not found")
            return
        }
        #expect(rsa.keyType == "RSA")
        #expect(ec.keyType == "EC")
        #expect(set.selectKey(keyID: "1", algorithm: .ed25519).name == "noCandidate")
    }

    @Test func `two keys with one kid and one algorithm are both candidates`() throws {
        let set = try set(
            publicKey("P-256").with("kid", "1"), publicKey("P-256-x-with-leading-zero").with("kid", "1"))
        #expect(set.selectKey(keyID: "1", algorithm: .es256).name == "2")
    }

    @Test func `the same key more than once is one key`() throws {
        let key = try publicKey("P-256")
        let twice = try set(
            key.with("kid", "1"), key.with("kid", "1").with("x5c", ["AA=="]),
            key.with("kid", "1").with("use", "sig"), key.with("kid", "2").with("alg", "ES256"))
        #expect(twice.selectKey(keyID: "1", algorithm: .es256).name == "1")
        #expect(twice.selectKey(keyID: nil, algorithm: .es256).name == "1")
        let rsa = try publicKey("rsa-2048-bits")
        var padded = rsa
        for name in ["n", "e"] {
            let octets = try #require(rsa[name]?.string.flatMap { Base64URL.decode($0) })
            padded = padded.with(name, .string(Base64URL.encode([0, 0] + octets)))
        }
        #expect(try set(rsa, padded).selectKey(keyID: nil, algorithm: .rs256).candidates.count == 1)
        #expect(try JWK(rsa).thumbprint == JWK(padded).thumbprint)
    }

    @Test func `at most four different keys are candidates`() throws {
        var keys: [JWK] = []
        for _ in 0..<6 { keys.append(try PrivateJWK.generate(.ed25519, keyID: "1").publicKey) }
        for count in 2...4 {
            let set = JWKSet(Array(keys.prefix(count)))
            #expect(set.selectKey(keyID: "1", algorithm: .ed25519).name == "\(count)")
        }
        let set = JWKSet(keys.prefix(4) + [keys[0], keys[3]])
        #expect(set.selectKey(keyID: nil, algorithm: .ed25519).name == "4")
        #expect(JWKSet(keys).selectKey(keyID: nil, algorithm: .ed25519).name == "4 of more")
        #expect(
            JWKSet(keys).selectKey(keyID: "1", algorithm: .ed25519).candidates.map(\.thumbprint)
                == keys.prefix(4).map(\.thumbprint))
    }

    @Test func `without kid each candidate key is selected`() throws {
        let one = try set(publicKey("rsa-2048-bits").with("kid", "r"), publicKey("P-256").with("kid", "e"))
        #expect(one.selectKey(keyID: nil, algorithm: .es256).name == "e")
        #expect(one.selectKey(keyID: nil, algorithm: .ps384).name == "r")
        #expect(one.selectKey(keyID: nil, algorithm: .es384).name == "noCandidate")
        let two = try set(publicKey("P-256"), publicKey("P-256-x-with-leading-zero"))
        #expect(two.selectKey(keyID: nil, algorithm: .es256).name == "2")
    }

    @Test(arguments: [("use", "enc"), ("key_ops", ["sign"]), ("alg", "ES384")] as [(String, JSONValue)])
    func `each condition alone excludes the key`(name: String, value: JSONValue) throws {
        let set = try set(publicKey("P-256").with("kid", "1").with(name, value))
        #expect(set.selectKey(keyID: "1", algorithm: .es256).name == "noCandidate")
        #expect(set.selectKey(keyID: nil, algorithm: .es256).name == "noCandidate")
    }
}

@Suite("RFC 7517 §9.2 Preventing Disclosure of Non-public Key Information")
struct RFC7517_9_2_PrivateMembers {
    @Test(arguments: Fixture.names(in: "keys/private"))
    func `private members are reported and left out`(name: String) throws {
        let json = try Fixture.object("keys/private/\(name).json")
        let key = try JWK(json)
        #expect(key.hasPrivateMembers)
        for member in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            #expect(key.publicJSON[member] == nil)
        }
        #expect(try !JWK(key.publicJSON).hasPrivateMembers)
        #expect(try set(json).indicesWithPrivateMembers == [0])
    }

    @Test func `private members of a skipped key are reported too`() throws {
        let set = try JWKSet(["keys": [["kty": "oct", "k": "AAAA"], ["kty": "EC", "d": "AAAA"]]])
        #expect(set.keys.isEmpty)
        #expect(set.indicesWithPrivateMembers == [0, 1])
    }
}
