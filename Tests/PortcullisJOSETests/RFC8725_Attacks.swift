// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Testing

@Suite("RFC 8725 §3.1 Perform Algorithm Verification")
struct RFC8725_3_1_Algorithms {
    @Test func `the caller's algorithm decides, not the header's`() throws {
        let key = try PrivateJWK(Fixture.object("keys/private/RSA.json"))
        for signed in SignatureAlgorithm.allCases where key.publicKey.canVerify(signed) {
            let token = try CompactJWS(text: key.sign(payload: [1], algorithm: signed))
            for wanted in SignatureAlgorithm.allCases where wanted != signed {
                #expect(throws: JOSEError.algorithmMismatch) {
                    try token.verify(with: key.publicKey, algorithm: wanted)
                }
            }
        }
    }

    @Test func `a token whose header names another algorithm does not verify`() throws {
        let key = try PrivateJWK(Fixture.object("keys/private/RSA.json"))
        for signed in [SignatureAlgorithm.rs256, .rs384, .ps256, .ps512] {
            for claimed in [SignatureAlgorithm.rs256, .rs384, .ps256, .ps512] where claimed != signed {
                let text = try key.sign(
                    header: ["alg": .string(claimed.rawValue)], payload: [1], algorithm: signed)
                #expect(throws: JOSEError.invalidSignature) {
                    try CompactJWS(text: text).verify(with: key.publicKey, algorithm: claimed)
                }
            }
        }
    }
}

@Suite("RFC 8725 §3.3 Validate All Cryptographic Operations")
struct RFC8725_3_3_Mutations {
    static let names = ["RS256", "PS256", "ES256", "ES512", "Ed25519"]

    @Test(arguments: names)
    func `no random change of a valid token verifies`(name: String) throws {
        let fixture = try Fixture.object("jose/accepted/\(name).json")
        let algorithm = try #require(SignatureAlgorithm(rawValue: name))
        let key = try JWK(fixture.nested("key"))
        let original = Array(fixture.text("token").utf8)
        var random = Generator(state: 20_270_115)
        for _ in 0..<2000 {
            let mutant = mutate(original, &random)
            guard mutant != original else { continue }
            let verified: ()? = try? CompactJWS(mutant).verify(with: key, algorithm: algorithm)
            #expect(verified == nil, "\(String(decoding: mutant, as: UTF8.self))")
        }
    }

    @Test(arguments: names)
    func `no other character in any position verifies`(name: String) throws {
        let fixture = try Fixture.object("jose/accepted/\(name).json")
        let algorithm = try #require(SignatureAlgorithm(rawValue: name))
        let key = try JWK(fixture.nested("key"))
        var token = Array(fixture.text("token").utf8)
        for index in token.indices {
            let original = token[index]
            token[index] = original == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            let verified: ()? = try? CompactJWS(token).verify(with: key, algorithm: algorithm)
            #expect(verified == nil)
            token[index] = original
        }
    }

    @Test func `many tasks verify with one key concurrently`() async throws {
        let fixture = try Fixture.object("jose/accepted/ES256.json")
        let key = try JWK(fixture.nested("key"))
        let good = try CompactJWS(text: fixture.text("token"))
        let bad = try CompactJWS(
            text: Fixture.object("jose/refused/es256-other-payload.json").text("token"))
        await withTaskGroup(of: Bool.self) { group in
            for index in 0..<64 {
                group.addTask {
                    let token = index.isMultiple(of: 2) ? good : bad
                    return ((try? token.verify(with: key, algorithm: .es256)) != nil)
                        == index.isMultiple(of: 2)
                }
            }
            for await isRight in group {
                #expect(isRight)
            }
        }
    }

    private func mutate(_ token: [UInt8], _ random: inout Generator) -> [UInt8] {
        var mutant = token
        for _ in 0...Int.random(in: 0..<3, using: &random) {
            let index = Int.random(in: 0..<max(mutant.count, 1), using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: mutant[index] = UInt8.random(in: .min ... .max, using: &random)
            case 1: mutant[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: mutant.remove(at: index)
            case 3: mutant.insert(UInt8.random(in: 0x2B...0x7A, using: &random), at: index)
            case 4: mutant.swapAt(index, Int.random(in: 0..<mutant.count, using: &random))
            default: mutant.removeLast(Int.random(in: 0..<min(8, mutant.count), using: &random))
            }
        }
        return mutant
    }
}

/// Pseudo-random numbers that are the same in every run.
private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
