// SPDX-License-Identifier: MIT

import Foundation
import PortcullisServer
import PortcullisTransport
import Testing

@Suite("File responses")
struct FileTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "files-\(UUID().uuidString)")

    private func write(_ content: [UInt8], _ name: String) throws -> String {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let url = folder.appending(path: name)
        try Data(content).write(to: url)
        return url.path()
    }

    private func serving(
        _ kind: ReadinessKind = .preferred, _ limits: Server.Limits = .init(), tls: Server.TLS? = nil,
        _ test: (RunningServer) async throws -> Void
    ) async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let folder = folder.path()
        func routes(_ routes: inout Routes) {
            routes.get("/now") { _ in .text("now") }
            routes.get("/file/{name}") { request in
                .file(try OpenFile(folder + "/" + request.parameters["name"]), contentType: "image/png")
            }
            routes.blocking {
                $0.get("/opened-elsewhere/{name}") { request in
                    .file(try OpenFile(folder + "/" + request.parameters["name"]), contentType: "image/png")
                }
            }
            routes.post("/file/{name}") { request in
                .file(try OpenFile(folder + "/" + request.parameters["name"]), contentType: "image/png")
            }
        }
        var setup = RunningServer.Setup(readiness: kind, limits: limits)
        setup.tls = tls
        try await withServer(setup, routes, test)
    }

    @Test(arguments: ReadinessKind.allCases, ["file", "opened-elsewhere"])
    func `a file arrives whole, with its length, and the connection persists`(
        _ kind: ReadinessKind, _ route: String
    ) async throws {
        let sizes = [0, 1, 100_000, 5 << 20]
        for size in sizes { _ = try write(RFC9112_6_Bodies.content(size), "\(size)") }
        try await serving(kind) { server in
            let client = try server.client()
            for size in sizes {
                let reply = try await client.exchange(request("GET", "/\(route)/\(size)"))
                #expect(reply.status == 200 && !reply.closes && reply["content-type"] == "image/png")
                #expect(reply["content-length"] == "\(size)")
                #expect(reply.body == RFC9112_6_Bodies.content(size))
                let head = try await client.exchange(request("HEAD", "/\(route)/\(size)"))
                #expect(head["content-length"] == "\(size)")
            }
            #expect(try await client.exchange(request("GET", "/now")).text == "now")
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `files and other answers keep their order`(_ kind: ReadinessKind) async throws {
        _ = try write(RFC9112_6_Bodies.content(300_000), "large")
        _ = try write(Array("small".utf8), "small")
        try await serving(kind) { server in
            let client = try server.client()
            let targets = ["/now", "/file/large", "/file/small", "/now", "/opened-elsewhere/large", "/now"]
            let messages = targets.map { request("GET", $0) }.joined()
            try await client.send(messages + messages)
            client.endWriting()
            for target in targets + targets {
                let reply = try await client.reply()
                switch target {
                case "/now": #expect(reply.text == "now")
                case "/file/small": #expect(reply.text == "small")
                default: #expect(reply.body == RFC9112_6_Bodies.content(300_000))
                }
            }
            #expect(await client.rest() == ([], .closed))
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `under TLS the file arrives through memory`(_ kind: ReadinessKind) async throws {
        let identities = try TestIdentities.shared.get()
        _ = try write(RFC9112_6_Bodies.content(3 << 20), "large")
        try await serving(kind, tls: try identities.tls(clients: .none)) { server in
            let client = try server.client(receiveBuffer: 65_536, timeout: .seconds(20))
            try await client.secure(try identities.client(showing: nil))
            for _ in 0..<2 {
                let reply = try await client.exchange(request("GET", "/file/large"))
                #expect(reply.body == RFC9112_6_Bodies.content(3 << 20) && !reply.closes)
            }
            #expect(try await client.exchange(request("GET", "/now")).text == "now")
        }
    }

    @Test func `a request body that arrived is skipped, and Connection: close is kept`() async throws {
        _ = try write(Array("small".utf8), "small")
        try await serving { server in
            let client = try server.client()
            let head = request("POST", "/file/small", ["Content-Length: 30000"])
            try await client.send(Array(head.utf8) + RFC9112_6_Bodies.content(30_000))
            #expect(try await client.reply().text == "small")
            let last = try await client.exchange(request("GET", "/file/small", ["Connection: close"]))
            #expect(last.text == "small" && last.closes)
            #expect(await client.rest() == ([], .closed))
        }
    }

    @Test func `a client that reads late gets everything, one that leaves leaks nothing`() async throws {
        _ = try write(RFC9112_6_Bodies.content(8 << 20), "large")
        try await serving { server in
            for _ in 0..<5 {
                let leaving = try server.client(receiveBuffer: 4096)
                try await leaving.send(request("GET", "/file/large"))
                _ = try await leaving.receive(atLeast: 1)
                leaving.reset()
            }
            let late = try server.client(receiveBuffer: 4096)
            try await late.send(request("GET", "/file/large"))
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await server.get("/now").text == "now")
            #expect(try await late.reply().body == RFC9112_6_Bodies.content(8 << 20))
        }
    }

    @Test func `a client that reads nothing is disconnected`() async throws {
        _ = try write([UInt8](repeating: 0x61, count: 32 << 20), "large")
        var limits = Server.Limits()
        limits.writeTimeout = .milliseconds(250)
        try await serving(.preferred, limits) { server in
            let client = try server.client(receiveBuffer: 4096)
            try await client.send(request("GET", "/file/large"))
            try await Task.sleep(for: .seconds(1))
            #expect(await client.rest().bytes.count < 32 << 20)
        }
    }

    @Test(arguments: ReadinessKind.allCases, [false, true])
    func `a client that reads a little at a time gets everything`(_ kind: ReadinessKind, _ isSecure: Bool)
        async throws
    {
        _ = try write([UInt8](repeating: 0x61, count: 12 << 20), "large")
        var limits = Server.Limits()
        limits.writeTimeout = .seconds(8)
        let identities = try TestIdentities.shared.get()
        try await serving(kind, limits, tls: isSecure ? try identities.tls(clients: .none) : nil) { server in
            let client = try server.client(receiveBuffer: 65_536)
            if isSecure { try await client.secure(try identities.client(showing: nil)) }
            try await client.send(request("GET", "/file/large", ["Connection: close"]))
            // Longer than the deadline, and each read frees far less than the system needs before it reports
            // room again.
            var taken = try await client.receiveSlowly(
                for: .seconds(10), atLeast: 32_768, pause: .milliseconds(400))
            taken += await client.rest().bytes.count
            #expect(taken > 12 << 20)
        }
    }

    @Test func `a file that shrinks during the transfer cuts the answer`() async throws {
        let path = try write([UInt8](repeating: 0x61, count: 32 << 20), "large")
        try await serving { server in
            let client = try server.client(receiveBuffer: 4096)
            try await client.send(request("GET", "/file/large"))
            _ = try await client.receive(atLeast: 1)
            #expect(truncate(path, 1000) == 0)
            let rest = await client.rest()
            #expect(rest.bytes.count < 32 << 20 && rest.ending != .timedOut)
        }
    }

    @Test func `a missing file is 404, and anything but a regular file is refused`() async throws {
        _ = try write([], "empty")
        try await serving { server in
            let client = try server.client()
            #expect(try await client.exchange(request("GET", "/file/none")).status == 404)
            #expect(try await client.exchange(request("GET", "/file/empty")).status == 200)
        }
        #expect(throws: FileError.notRegular) { try OpenFile("/dev/null") }
        #expect(throws: FileError.notRegular) { try OpenFile("/tmp") }
        #expect(throws: FileError.notFound) { try OpenFile("/nowhere/at/all") }
        #expect(throws: FileError.system(EBADF)) { try OpenFile(taking: -1) }
    }
}
