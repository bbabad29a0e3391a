// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Testing

private func parse(_ text: String, limits: JSONLimits = .default) throws(JSONError) -> JSONValue {
    try JSONValue.parse(Array(text.utf8), limits: limits)
}

private func reason(_ bytes: [UInt8], limits: JSONLimits = .default) -> JSONError.Reason? {
    do {
        _ = try JSONValue.parse(bytes, limits: limits)
        return nil
    } catch {
        return error.reason
    }
}

private func reason(_ text: String, limits: JSONLimits = .default) -> JSONError.Reason? {
    reason(Array(text.utf8), limits: limits)
}

@Suite("RFC 8259 §2 JSON Grammar")
struct RFC8259_2_Grammar {
    @Test func `whitespace is space, tab, line feed and carriage return`() throws {
        #expect(try parse(" \t\r\n[ 1 ,\n2 ]\r\n") == [1, 2])
    }

    @Test func `scalars are documents`() throws {
        #expect(try parse("null") == .null)
        #expect(try parse("true") == true)
        #expect(try parse("\"a\"") == "a")
        #expect(try parse("0") == 0)
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1", "[1,", "{\"a\"", "{\"a\":", "{\"a\":1", "\"", "\"a", "\"\\", "tru", "-",
    ])
    func `a truncated document is refused`(text: String) {
        #expect([.unexpectedEnd, .malformedNumber].contains(reason(text)))
    }

    @Test(arguments: [
        "{,}", "[,]", "[1,]", "{\"a\":1,}", "{a:1}", "{'a':1}", "{1:1}", "[1 2]", "{\"a\" 1}", "{\"a\":}",
        "{\"a\"=1}", "True",
        "NULL", "nul1", "trux", "undefined", "/**/1", "//\n1", "[1]//", "[1;2]", "\u{B}1", "\u{C}1",
        "\u{A0}1", "}", "]",
        "{]", "[}", "{\"a\":1]", "[1}", "\u{FEFF}{}", "\u{0}{}", "+1", ".5", "NaN", "Infinity", "#",
    ])
    func `anything outside the grammar is refused`(text: String) {
        #expect([.unexpectedByte, .trailingData].contains(reason(text)))
    }

    @Test(arguments: ["1 1", "{}{}", "[]x", "null null", "\"a\"\"b\"", "{}\u{0}", "1,"])
    func `anything after the value is refused`(text: String) {
        #expect(reason(text) == .trailingData)
    }

    @Test func `the offset is the position of the error`() {
        #expect(throws: JSONError(reason: .unexpectedByte, offset: 6)) { try parse("{\"a\":1;}") }
    }
}

@Suite("RFC 8259 §4 Objects")
struct RFC8259_4_Objects {
    @Test(arguments: [
        #"{"a":1,"a":2}"#, #"{"aud":"x","\u0061ud":"y"}"#, #"{"x":{"a":1,"\u0061":1}}"#, #"{"/":1,"\/":2}"#,
        #"{"":1,"":2}"#, #"[{"é":1,"\u00e9":1}]"#, #"{"😀":1,"\ud83d\ude00":1}"#,
    ])
    func `a duplicate name is refused, after unescaping`(text: String) {
        #expect(reason(text) == .duplicateName)
    }

    @Test func `names that differ in code points only are different names`() throws {
        let composed = "\u{E9}"
        let decomposed = "e\u{301}"
        let object = try parse("{\"\(composed)\":1,\"\(decomposed)\":2}").object
        #expect(object?[composed] == 1)
        #expect(object?[decomposed] == 2)
        #expect(JSONValue.string(composed) != .string(decomposed))
    }

    @Test func `a duplicate is found among many names`() {
        let members = (0..<2000).map { "\"m\($0)\":0" }.joined(separator: ",")
        #expect(reason("{\(members)}") == nil)
        #expect(reason("{\(members),\"m7\":1}") == .duplicateName)
        #expect(reason("{\(members),\"m1999\":1}") == .duplicateName)
    }

    @Test func `the same name in different objects is accepted`() throws {
        #expect(reason(#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}"#) == nil)
    }

