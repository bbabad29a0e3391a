// SPDX-License-Identifier: MIT

import PortcullisServer
import PortcullisTransport
import Testing

@Suite("RFC 9112 §9.3.2 Pipelining")
struct RFC9112_9_3_2_Pipelining {
    static func routes(_ routes: inout Routes) {
        routes.get("/now/{number}") { request in .text(request.parameters["number"]) }
        routes.get("/later/{number}") { request async in
            await Task.yield()
            return .text(request.parameters["number"])
        }
        routes.get("/slow/{number}") { request async in
            try? await Task.sleep(for: .milliseconds(1))
            return .text(request.parameters["number"])
        }
        routes.get("/stream/{number}") { request in
            .stream(contentType: "text/plain") { try await $0.write(request.parameters["number"]) }
        }
        routes.post("/echo/{number}") { request async throws in
            .bytes(try await request.body.collect(), contentType: "text/plain")
        }
        routes.get("/large/{number}") { request in
            .bytes(Array(repeating: 0x61, count: 40_000), contentType: "text/plain")
        }
    }

    static func message(_ index: Int, of kinds: [String]) -> String {
        let kind = kinds[index % kinds.count]
        guard kind == "echo" else { return request("GET", "/\(kind)/\(index)") }
        let text = "\(index)"
        return request("POST", "/echo/\(index)", ["Content-Length: \(text.utf8.count)"]) + text
    }

    @Test(
        arguments: ReadinessKind.allCases,
        [
            ["now"], ["later"], ["slow"], ["stream"], ["echo"],
            ["now", "later", "echo", "slow", "now", "stream"],
        ])
    func `100 requests in one write are answered in order`(_ kind: ReadinessKind, _ kinds: [String])
        async throws
    {
        try await withServer(kind, Self.routes) { server in
            let client = try server.client()
            try await client.send((0..<100).map { Self.message($0, of: kinds) }.joined())
            for index in 0..<100 {
                let reply = try await client.reply()
                #expect(reply.status == 200 && reply.text == "\(index)" && !reply.closes)
            }
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `requests may be split anywhere`(_ kind: ReadinessKind) async throws {
        try await withServer(kind, Self.routes) { server in
            let client = try server.client()
            let kinds = ["now", "echo", "later"]
            let bytes = Array((0..<9).map { Self.message($0, of: kinds) }.joined().utf8)
            for start in stride(from: 0, to: bytes.count, by: 7) {
                try await client.send(Array(bytes[start..<min(start + 7, bytes.count)]))
            }
            for index in 0..<9 { #expect(try await client.reply().text == "\(index)") }
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `answers that exceed the buffers are all sent`(_ kind: ReadinessKind) async throws {
        try await withServer(kind, Self.routes) { server in
            let client = try server.client()
            try await client.send((0..<100).map { Self.message($0, of: ["large"]) }.joined())
            for _ in 0..<100 { #expect(try await client.reply().body.count == 40_000) }
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a client that pipelines and reads late gets everything`(_ kind: ReadinessKind) async throws {
        try await withServer(kind, Self.routes) { server in
            let client = try server.client(receiveBuffer: 4096)
            let kinds = ["large", "now", "later", "large", "slow"]
            try await client.send((0..<200).map { Self.message($0, of: kinds) }.joined())
            try await Task.sleep(for: .milliseconds(200))
            for _ in 0..<200 { #expect(try await client.reply().status == 200) }
        }
    }

    @Test(
        arguments: ReadinessKind.allCases,
        [["now"], ["later"], ["stream"], ["now", "slow", "large", "echo"]])
    func `a client that pipelines and half-closes gets every answer`(
        _ kind: ReadinessKind, _ kinds: [String]
    ) async throws {
        try await withServer(kind, Self.routes) { server in
            let client = try server.client()
            try await client.send((0..<100).map { Self.message($0, of: kinds) }.joined())
            // A client that half-closes counts as gone for a stream that has begun.
            if !kinds.contains("stream") { client.endWriting() }
            for _ in 0..<100 { #expect(try await client.reply().status == 200) }
            client.endWriting()
            #expect(await client.rest() == ([], .closed))
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a client that reads its answers slowly is not idle`(_ kind: ReadinessKind) async throws {
        func routes(_ routes: inout Routes) {
            routes.get("/") { _ in
                .bytes(Array(repeating: 0x61, count: 700_000), contentType: "text/plain")
            }
        }
        var limits = Server.Limits()
        limits.idleTimeout = .milliseconds(100)
        try await withServer(.init(readiness: kind, limits: limits), routes) { server in
            let client = try server.client(receiveBuffer: 4096)
            try await client.send(String(repeating: request("GET", "/"), count: 12))
            for _ in 0..<12 {
                try await Task.sleep(for: .milliseconds(150))
                let reply = try await client.reply()
                #expect(reply.status == 200 && reply.body.count == 700_000 && !reply.isCutOff)
            }
            // From here on it is idle.
            #expect(await client.rest() == ([], .closed))
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a flood of requests is not read faster than it is answered`(_ kind: ReadinessKind) async throws {
        let served = Counter()
        func routes(_ routes: inout Routes) {
            routes.get("/") { _ in
                served.increment()
                return .bytes(Array(repeating: 0x61, count: 8000), contentType: "text/plain")
            }
        }
        try await withServer(kind, routes) { server in
            let client = try server.client(receiveBuffer: 4096, timeout: .seconds(1))
            let flood = Array(String(repeating: request("GET", "/"), count: 20_000).utf8)
            var total = 0
            // Reads nothing, so the server has to stop reading requests long before memory matters.
            for _ in 0..<20 {
                let sent = await client.sendSome(flood)
                total += sent
                if sent < flood.count { break }
            }
            #expect(total < 16_000_000)
            #expect(served.value < 5000)
        }
    }
}
