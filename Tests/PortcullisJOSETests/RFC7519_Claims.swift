// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Testing

private func claims(_ text: String) throws(JOSEError) -> ClaimsSet {
    try ClaimsSet(payload: Array(text.utf8))
}

@Suite("RFC 7519 §2 Terminology: NumericDate")
struct RFC7519_2_NumericDate {
    @Test(arguments: [
        ("1800000000", 1_800_000_000), ("1.8e9", 1_800_000_000), ("18E+8", 1_800_000_000),
        ("1799999999.5", 1_799_999_999.5),
        ("0", 0), ("-1", -1), ("-1e18", -1e18), ("9007199254740993", 9_007_199_254_740_992), ("1e308", 1e308),
        ("1e-400", 0),
        ("123456789012345678901234567890", 1.2345678901234568e29),
    ])
    func `any finite number is read, fractions and exponents included`(text: String, seconds: Double) throws {
        #expect(try claims("{\"exp\":\(text)}").numericDate("exp")?.seconds == seconds)
    }

    @Test(arguments: [
        "\"1800000000\"", "true", "false", "[]", "[1800000000]", "{}", "1e400", "-1e400",
        "1e99999999999", "\"\"",
    ])
    func `anything else is refused`(text: String) {
        #expect(throws: JOSEError.malformedClaim) { try claims("{\"exp\":\(text)}").numericDate("exp") }
    }

    @Test func `whole seconds round down and never trap`() {
        let cases: [(Double, Int?)] = [
            (1.9, 1), (-1.1, -2), (0, 0), (1e18, 1_000_000_000_000_000_000), (1e19, nil), (-1e300, nil),
            (.greatestFiniteMagnitude, nil),
        ]
        for (seconds, whole) in cases {
            #expect(NumericDate(seconds: seconds)?.wholeSeconds == whole)
        }
    }

    @Test func `infinities are not dates`() {
        #expect(NumericDate(seconds: .infinity) == nil)
        #expect(NumericDate(seconds: .nan) == nil)
    }

    @Test func `adding stays finite`() {
        let far = NumericDate(seconds: .greatestFiniteMagnitude)
        #expect(far?.adding(seconds: .greatestFiniteMagnitude) == far)
        #expect(far?.adding(seconds: .nan) == far)
        #expect(NumericDate(10).adding(.milliseconds(-1500)).seconds == 8.5)
        #expect(NumericDate(10).adding(seconds: 5) == 15)
        #expect(NumericDate(1) < NumericDate(2))
    }
}

@Suite("RFC 7519 §4 JWT Claims")
struct RFC7519_4_Claims {
    @Test func `absent claims are nil`() throws {
        let claims = try claims("{}")
        #expect(try claims.string("iss") == nil)
        #expect(try claims.numericDate("exp") == nil)
        #expect(try claims.stringOrStrings("aud") == nil)
        #expect(try claims.object("cnf") == nil)
        #expect(try claims.bool("active") == nil)
    }

    @Test func `unknown claims are kept`() throws {
        #expect(
            try claims(#"{"https://example.com/x":{"y":[1]}}"#).json["https://example.com/x"] == ["y": [1]])
    }

    @Test(arguments: ["1", "true", "[]", "{}"])
    func `a claim of the wrong type is refused, not treated as absent`(text: String) throws {
        let claims = try claims("{\"iss\":\(text)}")
        #expect(throws: JOSEError.malformedClaim) { try claims.string("iss") }
        #expect(throws: JOSEError.malformedClaim) { try claims.checkString("iss") }
        #expect(claims.json.hasValue("iss"))
    }

    @Test(arguments: ["{\"x\":null}", "{\"é\":1,\"x\":null}"])
    func `null is absent, in a scanned and in a decoded object`(text: String) throws {
        let claims = try claims(text)
        #expect(try claims.string("x") == nil)
        #expect(try claims.numericDate("x") == nil)
        #expect(try claims.stringOrStrings("x") == nil)
        #expect(try claims.object("x") == nil)
        #expect(try claims.bool("x") == nil)
        try claims.checkString("x")
        #expect(!claims.json.hasValue("x"))
        #expect(claims.json["x"] == .null)
    }

    @Test func `aud is a string or an array of strings`() throws {
        #expect(try claims(#"{"aud":"a"}"#).stringOrStrings("aud") == ["a"])
        #expect(try claims(#"{"aud":["a","b"]}"#).stringOrStrings("aud") == ["a", "b"])
        #expect(try claims(#"{"aud":[]}"#).stringOrStrings("aud") == [])
        for text in ["1", "true", "{}", "[1]", #"["a",1]"#, #"["a",null]"#, #"[["a"]]"#] {
            #expect(throws: JOSEError.malformedClaim) {
                try claims("{\"aud\":\(text)}").stringOrStrings("aud")
            }
        }
    }

    @Test(arguments: [
        #"{"aud":"x","aud":"R"}"#, #"{"aud":"x","\u0061ud":"R"}"#, #"{"cnf":{"jkt":"a","jkt":"b"}}"#,
    ])
    func `a duplicate claim is refused`(text: String) {
        do throws(JOSEError) {
            _ = try claims(text)
            Issue.record("read")
        } catch {
            guard case .malformedJSON(let json) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(json.reason == .duplicateName)
        }
    }
}

@Suite("RFC 7519 §7.2 Validating a JWT")
struct RFC7519_7_2_Payload {
    @Test(arguments: ["[]", "\"a\"", "1", "null", "true", #"[{"iss":"a"}]"#])
    func `a payload that is not an object is refused`(text: String) {
        #expect(throws: JOSEError.notAnObject) { try claims(text) }
    }

    static let malformed: [[UInt8]] = [
        [], Array("{}x".utf8), Array("{} {}".utf8), [0xEF, 0xBB, 0xBF, 0x7B, 0x7D], [0x7B, 0x00, 0x7D, 0x00],
        [0x00, 0x7B, 0x00, 0x7D], [0xFF, 0xFE, 0x7B, 0x00, 0x7D, 0x00], [0x7B, 0, 0, 0, 0x7D, 0, 0, 0],
        Array("{\"a\":\"".utf8) + [0xC0, 0x80] + Array("\"}".utf8),
        Array("{\"a\":\"".utf8) + [0xFF] + Array("\"}".utf8),
    ]

    @Test(arguments: malformed)
    func `a payload that is not strict JSON in UTF-8 is refused`(payload: [UInt8]) {
        do throws(JOSEError) {
            _ = try ClaimsSet(payload: payload)
            Issue.record("read")
        } catch {
            #expect(error.name == "malformedJSON")
        }
    }

    @Test func `no number traps`() throws {
        var state: UInt64 = 42
        let alphabet = Array("0123456789+-.eE")
        for _ in 0..<5000 {
            var text = ""
            for _ in 0..<(Int(state >> 33) % 12 + 1) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text.append(alphabet[Int(state >> 33) % alphabet.count])
            }
            let date = try? claims("{\"exp\":\(text)}").numericDate("exp")
            #expect(date?.seconds.isFinite ?? true)
            _ = date?.wholeSeconds
        }
    }
}
