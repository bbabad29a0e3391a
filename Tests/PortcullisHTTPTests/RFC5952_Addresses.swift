// SPDX-License-Identifier: MIT

import PortcullisHTTP
import Testing

@Suite("RFC 5952 §4, RFC 4632 §3.1 Addresses and networks")
struct RFC5952_4 {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("::", "::"), ("::1", "::1"),
        ("1::", "1::"),
        ("2001:DB8::1", "2001:db8::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("0:0:1:0:0:0:1:0", "0:0:1::1:0"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
    ])
    func `an address has one spelling`(text: String, canonical: String) {
        #expect(IPAddress(text)?.description == canonical)
    }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", ":", ":::", "1::2::3", "1:2:3", "g::", "::1%eth0",
        "[::1]", "1.2.3.4:80", "::1 ",
    ])
    func `malformed addresses are refused`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false),
        ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "203.0.113.9", true), ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1/32", "192.0.2.2", false), ("192.0.2.0/25", "192.0.2.127", true),
        ("192.0.2.0/25", "192.0.2.128", false),
        ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
        ("2001:db8::/65", "2001:db8::8000:0:0:1", false), ("2001:db8::/64", "2001:db8::8000:0:0:1", true),
        ("::1/128", "::1", true), ("127.0.0.0/8", "::ffff:127.0.0.1", true), ("10.1.2.3/8", "10.9.9.9", true),
    ])
    func `a network contains the addresses with its prefix`(network: String, address: String, isInside: Bool)
        throws
    {
        #expect(try #require(IPNetwork(network)).contains(try #require(IPAddress(address))) == isInside)
    }

    @Test(arguments: [
        "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129", "10/8",
        "host", "10.0.0.0/ 8",
    ])
    func `malformed networks are refused`(text: String) {
        #expect(IPNetwork(text) == nil)
    }

    @Test func `bits after the prefix are reported`() {
        #expect(IPNetwork("10.0.0.1/8")?.hasStrayBits == true)
        #expect(IPNetwork("10.0.0.0/8")?.hasStrayBits == false)
    }
}
