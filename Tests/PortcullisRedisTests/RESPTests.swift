// SPDX-License-Identifier: MIT

import PortcullisRedis
import PortcullisTransport
import Testing

@Suite("The store's protocol")
struct RESPTests {
    private func parse(_ pieces: [[UInt8]]) throws -> [RESPValue] {
        var parser = RESPParser()
        var values: [RESPValue] = []
        for piece in pieces {
            piece.withUnsafeBytes { parser.append($0) }
            while let value = try parser.next() { values.append(value) }
        }
        return values
    }

    static let text =
        "+OK\r\n-ERR no\r\n:-7\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n*2\r\n$0\r\n\r\n*1\r\n:1\r\n$0\r\n\r\n"
    static let values: [RESPValue] = [
        .text(Array("OK".utf8)), .error(Array("ERR no".utf8)), .integer(-7), .bytes(Array("a\r\n".utf8)),
        .null,
        .null, .array([.bytes([]), .array([.integer(1)])]), .bytes([]),
    ]

    @Test func `values are parsed correctly for any split of the bytes`() throws {
        let bytes = Array(Self.text.utf8)
        #expect(try parse([bytes]) == Self.values)
        #expect(try parse(bytes.map { [$0] }) == Self.values)
        for place in 1..<bytes.count {
            #expect(try parse([Array(bytes[..<place]), Array(bytes[place...])]) == Self.values)
        }
    }

    @Test(arguments: [
        "x\r\n", "$x\r\n", "$-2\r\n", "$9999999999\r\n", "*5000\r\n", "$1\r\nabc", "\r\n", "+a\rb\r\n",
        ":1.5\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
    ])
    func `a malformed or too large value ends the connection`(text: String) {
        #expect(throws: RESPParser.Malformed.self) { try parse([Array(text.utf8)]) }
    }

    @Test func `nested arrays have a common limit`() throws {
        let nested = { (count: Int) in
            "*\(count)\r\n"
                + String(repeating: "*7\r\n" + String(repeating: ":1\r\n", count: 7), count: count)
        }
        _ = try parse([Array(nested(8).utf8)])
        #expect(throws: RESPParser.Malformed.self) { try parse([Array(nested(9).utf8)]) }
    }

    @Test func `an endless line is refused at its limit`() {
        #expect(throws: RESPParser.Malformed.self) {
            try parse(Array(repeating: [UInt8](repeating: 0x2B, count: 1000), count: 5))
        }
    }

    @Test(arguments: [
        "http://127.0.0.1:1", "redis://", "redis://127.0.0.1:0", "redis://u:p@127.0.0.1:1",
        "redis://u@127.0.0.1",
        "redis://127.0.0.1:1/x", "redis://127.0.0.1:1/2/", "redis://127.0.0.1:1/123456",
        "redis://127.0.0.1:1?x", "redis:127.0.0.1:1", "",
    ])
    func `a malformed URL is refused`(url: String) {
        #expect(throws: RedisConfigurationError.invalidURL) {
            try RedisClient(RedisConfiguration(url: url))
        }
    }

    @Test(arguments: [
        ("redis://a.example", false, "a.example", 6379, 0),
        ("redis://a.example/", false, "a.example", 6379, 0),
        ("rediss://a.example:7/12", true, "a.example", 7, 12), ("redis://[::1]/3", false, "::1", 6379, 3),
        ("redis://[::1]:7", false, "::1", 7, 0),
    ])
    func `a URL names a server and a database`(
        url: String, isEncrypted: Bool, host: String, port: Int, database: Int
    ) throws {
        let location = try RedisLocation(url)
        #expect(location.origin.isEncrypted == isEncrypted && location.origin.host == host)
        #expect(location.origin.port == port && location.database == database)
    }

    @Test func `a printed configuration contains no secret`() {
        var configuration = RedisConfiguration(url: "redis://127.0.0.1:1")
        configuration.password = "s3cret"
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!dumped.contains("s3cret") && !"\(configuration)".contains("s3cret"))
    }
}
