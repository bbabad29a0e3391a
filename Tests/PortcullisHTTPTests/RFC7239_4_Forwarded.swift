// SPDX-License-Identifier: MIT

import PortcullisHTTP
import Testing

@Suite("RFC 7239 §4 The Forwarded field")
struct RFC7239_4 {
    private static func elements(_ values: String...) throws -> [ForwardedElement] {
        try ForwardedElement.all(
            in: RequestHead(method: .get, target: "/", fields: values.map { ("Forwarded", $0) }))
    }

    private static func address(_ text: String) throws -> ForwardedNode {
        .address(try #require(IPAddress(text)))
    }

    // The examples of §4, and of §7.1 for the order of several fields.
    @Test func `the RFC's examples are read`() throws {
        #expect(try Self.elements("for=\"_gazonk\"") == [ForwardedElement(sender: .obfuscated("_gazonk"))])
        #expect(
            try Self.elements("For=\"[2001:db8:cafe::17]:4711\"")
                == [ForwardedElement(sender: Self.address("2001:db8:cafe::17"))])
        #expect(
            try Self.elements("for=192.0.2.60;proto=http;by=203.0.113.43")
                == [ForwardedElement(sender: Self.address("192.0.2.60"), scheme: "http")])
        #expect(
            try Self.elements("for=192.0.2.43, for=198.51.100.17")
                == [
                    ForwardedElement(sender: Self.address("192.0.2.43")),
                    ForwardedElement(sender: Self.address("198.51.100.17")),
                ])
    }

    @Test func `several fields form one list`() throws {
        #expect(
            try Self.elements("for=192.0.2.43", "for=unknown;host=\"API.example.com:8443\";proto=HTTPS")
                == [
                    ForwardedElement(sender: Self.address("192.0.2.43")),
                    ForwardedElement(sender: .unknown, host: "api.example.com:8443", scheme: "https"),
                ])
    }

    @Test func `quoted values are unquoted, unknown parameters are ignored`() throws {
        #expect(
            try Self.elements(#"secret="a,b;c\"";for="192.0.2.43:_port";host="h\.example""#)
                == [ForwardedElement(sender: Self.address("192.0.2.43"), host: "h.example")])
    }

    // RFC 7239 §4: forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] ). RFC 9110 §5.6.1.2.
    @Test func `empty elements and empty parameters are ignored`() throws {
        let one = [ForwardedElement(sender: try Self.address("192.0.2.1"), scheme: "http")]
        for value in [
            "for=192.0.2.1;proto=http;", ";for=192.0.2.1;;proto=http", ",for=192.0.2.1;proto=http,",
            " , ,\tfor=192.0.2.1;proto=http , ",
        ] {
            #expect(try Self.elements(value) == one, "\(value)")
        }
        #expect(try Self.elements("", "for=192.0.2.1;proto=http", ",") == one)
        #expect(try Self.elements("") == [])
        #expect(try Self.elements(" ,, ") == [])
        #expect(try Self.elements(";") == [ForwardedElement()])
    }

    @Test func `empty elements count among the elements that a field may have`() {
        let value = String(repeating: ",", count: ForwardedElement.maxCount)
        #expect(throws: MalformedMessage.invalidForwarding) { try Self.elements(value + "for=192.0.2.1") }
    }

    // A client may have written nearly all of them.
    @Test func `the time to read many parameters is proportional to their bytes`() throws {
        let names = (0..<20_000).map { String($0, radix: 36) }.filter { $0 != "by" }
        let value = names.map { $0 + "=b" }.joined(separator: ";")
        let start = ContinuousClock.now
        #expect(try Self.elements(value) == [ForwardedElement()])
        #expect(ContinuousClock.now - start < .seconds(2))
        #expect(throws: MalformedMessage.invalidForwarding) { try Self.elements(value + ";0=b") }
    }

    @Test(arguments: [
        "for", "for=", "=192.0.2.1", "for =192.0.2.1", "for=192.0.2.1; proto=http",
        "for=192.0.2.1;;for=192.0.2.2", ";for=192.0.2.1 ;",
        "for=192.0.2.1 x",
        "for=192.0.2.1;for=192.0.2.2", "For=192.0.2.1;fOR=192.0.2.2", "for=[::1]", "for=\"::1\"",
        "for=\"[::1]",
        "for=\"[192.0.2.1]\"", "for=\"[::1]x\"", "for=192.0.2.1:80", "for=\"192.0.2.1:99999\"",
        "for=\"192.0.2.1:\"",
        "for=192.0.2.256", "for=192.0.2.01", "for=example.com", "for=_", "for=\"_a b\"", "for=\"\"",
        "host=\"a/b\"",
        "host=\"a@b\"", "host=\"\"", "proto=ftp", "proto=\"https \"", "for=\"a\\", "by=x", "f or=192.0.2.1",
    ])
    func `malformed fields are refused`(value: String) {
        #expect(throws: MalformedMessage.invalidForwarding) { try Self.elements(value) }
    }
}
