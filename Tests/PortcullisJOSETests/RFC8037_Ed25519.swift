// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Testing

@Suite("RFC 8037 §3.1 Signing and verification with Ed25519")
struct RFC8037_3_1_Ed25519 {
    @Test func `A.4: the published token is reproduced`() throws {
        let key = try PrivateJWK(Fixture.object("rfc8037/A.4/key.json"))
        let payload = Array("Example of Ed25519 signing".utf8)
        #expect(try key.sign(payload: payload, algorithm: .eddsa) == Fixture.text("rfc8037/A.4/token.txt"))
    }

    @Test func `A.5: the published token verifies`() throws {
        let token = try CompactJWS(text: Fixture.text("rfc8037/A.4/token.txt"))
        try token.verify(with: Fixture.key("rfc8037/A.3/key.json"), algorithm: .eddsa)
        #expect(token.payload == Array("Example of Ed25519 signing".utf8))
    }
}

@Suite("RFC 9864 §2.2 Fully Specified Edwards-Curve Digital Signature Algorithms")
struct RFC9864_2_2_Ed25519 {
    @Test(arguments: [SignatureAlgorithm.eddsa, .ed25519])
    func `both names verify with the same key`(algorithm: SignatureAlgorithm) throws {
        let key = try PrivateJWK(Fixture.object("rfc8037/A.4/key.json"))
        try CompactJWS(text: key.sign(payload: [1], algorithm: algorithm))
            .verify(with: Fixture.key("rfc8037/A.3/key.json"), algorithm: algorithm)
    }

    @Test func `one name does not match the other`() throws {
        let token = try CompactJWS(text: Fixture.text("rfc8037/A.4/token.txt"))
        let key = try Fixture.object("rfc8037/A.3/key.json")
        #expect(throws: JOSEError.algorithmMismatch) { try token.verify(with: JWK(key), algorithm: .ed25519) }
        #expect(throws: JOSEError.keyNotUsable) {
            try token.verify(with: JWK(key.with("alg", "Ed25519")), algorithm: .eddsa)
        }
    }

    @Test func `Ed448 is not mapped to any algorithm`() {
        #expect(SignatureAlgorithm(rawValue: "Ed448") == nil)
        let zeros = Base64URL.encode(Array(repeating: 0, count: 57))
        #expect(throws: JOSEError.unsupportedCurve) {
            try JWK(["kty": "OKP", "crv": "Ed448", "x": .string(zeros), "alg": "EdDSA"])
        }
    }
}
