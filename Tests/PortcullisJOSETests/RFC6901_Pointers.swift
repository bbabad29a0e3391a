// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Testing

@Suite("RFC 6901 JSON Pointer")
struct RFC6901_Pointers {
    static let document: JSONObject = [
        "foo": ["bar", "baz", ["deep": 1]], "": 0, "a/b": 1, "m~n": 8, " ": 7, "é": 2, "none": .null,
        "object": ["none": .null, "0": "zero", "": "empty"], "text": "abc",
    ]

    @Test(
        arguments: [
            ("/foo/0", "bar"), ("/foo/2/deep", 1), ("/", 0), ("/a~1b", 1), ("/m~0n", 8), ("/ ", 7), ("/é", 2),
            ("/object/0", "zero"), ("/object/", "empty"), ("/text", "abc"),
        ] as [(String, JSONValue)])
    func `§5: a pointer names a value`(text: String, value: JSONValue) throws {
        let pointer = try #require(JSONPointer(text))
        #expect(pointer.value(in: Self.document) == value)
        #expect(pointer.text.utf8.elementsEqual(text.utf8))
    }

    @Test(arguments: [
        "/foo/3", "/foo/-", "/foo/00", "/foo/01", "/foo/+1", "/foo/1e0", "/foo/99999999999999999999",
        "/foo/x",
        "/foo/0/x", "/text/0", "/none", "/none/x", "/object/none", "/other", "//", "/e\u{301}", "/Foo",
    ])
    func `§4: what is not there, or null, is no value`(text: String) throws {
        #expect(try #require(JSONPointer(text)).value(in: Self.document) == nil)
    }

    @Test(arguments: ["", "foo", "foo/bar", "#/foo", "/~", "/~2", "/a~", "/~01~", "~0", " /a"])
    func `§3: anything else is no pointer`(text: String) {
        #expect(JSONPointer(text) == nil)
    }

    @Test func `§4: ~01 is ~1, not a slash`() throws {
        let object: JSONObject = ["~1": "tilde", "/": "slash"]
        #expect(try #require(JSONPointer("/~01")).value(in: object) == "tilde")
        #expect(try #require(JSONPointer("/~1")).value(in: object) == "slash")
    }

    @Test func `a pointer has at most 1024 bytes`() {
        #expect(JSONPointer("/" + String(repeating: "a", count: 1023)) != nil)
        #expect(JSONPointer("/" + String(repeating: "a", count: 1024)) == nil)
    }

    @Test func `a combining character after a slash does not hide the slash`() throws {
        let object: JSONObject = ["a": ["\u{301}": 1]]
        #expect(try #require(JSONPointer("/a/\u{301}")).value(in: object) == 1)
    }

    @Test func `a scanned document is read like a decoded one`() throws {
        let text = #"{"realm_access":{"roles":["a","b"]},"azp":"c","none":null}"#
        let claims = try ClaimsSet(payload: Array(text.utf8)).json
        #expect(try #require(JSONPointer("/realm_access/roles")).value(in: claims) == ["a", "b"])
        #expect(try #require(JSONPointer("/azp")).value(in: claims) == "c")
        #expect(try #require(JSONPointer("/none")).value(in: claims) == nil)
    }
}
