// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

/// Sends the files that attack signatures and keys through the whole gate.
@Suite("RFC 7515 §5.2, RFC 8725 §3 Every attack gets 401 and invalid_token at the gate")
struct RFC7515_5_2_AttacksAtTheGate {
    /// Tokens that no field can hold, or that are valid without their leading space.
    static let unsendable: Set = [
        "leading-space", "signature-with-line-break", "signature-with-newline", "signature-with-nul",
        "signature-with-non-ascii",
    ]

    private static func resource(_ keys: [JSONObject]) throws -> ProtectedResource {
        var policy = TokenPolicy()
        policy.acceptedTypes = ["at+jwt", ""]
        policy.requiredClaims = []
        policy.leeway = .zero
        return ProtectedResource(
            "https://api.example.com/mcp",
            trusting: .jwt(
                issuer: "https://as.example.com",
                keys: .fixed(try JWKSet(["keys": .array(keys.map(JSONValue.object))]))),
            tokens: policy, time: ManualClock().time)
    }

    /// The gate's reason for a token that the JOSE layer refuses for this reason.
    private static func reason(_ reason: String, _ token: String) -> RefusalReason {
        guard token.utf8.allSatisfy({ isToken68($0) }) else { return .malformedToken }
        switch reason {
        case "invalidSignature": return .invalidSignature
        case "keyNotUsable": return .unknownKey
        case "tokenTooLong": return .tokenTooLong
        case "algorithmMismatch":
            let header = Base64URL.decode(String(token.prefix { $0 != "." })).flatMap {
                try? JSONValue.parse($0)
            }
            let name = header?.object?["alg"]?.string ?? ""
            return SignatureAlgorithm(rawValue: name) == nil ? .unsupportedAlgorithm : .unknownKey
        default: return .malformedJWT
        }
    }

    private static func isToken68(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E, 0x2B, 0x2F: true
        default: false
        }
    }

    @Test(arguments: Fixture.names(in: "jose/refused").filter { !unsendable.contains($0) })
    func `a token with this flaw is refused, with its own reason`(name: String) async throws {
        let fixture = try #require(JSONValue.parse(Fixture.bytes("jose/refused/\(name).json")).object)
        let (token, key) = (fixture["token"]?.string ?? "", fixture["key"]?.object ?? [:])
        let resource = try Self.resource([key])
        let reason = Self.reason(fixture["reason"]?.string ?? "", token)
        let padded = token.hasSuffix("=") ? RefusalReason.malformedJWT : reason
        for _ in 0..<2 {
            let refusal = await resource.refusal(of: .get("/mcp", bearer: token))
            expectRefused(refusal, padded)
        }
    }

    @Test(arguments: Fixture.names(in: "jose/accepted"))
    func `the same token without the flaw is accepted`(name: String) async throws {
        let fixture = try #require(JSONValue.parse(Fixture.bytes("jose/accepted/\(name).json")).object)
        let resource = try Self.resource([fixture["key"]?.object ?? [:]])
        #expect(await resource.refusal(of: .get("/mcp", bearer: fixture["token"]?.string ?? "")) == nil)
    }

    @Test(arguments: Fixture.names(in: "keys/refused"))
    func `RFC 7517 §5: a key with this flaw is skipped, and the others are used`(name: String) async throws {
        let scene = Scene()
        let fixture = try #require(JSONValue.parse(Fixture.bytes("keys/refused/\(name).json")).object)
        var flawed = fixture["key"]?.object ?? [:]
        if flawed["kid"] == nil { flawed["kid"] = "flawed" }
        let keys = try JWKSet(["keys": [.object(flawed), .object(scene.issuer.key.publicKey.publicJSON)]])
        #expect(keys.skipped.map(\.index) == [0])
        let resource = ProtectedResource(
            "https://api.example.com/notes",
            trusting: .jwt(issuer: "https://as.example.com", keys: .fixed(keys)), time: scene.clock.time)
        #expect(await resource.refusal(of: .get("/notes", bearer: scene.mint())) == nil)
        let named = scene.mint(header: ["kid": "flawed"])
        expectRefused(await resource.refusal(of: .get("/notes", bearer: named)), .unknownKey)
    }

    @Test(
        arguments: [
            ("use", "enc"), ("use", ""), ("key_ops", []), ("key_ops", ["sign"]),
            ("key_ops", ["verify", "verify"]),
            ("alg", "ES384"), ("alg", "es256"), ("alg", ""), ("kid", "other"),
        ] as [(String, JSONValue)])
    func `RFC 7517 §4.2-§4.5: each of these members alone disables the key`(name: String, value: JSONValue)
        async throws
    {
        let scene = Scene()
        var key = scene.issuer.key.publicKey.publicJSON
        key[name] = value
        let other = TestIssuer("https://as.example.com", algorithm: .ed25519, keyID: "another")
        let keys = try JWKSet(["keys": [.object(key), .object(other.key.publicKey.publicJSON)]])
        let resource = ProtectedResource(
            "https://api.example.com/notes",
            trusting: .jwt(issuer: "https://as.example.com", keys: .fixed(keys)), time: scene.clock.time)
        expectRefused(await resource.refusal(of: .get("/notes", bearer: scene.mint())), .unknownKey)
    }
}
