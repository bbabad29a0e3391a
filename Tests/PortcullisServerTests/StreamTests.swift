// SPDX-License-Identifier: MIT

import PortcullisServer
import PortcullisTransport
import Synchronization
import Testing

@Suite("Long-lived streams: Server-Sent Events")
struct StreamTests {
    private static func events(_ source: AsyncStream<String>, ended: Gate) -> @Sendable (Request) -> Response
    {
        { _ in
            .stream(contentType: "text/event-stream") { writer in
                defer { ended.open() }
                try await writer.write(": welcome\n\n")
                for await event in source { try await writer.write("data: \(event)\n\n") }
                // The sequence ends with the task, too.
                try Task.checkCancellation()
            }
        }
    }

    private func serving(
        _ kind: ReadinessKind = .preferred,
        _ test: (RunningServer, AsyncStream<String>.Continuation, Gate) async throws -> Void
    ) async throws {
        let (source, continuation) = AsyncStream.makeStream(of: String.self)
        let ended = Gate()
        try await withServer(kind, { $0.get("/events", Self.events(source, ended: ended)) }) { server in
            try await test(server, continuation, ended)
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `the head is sent before the first event, and each event at once`(_ kind: ReadinessKind)
        async throws
    {
        try await serving(kind) { server, events, _ in
            let client = try server.client()
            try await client.send(request("GET", "/events"))
            let seen = try await client.receive(upTo: ": welcome\n\n\r\n")
            #expect(seen.contains("Content-Type: text/event-stream\r\n"))
            #expect(seen.contains("Transfer-Encoding: chunked\r\n"))
            for number in 0..<5 {
                events.yield("\(number)")
                let chunk = "9\r\ndata: \(number)\n\n\r\n"
                let piece = try await client.receive(atLeast: chunk.utf8.count)
                #expect(String(decoding: piece, as: UTF8.self) == chunk)
            }
            events.finish()
            let last = try await client.receive(atLeast: 5)
            #expect(String(decoding: last, as: UTF8.self) == "0\r\n\r\n")
        }
    }

    private static let waysToLeave = ["closes", "resets", "ends its side"]

    private static func leave(_ client: RawClient, _ how: String) {
        switch how {
        case "closes": client.close()
        case "resets": client.reset()
        default: client.endWriting()
        }
    }

    @Test(arguments: ReadinessKind.allCases, waysToLeave)
    func `a client that leaves cancels the handler, even if it writes nothing`(
        _ kind: ReadinessKind, _ how: String
    ) async throws {
        try await serving(kind) { server, _, ended in
            let client = try server.client()
            try await client.send(request("GET", "/events"))
            _ = try await client.receive(atLeast: 100)
            Self.leave(client, how)
            // No event ever arrives: only cancellation ends the handler.
            await ended.wait()
        }
    }

    // A Dispatch source that is not resumed reports nothing, not even the end.
    @Test(.enabled(if: ReadinessKind.preferred != .dispatchSources), arguments: waysToLeave)
    func `a client that leaves is noticed even with unread bytes`(_ how: String) async throws {
        try await serving { server, _, ended in
            let client = try server.client()
            try await client.send(request("GET", "/events") + String(repeating: "x", count: 100_000))
            _ = try await client.receive(atLeast: 100)
            Self.leave(client, how)
            await ended.wait()
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `no stream starts for a client that left before the head was sent`(_ kind: ReadinessKind)
        async throws
    {
        let leaving = Mutex<RawClient?>(nil)
        let wasBegun = Atomic<Bool>(false)
        func routes(_ routes: inout Routes) {
            routes.get("/now") { _ in .text("now") }
            routes.get("/events") { _ in
                leaving.withLock { client in
                    client?.reset()
                    client = nil
                }
                return .stream(contentType: "text/event-stream") { _ in
                    wasBegun.store(true, ordering: .relaxed)
                    try await Task.sleep(for: .seconds(3600))
                }
            }
        }
        try await withServer(kind, routes) { server in
            let client = try server.client()
            leaving.withLock { $0 = client }
            try await client.send(request("GET", "/events"))
            #expect(await eventually(.seconds(20)) { leaving.withLock { $0 == nil } })
            for _ in 0..<20 { #expect(try await server.get("/now").status == 200) }
            let isBegun = wasBegun.load(ordering: .relaxed)
            #expect(!isBegun)
        }
    }

    @Test(
        arguments: ReadinessKind.allCases.map { ($0, 0) }
            + (ReadinessKind.preferred == .dispatchSources ? [] : [(.preferred, 200_000)]))
    func `a client that leaves cancels a handler that has not answered`(
        _ kind: ReadinessKind, _ unreadByteCount: Int
    ) async throws {
        let begun = Gate()
        let ended = Gate()
        func routes(_ routes: inout Routes) {
            routes.get("/") { _ async throws in
                begun.open()
                defer { ended.open() }
                try await Task.sleep(for: .seconds(3600))
                return .ok
            }
        }
        try await withServer(kind, routes) { server in
            let client = try server.client()
            try await client.send(
                request("GET", "/") + String(repeating: "x", count: unreadByteCount))
            await begun.wait()
            client.reset()
            await ended.wait()
        }
    }

    @Test func `two hundred streams share the loops with requests`() async throws {
        let open = Counter()
        let gate = Gate()
        func routes(_ routes: inout Routes) {
            routes.get("/now") { _ in .text("now") }
            routes.get("/events") { _ in
                .stream(contentType: "text/event-stream") { writer in
                    try await writer.write("data: 1\n\n")
                    open.increment()
                    await gate.wait()
                }
            }
        }
        try await withServer(.init(grace: .seconds(10)), routes) { server in
            var clients: [RawClient] = []
            for _ in 0..<200 {
                let client = try server.client()
                try await client.send(request("GET", "/events"))
                clients.append(client)
            }
            #expect(await eventually(.seconds(20)) { open.value == 200 })
            #expect(try await server.get("/now").text == "now")
            gate.open()
            for client in clients {
                let reply = try await client.reply()
                #expect(reply.text == "data: 1\n\n" && !reply.isCutOff)
            }
        }
    }
}
