// SPDX-License-Identifier: MIT

import Portcullis
import Testing

@Suite("RFC 9728 §3.1 The metadata's location")
struct RFC9728_3_1_WellKnownLocations {
    static let root = "/.well-known/oauth-protected-resource"

    @Test(arguments: [
        ("https://h", "https://h\(root)", root), ("https://h/", "https://h\(root)", root),
        ("https://h/a/b", "https://h\(root)/a/b", "\(root)/a/b"),
        ("https://h/p/", "https://h\(root)/p/", "\(root)/p/"),
        ("https://h/?t=1", "https://h\(root)?t=1", root), ("https://h?t=1", "https://h\(root)?t=1", root),
        ("https://h/p?t=1", "https://h\(root)/p?t=1", "\(root)/p"),
        ("https://h:8443/p", "https://h:8443\(root)/p", "\(root)/p"),
        ("https://H.Example/%70", "https://H.Example\(root)/%70", "\(root)/p"),
        ("https://[2001:db8::1]:1/p", "https://[2001:db8::1]:1\(root)/p", "\(root)/p"),
    ])
    func `the well-known path is inserted between host and path`(text: String, url: String, path: String)
        throws
    {
        let identifier = try ResourceIdentifier(validating: text)
        #expect(identifier.metadataURL == url)
        #expect(identifier.wellKnownPath == path)
    }

    @Test(arguments: ["\(root)/p", "\(root)/p/"])
    func `one trailing slash does not matter`(path: String) {
        #expect(("https://h/p" as ResourceIdentifier).wellKnownLocation.matches(path: path, query: nil))
        #expect(("https://h/p/" as ResourceIdentifier).wellKnownLocation.matches(path: path, query: nil))
    }

    @Test(arguments: [
        root, "\(root)/", "\(root)/P", "\(root)/p//", "\(root)/p/x", "\(root)/px", "\(root)ful/p",
        "/p\(root)",
        "\(root)\(root)/p",
    ])
    func `another path is not found`(path: String) {
        #expect(!("https://h/p" as ResourceIdentifier).wellKnownLocation.matches(path: path, query: nil))
    }

    @Test func `a query in the identifier must match exactly`() {
        let location = ("https://h/p?t=1" as ResourceIdentifier).wellKnownLocation
        #expect(location.matches(path: "\(Self.root)/p", query: "t=1"))
        for query in [nil, "", "t=2", "t=1&x=2", "T=1"] as [String?] {
            #expect(!location.matches(path: "\(Self.root)/p", query: query))
        }
    }
}
