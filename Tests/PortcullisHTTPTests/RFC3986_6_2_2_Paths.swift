// SPDX-License-Identifier: MIT

import PortcullisHTTP
import Testing

@Suite("RFC 3986 §6.2.2 Paths in normal form")
struct RFC3986_6_2_2_Paths {
    private func segments(_ text: String) throws -> [String] {
        let path = try RequestPath(text)
        return path.bytes.withUnsafeBytes { bytes in
            PathSegments(bytes, path.range).map { path.decoded($0) }
        }
    }

    @Test func `a path is split into its segments`() throws {
        #expect(try segments("/") == [])
        #expect(try segments("/notes") == ["notes"])
        #expect(try segments("/notes/17") == ["notes", "17"])
        #expect(try segments("/notes/") == ["notes", ""])
        #expect(try RequestPath("/notes/").hasTrailingSlash)
        #expect(try !RequestPath("/notes").hasTrailingSlash)
        #expect(try !RequestPath("/").hasTrailingSlash)
    }

    @Test func `a copy of the segments continues from where it was made`() {
        Array("/a/b/".utf8).withUnsafeBytes { bytes in
            var segments = PathSegments(bytes, bytes.indices)
            #expect(segments.next() == 1..<2)
            let copy = segments
            #expect(Array(segments) == [3..<4, 5..<5])
            #expect(Array(copy) == [3..<4, 5..<5])
            #expect(Array(copy[3..<4]) == [0x62])
            #expect(!copy.isAtEnd)
        }
    }

    @Test func `an absent path is a slash`() throws {
        #expect(try RequestPath("").text == "/")
    }

    @Test func `a path without escapes is not copied`() throws {
        let bytes = Array("GET /notes/17 HTTP/1.1".utf8)
        let path = try RequestPath(bytes, 4..<13)
        #expect(path.range == 4..<13)
        #expect(path.bytes.withUnsafeBytes { Array(PathSegments($0, path.range)) } == [5..<10, 11..<13])
        #expect(path.text == "/notes/17")
    }

    // URL Standard §1.3: browsers and Node send these raw.
    @Test(arguments: [
        ("/auth0|123", "/auth0%7C123"), ("/a^b", "/a%5Eb"), ("/a[1]", "/a%5B1%5D"), ("/|", "/%7C"),
        ("/a|%7c%6e", "/a%7C%7Cn"),
    ])
    func `characters that clients send raw mean their percent-encoding`(path: String, expected: String) throws
    {
        #expect(try RequestPath(path).text == expected)
        #expect(try RequestPath(path).text == RequestPath(expected).text)
    }

    @Test func `a parameter has the raw characters decoded`() throws {
        #expect(try segments("/users/auth0|123/[^]") == ["users", "auth0|123", "[^]"])
    }

    @Test(arguments: ["/a\"b", "/a<b", "/a>b", "/a`b", "/a{b", "/a}b", "/a\\b", "/a#b", "/a b"])
    func `characters that no URL library leaves raw in a path are refused`(path: String) {
        #expect(throws: MalformedMessage.ambiguousPath) { try RequestPath(path) }
    }

    @Test(arguments: [
        ("/%6Eotes", "/notes"), ("/a%7eb", "/a~b"), ("/%c3%bc", "/%C3%BC"), ("/a%20b", "/a%20b"),
        ("/a%2525", "/a%2525"),
        ("/a%3fb", "/a%3Fb"), ("/a%3B", "/a%3B"), ("/a;b", "/a;b"), ("/%2ewell-known/x", "/.well-known/x"),
        ("/a%2ea", "/a.a"),
    ])
    func `unreserved characters are decoded, other escapes are upper-cased`(path: String, expected: String)
        throws
    {
        #expect(try RequestPath(path).text == expected)
    }

    @Test func `segments are decoded once`() throws {
        #expect(try segments("/a%20b/%C3%BCber/%252e%252e/x%3Fy") == ["a b", "\u{FC}ber", "%2e%2e", "x?y"])
    }

    @Test(arguments: [
        "/.well-known/x", "/...", "/.a", "/..a", "/a.", "/a..", "/a/.../b", "/.a;x", "/a;..", "/;..",
    ])
    func `dots next to other characters are not dot segments`(path: String) throws {
        #expect(try RequestPath(path).text == path)
    }

    @Test(arguments: [
        "/.", "/..", "/./a", "/../a", "/a/.", "/a/..", "/a/./b", "/a/../b", "/%2e", "/%2e%2E/a", "/.%2e/a",
        "/a/%2e.",
        "/..;/a", "/.;x", "/..;x=1/a", "/..%3b/a", "/%2e%2e%3B", "//", "//a", "/a//b", "/a//", "/a%2fb",
        "/a%2Fb", "/%2f",
        "/a\\b", "/a%5cb", "/a%5C", "/a%00", "/%00", "/a\u{0}b", "/%", "/a%2", "/a%zz", "/a%2z", "/%%20",
        "/%u002e", "/%c0%ae",
        "/%c0%af", "/%80", "/%ff", "/%c3", "/%c3a%bc", "/%ed%a0%80", "/%f5%80%80%80", "a", "a/b", "*", "/a?b",
        "/a#b", "/a b",
        "/caf\u{E9}",
    ])
    func `paths that two programs might read differently are refused`(path: String) {
        #expect(throws: MalformedMessage.ambiguousPath) { try RequestPath(path) }
        #expect(MalformedMessage.ambiguousPath.status == .badRequest)
    }
}

@Suite("RFC 9110 §11.2 token68")
struct RFC9110_11_2_Token68 {
    @Test(arguments: ["a", "eyJ.eyJ.sig", "a=", "a==", "A-Z0.9_~+/", "-"])
    func `is accepted`(text: String) {
        #expect(Array(text.utf8).withUnsafeBytes { Token68.matches($0) })
    }

    @Test(arguments: [
        "", "=", "a=b", "a b", " a", "a ", "a,b", "a\"", "a\u{0}", "caf\u{E9}", "a;b", "a:b", "a\n",
    ])
    func `is refused`(text: String) {
        #expect(!Array(text.utf8).withUnsafeBytes { Token68.matches($0) })
    }

    @Test func `every byte is checked in every position`() {
        let marks = Set("-._~+/".utf8)
        for byte in UInt8.min...UInt8.max {
            let isLetter = (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            let isGood = isLetter || (0x30...0x39).contains(byte) || marks.contains(byte)
            #expect(CharacterClass.isToken68Character(byte) == isGood)
            for length in [1, 7, 8, 9, 16, 17, 23] {
                for place in 0..<length {
                    var bytes = [UInt8](repeating: 0x61, count: length)
                    bytes[place] = byte
                    let isEnd = byte == 0x3D && place == length - 1 && length > 1
                    #expect(bytes.withUnsafeBytes { Token68.matches($0) } == (isGood || isEnd))
                }
            }
        }
    }
}
