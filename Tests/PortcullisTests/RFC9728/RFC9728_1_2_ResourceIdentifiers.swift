// SPDX-License-Identifier: MIT

import Portcullis
import Testing

@Suite("RFC 9728 §1.2 Resource identifiers")
struct RFC9728_1_2_ResourceIdentifiers {
    @Test(arguments: [
        "https://h", "https://h/", "HTTPS://API.Example.com/Notes", "https://h:8443/p", "https://h/p/",
        "https://h/p?t=1", "https://[2001:db8::1]/p", "https://[::ffff:192.0.2.1]:8443/", "https://h/a%20b",
        "https://192.0.2.1/p", "http://localhost:8080/mcp", "http://127.0.0.1/", "http://127.9.8.7/",
        "http://[::1]:1/p",
        "http://[0:0:0:0:0:0:0:1]/",
    ])
    func `the text is kept as written`(text: String) throws {
        #expect(try ResourceIdentifier(validating: text).text == text)
    }

    @Test(arguments: [
        "", "https", "https:", "https://", "https:///p", "https:/h", "//h/p", "/p", "h", "ftp://h/",
        "urn:x:y",
        "https://h#", "https://h/p#", "https://h/p#f", "https://h/p?q#", "http://h/", "http://10.0.0.1/",
        "http://127.0.0.1.example.com/", "http://localhost.example.com/", "http://127.1/",
        "http://127.0.0.01/",
        "http://0177.0.0.1/", "http://[::2]/", "http://128.0.0.1/", "https://u@h/", "https://u:p@h/",
        "https://h:0/",
        "https://h:65536/", "https://h:/", "https://h:8a/", "https://h:+1/", "https://[::1", "https://[]/",
        "https://[::1]x/", "https://[1::2::3]/", "https://[:::]/", "https://[1:2:3:4:5:6:7:8:9]/",
        "https://[12345::]/",
        "https://a[b/", "https://h/a b", "https://h/é", "https://h/\"", "https://h/a\\b", "https://h/%",
        "https://h/%2",
        "https://h/%zz", "https://h/[", "https://h/a//b", "https://h//", "https://h/./a", "https://h/a/..",
        "https://h/%2e%2E/a", "https://h/a%2Fb", "https://h/a%2fb", "https://h/a%5Cb", "https://h/%00",
        "https://h/\n",
        " https://h/", "https://h/ ", "https://h/p?", "https://h?",
    ])
    func `identifiers that no request or client could use are refused`(text: String) {
        #expect(
            !problems { () throws(ConfigurationError) in _ = try ResourceIdentifier(validating: text) }
                .isEmpty)
    }

    @Test func `parts are normalised for comparison only`() {
        let identifier: ResourceIdentifier = "HTTPS://API.Example.com:443/%6dcp/%e4"
        #expect(identifier.scheme == "https")
        #expect(identifier.host == "api.example.com")
        #expect(identifier.port == 443)
        #expect(identifier.path == "/mcp/%E4")
        #expect(identifier.text == "HTTPS://API.Example.com:443/%6dcp/%e4")
    }

    @Test(arguments: [
        ("https://h/p", "https://h/p/"), ("https://h", "https://h/"), ("https://h/p", "HTTPS://H:443/%70"),
        ("https://[::1]/", "https://[0:0::1]"), ("https://h/p?a=%7e", "https://h/p?a=~"),
    ])
    func `identifiers whose documents share a location collide`(first: String, second: String) throws {
        let first = try ResourceIdentifier(validating: first)
        let second = try ResourceIdentifier(validating: second)
        #expect(first.collides(with: second) && second.collides(with: first))
        #expect(first != second)
    }

    @Test(arguments: [
        ("https://h/p", "https://h/P"), ("https://h/p", "https://h/p/q"), ("https://h/p", "https://h:8443/p"),
        ("https://h/p?a", "https://h/p?b"), ("https://h/p", "https://h/p?a"),
        ("http://[::1]/", "https://[::1]/"),
    ])
    func `other identifiers do not`(first: String, second: String) throws {
        let first = try ResourceIdentifier(validating: first)
        #expect(!first.collides(with: try ResourceIdentifier(validating: second)))
    }
}
