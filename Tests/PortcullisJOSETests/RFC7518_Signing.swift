// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Testing

@Suite("RFC 7518 §3 Cryptographic Algorithms for Digital Signatures and MACs")
struct RFC7518_3_Algorithms {
    @Test(arguments: SignatureAlgorithm.allCases)
    func `a generated key signs what its public half verifies`(algorithm: SignatureAlgorithm) throws {
        let key = try PrivateJWK.generate(algorithm, keyID: "k")
        let token = try CompactJWS(
            text: key.sign(header: ["typ": "at+jwt"], payload: [1, 2], algorithm: algorithm))
        try token.verify(with: key.publicKey, algorithm: algorithm)
        #expect(key.publicKey.algorithm == algorithm)
        #expect(key.publicKey.use == "sig")
        #expect(key.publicKey.keyID == "k")
        #expect(!key.publicKey.hasPrivateMembers)
        let copy = try PrivateJWK(key.jsonIncludingPrivateMembers)
        #expect(copy.publicKey.thumbprint == key.publicKey.thumbprint)
        let again = try CompactJWS(text: copy.sign(payload: [3], algorithm: algorithm))
        try again.verify(with: key.publicKey, algorithm: algorithm)
    }

    @Test(arguments: [SignatureAlgorithm.es256, .es384, .es512, .ed25519, .rs256])
    func `BCP-07, RFC 6979 §3: the same input has the same signature, where OpenSSL can`(
        algorithm: SignatureAlgorithm
    ) throws {
        let key = try PrivateJWK.generate(algorithm)
        let (first, second) = try (key.sign([1], algorithm: algorithm), key.sign([1], algorithm: algorithm))
        let isDrawn = "\(algorithm.rawValue)".hasPrefix("ES") && !DeterministicNonce.isAvailable
        #expect((first == second) == !isDrawn)
        #expect(try key.sign([2], algorithm: algorithm) != first)
    }

    @Test func `none and HMAC are no algorithms, in any spelling`() {
        for name in [
            "none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "rs256", "RS256 ", "ES256K",
            "Ed448", "RS1",
        ] {
            #expect(SignatureAlgorithm(rawValue: name) == nil)
        }
        #expect(SignatureAlgorithm.allCases.count == 11)
    }

    @Test func `signatures have the standard's lengths`() throws {
        let lengths: [SignatureAlgorithm: Int] = [.es256: 64, .es384: 96, .es512: 132, .ed25519: 64]
        for (algorithm, length) in lengths {
            let key = try PrivateJWK.generate(algorithm)
            for round in UInt8(0)..<20 {
                #expect(try key.sign([round], algorithm: algorithm).count == length)
            }
        }
    }

    // In one of 256 signatures R or S begins with a zero byte; in half of them one begins with a set bit.
    @Test(arguments: [(SignatureAlgorithm.es256, 1500), (.es384, 300), (.es512, 300)])
    func `R and S of every length verify`(algorithm: SignatureAlgorithm, count: Int) throws {
        let key = try PrivateJWK.generate(algorithm)
        for round in 0..<count {
            let token = try CompactJWS(
                text: key.sign(payload: [UInt8(round & 0xFF), UInt8(round >> 8)], algorithm: algorithm))
            try token.verify(with: key.publicKey, algorithm: algorithm)
        }
    }

    @Test(arguments: Fixture.names(in: "keys/private"))
    func `another library's private key is read`(name: String) throws {
        let key = try PrivateJWK(Fixture.object("keys/private/\(name).json"))
        let algorithm = try #require(SignatureAlgorithm.allCases.first { key.publicKey.canVerify($0) })
        try CompactJWS(text: key.sign(payload: [0], algorithm: algorithm))
            .verify(with: key.publicKey, algorithm: algorithm)
    }

    @Test func `a key does not sign with another key's algorithm`() throws {
        let key = try PrivateJWK.generate(.es256)
        for algorithm in SignatureAlgorithm.allCases where algorithm != .es256 {
            #expect(throws: JOSEError.keyNotUsable) { try key.sign([0], algorithm: algorithm) }
        }
    }

    @Test func `the caller's header members are kept`() throws {
        let key = try PrivateJWK.generate(.es256, keyID: "k")
        let text = try key.sign(
            header: ["kid": "other", "typ": "x", "alg": "none"], payload: [0], algorithm: .es256)
        let header = Base64URL.decode(String(text.prefix { $0 != "." })) ?? []
        #expect(String(decoding: header, as: UTF8.self) == #"{"alg":"none","kid":"other","typ":"x"}"#)
    }
}

@Suite("RFC 7518 §6 Cryptographic Algorithms for Keys: private keys")
struct RFC7518_6_PrivateKeys {
    @Test(arguments: Fixture.names(in: "keys/private"))
    func `a private half of another key is refused`(name: String) throws {
        let json = try Fixture.object("keys/private/\(name).json")
        let algorithm = try #require(
            SignatureAlgorithm.allCases.first { (try? JWK(json).canVerify($0)) ?? false })
        let other = try PrivateJWK.generate(algorithm).jsonIncludingPrivateMembers
        var mixed = json
        for member in ["d", "p", "q", "dp", "dq", "qi"] where other[member] != nil {
            mixed[member] = other[member]
        }
        #expect(throws: JOSEError.self) { try PrivateJWK(mixed) }
    }

    @Test(arguments: ["d", "p", "q", "dp", "dq", "qi"])
    func `an RSA key that lacks a member is refused`(member: String) throws {
        let json = try Fixture.object("keys/private/RSA.json")
        #expect(throws: JOSEError.malformedKey) { try PrivateJWK(json.with(member, nil)) }
    }

    @Test func `a key of more than two primes is refused`() throws {
        let json = try Fixture.object("keys/private/RSA.json")
        #expect(throws: JOSEError.malformedKey) { try PrivateJWK(json.with("oth", [])) }
    }

    @Test(arguments: ["P-256", "P-384", "P-521", "Ed25519"])
    func `a short, absent or zero private number is refused`(name: String) throws {
        let json = try Fixture.object("keys/private/\(name).json")
        let secret = Base64URL.decode(json.text("d")) ?? []
        let zero = Base64URL.encode(Array(repeating: 0, count: secret.count))
        #expect(throws: JOSEError.malformedKey) { try PrivateJWK(json.with("d", nil)) }
        #expect(throws: JOSEError.malformedKey) {
            try PrivateJWK(json.with("d", .string(Base64URL.encode(Array(secret.dropFirst())))))
        }
        #expect(throws: JOSEError.self) { try PrivateJWK(json.with("d", .string(zero))) }
    }

    @Test func `a private key does not print its secrets`() throws {
        for algorithm in [SignatureAlgorithm.rs256, .es256, .ed25519] {
            let key = try PrivateJWK.generate(algorithm)
            var dumped = ""
            dump(key, to: &dumped)
            let printed = ["\(key)", String(reflecting: key), dumped, "\([key])", "\(Optional(key) as Any)"]
                .joined()
            for member in ["d", "p", "q", "dp", "dq", "qi"] {
                let secret = key.jsonIncludingPrivateMembers.text(member)
                #expect(secret.isEmpty || !printed.contains(secret))
            }
        }
    }

    @Test func `key_ops of the private half do not bind the public half`() throws {
        let json = try Fixture.object("keys/private/P-256.json").with("key_ops", ["sign"])
        #expect(try PrivateJWK(json).publicKey.canVerify(.es256))
    }
}
