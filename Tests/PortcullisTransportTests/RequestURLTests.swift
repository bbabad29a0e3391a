// SPDX-License-Identifier: MIT

import PortcullisTransport
import Testing

@Suite("RFC 3986 §3 The client's URLs")
struct RequestURLTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let text: String, host: String, port: Int, target: String, authority: String
        var testDescription: String { text }
    }

    @Test(arguments: [
        Case(text: "http://a.example", host: "a.example", port: 80, target: "/", authority: "a.example"),
        Case(text: "HTTPS://A.Example/x", host: "a.example", port: 443, target: "/x", authority: "a.example"),
        Case(text: "https://a:443/x?y=%20/?", host: "a", port: 443, target: "/x?y=%20/?", authority: "a"),
        Case(text: "http://a:443?q", host: "a", port: 443, target: "/?q", authority: "a:443"),
        Case(text: "http://[::1]:8080/", host: "::1", port: 8080, target: "/", authority: "[::1]:8080"),
        Case(text: "http://127.0.0.1/", host: "127.0.0.1", port: 80, target: "/", authority: "127.0.0.1"),
        Case(text: "http://my_host-1/", host: "my_host-1", port: 80, target: "/", authority: "my_host-1"),
    ])
    func `an absolute URL is split into its parts`(expected: Case) throws {
        let url = try RequestURL(expected.text)
        #expect(url.origin.host == expected.host)
        #expect(url.origin.port == expected.port)
        #expect(url.target == expected.target)
        #expect(url.authority == expected.authority)
    }

    @Test(arguments: [
        "", "/", "a.example", "//a.example/", "ftp://a/", "http:/a", "http:a", "http://", "http:///x",
        "http://:80/",
        "http://user@a/", "http://user:secret@a/", "http://a/#x", "http://a#x", "http://a/ b",
        "http://a/\r\nX: y",
        "http://a/ü", "http://ü/", "http://a%41/", "http://a:/", "http://a:0/", "http://a:65536/",
        "http://a:+80/",
        "http://a:8 0/", "http://a:80:80/", "http://[::1/", "http://[::1]x/", "http://[fe80::1%25lo]/",
        "http://[127.0.0.1]/",
        "http://[]/", "http://::1/", "http://a..b/", "http://.a/", "http://a./", "http://-a/", "http://a-/",
        "http://a b/",
        "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://a.0x1/", "http://1.2.3.4.5/",
        "http://999.0.0.1/",
        "http://a\\@b/", "http://a;b/", "http://a/<x>", "http://a/\0", " http://a/",
    ])
    func `anything else is refused`(text: String) {
        #expect(throws: HTTPClientError.invalidURL) { try RequestURL(text) }
    }

    @Test func `names and URLs have limits`() throws {
        let label = String(repeating: "a", count: 63)
        #expect(throws: Never.self) { try RequestURL("http://\(label)/") }
        #expect(throws: HTTPClientError.invalidURL) { try RequestURL("http://\(label)a/") }
        #expect(throws: HTTPClientError.invalidURL) {
            try RequestURL("http://\(label).\(label).\(label).\(label)/")
        }
        let path = String(repeating: "a", count: 8192 - 9)
        #expect(throws: Never.self) { try RequestURL("http://a/\(path)") }
        #expect(throws: HTTPClientError.invalidURL) { try RequestURL("http://a/\(path)a") }
    }

    @Test func `origins differ by scheme, host and port`() throws {
        let origin = try RequestURL("http://a:443/").origin
        #expect(origin == (try RequestURL("http://A:443/other").origin))
        for other in ["https://a:443/", "http://b:443/", "http://a/"] {
            #expect(origin != (try RequestURL(other).origin))
        }
    }
}
