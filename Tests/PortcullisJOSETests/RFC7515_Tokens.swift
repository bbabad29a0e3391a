// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Testing

@Suite("RFC 7515 Appendix A Examples")
struct RFC7515_A_Examples {
    @Test(arguments: [
        ("A.2", SignatureAlgorithm.rs256), ("A.3", .es256), ("A.4", .es512),
    ])
    func `the published token verifies`(section: String, algorithm: SignatureAlgorithm) throws {
        let key = try Fixture.key("rfc7515/\(section)/key.json")
        let token = try CompactJWS(text: Fixture.text("rfc7515/\(section)/token.txt"))
        #expect(token.header.algorithm == algorithm)
        try token.verify(with: key, algorithm: algorithm)
    }

    @Test func `A.2: the claims are read as written`() throws {
        let token = try CompactJWS(text: Fixture.text("rfc7515/A.2/token.txt"))
        let claims = try ClaimsSet(payload: token.payload)
        #expect(try claims.string("iss") == "joe")
        #expect(try claims.numericDate("exp") == 1_300_819_380)
        #expect(try claims.bool("http://example.com/is_root") == true)
    }

    @Test(arguments: ["A.3", "A.4"])
    func `the published private key signs what its public half verifies`(section: String) throws {
        let key = try PrivateJWK(Fixture.object("rfc7515/\(section)/key.json"))
        let algorithm: SignatureAlgorithm = section == "A.3" ? .es256 : .es512
        let token = try CompactJWS(text: key.sign(payload: [1, 2, 3], algorithm: algorithm))
        try token.verify(with: key.publicKey, algorithm: algorithm)
        #expect(token.payload == [1, 2, 3])
    }
}

@Suite("RFC 7515 Appendices A.1, A.5-A.7, E Examples that are refused")
struct RFC7515_A_RefusedExamples {
    private func expect(_ text: String, _ error: JOSEError, sourceLocation: SourceLocation = #_sourceLocation)
    {
        #expect(throws: error, sourceLocation: sourceLocation) { try CompactJWS(text: text) }
    }

    @Test func `A.1: HMAC is not supported, and its key is not a key`() throws {
        let token = try CompactJWS(text: Fixture.text("rfc7515/A.1/token.txt"))
        #expect(token.header.algorithmName == "HS256" && token.header.algorithm == nil)
        #expect(throws: JOSEError.unsupportedKeyType) { try Fixture.key("rfc7515/A.1/key.json") }
        for (section, algorithm) in [("A.2", SignatureAlgorithm.rs256), ("A.3", .es256), ("A.4", .es512)] {
            let key = try Fixture.key("rfc7515/\(section)/key.json")
            #expect(throws: JOSEError.algorithmMismatch) { try token.verify(with: key, algorithm: algorithm) }
        }
    }

    @Test func `A.5: an unsecured token has no signature`() throws {
        expect(try Fixture.text("rfc7515/A.5/token.txt"), .wrongPartCount)
        let signed = try CompactJWS(text: Fixture.text("rfc7515/A.5/token.txt") + "AA")
        let key = try Fixture.key("rfc7515/A.3/key.json")
        #expect(throws: JOSEError.algorithmMismatch) { try signed.verify(with: key, algorithm: .es256) }
    }

    @Test(arguments: ["A.6", "A.7"])
    func `A.6, A.7: the JSON serialization is refused, although its signatures are valid`(section: String)
        throws
    {
        expect(try Fixture.text("rfc7515/\(section)/token.json"), .wrongPartCount)
        let json = try Fixture.object("rfc7515/\(section)/token.json")
        let signature = section == "A.6" ? json["signatures"]?.array?.last?.object ?? [:] : json
        let compact = [signature.text("protected"), json.text("payload"), signature.text("signature")]
        let token = try CompactJWS(text: compact.joined(separator: "."))
        try token.verify(with: Fixture.key("rfc7515/A.3/key.json"), algorithm: .es256)
    }

    @Test func `E: the negative test of crit`() throws {
        let text = try Fixture.text("rfc7515/E/token.txt")
        expect(text, .wrongPartCount)
        expect(text + "AA", .unsupportedExtension)
    }
}

@Suite("RFC 7515 §4.1 Registered Header Parameter Names")
struct RFC7515_4_1_Header {
    static let key = try? PrivateJWK.generate(.es256, keyID: "k")

    private func token(_ header: JSONObject) throws -> CompactJWS {
        let key = try #require(Self.key)
        return try CompactJWS(text: key.sign(header: header, payload: Array("{}".utf8), algorithm: .es256))
    }

    @Test func `alg, kid and typ are read`() throws {
        let header = try token(["typ": "at+jwt"]).header
        #expect(header.algorithmName == "ES256")
        #expect(header.algorithm == .es256)
        #expect(header.keyID == "k")
        #expect(header.type == "at+jwt")
    }

    @Test func `kid and typ may be absent`() throws {
        let key = try PrivateJWK.generate(.es256)
        let header = try CompactJWS(text: key.sign(payload: [0], algorithm: .es256)).header
        #expect(header.keyID == nil)
        #expect(header.type == nil)
    }

