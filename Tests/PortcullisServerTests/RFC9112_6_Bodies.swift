// SPDX-License-Identifier: MIT

import PortcullisServer
import PortcullisTransport
import Synchronization
import Testing

@Suite("RFC 9112 §6 Message bodies")
struct RFC9112_6_Bodies {
    static func routes(_ routes: inout Routes) {
        routes.get("/now") { _ in .text("now") }
        routes.post("/ignored") { _ in .text("ignored") }
        routes.post("/ignored/later") { _ async in
            await Task.yield()
            return .text("ignored")
        }
        routes.post("/collect") { request async throws in
            .bytes(try await request.body.collect(), contentType: "application/octet-stream")
        }
        routes.post("/collect/{limit}") { request async throws in
            let limit = Int(request.parameters["limit"]) ?? 0
            return .bytes(
                try await request.body.collect(upTo: limit), contentType: "application/octet-stream")
        }
        routes.post("/echo") { request in
            .stream(contentType: "application/octet-stream") { writer in
                for try await piece in request.body { try await writer.write(piece) }
            }
        }
        routes.post("/first") { request async throws in
            var pieces = request.body.makeAsyncIterator()
            let first = try await pieces.next()
            return .text("\(first?.count ?? 0)")
        }
        routes.post("/forgiving") { request async in
            _ = try? await request.body.collect()
            let again = try? await request.body.collect()
            return .text("\(again?.count ?? -1)")
        }
    }

