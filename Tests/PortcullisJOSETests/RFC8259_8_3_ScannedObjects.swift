// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Testing

@Suite("RFC 8259 §4, §8.3 Claims that are parsed on access")
struct RFC8259_8_3_ScannedObjects {
    private static let documents = [
        #"{"iss":"https://as.example.com","aud":"x","sub":"user","scope":"read write","iat":1,"exp":2.5e3}"#,
        #" { "a" : [ 1 , {"a":"b"} ] , "b":{"a":null,"b":true},"":"","c":"é\n\u00e9","d":"\ud83d\ude00" } "#,
        #"{"\u0061":1,"é":2,"a b":"c"}"#, "{}", " {\t} ", "[1]", "1", "null", #"{"a":"\"","a":1}"#,
        #"{"a":1,"a":1}"#, #"{"a":"b\u0000"}"#, #"{"a":"b"}x"#, #"{"a":-0,"b":0.0,"c":1e400}"#,
        #"{"deep":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}"#, #"{"aud":["a","b"],"cnf":{"jkt":"x"}}"#,
    ]

    /// Parses a document eagerly and lazily, and checks that the value or the error is the same.
    private func expectAlike(_ bytes: [UInt8], limits: JSONLimits = .default) {
        let now = Result { () throws(JSONError) in try JSONValue.parse(bytes, limits: limits) }
        let later = Result { () throws(JOSEError) in try ClaimsSet(payload: bytes, limits: limits).json }
        let text = String(decoding: bytes, as: UTF8.self)
        switch (now, later) {
        case (.success(.object(let now)), .success(let later)):
            #expect(now == later, "\(text)")
            #expect(now.members == later.members, "\(text)")
            #expect(String(describing: now) == String(describing: later), "\(text)")
            #expect(now.hashValue == later.hashValue)
            for member in now.members {
                #expect(later[member.name] == member.value, "\(text)")
                if let text = member.value.string { #expect(later.holds(text, for: member.name)) }
                #expect(!later.holds("another", for: member.name))
            }
            #expect(later["absent"] == nil)
            for bound in [0, 32, 80, 150, 400, 4000, 65_536] {
                #expect(now.takesMore(than: bound) == later.takesMore(than: bound), "\(text)")
            }
        case (.success, .failure(.notAnObject)): break
        case (.failure(let now), .failure(.malformedJSON(let later))): #expect(now == later, "\(text)")
        default: Issue.record("One parser accepts what the other refuses: \(text)")
        }
    }

    @Test(arguments: documents)
    func `every document gives the same result`(text: String) {
        expectAlike(Array(text.utf8))
    }

    @Test(arguments: documents)
    func `every changed byte of a document gives the same result`(text: String) {
        let original = Array(text.utf8)
        let bytes: [UInt8] = [
            0, 0x09, 0x1F, 0x20, 0x22, 0x2C, 0x30, 0x5C, 0x61, 0x7B, 0x7D, 0x7F, 0x80, 0xC3, 0xFF,
        ]
        for place in 0...original.count {
            for byte in bytes {
                var inserted = original
                inserted.insert(byte, at: place)
                expectAlike(inserted)
                guard place < original.count else { continue }
                var replaced = original
                replaced[place] = byte
                expectAlike(replaced)
            }
            expectAlike(Array(original[..<place]))
            if place < original.count { expectAlike(Array(original[..<place] + original[(place + 1)...])) }
        }
    }

    @Test(arguments: [1, 15, 16, 17, 63, 64, 65, 200])
    func `any number of distinct names is accepted`(count: Int) {
        let members = (0..<count).map { #""name\#($0)":"\#($0)""# }
        expectAlike(Array("{\(members.joined(separator: ","))}".utf8))
        for repeated in Set([0, count / 2, count - 1]) {
            let text = "{\((members + [members[repeated]]).joined(separator: ","))}"
            expectAlike(Array(text.utf8))
            #expect(throws: JOSEError.self) { try ClaimsSet(payload: Array(text.utf8)) }
        }
    }

    @Test(arguments: [1, 2, 15, 16, 17, 18, 40, 63, 64, 65, 100])
    func `an escaped name is compared with all names before and after it`(count: Int) {
        let plain = (0..<count).map { #""name\#($0)":"\#($0)""# }
        expectAlike(Array("{\(plain.joined(separator: ",")),\"\\u0061\":[1],\"b\":2}".utf8))
        for repeated in Set([0, count / 2, count - 1]) {
            let others = [
                #""\u006eame\#(repeated)":1"#, #""é":1,"name\#(repeated)":1"#, #""a":1,"\u0061":1"#,
            ]
            for other in others {
                let text = "{\(plain.joined(separator: ",")),\(other)}"
                expectAlike(Array(text.utf8))
                #expect(throws: JOSEError.self) { try ClaimsSet(payload: Array(text.utf8)) }
            }
        }
    }

    @Test(arguments: [0, 700, 5000])
    func `documents with members other than text give the same result`(count: Int) {
        let blanks = String(repeating: " ", count: count)
        let numbers = Array(repeating: "1", count: count + 1).joined(separator: ",")
        let text = String(repeating: "a", count: count)
        expectAlike(Array(#"{"a":"b"\#(blanks)}"#.utf8), limits: JSONLimits(maximumByteCount: 20_000))
        expectAlike(
            Array(#"{"a":[\#(numbers)],"b":"c"}"#.utf8),
            limits: JSONLimits(maximumByteCount: 20_000, maximumMemberCount: 10_000))
        expectAlike(Array(#"{"a":"\#(text)","b":"\n"}"#.utf8), limits: JSONLimits(maximumByteCount: 20_000))
    }

    @Test func `limits count as in the eager parser`() {
        let bytes = Array(#"{"a":1,"b":[1,2,{"c":3}],"d":"e"}"#.utf8)
        for limit in 0...8 {
            expectAlike(bytes, limits: JSONLimits(maximumMemberCount: limit))
            expectAlike(bytes, limits: JSONLimits(maximumDepth: limit))
            expectAlike(bytes, limits: JSONLimits(maximumByteCount: bytes.count - 4 + limit))
        }
    }

    @Test func `a claim can be set and removed`() throws {
        var json = try ClaimsSet(payload: Array(#"{"a":"1","b":"2"}"#.utf8)).json
        json["b"] = "3"
        json["c"] = 4
        json["a"] = nil
        #expect(json == ["b": "3", "c": 4])
        #expect(json.members.map(\.name) == ["b", "c"])
    }

    @Test func `names that look alike are different`() throws {
        let claims = try ClaimsSet(payload: Array("{\"e\u{301}\":1,\"a\":2}".utf8)).json
        #expect(claims["\u{E9}"] == nil)
        #expect(claims["e\u{301}"] == 1)
        let plain = try ClaimsSet(payload: Array(#"{"a":"\u00e9"}"#.utf8)).json
        #expect(plain.holds("\u{E9}", for: "a"))
        #expect(!plain.holds("e\u{301}", for: "a"))
    }

    @Test func `a string is distinguished from other values`() throws {
        let claims = try ClaimsSet(payload: Array(#"{"a":"x","b":1,"c":"\n","d":null}"#.utf8))
        try claims.checkString("a")
        try claims.checkString("c")
        try claims.checkString("absent")
        try claims.checkString("d")
        #expect(throws: JOSEError.malformedClaim) { try claims.checkString("b") }
    }
}
