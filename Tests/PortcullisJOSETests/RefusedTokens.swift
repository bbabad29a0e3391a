// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Testing

/// A clause, and the prefixes of the names of the files that attack it.
struct Clause: Sendable, CustomTestStringConvertible {
    let name: String
    let prefixes: [String]

    var testDescription: String { name }

    func claims(_ file: String) -> Bool {
        prefixes.contains { file.hasPrefix($0) }
    }
}

@Suite("Refused tokens: one file for each attack")
struct RefusedTokens {
    static let clauses = [
        Clause(
            name: "RFC 7515 §2, RFC 4648 §3.5 canonical base64url",
            prefixes: [
                "signature-", "header-padded", "header-last-character", "payload-last-character",
                "leading-space",
            ]
        ),
        Clause(
            name: "RFC 7515 §4 the header is one strict JSON object",
            prefixes: [
                "header-duplicate", "header-byte", "header-array", "header-string", "header-trailing",
                "header-invalid",
                "header-utf-16", "header-deeply",
            ]
        ),
        Clause(
            name: "RFC 7515 §4.1.1, RFC 8725 §3.1 alg is compared exactly",
            prefixes: [
                "alg-", "lowercase-alg", "empty-alg", "es256k", "other-alg", "rs256-over", "eddsa-over",
            ]
        ),
        Clause(name: "RFC 8725 §3.2, RFC 7518 §3.6 none in every spelling", prefixes: ["none-"]),
        Clause(name: "RFC 8725 §2.1, RFC 7518 §3.2 HMAC keyed with a public key", prefixes: ["hs"]),
        Clause(
            name: "RFC 7515 §4.1.2, §4.1.3, §4.1.5, §4.1.6 a token does not bring its key",
            prefixes: ["own-key-"]),
        Clause(name: "RFC 7515 §4.1.4 kid is a string", prefixes: ["kid-"]),
        Clause(name: "RFC 7515 §4.1.9 typ is a string", prefixes: ["typ-"]),
        Clause(name: "RFC 7515 §4.1.10, RFC 7519 §5.2 nested tokens", prefixes: ["cty-"]),
        Clause(name: "RFC 7515 §4.1.11 crit in every form", prefixes: ["crit-"]),
        Clause(name: "RFC 7797 §3, §6 b64", prefixes: ["b64-"]),
        Clause(name: "RFC 7516 §4.1.3 zip", prefixes: ["zip-"]),
        Clause(
            name: "RFC 7515 §7.1, RFC 7516 §7.1 three parts, none empty",
            prefixes: [
                "one-part", "two-parts", "four-", "five-parts", "six-parts", "empty-header", "empty-payload",
                "empty-signature", "only-dots", "json-serialization", "too-long",
            ]
        ),
        Clause(
            name: "RFC 7518 §3.3 RSASSA-PKCS1-v1_5",
            prefixes: ["rs256-with", "rs256-signature", "rs256-all-zero"]
        ),
        Clause(
            name:
                "RFC 7518 §3.4 R and S of full length and in range; RFC 7515 §5.2 over the bytes as received",
            prefixes: ["es256-", "es512-"]
        ),
        Clause(name: "RFC 7518 §3.5 RSASSA-PSS: MGF1 and salt as the hash", prefixes: ["ps256-"]),
        Clause(name: "RFC 8037 §3.1 Ed25519", prefixes: ["ed25519-"]),
        Clause(name: "RFC 7517 §4.2, §4.3, §4.4 the key must allow it", prefixes: ["key-"]),
    ]

    @Test(arguments: clauses)
    func `a token is refused, for its file's reason`(clause: Clause) throws {
        let names = Fixture.names(in: "jose/refused").filter(clause.claims)
        #expect(!names.isEmpty)
        for name in names {
            let fixture = try Fixture.object("jose/refused/\(name).json")
            let key = try JWK(fixture.nested("key"))
            // The caller's decision: the key's algorithm, or ES256 if the key names no supported algorithm.
            let algorithm = key.algorithm ?? .es256
            do throws(JOSEError) {
                let token = try CompactJWS(text: fixture.text("token"))
                try token.verify(with: key, algorithm: algorithm)
                Issue.record("\(name) verified")
            } catch {
                #expect(error.name == fixture.text("reason"), "\(name)")
            }
        }
    }

    @Test(arguments: Fixture.names(in: "jose/refused"))
    func `each file belongs to one clause`(name: String) {
        #expect(Self.clauses.filter { $0.claims(name) }.count == 1)
    }
}

@Suite("Refused keys: one file for each flaw")
struct RefusedKeys {
    static let clauses = [
        Clause(name: "RFC 7517 §4.1, RFC 7518 §6.1 kty", prefixes: ["kty-"]),
        Clause(name: "RFC 7518 §6.4, §6.4.1 symmetric keys", prefixes: ["oct"]),
        Clause(name: "RFC 7517 §4.2 use", prefixes: ["use-"]),
        Clause(name: "RFC 7517 §4.3 key_ops", prefixes: ["key-ops-"]),
        Clause(name: "RFC 7517 §4.4 alg", prefixes: ["alg-"]),
        Clause(name: "RFC 7517 §4.5 kid", prefixes: ["kid-"]),
        Clause(
            name: "RFC 7518 §6.2, §6.2.1.1 curve", prefixes: ["ec-crv-", "ec-secp256k1", "ec-p-256-called"]),
        Clause(
            name: "RFC 7518 §6.2.1.2, §6.2.1.3 coordinates of full length, on the curve",
            prefixes: ["ec-x-", "ec-y-", "ec-p-521", "ec-off", "ec-point"]
        ),
        Clause(name: "RFC 7518 §3.3, §6.3, §6.3.1, §2 modulus and exponent", prefixes: ["rsa-"]),
        Clause(name: "RFC 8037 §2 octet key pairs", prefixes: ["okp-"]),
    ]

    @Test(arguments: clauses)
    func `a key is refused, for its file's reason`(clause: Clause) throws {
        let names = Fixture.names(in: "keys/refused").filter(clause.claims)
        #expect(!names.isEmpty)
        for name in names {
            let fixture = try Fixture.object("keys/refused/\(name).json")
            do throws(JOSEError) {
                _ = try JWK(fixture.nested("key"))
                Issue.record("\(name) read")
            } catch {
                #expect(error.name == fixture.text("reason"), "\(name)")
            }
        }
    }

    @Test(arguments: Fixture.names(in: "keys/refused"))
    func `each file belongs to one clause`(name: String) {
        #expect(Self.clauses.filter { $0.claims(name) }.count == 1)
    }
}