    @Test func `members keep their order, and equality ignores it`() throws {
        let object = try parse(#"{"b":1,"a":2}"#).object
        #expect(object?.members.map(\.name) == ["b", "a"])
        #expect(object == ["a": 2, "b": 1])
        #expect(object != ["a": 2, "b": 1, "c": 3])
    }

    @Test func `setting replaces in place, appends, and removes`() {
        var object: JSONObject = ["a": 1, "b": 2]
        object["a"] = 3
        object["c"] = 4
        object["b"] = nil
        object["z"] = nil
        #expect(object.serialized() == Array(#"{"a":3,"c":4}"#.utf8))
    }
}

@Suite("RFC 8259 §6 Numbers")
struct RFC8259_6_Numbers {
    @Test(arguments: [
        "01", "-01", "00", "1.", "1.e1", "1e", "1e+", "1E-", "-", "1.2.3", "0x10", "1a", "1_000", "--1",
        "-+1", "1e1.5", "-a",
        "1.-1", "1e5e5", "0e", "123abc",
    ])
    func `a malformed number is refused`(text: String) {
        #expect(reason(text) == .malformedNumber || reason(text) == .unexpectedEnd)
    }

    @Test func `numbers keep their spelling`() throws {
        for text in ["0", "-0", "1.50", "1E5", "1e+5", "1e-05", "123456789012345678901234567890", "1e400"] {
            #expect(try parse(text).number?.text == text)
            #expect(try parse(text).serialized() == Array(text.utf8))
        }
    }

    @Test func `a number too large to be finite has no value`() throws {
        #expect(try parse("1e400").number?.double == nil)
        #expect(try parse("-1e400").number?.double == nil)
        #expect(try parse("1e400").number?.integer == nil)
        #expect(try parse("1e-400").number?.double == 0)
    }

    @Test func `integers are read without trapping`() throws {
        let cases: [(String, Int?)] = [
            ("42", 42), ("-1", -1), ("-0", 0), ("1e3", 1000), ("1.0", 1), ("1.5", nil),
            ("9223372036854775807", .max),
            ("9223372036854775808", nil), ("-9223372036854775808", .min), ("1e18", nil),
            ("9007199254740992.0", 1 << 53),
            ("1e19", nil), ("-1e308", nil),
        ]
        for (text, integer) in cases {
            #expect(try parse(text).number?.integer == integer, "\(text)")
        }
    }

    @Test func `finite doubles become numbers`() {
        #expect(JSONNumber(1.5)?.text == "1.5")
        #expect(JSONNumber(Double.infinity) == nil)
        #expect(JSONNumber(Double.nan) == nil)
        for value in [1e16, .leastNonzeroMagnitude, -0.0, .greatestFiniteMagnitude, 1e-7] {
            let text = JSONNumber(value)?.text ?? ""
            #expect((try? parse(text))?.number?.double == value)
        }
    }
}

@Suite("RFC 8259 §7 Strings")
struct RFC8259_7_Strings {
    @Test func `every escape is decoded`() throws {
        #expect(
            try parse(#""\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00""#) == "\"\\/\u{8}\u{C}\n\r\tAé€😀")
        #expect(try parse(#""\u0000""#) == "\u{0}")
    }

    @Test(arguments: [
        #""\a""#, #""\x41""#, #""\'""#, #""\U0041""#, #""\u12""#, #""\u12G4""#, #""\u+123""#, #""\u 123""#,
        #""\0""#,
    ])
    func `other escapes are refused`(text: String) {
        #expect(reason(text) == .malformedEscape)
    }

    @Test(arguments: [
        #""\ud800""#, #""\udc00""#, #""\ud800x""#, #""\ud800\n""#, #""\ud800\ud800""#, #""\udc00\ud800""#,
        #""\uD83D\u0041""#,
    ])
    func `a lone surrogate is refused`(text: String) {
        #expect(reason(text) == .loneSurrogate)
    }

    @Test func `control characters must be escaped`() {
        for byte in UInt8(0)..<0x20 {
            #expect(reason([0x22, byte, 0x22]) == .controlCharacter)
            #expect(reason([0x22, 0x5C, 0x6E, byte, 0x22]) == .controlCharacter)
        }
        #expect(reason([0x22, 0x7F, 0x22]) == nil)
    }

    @Test func `serialization escapes what must be escaped and nothing else`() {
        let value = JSONValue.string("\"\\/\u{8}\u{C}\n\r\t\u{1}\u{1F}\u{7F}é😀")
        #expect(value.serialized() == Array(#""\"\\/\b\f\n\r\t\u0001\u001f"#.utf8) + Array("\u{7F}é😀\"".utf8))
    }

    @Test func `serialization is compact and reads back`() throws {
        let value: JSONValue = ["a": [1, true, .null, "x"], "b": ["c": [], "d": [:]]]
        #expect(value.serialized() == Array(#"{"a":[1,true,null,"x"],"b":{"c":[],"d":{}}}"#.utf8))
        #expect(try JSONValue.parse(value.serialized()) == value)
    }
}

@Suite("RFC 8259 §8.1 Character Encoding")
struct RFC8259_8_1_CharacterEncoding {
    static let malformed: [[UInt8]] = [
        [0x80], [0xFF], [0xFE], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xF0, 0x80, 0x80, 0x80],
        [0xED, 0xA0, 0x80],
        [0xED, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xC3], [0xE2, 0x82],
        [0xF0, 0x9F, 0x98],
        [0xC3, 0x28], [0xE2, 0x28, 0xA1],
    ]

