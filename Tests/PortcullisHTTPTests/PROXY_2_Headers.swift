// SPDX-License-Identifier: MIT

import PortcullisHTTP
import Testing

@Suite("PROXY protocol §2 Headers")
struct PROXY_2 {
    private static func client(_ address: String, _ port: UInt16) throws -> ProxyHeader {
        .client(try #require(IPAddress(address)), port: port)
    }

    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]
    private static let ipv4: [UInt8] = [192, 0, 2, 9, 10, 0, 0, 1, 0xDC, 0x04, 0x01, 0xBB]

    private static func version2(_ command: UInt8, _ family: UInt8, _ content: [UInt8], length: Int? = nil)
        -> [UInt8]
    {
        let length = length ?? content.count
        return signature + [command, family, UInt8(length >> 8), UInt8(length & 255)] + content
    }

    /// The header; also checks that every shorter prefix of it is incomplete.
    private static func parse(_ bytes: [UInt8]) throws -> ProxyHeader {
        for count in 0..<bytes.count {
            let early = try ProxyHeader.parse(bytes[..<count])
            #expect(early == nil)
        }
        let (header, byteCount) = try #require(try ProxyHeader.parse((bytes + Array("GET / HTTP".utf8))[...]))
        #expect(byteCount == bytes.count)
        return header
    }

    @Test(arguments: [
        ("TCP4 192.0.2.9 10.0.0.1 56324 443", "192.0.2.9", 56324),
        ("TCP4 0.0.0.0 0.0.0.0 0 65535", "0.0.0.0", 0),
        ("TCP6 2001:db8::9 ::1 1 2", "2001:db8::9", 1),
        (
            "TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                + "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535
        ),
    ])
    func `version 1 names the client`(line: String, address: String, port: Int) throws {
        #expect(
            try Self.parse(Array("PROXY \(line)\r\n".utf8)) == Self.client(address, UInt16(port)))
    }

    @Test(arguments: ["UNKNOWN", "UNKNOWN ", "UNKNOWN ffff:f... whatever 1 2 3 4"])
    func `version 1 accepts UNKNOWN`(line: String) throws {
        #expect(try Self.parse(Array("PROXY \(line)\r\n".utf8)) == .local)
    }

    @Test func `version 2 names the client`() throws {
        #expect(try Self.parse(Self.version2(0x21, 0x11, Self.ipv4)) == Self.client("192.0.2.9", 56324))
        let from: [UInt8] = [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [9]
        let content = from + [UInt8](repeating: 0, count: 16) + [0, 80, 1, 187]
        #expect(try Self.parse(Self.version2(0x21, 0x21, content)) == Self.client("2001:db8::9", 80))
    }

    @Test func `version 2 carries extensions`() throws {
        let extended = Self.ipv4 + [0x01, 0, 2, 0x68, 0x32, 0x04, 0, 0]
        #expect(try Self.parse(Self.version2(0x21, 0x11, extended)) == Self.client("192.0.2.9", 56324))
    }

    @Test func `a proxy's own connection, a Unix socket and an unspecified family name no client`() throws {
        #expect(try Self.parse(Self.version2(0x20, 0x00, [])) == .local)
        #expect(try Self.parse(Self.version2(0x20, 0x11, Self.ipv4)) == .local)
        #expect(try Self.parse(Self.version2(0x20, 0x12, Self.ipv4)) == .local)
        #expect(try Self.parse(Self.version2(0x20, 0xFF, [1, 2, 3])) == .local)
        #expect(try Self.parse(Self.version2(0x20, 0x21, Self.ipv4 + [1])) == .local)
        #expect(try Self.parse(Self.version2(0x21, 0x00, [1, 2, 3])) == .local)
        #expect(try Self.parse(Self.version2(0x21, 0x31, [UInt8](repeating: 0x2F, count: 216))) == .local)
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n", "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY\tTCP4",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
        "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.400 1.2.3.4 1 2\r\n",
        "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY \r\n", "PROXY unknown\r\n",
        "PROXY TCP4 1.2.3.4\u{0} 1.2.3.4 1 2\r\n",
    ])
    func `malformed version 1 lines are refused`(text: String) {
        #expect(throws: ProxyHeader.Malformed.self) { try ProxyHeader.parse(Array(text.utf8)[...]) }
    }

    @Test func `a version 1 line has a limit`() {
        let endless = Array("PROXY UNKNOWN ".utf8) + [UInt8](repeating: 0x41, count: 200)
        #expect(throws: ProxyHeader.Malformed.self) { try ProxyHeader.parse(endless[...]) }
        #expect(throws: Never.self) { try ProxyHeader.parse(endless[..<106]) }
    }

    @Test func `malformed version 2 headers are refused as early as possible`() {
        let wrong: [[UInt8]] = [
            [13, 10, 13, 11], Self.signature + [0x11], Self.signature + [0x22],
            Self.version2(0x21, 0x12, Self.ipv4), Self.version2(0x21, 0x13, Self.ipv4),
            Self.version2(0x21, 0x41, Self.ipv4),
            Self.version2(0x21, 0x11, [], length: 11), Self.version2(0x21, 0x21, [], length: 35),
            Self.version2(0x21, 0x31, [], length: 215), Self.version2(0x21, 0x11, [], length: 2033),
            Self.version2(0x21, 0x11, Self.ipv4 + [1]),
            Self.version2(0x21, 0x11, Self.ipv4 + [1, 0, 5, 1, 2]),
        ]
        for bytes in wrong {
            #expect(throws: ProxyHeader.Malformed.self) { try ProxyHeader.parse(bytes[...]) }
        }
    }

    @Test func `the longest header is accepted`() throws {
        let filler = 2048 - 16 - 12 - 3
        let content =
            Self.ipv4 + [0x04, UInt8(filler >> 8), UInt8(filler & 255)] + [UInt8](repeating: 0, count: filler)
        #expect(try Self.parse(Self.version2(0x21, 0x11, content)) == Self.client("192.0.2.9", 56324))
    }
}
