// SPDX-License-Identifier: MIT

import Foundation
import PortcullisHTTP
import Testing

/// The first bytes of a connection; the file's name states the rule.
struct ProxyFixture: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]

    var testDescription: String { name }

    static let client = load("client")
    static let local = load("local")
    static let refused = load("refused")

    private static func load(_ folder: String) -> [ProxyFixture] {
        let root = URL(filePath: #filePath).appending(path: "../../../Fixtures/proxy/\(folder)").standardized
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path())) ?? []
        return names.filter { $0.hasSuffix(".proxy") }.sorted().compactMap { name in
            guard let data = try? Data(contentsOf: root.appending(path: name)) else { return nil }
            return ProxyFixture(name: String(name.dropLast(6)), bytes: Array(data))
        }
    }

    /// The header, if every shorter prefix is incomplete and is not refused.
    func read() throws -> ProxyHeader {
        for count in bytes.indices { #expect(try ProxyHeader.parse(bytes[..<count]) == nil) }
        let (header, byteCount) = try #require(try ProxyHeader.parse((bytes + bytes)[...]))
        #expect(byteCount == bytes.count)
        return header
    }
}

@Suite("PROXY protocol §2 Headers from files")
struct PROXY_2_Files {
    @Test func `the fixture files exist`() {
        #expect(ProxyFixture.client.count >= 8)
        #expect(ProxyFixture.local.count >= 6)
        #expect(ProxyFixture.refused.count >= 32)
    }

    @Test(arguments: ProxyFixture.client)
    func `names the client`(_ fixture: ProxyFixture) throws {
        let address = try #require(IPAddress(fixture.name.contains("ipv6") ? "2001:db8::9" : "192.0.2.9"))
        #expect(try fixture.read() == .client(address, port: 56324))
    }

    @Test(arguments: ProxyFixture.local)
    func `names no client`(_ fixture: ProxyFixture) throws {
        #expect(try fixture.read() == .local)
    }

    @Test(arguments: ProxyFixture.refused)
    func `is refused, and no prefix is accepted`(_ fixture: ProxyFixture) {
        #expect(throws: ProxyHeader.Malformed.self) { try ProxyHeader.parse(fixture.bytes[...]) }
        for count in fixture.bytes.indices {
            let found = try? ProxyHeader.parse(fixture.bytes[..<count])
            #expect(found == nil)
        }
    }
}
