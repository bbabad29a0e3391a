// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisServer
import Testing

/// Sends the messages of `Fixtures/wire` to a server: a client gets the parser's verdict.
@Suite("RFC 9112 §11.2 Messages from files, on the wire")
struct RFC9112_11_2_WireFiles {
    enum Sending: CaseIterable {
        case whole, inPieces, behindAnother
    }

    private static func routes(_ routes: inout Routes) {
        routes.get("/before") { _ in .text("before") }
        routes.get("/hidden") { _ in .text("hidden") }
        for path in ["/", "/{rest...}"] {
            routes.on([.get, .post, .put, .patch, .delete], path) { request async throws in
                .text("read \(try await request.body.collect().count)")
            }
        }
    }

    /// Sends a message, and returns the answer to it.
    private static func replies(
        to file: WireFile, _ sending: Sending, _ server: RunningServer
    ) async throws -> (client: RawClient, reply: Reply) {
        let client = try server.client()
        if sending == .behindAnother {
            _ = await client.sendSome(Array(request("GET", "/before").utf8) + file.bytes)
            #expect(try await client.reply().text == "before", "\(file.name)")
        } else {
            for piece in sending == .whole ? [file.bytes] : file.pieces {
                if await client.sendSome(piece) < piece.count { break }
            }
        }
        return (
            client, try await client.reply(to: file.bytes.starts(with: Array("HEAD ".utf8)) ? "HEAD" : "GET")
        )
    }

    @Test(arguments: Sending.allCases)
    func `each refused message gets the status in its name, and nothing after it is answered`(
        _ sending: Sending
    ) async throws {
        try await withServer(.init(loops: 2), Self.routes) { server in
            for file in WireFile.all(in: "refused") {
                let (client, reply) = try await Self.replies(to: file, sending, server)
                #expect(reply.status == file.status && reply.closes && !reply.isCutOff, "\(file.name)")
                _ = await client.sendSome(Array(request("GET", "/hidden").utf8))
                client.endWriting()
                #expect(await client.rest().bytes.isEmpty, "\(file.name)")
            }
        }
    }

    @Test(arguments: Sending.allCases)
    func `no accepted message is refused for its form, and the request after it is answered`(
        _ sending: Sending
    ) async throws {
        let refusals: Set<Int> = [400, 408, 413, 414, 417, 431, 505]
        try await withServer(.init(loops: 2), Self.routes) { server in
            for file in WireFile.all(in: "accepted") {
                let (client, reply) = try await Self.replies(to: file, sending, server)
                #expect(!refusals.contains(reply.status) && !reply.isCutOff, "\(file.name): \(reply.status)")
                _ = await client.sendSome(Array(request("GET", "/hidden").utf8))
                client.endWriting()
                let rest = await client.restText()
                #expect(rest.contains("hidden") != reply.closes, "\(file.name): \(reply.status)")
            }
        }
    }
}
