// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Testing

@Suite("RFC 8032 §5.1 Ed25519 keys for which anyone can sign")
struct RFC8032_5_1_SmallOrder {
    private static let names = Fixture.names(in: "keys/refused").filter { $0.hasPrefix("okp-small-order") }

    @Test func `the files contain all encodings of the points of small order`() throws {
        let encodings = try Self.names.map {
            try Base64URL.decode(Fixture.object("keys/refused/\($0).json").nested("key").text("x")) ?? []
        }
        // 0, 1, -1 and two of order 8; 0 and 1 also unreduced; each with both signs of x.
        #expect(Set(encodings).count == 14)
        #expect(Set(encodings.map { $0.dropLast() + [($0.last ?? 0) & 0x7F] }).count == 7)
    }

    @Test(arguments: names)
    func `a point of small order is refused as a key, alone and in a set`(name: String) throws {
        let json = try Fixture.object("keys/refused/\(name).json").nested("key")
        #expect(throws: JOSEError.unsuitableKeyStrength) { try JWK(json) }
        #expect(throws: JOSEError.unsuitableKeyStrength) {
            try JWK(json.with("alg", "Ed25519").with("use", "sig").with("kid", "1"))
        }
        let set = try JWKSet(["keys": [.object(json)]])
        #expect(set.keys.isEmpty && set.skipped.map(\.reason) == [.unsuitableKeyStrength])
    }

    @Test func `§5.1.3, 1: a y that is not below the prime is refused`() throws {
        let json = try Fixture.object("keys/refused/okp-x-not-reduced.json").nested("key")
        var octets = try #require(Base64URL.decode(json.text("x")))
        for sign in [UInt8(0), 0x80] {
            octets[31] = 0x7F | sign
            for low in UInt8(0xEF)...0xFF {
                octets[0] = low
                let x = JSONValue.string(Base64URL.encode(octets))
                #expect(throws: JOSEError.inconsistentKey) { try JWK(json.with("x", x)) }
            }
        }
    }

    @Test func `the reduced twin of such a point is a valid key`() throws {
        let three = [3] + [UInt8](repeating: 0, count: 31)
        let x = JSONValue.string(Base64URL.encode(three))
        #expect(try JWK(["kty": "OKP", "crv": "Ed25519", "x": x]).keyType == "OKP")
    }
}

@Suite("CVE-2017-15361 RSA keys with the fingerprint of ROCA")
struct CVE_2017_15361_ROCA {
    private func key() throws -> JSONObject {
        try Fixture.object("keys/refused/rsa-roca-fingerprint.json").nested("key")
    }

    @Test func `a modulus with the fingerprint is refused, alone and in a set`() throws {
        let key = try key()
        #expect(throws: JOSEError.unsuitableKeyStrength) { try JWK(key) }
        let set = try JWKSet(["keys": [.object(key.with("kid", "1").with("alg", "PS256"))]])
        #expect(set.keys.isEmpty && set.skipped.map(\.reason) == [.unsuitableKeyStrength])
    }

    @Test func `a similar modulus that differs in one remainder is read`() throws {
        var modulus = try #require(Base64URL.decode(key().text("n")))
        modulus[255] = modulus[255] ^ 2
        let n = JSONValue.string(Base64URL.encode(modulus))
        #expect(try JWK(key().with("n", n)).keyType == "RSA")
    }

    @Test func `keys that are generated here do not have the fingerprint`() throws {
        for _ in 0..<4 {
            #expect(try PrivateJWK.generate(.rs256).publicKey.keyType == "RSA")
        }
    }
}
