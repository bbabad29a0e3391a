// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Testing

@Suite("RFC 8259 §2 What is wrong with a document, in words")
struct JSONProblemTests {
    private static func words(_ bytes: [UInt8]) -> String? {
        do throws(JSONError) {
            _ = try JSONValue.parse(bytes)
            return nil
        } catch {
            return JSONProblem(error, in: bytes).description
        }
    }

    @Test(arguments: [
        ("", "an empty document, at line 1, column 1"), (" \n", "an empty document, at line 1, column 1"),
        (
            "{\"a\": [1",
            "the end of the document within a value; a brace, bracket or quote is missing, at line 1, column 9"
        ),
        ("{\n  // x\n}", "a comment, which JSON does not have, at line 2, column 3"),
        ("{ /* x */ }", "a comment, which JSON does not have, at line 1, column 3"),
        ("{} // x", "a comment, which JSON does not have, at line 1, column 4"),
        ("# x\n{}", "a comment, which JSON does not have, at line 1, column 1"),
        ("{\"a\": 1,\n}", "a trailing comma, which JSON does not allow, at line 1, column 8"),
        ("[1, ]", "a trailing comma, which JSON does not allow, at line 1, column 3"),
        ("{'a': 1}", "a single quote; JSON has double quotes only, at line 1, column 2"),
        ("{\"ä\": 'b'}", "a single quote; JSON has double quotes only, at line 1, column 7"),
        (
            "{\u{201C}a\u{201D}: 1}",
            "a typographic quote; JSON has the plain double quote only, at line 1, column 2"
        ),
        ("{a: 1}", "a key without double quotes, at line 1, column 2"),
        ("{\"a\": True}", "a word without quotes that is not true, false or null, at line 1, column 7"),
        ("{\"a\": 1 \"b\": 2}", "a missing comma or colon before this, at line 1, column 9"),
        ("{\"a\" 1}", "a missing comma or colon before this, at line 1, column 6"),
        ("<!DOCTYPE html>", "the beginning of HTML or XML, at line 1, column 1"),
        ("---\na: 1", "the beginning of YAML, at line 1, column 1"),
        ("server:\n  port: 1", "the beginning of YAML, at line 1, column 1"),
        ("nul", "a word without quotes that is not true, false or null, at line 1, column 1"),
        ("{\"a\": 01}", "a malformed number, at line 1, column 8"),
        ("{\"a\": \"\t\"}", "a control character in a string, at line 1, column 8"),
        ("{\"a\": 1, \"a\": 2}", "a key given more than once in its object, at line 1, column 10"),
        ("{} {}", "extra data after the end, at line 1, column 4"),
    ])
    func `what was found, and where`(text: String, words: String) {
        #expect(Self.words(Array(text.utf8)) == words)
    }

    @Test(
        arguments: [
            (
                [0xFF, 0xFE, 0x7B, 0, 0x7D, 0],
                "UTF-16 or UTF-32; save the document as UTF-8, at line 1, column 1"
            ),
            ([0xFE, 0xFF, 0, 0x7B], "UTF-16 or UTF-32; save the document as UTF-8, at line 1, column 1"),
            ([0x7B, 0, 0x7D, 0], "UTF-16 or UTF-32; save the document as UTF-8, at line 1, column 1"),
            (
                [0xEF, 0xBB, 0xBF, 0x7B, 0x7D],
                "a byte order mark; save the document as UTF-8 without it, at line 1, column 1"
            ),
        ] as [([UInt8], String)])
    func `another encoding is named`(bytes: [UInt8], words: String) {
        #expect(Self.words(bytes) == words)
    }
}
