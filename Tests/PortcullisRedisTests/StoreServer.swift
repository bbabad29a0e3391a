// SPDX-License-Identifier: MIT

import Foundation
import PortcullisRedis
import Synchronization

/// A real Valkey or Redis server on a free port, without files, for one test.
final class StoreServer: Sendable {
    struct NotStarted: Error {}

    /// The program, or `nil` if it is not installed.
    static let program: String? = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return ["valkey-server", "redis-server"].lazy
            .flatMap { name in folders.map { "\($0)/\(name)" } }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    let port: Int
    private let password: String?
    private let settings: [String]
    private let process = Mutex<Process?>(nil)

    /// - Parameter settings: More command-line arguments.
    init(password: String? = nil, settings: [String] = []) async throws {
        self.password = password
        self.settings = settings
        port = try Self.freePort()
        try await start()
    }

    deinit { stop() }

    var url: String { "redis://127.0.0.1:\(port)" }

    func client(
        user: String? = nil, password: String? = nil, onEvent: (@Sendable (RedisEvent) -> Void)? = nil
    ) throws -> RedisClient {
        var configuration = RedisConfiguration(url: url)
        configuration.username = user
        configuration.password = password ?? self.password
        // A busy machine may need long.
        configuration.timeout = .seconds(10)
        return try RedisClient(configuration, onEvent: onEvent)
    }

    func start() async throws {
        guard let program = Self.program else { throw NotStarted() }
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments =
            ["--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
            + (password.map { ["--requirepass", $0] } ?? []) + settings
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process.withLock { $0 = process }
        for _ in 0..<2000 {
            if Self.canConnect(to: port) { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw NotStarted()
    }

    func stop() {
        let process = process.withLock { process in
            defer { process = nil }
            return process
        }
        guard let process, process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        guard code == 0 else { throw NotStarted() }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private static func canConnect(to port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

/// Waits for a condition that becomes true soon, and returns whether it did.
func eventually(_ condition: () async -> Bool) async -> Bool {
    let deadline = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < deadline {
        if await condition() { return true }
        try? await Task.sleep(for: .milliseconds(20))
    }
    return false
}