    @Test(arguments: ["../../etc/passwd", "' OR 1=1 --", "", "é", "\u{0}"])
    func `kid is text only`(keyID: String) throws {
        #expect(try token(["kid": .string(keyID)]).header.keyID == keyID)
    }

    @Test(
        arguments: [
            ["jwk": ["kty": "EC"]], ["jwk": 5], ["jku": "https://attacker.example"],
            ["x5u": "https://attacker.example"],
            ["x5c": ["MIIB"]], ["x5t": 1], ["x5t#S256": "a"], ["unknown": [1, 2]],
        ] as [JSONObject])
    func `parameters that name a key, and unknown parameters, are ignored`(header: JSONObject) throws {
        let token = try token(header)
        try token.verify(with: #require(Self.key).publicKey, algorithm: .es256)
    }

    @Test(arguments: ["json", "application/at+jwt", "JWS"])
    func `cty other than JWT is ignored`(contentType: String) throws {
        _ = try token(["cty": .string(contentType)])
    }
}

@Suite("RFC 7515 §5.2 Message Signature or MAC Validation")
struct RFC7515_5_2_Validation {
    @Test(arguments: Fixture.names(in: "jose/accepted"))
    func `a token of another library verifies`(name: String) throws {
        let fixture = try Fixture.object("jose/accepted/\(name).json")
        let algorithm = try #require(SignatureAlgorithm(rawValue: name))
        let key = try JWK(fixture.nested("key"))
        let token = try CompactJWS(text: fixture.text("token"))
        try token.verify(with: key, algorithm: algorithm)
        #expect(try ClaimsSet(payload: token.payload).string("sub") == "user-1")
    }

    @Test func `every algorithm has a token of another library`() {
        #expect(Set(Fixture.names(in: "jose/accepted")) == Set(SignatureAlgorithm.allCases.map(\.rawValue)))
    }

    @Test(arguments: ["AT1", "AT2", "AT3", "AT4", "AT5", "AT6"])
    func `the access tokens of the worked examples verify`(name: String) throws {
        let keys = try JWKSet(parsing: Fixture.bytes("jose/examples/jwks.json"))
        let token = try CompactJWS(text: Fixture.text("jose/examples/\(name).txt"))
        guard case .found(let key) = keys.selectKey(keyID: token.header.keyID, algorithm: .es256) else {
            Issue.record("no key")
            return
        }
        try token.verify(with: key, algorithm: .es256)
        #expect(token.header.type == "at+jwt")
        #expect(try ClaimsSet(payload: token.payload).string("jti") == "at-" + name.suffix(1))
    }

    @Test(arguments: ["PROOF1", "PROOF2"])
    func `the proofs of the worked examples verify with their own key`(name: String) throws {
        let proof = try CompactJWS(text: Fixture.text("jose/examples/\(name).txt"))
        let key = try JWK(#require(proof.header.json["jwk"]?.object))
        try proof.verify(with: key, algorithm: .es256)
        #expect(key.thumbprint == "oFdFQlJmzN7y52mcmkCFWLbmuf6upOSjbo3d-f_NjaU")
    }

    @Test func `a token for one key does not verify with another`() throws {
        for algorithm in [SignatureAlgorithm.es256, .es384, .es512, .ed25519] {
            let token = try CompactJWS(
                text: PrivateJWK.generate(algorithm).sign(payload: [1], algorithm: algorithm))
            let other = try PrivateJWK.generate(algorithm).publicKey
            #expect(throws: JOSEError.invalidSignature) {
                try token.verify(with: other, algorithm: algorithm)
            }
        }
    }
}

@Suite("RFC 7515 §7.1 JWS Compact Serialization")
struct RFC7515_7_1_CompactSerialization {
    @Test func `the caller sets the limit on the length`() throws {
        let text = try Fixture.text("jose/examples/AT1.txt")
        let count = text.utf8.count
        _ = try CompactJWS(Array(text.utf8), maximumByteCount: count)
        #expect(throws: JOSEError.tokenTooLong) {
            try CompactJWS(Array(text.utf8), maximumByteCount: count - 1)
        }
    }

    @Test func `a megabyte is refused before parsing`() {
        let text = String(repeating: "A.", count: 500_000)
        #expect(throws: JOSEError.tokenTooLong) { try CompactJWS(text: text) }
    }

    @Test func `the JSON limits apply to the header`() throws {
        let key = try PrivateJWK.generate(.es256)
        let text = try key.sign(header: ["a": [[1]]], payload: [0], algorithm: .es256)
        #expect(throws: JOSEError.malformedJSON(JSONError(reason: .tooDeep, offset: 20))) {
            try CompactJWS(Array(text.utf8), limits: JSONLimits(maximumDepth: 2))
        }
    }

    @Test func `the bytes of a buffer are read like an array`() throws {
        let bytes = try Array(Fixture.text("jose/examples/AT1.txt").utf8)
        let token = try bytes.withUnsafeBytes { try CompactJWS($0) }
        #expect(try token.payload == CompactJWS(bytes).payload)
        #expect(throws: JOSEError.wrongPartCount) {
            try CompactJWS(UnsafeRawBufferPointer(start: nil, count: 0))
        }
    }
}
