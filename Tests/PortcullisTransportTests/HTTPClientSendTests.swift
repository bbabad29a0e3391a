// SPDX-License-Identifier: MIT

import Dispatch
import PortcullisHTTP
import PortcullisTransport
import Synchronization
import Testing

@Suite("RFC 9112 The client's callback interface", .timeLimit(.minutes(1)))
struct HTTPClientSendTests {
    typealias Outcome = Result<ReceivedResponse, HTTPClientError>

    private static func prepared(_ url: String) throws -> PreparedRequest {
        try PreparedRequest(.post, url, fields: ["X-A": "1"])
    }

    /// Sends from a loop, and returns the result and whether the same loop delivered it.
    private func send(
        _ client: HTTPClient, _ url: String, body: String = "", deadline: Duration = .seconds(20),
        on loop: EventLoop
    ) async throws -> (outcome: Outcome, isOnLoop: Bool) {
        let prepared = try Self.prepared(url)
        return await withCheckedContinuation { continuation in
            loop.execute {
                client.send(
                    prepared.message(with: Array(body.utf8)), of: prepared, deadline: deadline,
                    maxResponseByteCount: 1000, isRepeatable: true
                ) { continuation.resume(returning: ($0, loop.isCurrent)) }
            }
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `the calling loop gets the result, and the connection is kept`(readiness: ReadinessKind)
        async throws
    {
        let server = try ScriptedServer.repeating { peer, request in peer.answer(request) }
        let loops = try EventLoopGroup(count: 2, readiness: readiness)
        let client = try makeClient(readiness)
        for body in ["one", "", String(repeating: "x", count: 300)] {
            for loop in loops.loops {
                let (outcome, isOnLoop) = try await send(client, server.url + "/x", body: body, on: loop)
                let expected =
                    "POST /x HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\nX-A: 1\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
                #expect(String(decoding: try outcome.get().body, as: UTF8.self) == expected)
                #expect(isOnLoop)
            }
        }
        #expect(server.connectionCount == 2)
        server.stop()
        loops.shutDown()
    }

    @Test func `outside a loop the client's own loop delivers the result`() async throws {
        let server = try ScriptedServer.repeating { peer, _ in peer.answer("x") }
        let client = try makeClient()
        let prepared = try Self.prepared(server.url)
        let outcome: Outcome = await withCheckedContinuation { continuation in
            client.send(
                prepared.message(with: []), of: prepared, deadline: .seconds(20), maxResponseByteCount: 1,
                isRepeatable: true
            ) { continuation.resume(returning: $0) }
        }
        #expect(try outcome.get().status == .ok)
        #expect(try outcome.get().fields[.contentLength] == "1")
        server.stop()
    }

    @Test(arguments: ReadinessKind.allCases)
    func `failures are delivered too: the deadline, a body that is too large, a refused connection`(
        readiness: ReadinessKind
    ) async throws {
        let loop = try EventLoop(readiness: readiness)
        let client = try makeClient(readiness)
        let silent = try ScriptedServer { peer in while peer.read() != nil {} }
        let late = try await send(client, silent.url, deadline: .milliseconds(50), on: loop)
        #expect(throws: HTTPClientError.timeout(.answering)) { try late.outcome.get() }
        let verbose = try ScriptedServer.repeating { peer, _ in
            peer.answer(String(repeating: "x", count: 1001))
        }
        let long = try await send(client, verbose.url, on: loop)
        #expect(throws: HTTPClientError.responseTooLarge) { try long.outcome.get() }
        let nobody = try await send(client, "http://127.0.0.1:1/", on: loop)
        #expect(throws: HTTPClientError.self) { try nobody.outcome.get() }
        loop.shutDown()
        silent.stop()
        verbose.stop()
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a request whose loop ends is sent once more on another`(readiness: ReadinessKind) async throws {
        let server = try ScriptedServer { peer in
            guard peer.readRequest() != nil, peer.number > 0 else {
                while peer.read() != nil {}
                return
            }
            peer.answer("again")
        }
        let loop = try EventLoop(readiness: readiness)
        let client = try makeClient(readiness)
        async let asked = send(client, server.url, on: loop)
        while server.connectionCount < 1 { await Task.yield() }
        loop.shutDown()
        let (outcome, isOnLoop) = try await asked
        #expect(String(decoding: try outcome.get().body, as: UTF8.self) == "again")
        #expect(!isOnLoop)
        // A request that begins on such a loop moves too.
        let next = try await send(client, server.url, on: loop)
        #expect(String(decoding: try next.outcome.get().body, as: UTF8.self) == "again")
        server.stop()
    }

    @Test func `requests beyond the connection limit wait their turn, in order`() async throws {
        let server = try ScriptedServer.repeating { peer, request in
            peer.answer(String(request.split(separator: "\r\n").last ?? ""))
        }
        let loop = try EventLoop()
        let client = try makeClient(maxConnectionCount: 1)
        let prepared = try Self.prepared(server.url)
        let answers = Mutex<[String]>([])
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            loop.execute {
                for number in 0..<100 {
                    client.send(
                        prepared.message(with: Array("\(number)".utf8)), of: prepared, deadline: .seconds(20),
                        maxResponseByteCount: 1000, isRepeatable: true
                    ) { outcome in
                        let count = answers.withLock { answers in
                            answers.append(String(decoding: (try? outcome.get().body) ?? [], as: UTF8.self))
                            return answers.count
                        }
                        if count == 100 { continuation.resume() }
                    }
                }
            }
        }
        #expect(answers.withLock { $0 } == (0..<100).map(String.init))
        #expect(server.connectionCount == 1)
        server.stop()
        loop.shutDown()
    }

    @Test(arguments: ReadinessKind.allCases)
    func `RFC 9112 §9.2: bytes before a request do not answer it`(readiness: ReadinessKind)
        async throws
    {
        let (go, isSent) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let server = try ScriptedServer { peer in
            while peer.readRequest() != nil {
                peer.answer("\(peer.number)")
                guard peer.number == 0 else { continue }
                go.wait()
                peer.answer("nobody asked")
                isSent.signal()
            }
        }
        let loop = try EventLoop(readiness: readiness)
        let client = try makeClient(readiness)
        let (first, _) = try await send(client, server.url, on: loop)
        #expect(String(decoding: try first.get().body, as: UTF8.self) == "0")
        // The loop is busy while the bytes arrive, as in a turn with many events.
        loop.execute {
            go.signal()
            isSent.wait()
        }
        let (second, _) = try await send(client, server.url, on: loop)
        #expect(String(decoding: try second.get().body, as: UTF8.self) == "1")
        server.stop()
        loop.shutDown()
    }

    @Test(arguments: ReadinessKind.allCases)
    func `an open connection that the server has since closed is replaced`(readiness: ReadinessKind)
        async throws
    {
        let server = try ScriptedServer { peer in
            guard peer.readRequest() != nil else { return }
            peer.answer("\(peer.number)")
        }
        let loop = try EventLoop(readiness: readiness)
        let client = try makeClient(readiness)
        for number in 0..<20 {
            let (outcome, _) = try await send(client, server.url, on: loop)
            #expect(String(decoding: try outcome.get().body, as: UTF8.self) == "\(number)")
        }
        server.stop()
        loop.shutDown()
    }

    @Test(arguments: [
        ("ftp://a", HTTPClientError.invalidURL), ("http://a b/", .invalidURL),
        ("http://a/\u{7F}", .invalidURL),
    ])
    func `an invalid request is refused before it is sent`(url: String, error: HTTPClientError) {
        #expect(throws: error) { try PreparedRequest(.post, url, fields: [:]) }
        #expect(throws: HTTPClientError.reservedField) {
            try PreparedRequest(.post, "http://a/", fields: [.contentLength: "1"])
        }
        #expect(throws: HTTPClientError.invalidMethod) {
            try PreparedRequest(.connect, "http://a/", fields: [:])
        }
    }
}
