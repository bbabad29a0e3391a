// SPDX-License-Identifier: MIT

import PortcullisServer
import Testing

@Suite("RFC 6585 §5 Header blocks that are too large")
struct RFC6585_5_HeaderLimits {
    private static func routes(_ routes: inout Routes) { routes.get("/") { _ in .ok } }

    /// A request whose field lines, with the empty line after them, have this many bytes.
    private static func head(blockByteCount count: Int) -> String {
        let fixed = "Host: a\r\nX: \r\n\r\n".utf8.count
        return "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "b", count: count - fixed))\r\n\r\n"
    }

    private static func head(fieldCount count: Int) -> String {
        request("GET", "/", (1..<count).map { "X-\($0): \($0)" })
    }

    private func expect(_ message: String, _ status: Int, _ server: RunningServer) async throws {
        let client = try server.client()
        try await client.send(message + request("GET", "/"))
        let reply = try await client.reply()
        #expect(reply.status == status && reply.closes == (status != 200))
        client.endWriting()
        #expect(await client.rest().bytes.isEmpty == (status != 200))
    }

    @Test(arguments: [1000, 32_768])
    func `a block is 431 just beyond the limit`(_ limit: Int) async throws {
        var setup = RunningServer.Setup()
        setup.limits.maxHeaderByteCount = limit
        try await withServer(setup, Self.routes) { server in
            for (count, status) in [(limit - 1, 200), (limit, 200), (limit + 1, 431), (limit * 3, 431)] {
                try await expect(Self.head(blockByteCount: count), status, server)
            }
        }
    }

    @Test(arguments: [3, 100])
    func `a block with one field too many is 431`(_ limit: Int) async throws {
        var setup = RunningServer.Setup()
        setup.limits.maxFieldCount = limit
        try await withServer(setup, Self.routes) { server in
            for (count, status) in [(limit - 1, 200), (limit, 200), (limit + 1, 431)] {
                try await expect(Self.head(fieldCount: count), status, server)
            }
        }
    }

    @Test func `an endless block is 431 as soon as it exceeds the limit`() async throws {
        try await withServer(.init(), Self.routes) { server in
            let client = try server.client()
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\nX: ")
            _ = await client.sendSome([UInt8](repeating: 0x61, count: 33_000))
            let reply = try await client.reply()
            #expect(reply.status == 431 && reply.closes)
        }
    }
}
