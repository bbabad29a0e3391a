// SPDX-License-Identifier: MIT

import PortcullisHTTP
import Testing

@Suite("RFC 9112 §3 Request line")
struct RFC9112_3_RequestLine {
    @Test func `method, target and version are returned as received`() throws {
        let head = try parseHead("QUERY /notes?x=1 HTTP/1.0\r\n\r\n")
        #expect(head.method == "QUERY")
        #expect(head.target == "/notes?x=1")
        #expect(head.version == .http1_0)
    }

    @Test(arguments: ["GET", "POST", "PUT", "HEAD", "get", "GETS", "A-METHOD-LONGER-THAN-FIFTEEN"])
    func `a method keeps its case`(name: String) throws {
        #expect(try parseHead("\(name) / HTTP/1.1\r\n\r\n").method.name == name)
    }

    @Test func `the empty line before the request line is consumed and left out of the head`()
        throws
    {
        let (head, consumed) = try parseHead(Array("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nrest".utf8))
        #expect(consumed == 29)
        #expect(head.bytes.count == 27)
        #expect(head.fields[.host] == "a")
        #expect(head.target == "/")
    }

    @Test func `one parser reads several heads in a row`() throws {
        var parser = HeadParser(limits: WireLimits())
        var bytes = Array(
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nX: b\r\nHost: c\r\n\r\n".utf8)
        var targets: [String] = []
        var hosts: [String?] = []
        for _ in 0..<2 {
            let result = try bytes.withUnsafeBufferPointer { pointer throws(MalformedMessage) in
                try parser.parse(UnsafeRawBufferPointer(pointer))
            }
            guard let result else { break }
            targets.append(result.head.target)
            hosts.append(result.head.fields[.host])
            bytes.removeFirst(result.consumed)
        }
        #expect(targets == ["/1", "/2"])
        #expect(hosts == ["a", "c"])
        #expect(bytes.isEmpty)
    }

    @Test(arguments: [
        ("GET  / HTTP/1.1\r\n", MalformedMessage.invalidRequestLine),
        ("GET / HTTP/1.1 \r\n", .invalidRequestLine),
        ("GET /\r\n", .invalidRequestLine),
        ("GET\r\n", .invalidRequestLine),
        ("GET / http/1.1\r\n", .invalidRequestLine),
        ("GET / HTTP/1.1\n", .bareLineEnd),
        ("\n", .bareLineEnd),
        ("\rG", .bareLineEnd),
        ("\r\n\r", .invalidRequestLine),
        ("G(T / HTTP/1.1\r\n", .invalidMethod),
        ("\u{16}x", .invalidMethod), ("\u{16}\u{3}\u{1}\u{2}", .tlsToPlainText),
        ("GET /a\\b HTTP/1.1\r\n", .invalidTarget),
        ("GET / HTTP/2.0\r\n\r\n", .unsupportedVersion),
    ])
    func `a refusal states its reason, at the end of the line`(text: String, reason: MalformedMessage) {
        #expect(WireReader.read(text) == .refused(reason))
        #expect(WireReader.read(Array(text.utf8), cutAt: Array(0..<text.utf8.count)) == .refused(reason))
    }
}

@Suite("RFC 9112 §3.2 Request target")
struct RFC9112_3_2_RequestTarget {
    private func parts(_ line: String) throws -> (TargetForm, path: String, query: String?, host: String?) {
        let (head, meaning) = try semantics(line)
        return (
            meaning.form, head.text(meaning.pathRange), meaning.queryRange.map(head.text),
            meaning.hostRange.map(head.text)
        )
    }

    @Test func `origin form`() throws {
        #expect(try parts("GET /notes/1?a=b?c HTTP/1.1") == (.origin, "/notes/1", "a=b?c", "a"))
        #expect(try parts("GET / HTTP/1.1") == (.origin, "/", nil, "a"))
        #expect(try parts("GET /? HTTP/1.1") == (.origin, "/", "", "a"))
    }

    @Test func `§3.2.2: the authority of the absolute form wins over Host`() throws {
        let expected = (TargetForm.absolute, "/x", Optional("q"), Optional("b:81"))
        #expect(try parts("GET http://b:81/x?q HTTP/1.1") == expected)
        #expect(try parts("GET HTTPS://b HTTP/1.1") == (.absolute, "", nil, "b"))
        #expect(try parts("GET http://b?q HTTP/1.1") == (.absolute, "", "q", "b"))
        #expect(try semantics("GET http://b:81/ HTTP/1.1").meaning.port == 81)
    }

    @Test func `§3.2.3: the authority form is for CONNECT`() throws {
        #expect(try parts("CONNECT b:443 HTTP/1.1") == (.authority, "", nil, "b:443"))
        #expect(throws: MalformedMessage.invalidTarget) { try parts("GET b:443 HTTP/1.1") }
        #expect(throws: MalformedMessage.invalidTarget) { try parts("CONNECT /x HTTP/1.1") }
    }

    @Test func `§3.2.4: the asterisk form is for OPTIONS`() throws {
        #expect(try parts("OPTIONS * HTTP/1.1") == (.asterisk, "", nil, "a"))
        #expect(throws: MalformedMessage.invalidTarget) { try parts("GET * HTTP/1.1") }
    }
}

@Suite("RFC 9110 §7.2 Host")
struct RFC9110_7_2_Host {
    private func authority(_ text: String) -> Authority? {
        let bytes = Array(text.utf8)
        return Authority(bytes, bytes.indices)
    }

    @Test func `host and port are separated`() {
        #expect(authority("api.example.com")?.host == 0..<15)
        #expect(authority("api.example.com")?.port == nil)
        #expect(authority("api.example.com:8080")?.port == 8080)
        #expect(authority("[2001:db8::1]:65535")?.host == 0..<13)
        #expect(authority("[2001:db8::1]:65535")?.port == 65535)
        #expect(authority("a:")?.port == nil)
    }

    @Test(
        arguments: [
            "", ":", ":80", "a:65536", "a:99999999999999999999999", "a:-1", "a:8o", "a b", "a/b", "a@b",
            "a,b", "[", "[]", "[::1",
            "::1", "[::1]x", "[fe80::1%25eth0]", "a%", "a%4", "a%4x", "caf\u{E9}", "a\u{0}",
        ])
    func `malformed authorities are refused`(text: String) {
        #expect(authority(text) == nil)
    }

    @Test func `a missing Host is refused in HTTP/1.1, accepted in HTTP/1.0`() throws {
        #expect(throws: MalformedMessage.invalidHost) { try semantics("GET / HTTP/1.1", host: nil) }
        #expect(try semantics("GET / HTTP/1.0", host: nil).meaning.hostRange == nil)
    }

    @Test func `a malformed Host is refused with an absolute target too`() {
        #expect(throws: MalformedMessage.invalidHost) { try semantics("GET http://b/ HTTP/1.1", host: "a b") }
    }
}
