// SPDX-License-Identifier: MIT

import PortcullisServer
import PortcullisTransport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite("Unix domain sockets")
struct UnixSocketTests {
    private static func routes() -> Routes {
        var routes = Routes()
        routes.get("/") { .text("\($0.peer) \($0.clientAddress)") }
        return routes
    }

    private static func start(
        _ path: String, _ configuration: Server.Configuration = .init(log: { _ in })
    ) async throws -> RunningServer {
        try await RunningServer.start(
            Server(validating: routes(), host: "unix:" + path, configuration: configuration))
    }

    @Test func `requests are answered, and the server removes its socket file`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/server.sock"
        let server = try await Self.start(path)
        for _ in 0..<4 {
            let client = try RawClient(unixPath: path)
            #expect(try await client.exchange(request("GET", "/")).text == "unix: unix:")
        }
        #expect(FileIdentity(socketAt: path) != nil)
        try await server.stop()
        #expect(FileIdentity(socketAt: path) == nil)
    }

    @Test func `every peer of a Unix socket can be trusted`() async throws {
        let folder = try TemporaryFolder()
        var configuration = Server.Configuration(log: { _ in })
        configuration.proxies = try TrustedProxies(["unix"], forwarded: .xForwarded)
        let server = try await Self.start(folder.path + "/server.sock", configuration)
        let client = try RawClient(unixPath: folder.path + "/server.sock")
        let reply = try await client.exchange(request("GET", "/", ["X-Forwarded-For: 192.0.2.9"]))
        #expect(reply.text == "unix: 192.0.2.9")
        try await server.stop()
    }

    @Test
    func `a dead server's socket file is replaced, a live server's and any other file is not`()
        throws
    {
        let folder = try TemporaryFolder()
        let path = folder.path + "/server.sock"
        do {
            let descriptor = try #require(try? ListeningSockets(unixPath: path, count: 1)).descriptors[0]
            _ = closeDescriptor(descriptor)
        }
        let socket = try ServerSocket(unixPath: path, permissions: 0o600)
        #expect(socket.address.description == "unix:" + path)
        #expect { try ServerSocket(unixPath: path, permissions: nil) } throws: {
            ($0 as? SocketError)?.isAddressInUse == true
        }
        let other = folder.path + "/file"
        fclose(fopen(other, "w"))
        #expect(throws: SocketError.self) { try ServerSocket(unixPath: other, permissions: nil) }
        #expect(access(other, F_OK) == 0)
        withExtendedLifetime(socket) {}
    }

    @Test func `the socket file has the configured permissions`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/server.sock"
        let socket = try ServerSocket(unixPath: path, permissions: 0o660)
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o660)
        withExtendedLifetime(socket) {}
    }

    @Test func `the socket file of a server is for its user and group, whatever the umask`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/server.sock"
        let server = try await Self.start(path)
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o660)
        try await server.stop()
    }

    @Test func `a socket file can be given to the process's own user and group`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/server.sock"
        let owner = FileOwner(userID: getuid(), groupID: getgid())
        #expect(try FileOwner(named: "\(getuid()):\(getgid())") == owner)
        let socket = try ServerSocket(unixPath: path, owner: owner)
        #expect(FileIdentity(socketAt: path) != nil)
        withExtendedLifetime(socket) {}
    }

    @Test func `an owner is found by names`() throws {
        #expect(try FileOwner(named: "root") == FileOwner(userID: 0))
        #expect(try FileOwner(named: ":root") == FileOwner(groupID: 0))
        #expect(try FileOwner(named: "root:root") == FileOwner(userID: 0, groupID: 0))
    }

    @Test func `a path that is too long is an error`() {
        let path = "/tmp/" + String(repeating: "a", count: 120)
        #expect(throws: SocketError.self) { try ServerSocket(unixPath: path, permissions: nil) }
    }
}

@Suite("sd_listen_fds(3), sd_notify(3): sockets from and messages to a service manager")
struct ServiceManagerTests {
    private static func manager(_ variables: [String: String], processID: Int32 = 42) -> SystemdEnvironment {
        SystemdEnvironment(processID: processID) { variables[$0] }
    }

    @Test func `sockets arrive in order, with their names`() {
        let manager = Self.manager([
            "LISTEN_PID": "42", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "http:admin",
        ])
        #expect(manager.sockets.map(\.name) == ["http", "admin", "unknown"])
        #expect(manager.sockets.map(\.descriptor) == [3, 4, 5])
    }

    @Test(arguments: [
        [:], ["LISTEN_FDS": "1"], ["LISTEN_PID": "41", "LISTEN_FDS": "1"], ["LISTEN_PID": "42"],
        ["LISTEN_PID": "42", "LISTEN_FDS": "0"], ["LISTEN_PID": "42", "LISTEN_FDS": "-1"],
        ["LISTEN_PID": "42", "LISTEN_FDS": "one"], ["LISTEN_PID": "42", "LISTEN_FDS": "100000"],
    ])
    func `sockets for no process or for another one are not adopted`(variables: [String: String]) {
        #expect(Self.manager(variables).sockets == [])
    }

    @Test func `every loop serves a socket that already listens`() async throws {
        let listening = try ListeningSockets(host: "127.0.0.1", port: 0, count: 1)
        let socket = try ServerSocket(adopting: listening.descriptors, loopCount: 2)
        #expect(socket.address == listening.address)
        var routes = Routes()
        routes.get("/") { _ in .text("taken over") }
        let server = try await RunningServer.start(
            Server(validating: routes, on: socket, configuration: .init(eventLoopCount: 2, log: { _ in })))
        for _ in 0..<8 {
            let reply = try await server.get("/")
            #expect(reply.text == "taken over")
        }
        try await server.stop()
    }

    @Test func `a socket that does not listen is not adopted`() throws {
        let folder = try TemporaryFolder()
        let file = open(folder.path + "/file", O_RDWR | O_CREAT, 0o600)
        defer { close(file) }
        for descriptors in [[], [file], [9999]] {
            #expect(throws: SocketError.self) { try ServerSocket(adopting: descriptors) }
        }
    }

    @Test(arguments: [false, true])
    func `the service manager is notified`(isAbstract: Bool) throws {
        let folder = try TemporaryFolder()
        let path = (isAbstract ? "@" : "") + folder.path + "/notify"
        let address = try #require(ResolvedAddress(unixPath: path))
        #if canImport(Glibc)
            let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        #else
            let descriptor = socket(AF_UNIX, SOCK_DGRAM, 0)
        #endif
        defer { close(descriptor) }
        let bound = address.withSockAddr { bind(descriptor, $0, $1) }
        #expect(bound == 0)
        let manager = Self.manager(["NOTIFY_SOCKET": path])
        var told: [String] = []
        for state in [SystemdEnvironment.State.ready, .reloading, .stopping] {
            manager.notify(state)
            var buffer = [UInt8](repeating: 0, count: 256)
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            told.append(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self))
        }
        #expect(told[0] == "READY=1")
        #expect(told[1].hasPrefix("RELOADING=1\nMONOTONIC_USEC="))
        #expect(told[2] == "STOPPING=1")
    }

    @Test func `without a service manager there is no error`() {
        Self.manager([:]).notify(.ready)
        Self.manager(["NOTIFY_SOCKET": "/nonexistent/socket"]).notify(.ready)
        Self.manager(["NOTIFY_SOCKET": "vsock:2:1"]).notify(.ready)
    }
}