    static func chunked(_ bytes: [UInt8], by size: Int) -> [UInt8] {
        var result: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            let piece = bytes[start..<min(start + size, bytes.count)]
            result += Array((String(piece.count, radix: 16) + "\r\n").utf8) + piece + [0x0D, 0x0A]
        }
        return result + Array("0\r\n\r\n".utf8)
    }

    static func content(_ count: Int) -> [UInt8] {
        let pattern = (0..<4099).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        var result: [UInt8] = []
        result.reserveCapacity(count + pattern.count)
        while result.count < count { result += pattern }
        return Array(result[..<count])
    }

    @Test(arguments: ReadinessKind.allCases, ["/collect", "/echo"])
    func `a body of known length arrives whole`(_ kind: ReadinessKind, _ target: String) async throws {
        try await withServer(kind, Self.routes) { server in
            let client = try server.client()
            for count in [0, 1, 5000, 65_535, 65_536, 300_000] {
                let content = Self.content(count)
                let head = request("POST", target, ["Content-Length: \(count)"])
                async let sent: Void = client.send(Array(head.utf8) + content)
                let reply = try await client.reply()
                try await sent
                #expect(reply.status == 200 && reply.body == content && !reply.isCutOff)
                if reply.closes { return }
            }
            #expect(try await client.exchange(request("GET", "/now")).text == "now")
        }
    }

    @Test(arguments: ReadinessKind.allCases, [1, 1000, 70_000])
    func `a chunked body arrives whole`(_ kind: ReadinessKind, _ size: Int) async throws {
        try await withServer(kind, Self.routes) { server in
            let client = try server.client()
            let content = Self.content(size == 1 ? 5000 : 200_000)
            let head = request("POST", "/collect", ["Transfer-Encoding: chunked"])
            try await client.send(Array(head.utf8) + Self.chunked(content, by: size))
            #expect(try await client.reply().body == content)
            #expect(try await client.exchange(request("GET", "/now")).text == "now")
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `8 MiB pass through a streaming echo in both directions`(_ kind: ReadinessKind) async throws {
        var setup = RunningServer.Setup(readiness: kind)
        setup.limits.maxBodyByteCount = 8 << 20
        try await withServer(setup, Self.routes) { server in
            let content = Self.content(8 << 20)
            for isChunked in [false, true] {
                let client = try server.client()
                let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(content.count)"
                let body = isChunked ? Self.chunked(content, by: 100_000) : content
                async let sent: Void = client.send(Array(request("POST", "/echo", [framing]).utf8) + body)
                let reply = try await client.reply()
                try await sent
                #expect(reply.status == 200 && !reply.isCutOff)
                #expect(reply.body == content)
            }
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a body that the handler does not read is not received`(_ kind: ReadinessKind) async throws {
        let gate = Gate()
        var setup = RunningServer.Setup(readiness: kind)
        setup.limits.maxBodyByteCount = 64 << 20
        func routes(_ routes: inout Routes) {
            routes.post("/") { request async throws in
                await gate.wait()
                var count = 0
                for try await piece in request.body { count += piece.count }
                return .text("\(count)")
            }
        }
        try await withServer(setup, routes) { server in
            let client = try server.client()
            let progress = Counter()
            let content = [UInt8](repeating: 0x61, count: 1 << 20)
            try await client.send(request("POST", "/", ["Content-Length: \(64 << 20)"]))
            let sender = Task {
                for _ in 0..<64 {
                    try await client.send(content)
                    progress.increment()
                }
            }
            try await Task.sleep(for: .milliseconds(300))
            // The capacity of the system's buffers on both sides, and no more.
            #expect(progress.value < 32)
            gate.open()
            let reply = try await client.reply()
            try await sender.value
            #expect(reply.text == "\(64 << 20)")
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a writer waits for a slow reader`(_ kind: ReadinessKind) async throws {
        let written = Counter()
        let piece = [UInt8](repeating: 0x61, count: 65_536)
        func routes(_ routes: inout Routes) {
            routes.get("/") { _ in
                .stream(contentType: "text/plain") { writer in
                    for _ in 0..<512 {
                        try await writer.write(piece)
                        written.add(piece.count)
                    }
                }
            }
        }
        try await withServer(kind, routes) { server in
            let client = try server.client(receiveBuffer: 65_536)
            try await client.send(request("GET", "/"))
            try await Task.sleep(for: .milliseconds(300))
            #expect(written.value < 16 << 20)
            let before = written.value
            try await Task.sleep(for: .milliseconds(50))
            #expect(written.value == before)
            let reply = try await client.reply()
            #expect(reply.body.count == 32 << 20 && !reply.isCutOff)
        }
    }

    @Test(arguments: ReadinessKind.allCases, ["/ignored", "/ignored/later"])
    func `a small body that the handler does not read is skipped`(_ kind: ReadinessKind, _ target: String)
        async throws
    {
        try await withServer(kind, Self.routes) { server in
            let client = try server.client()
            let hidden = request("GET", "/now")
            for _ in 0..<3 {
                try await client.send(request("POST", target, ["Content-Length: \(hidden.utf8.count)"]))
                let reply = try await client.reply()
                #expect(reply.text == "ignored" && !reply.closes)
                try await client.send(hidden)
            }
            try await client.send(request("POST", target, ["Transfer-Encoding: chunked"]))
            #expect(try await client.reply().text == "ignored")
            try await client.send(Self.chunked(Array(hidden.utf8), by: 10))
            try await client.send(request("POST", "/nowhere", ["Content-Length: 5"]) + "hello")
            #expect(try await client.reply().status == 404)
            #expect(try await client.exchange(request("GET", "/now")).text == "now")
        }
    }

    @Test(arguments: ReadinessKind.allCases, ["/ignored", "/ignored/later"])
    func `a large body that the handler does not read ends the connection, and the answer arrives`(
        _ kind: ReadinessKind, _ target: String
    ) async throws {
        try await withServer(kind, Self.routes) { server in
            let client = try server.client()
            let content = Array(String(repeating: request("GET", "/now"), count: 12_000).utf8)
            try await client.send(request("POST", target, ["Content-Length: \(content.count)"]))
            async let sent = client.sendSome(content)
            let reply = try await client.reply()
            #expect(reply.text == "ignored" && reply.closes)
            _ = await sent
            #expect(await client.rest().bytes.isEmpty)
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `an endless chunked body that the handler does not read ends the connection`(_ kind: ReadinessKind)
        async throws
    {
        try await withServer(kind, Self.routes) { server in
            let client = try server.client()
            let hidden = Array(String(repeating: request("GET", "/now"), count: 4000).utf8)
            try await client.send(request("POST", "/ignored", ["Transfer-Encoding: chunked"]))
            async let sent = client.sendSome(Self.chunked(hidden, by: 1000))
            #expect(try await client.reply().text == "ignored")
            _ = await sent
            #expect(await client.rest().bytes.isEmpty)
        }
    }

    // MARK: Limits

    @Test(arguments: ReadinessKind.allCases)
    func `a declared length beyond the limit is 413 before the server reads a byte of it`(
        _ kind: ReadinessKind
    )
        async throws
    {
        var setup = RunningServer.Setup(readiness: kind)
        setup.limits.maxBodyByteCount = 1000
        try await withServer(setup, Self.routes) { server in
            for (count, status) in [(999, 200), (1000, 200)] {
                let client = try server.client()
                try await client.send(request("POST", "/collect", ["Content-Length: \(count)"]))
                try await client.send(Self.content(count))
                #expect(try await client.reply().status == status)
            }
            for count in [1001, 1 << 40] {
                let client = try server.client()
                let reply = try await client.exchange(
                    request("POST", "/collect", ["Content-Length: \(count)"]))
                #expect(reply.status == 413 && reply.closes)
                try await client.send(request("GET", "/now"))
                #expect(await client.rest().bytes.isEmpty)
            }
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a refused upload in flight does not lose its answer`(_ kind: ReadinessKind)
        async throws
    {
        var setup = RunningServer.Setup(readiness: kind)
        setup.limits.maxBodyByteCount = 1000
        try await withServer(setup, Self.routes) { server in
            for _ in 0..<5 {
                let client = try server.client()
                let head = Array(request("POST", "/collect", ["Content-Length: 4000000"]).utf8)
                async let sent = client.sendSome(head + Self.content(4_000_000))
                let reply = try await client.reply()
                #expect(reply.status == 413 && reply.closes && !reply.isCutOff)
                client.close()
                _ = await sent
            }
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a chunked body beyond the limit is 413 when it reaches the limit`(_ kind: ReadinessKind)
        async throws
    {
        var setup = RunningServer.Setup(readiness: kind)
        setup.limits.maxBodyByteCount = 1000
        try await withServer(setup, Self.routes) { server in
            let head = Array(request("POST", "/collect", ["Transfer-Encoding: chunked"]).utf8)
            for (count, status) in [(999, 200), (1000, 200), (1001, 413), (50_000, 413)] {
                let client = try server.client()
                try await client.send(head)
                for start in stride(from: 0, to: count, by: 400) {
                    let chunk = Self.content(min(400, count - start))
                    let sent = await client.sendSome(
                        Array((String(chunk.count, radix: 16) + "\r\n").utf8) + chunk + [0x0D, 0x0A])
                    if sent == 0 { break }
                }
                if status == 200 { try await client.send("0\r\n\r\n") }
                let reply = try await client.reply()
                #expect(reply.status == status)
                if status == 413 {
                    #expect(reply.closes)
                    _ = await client.sendSome(Array(("0\r\n\r\n" + request("GET", "/now")).utf8))
                    #expect(await client.rest().bytes.isEmpty)
                }
            }
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a handler's own limit is 413 too`(_ kind: ReadinessKind) async throws {
        try await withServer(kind, Self.routes) { server in
            for (count, status) in [(9, 200), (10, 200), (11, 413)] {
                for framing in ["Content-Length: \(count)", "Transfer-Encoding: chunked"] {
                    let isChunked = framing.hasSuffix("chunked")
                    let client = try server.client()
                    try await client.send(request("POST", "/collect/10", [framing]))
                    let content = Self.content(count)
                    try await client.send(isChunked ? Self.chunked(content, by: 4) : content)
                    #expect(try await client.reply().status == status)
                    #expect(try await client.exchange(request("GET", "/now")).text == "now")
                }
            }
        }
    }

    // MARK: Faults

    @Test(arguments: ReadinessKind.allCases, [true, false])
    func `a malformed chunk is 400, and nothing after it is a request`(
        _ kind: ReadinessKind, _ comesWithHead: Bool
    ) async throws {
        try await withServer(kind, Self.routes) { server in
            for target in ["/collect", "/forgiving", "/first"] {
                for fault in ["ZZ\r\n", "5\r\nhelloXX", "5\r\nhello\r\n-1\r\n", "FFFFFFFFFFFFFFFFF\r\n"] {
                    let client = try server.client()
                    let head = request("POST", target, ["Transfer-Encoding: chunked"])
                    let rest = fault + "0\r\n\r\n" + request("GET", "/now")
                    if comesWithHead {
                        try await client.send(head + rest)
                    } else {
                        try await client.send(head)
                        try await Task.sleep(for: .milliseconds(5))
                        try await client.send(rest)
                    }
                    let reply = try await client.reply()
                    if target == "/collect" { #expect(reply.status == 400) }
                    // A handler that ignores the error may send its answer; the next request is never
                    // accepted.
                    _ = await client.sendSome(Array(("0\r\n\r\n" + request("GET", "/now")).utf8))
                    #expect(await client.rest().bytes.isEmpty, "\(target) \(fault)")
                    if target == "/forgiving" { #expect(reply.text == "-1") }
                }
            }
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a fault in the body of a streamed answer cuts the answer`(_ kind: ReadinessKind) async throws {
        try await withServer(kind, Self.routes) { server in
            let client = try server.client()
            try await client.send(request("POST", "/echo", ["Transfer-Encoding: chunked"]) + "5\r\nhello\r\n")
            let begun = try await client.receive(atLeast: 100)
            #expect(String(decoding: begun, as: UTF8.self).hasSuffix("\r\n\r\n5\r\nhello\r\n"))
            try await client.send("ZZ\r\n")
            #expect(await client.rest().bytes.isEmpty)
        }
    }

    @Test(arguments: ReadinessKind.allCases, [true, false])
    func `a fault before a streamed answer has begun is a status`(
        _ kind: ReadinessKind, _ comesWithHead: Bool
    ) async throws {
        try await withServer(kind, Self.routes) { server in
            let client = try server.client()
            try await client.send(
                request("POST", "/echo", ["Transfer-Encoding: chunked"]) + (comesWithHead ? "" : "5\r"))
            if !comesWithHead { try await Task.sleep(for: .milliseconds(30)) }
            try await client.send((comesWithHead ? "ZZ\r\n" : "X\r\n") + request("GET", "/now"))
            let reply = try await client.reply()
            #expect(reply.status == 400 && reply.closes && !reply.isCutOff)
            #expect(await client.rest().bytes.isEmpty)
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a handler that stops reading early leaves the connection usable`(_ kind: ReadinessKind)
        async throws
    {
        try await withServer(kind, Self.routes) { server in
            let client = try server.client()
            try await client.send(request("POST", "/first", ["Content-Length: 30000"]))
            try await client.send(Self.content(10))
            #expect(try await client.reply().text == "10")
            try await client.send(Self.content(29_990))
            #expect(try await client.exchange(request("GET", "/now")).text == "now")
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a handler gets an error when its client disconnects in the middle of a body`(_ kind: ReadinessKind)
        async throws
    {
        let errors = Mutex<[RequestBodyError?]>([])
        func routes(_ routes: inout Routes) {
            routes.post("/") { request async throws in
                do {
                    _ = try await request.body.collect()
                } catch {
                    errors.withLock { $0.append(error as? RequestBodyError) }
                    throw error
                }
                return .ok
            }
        }
        try await withServer(kind, routes) { server in
            for leave in [{ (client: RawClient) in client.reset() }, { $0.close() }, { $0.endWriting() }] {
                let client = try server.client()
                try await client.send(request("POST", "/", ["Content-Length: 10"]) + "hello")
                try await Task.sleep(for: .milliseconds(20))
                leave(client)
                let before = errors.withLock { $0.count }
                #expect(await eventually { errors.withLock { $0.count } > before || before > 0 })
            }
            #expect(await eventually { errors.withLock { $0.count } == 3 })
            #expect(errors.withLock { $0 }.allSatisfy { $0 == .connectionClosed })
        }
    }
}
