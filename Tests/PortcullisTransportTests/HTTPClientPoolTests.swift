// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisTransport
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite("RFC 9112 §9 The client's connections", .timeLimit(.minutes(1)))
struct HTTPClientPoolTests {
    @Test(arguments: ReadinessKind.allCases)
    func `a hundred concurrent requests share eight connections`(readiness: ReadinessKind) async throws {
        let server = try ScriptedServer.repeating { peer, request in
            peer.answer(String(request.split(separator: " ")[1]))
        }
        let client = try makeClient(readiness)
        let texts = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<100 {
                group.addTask { try await client.execute(.init(url: server.url + "/\(number)")).text }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(texts == Set((0..<100).map { "/\($0)" }))
        #expect(server.connectionCount <= 8)
        server.stop()
    }

    @Test func `a GET does not wait for hanging requests with other methods`() async throws {
        let server = try ScriptedServer.repeating { peer, request in
            if request.hasPrefix("GET ") { peer.answer("keys") }
        }
        let client = try makeClient(maxConnectionCount: 2)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    let request = HTTPClient.Request(
                        url: server.url, method: .post, body: [1], deadline: .seconds(3))
                    _ = try? await client.execute(request)
                }
            }
            while server.connectionCount < 2 { await Task.yield() }
            let start = MonotonicInstant.now()
            let answer = try? await client.execute(.init(url: server.url, deadline: .seconds(2))).text
            #expect(answer == "keys")
            #expect(MonotonicInstant.now() - start < .seconds(2))
            #expect(server.connectionCount == 3)
            group.cancelAll()
        }
        server.stop()
    }

    @Test func `the waiting queue is bounded`() async throws {
        let server = try ScriptedServer { peer in while peer.read() != nil {} }
        let client = try makeClient(maxConnectionCount: 1, maxWaitingCount: 2)
        let outcomes = await withTaskGroup(of: HTTPClientError?.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    do throws(HTTPClientError) {
                        _ = try await client.execute(.init(url: server.url, deadline: .milliseconds(500)))
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.count { $0 == .tooManyWaiting } == 3)
        #expect(outcomes.count { $0 == .timeout(.answering) || $0 == .timeout(.waiting) } == 3)
        server.stop()
    }

    @Test func `an exchange that waits for a connection has a deadline, too`() async throws {
        let server = try ScriptedServer { peer in while peer.read() != nil {} }
        let client = try makeClient(maxConnectionCount: 1)
        let first = Task { try await client.execute(.init(url: server.url, deadline: .seconds(30))) }
        while server.connectionCount == 0 { await Task.yield() }
        let start = MonotonicInstant.now()
        await #expect(throws: HTTPClientError.timeout(.waiting)) {
            try await client.execute(.init(url: server.url, deadline: .milliseconds(100)))
        }
        #expect((.milliseconds(100)..<(.seconds(10))).contains(MonotonicInstant.now() - start))
        first.cancel()
        server.stop()
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a server that does not answer exceeds the deadline`(readiness: ReadinessKind) async throws {
        let server = try ScriptedServer { peer in while peer.read() != nil {} }
        let client = try makeClient(readiness)
        await #expect(throws: HTTPClientError.timeout(.answering)) {
            try await client.execute(.init(url: server.url, deadline: .milliseconds(100)))
        }
        server.stop()
    }

    @Test func `a server that answers byte by byte exceeds the deadline`() async throws {
        let server = try ScriptedServer { peer in
            _ = peer.readRequest()
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            for _ in 0..<1000 {
                peer.write("x")
                usleep(5000)
            }
        }
        let client = try makeClient()
        let start = MonotonicInstant.now()
        await #expect(throws: HTTPClientError.timeout(.answering)) {
            try await client.execute(.init(url: server.url, deadline: .milliseconds(200)))
        }
        #expect(MonotonicInstant.now() - start < .seconds(4))
        server.stop()
    }

    @Test(arguments: ReadinessKind.allCases)
    func `cancelling the task ends its exchange and closes its connection`(readiness: ReadinessKind)
        async throws
    {
        let (closed, continuation) = AsyncStream<Void>.makeStream()
        let server = try ScriptedServer { peer in
            while peer.read() != nil {}
            continuation.yield()
        }
        let client = try makeClient(readiness)
        let task = Task { () -> HTTPClientError? in
            do throws(HTTPClientError) {
                _ = try await client.execute(.init(url: server.url, deadline: .seconds(50)))
                return nil
            } catch {
                return error
            }
        }
        while server.connectionCount == 0 { await Task.yield() }
        task.cancel()
        #expect(await task.value == .cancelled)
        for await _ in closed { break }
        server.stop()
    }

    @Test func `a cancelled task sends nothing`() async throws {
        let server = try ScriptedServer.repeating { peer, _ in peer.answer() }
        let client = try makeClient()
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            await #expect(throws: HTTPClientError.cancelled) {
                try await client.execute(.init(url: server.url))
            }
        }
        task.cancel()
        await task.value
        #expect(server.connectionCount == 0)
        server.stop()
    }

    @Test func `a cancelled exchange's connection makes room for the next exchange`() async throws {
        let server = try ScriptedServer { peer in
            guard peer.number > 0 else { while peer.read() != nil {}; return }
            while peer.readRequest() != nil { peer.answer("next") }
        }
        let client = try makeClient(maxConnectionCount: 1)
        let task = Task { try await client.execute(.init(url: server.url)) }
        while server.connectionCount == 0 { await Task.yield() }
        async let next = client.execute(.init(url: server.url))
        task.cancel()
        #expect(try await next.text == "next")
        server.stop()
    }

    @Test func `a refused connection is a connect error`() async throws {
        let server = try ScriptedServer { _ in }
        server.stop()
        let client = try makeClient()
        while true {
            // The listener closes soon, not at once.
            do throws(HTTPClientError) {
                _ = try await client.execute(.init(url: server.url))
            } catch .closed {
                continue
            } catch {
                #expect(error == .connectFailed(ECONNREFUSED))
                break
            }
        }
    }

    @Test func `an open connection that the server has closed is replaced`() async throws {
        let server = try ScriptedServer { peer in
            _ = peer.readRequest()
            peer.answer("\(peer.number)")
        }
        let client = try makeClient()
        for number in 0..<20 {
            #expect(try await client.execute(.init(url: server.url)).text == "\(number)")
        }
        server.stop()
    }

    /// Answers the first request on each connection, and closes without an answer on the second.
    private func forgetfulServer() throws -> ScriptedServer {
        try ScriptedServer { peer in
            _ = peer.readRequest()
            peer.answer("\(peer.number)")
            _ = peer.readRequest()
        }
    }

    @Test func `a repeatable request is sent again when its reused connection closes without an answer`()
        async throws
    {
        let server = try forgetfulServer()
        let client = try makeClient()
        #expect(try await client.execute(.init(url: server.url)).text == "0")
        #expect(try await client.execute(.init(url: server.url)).text == "1")
        let post = HTTPClient.Request(url: server.url, method: .post, body: [1], isRepeatable: true)
        #expect(try await client.execute(post).text == "2")
        server.stop()
    }

    @Test func `a request that is not repeatable is not sent twice`() async throws {
        let server = try forgetfulServer()
        let client = try makeClient()
        #expect(try await client.execute(.init(url: server.url)).text == "0")
        await #expect(throws: HTTPClientError.closed) {
            try await client.execute(.init(url: server.url, method: .post, body: [1]))
        }
        #expect(server.connectionCount == 1)
        server.stop()
    }

    @Test func `a request is not sent again after a part of the answer`() async throws {
        let server = try ScriptedServer { peer in
            _ = peer.readRequest()
            peer.answer("\(peer.number)")
            _ = peer.readRequest()
            peer.write("HTTP/1.1 200")
        }
        let client = try makeClient()
        _ = try await client.execute(.init(url: server.url))
        await #expect(throws: HTTPClientError.closed) { try await client.execute(.init(url: server.url)) }
        #expect(server.connectionCount == 1)
        server.stop()
    }

    @Test(arguments: ReadinessKind.allCases)
    func `an idle connection is closed after its idle time`(readiness: ReadinessKind) async throws {
        let (closed, continuation) = AsyncStream<Void>.makeStream()
        let server = try ScriptedServer { peer in
            while peer.readRequest() != nil { peer.answer() }
            continuation.yield()
        }
        let client = try makeClient(readiness, idleTimeout: .milliseconds(50))
        _ = try await client.execute(.init(url: server.url))
        for await _ in closed { break }
        server.stop()
    }

    @Test func `the last copy of a client closes its connections`() async throws {
        let (closed, continuation) = AsyncStream<Void>.makeStream()
        let server = try ScriptedServer { peer in
            while peer.readRequest() != nil { peer.answer() }
            continuation.yield()
        }
        do {
            let client = HTTPClient()
            _ = try await client.execute(.init(url: server.url))
        }
        for await _ in closed { break }
        server.stop()
    }

    @Test func `called on a loop, the exchange stays on the loop`() async throws {
        let server = try ScriptedServer.repeating { peer, _ in peer.answer("x") }
        let client = HTTPClient()
        let loop = try EventLoop()
        let stayed = try await Task(executorPreference: loop) {
            var stayed = true
            for _ in 0..<10 {
                _ = try await client.execute(.init(url: server.url))
                stayed = stayed && loop.isCurrent
            }
            return stayed
        }.value
        #expect(stayed)
        #expect(server.connectionCount == 1)
        server.stop()
    }
}
