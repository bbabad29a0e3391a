// SPDX-License-Identifier: MIT

import Foundation
import PortcullisHTTP
import Testing

/// One file of raw bytes.
///
/// Its name states the rule, after the status if the bytes are refused.
struct WireFixture: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]

    var testDescription: String { name }

    var status: Int? { Int(name.prefix(3)) }

    static let accepted = load("accepted")
    static let refused = load("refused")

    private static func load(_ folder: String) -> [WireFixture] {
        let root = URL(filePath: #filePath).appending(path: "../../../Fixtures/wire/\(folder)").standardized
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path())) ?? []
        return names.filter { $0.hasSuffix(".http") }.sorted().compactMap { name in
            guard let data = try? Data(contentsOf: root.appending(path: name)) else { return nil }
            return WireFixture(name: String(name.dropLast(5)), bytes: Array(data))
        }
    }

    /// Every offset, or for long messages several hundred offsets and those near the ends.
    var cuts: [Int] {
        guard bytes.count > 600 else { return Array(0...bytes.count) }
        let inner = stride(from: 0, to: bytes.count, by: bytes.count / 120 + 1)
        return Array(Set(inner).union(0..<40).union((bytes.count - 40)...bytes.count)).sorted()
    }
}

@Suite("RFC 9112 §2.2 Messages that are accepted, from files")
struct RFC9112_2_2_AcceptedMessages {
    @Test func `the fixture files exist`() {
        #expect(WireFixture.accepted.count >= 120)
        #expect(WireFixture.refused.count >= 250)
    }

    @Test(arguments: WireFixture.accepted)
    func `is accepted to its last byte`(_ fixture: WireFixture) {
        guard case .accepted(_, let consumed) = WireReader.read(fixture.bytes) else {
            Issue.record("\(WireReader.read(fixture.bytes))")
            return
        }
        #expect(consumed == fixture.bytes.count)
    }

    @Test(arguments: WireFixture.accepted)
    func `gives the same result for any split`(_ fixture: WireFixture) {
        let whole = WireReader.read(fixture.bytes)
        let differing = fixture.cuts.filter { WireReader.read(fixture.bytes, cutAt: [$0]) != whole }
        #expect(differing.isEmpty)
    }

    @Test(arguments: WireFixture.accepted)
    func `gives the same result byte by byte, every shorter prefix incomplete`(_ fixture: WireFixture) {
        var reader = WireReader()
        for index in fixture.bytes.indices.dropLast() {
            reader.feed(fixture.bytes[index...index])
            guard reader.outcome == .incomplete else {
                Issue.record("Ended after \(index + 1) bytes: \(reader.outcome)")
                return
            }
        }
        reader.feed(fixture.bytes.suffix(1))
        #expect(reader.outcome == WireReader.read(fixture.bytes))
    }

    @Test(arguments: WireFixture.accepted)
    func `bytes after the message are not consumed`(_ fixture: WireFixture) {
        let followed = fixture.bytes + Array("GET /next HTTP/1.1\r\n".utf8)
        #expect(WireReader.read(followed) == WireReader.read(fixture.bytes))
    }
}

@Suite("RFC 9112 §11.2 Messages that are refused, from files")
struct RFC9112_11_2_RefusedMessages {
    @Test(arguments: WireFixture.refused)
    func `gets the status in its name`(_ fixture: WireFixture) {
        let outcome = WireReader.read(fixture.bytes)
        #expect(fixture.status != nil && outcome.status == fixture.status, "\(outcome)")
    }

    @Test(arguments: WireFixture.refused)
    func `gives the same result for any split`(_ fixture: WireFixture) {
        let whole = WireReader.read(fixture.bytes)
        let differing = fixture.cuts.filter { WireReader.read(fixture.bytes, cutAt: [$0]) != whole }
        #expect(differing.isEmpty)
    }

    @Test(arguments: WireFixture.refused)
    func `gives the same result byte by byte`(_ fixture: WireFixture) {
        let outcome = WireReader.read(fixture.bytes, cutAt: Array(fixture.bytes.indices))
        #expect(outcome == WireReader.read(fixture.bytes))
    }
}