    @Test(arguments: malformed)
    func `bytes that are not UTF-8 are refused, not repaired`(bytes: [UInt8]) {
        #expect(reason([0x22] + bytes + [0x22]) == .malformedUTF8)
        #expect(reason([0x22, 0x5C, 0x6E] + bytes + [0x22]) == .malformedUTF8)
        #expect(reason(Array("{\"".utf8) + bytes + Array("\":1}".utf8)) == .malformedUTF8)
        #expect(reason(bytes) != nil)
    }

    @Test func `a byte order mark is refused`() {
        #expect(reason([0xEF, 0xBB, 0xBF] + Array("{}".utf8)) == .unexpectedByte)
    }

    @Test func `UTF-16 and UTF-32 are refused`() {
        #expect(reason("{}".utf16.flatMap { [UInt8(truncatingIfNeeded: $0), 0] }) != nil)
        #expect(reason("{}".utf16.flatMap { [0, UInt8(truncatingIfNeeded: $0)] }) != nil)
        #expect(
            reason("{}".unicodeScalars.flatMap { [UInt8(truncatingIfNeeded: $0.value), 0, 0, 0] }) != nil)
    }

    @Test func `U+FEFF within a string is text`() throws {
        #expect(try parse("\"\u{FEFF}\"").string?.unicodeScalars.count == 1)
    }
}

@Suite("RFC 8259 §9 Parsers: limits")
struct RFC8259_9_Limits {
    @Test func `depth 20 is read and 21 refused`() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(reason(nested(20)) == nil)
        #expect(reason(nested(21)) == .tooDeep)
        #expect(
            reason(String(repeating: "{\"a\":", count: 21) + "1" + String(repeating: "}", count: 21))
                == .tooDeep)
    }

    @Test func `a million brackets are refused quickly, at any depth limit`() {
        let text = String(repeating: "[", count: 1_000_000)
        #expect(reason(text) == .tooDeep)
        #expect(reason(text, limits: JSONLimits(maximumDepth: .max)) == .tooDeep)
    }

    @Test func `too many bytes are refused before parsing`() {
        #expect(reason("[1,2]", limits: JSONLimits(maximumByteCount: 5)) == nil)
        #expect(reason("[1,2]", limits: JSONLimits(maximumByteCount: 4)) == .tooLong)
    }

    @Test func `members and elements are counted together`() {
        let limits = JSONLimits(maximumMemberCount: 4)
        #expect(reason(#"{"a":[1,2],"b":3}"#, limits: limits) == nil)
        #expect(reason(#"{"a":[1,2],"b":3,"c":4}"#, limits: limits) == .tooManyMembers)
    }

    @Test func `no prefix and no single changed byte of a document traps`() {
        let document = Array(#"{"a":[1,-2.5e3,true,null],"b":{"c":"\u00e9\ud83d\ude00é😀"}}"#.utf8)
        for count in 0..<document.count {
            #expect(reason(Array(document[..<count])) != nil)
            for byte in UInt8.min...UInt8.max {
                var changed = document
                changed[count] = byte
                _ = reason(changed)
            }
        }
    }
}
