// SPDX-License-Identifier: MIT

import Foundation
import PortcullisTransport

/// Certificates that the `openssl` program makes when the tests begin: stored ones would expire.
struct TestCertificates: Sendable {
    struct Failure: Error { let output: String }

    let directory: String

    static let shared = Result { try TestCertificates() }

    var authority: TrustedRoots { .pem(.file(path("ca.pem"))) }

    func path(_ name: String) -> String { directory + "/" + name }

    private init() throws {
        directory = NSTemporaryDirectory() + "portcullis-tls-\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        atexit {
            guard let directory = try? TestCertificates.shared.get().directory else { return }
            try? FileManager.default.removeItem(atPath: directory)
        }
        for name in ["ca", "other-ca"] {
            try run([
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                path(name + ".key"), "-out", path(name + ".pem"), "-subj", "/CN=Test \(name)", "-days", "2",
            ])
        }
        try issue("localhost", names: "DNS:localhost")
        try issue("elsewhere", names: "DNS:elsewhere.example")
        try issue("wildcard", names: "DNS:*.wild.example")
        try issue("partial-wildcard", names: "DNS:a*.wild.example")
        try issue("address", names: "IP:127.0.0.1")
        try issue("common-name", names: "DNS:unrelated.example", subject: "localhost")
        try issue("expired", names: "DNS:localhost", days: -1)
        try issue("client", names: "DNS:client.example", usage: "clientAuth")
        try run([
            "pkey", "-in", path("client.key"), "-aes256", "-passout", "pass:secret", "-out",
            path("encrypted.key"),
        ])
    }

    private func issue(
        _ name: String, names: String, subject: String? = nil, days: Int = 2, usage: String = "serverAuth"
    ) throws {
        try run([
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            path(name + ".key"),
            "-out", path(name + ".csr"), "-subj", "/CN=\(subject ?? name)",
        ])
        let extensions = "subjectAltName=\(names)\nextendedKeyUsage=\(usage)\n"
        try Data(extensions.utf8).write(to: URL(fileURLWithPath: path(name + ".ext")))
        try run([
            "x509", "-req", "-in", path(name + ".csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"),
            "-set_serial",
            "\(name.utf8.reduce(7) { $0 &* 31 &+ Int($1) } & 0xFFFF_FFFF)", "-days", "\(days)", "-extfile",
            path(name + ".ext"), "-out", path(name + ".pem"),
        ])
    }

    private func run(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let output = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(output: String(decoding: output, as: UTF8.self))
        }
    }
}

/// `openssl s_server` on a free port of loopback.
// SAFETY: `init` starts the process, and later calls only ask it to end; the pipes belong to one test.
final class TLSServerProcess: @unchecked Sendable {
    let port: Int
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var seen: [UInt8] = []

    /// Starts the server with one of our certificates.
    ///
    /// With `-www` among the arguments it answers every request with a page about the connection.
    init(certificate: String, _ arguments: [String] = ["-www"]) throws {
        let certificates = try TestCertificates.shared.get()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            [
                "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert",
                certificates.path(certificate + ".pem"), "-key",
                certificates.path(certificate + ".key"),
            ] + arguments
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        var line = ""
        while !line.hasSuffix("\n") || !line.contains("ACCEPT") {
            guard let byte = try output.fileHandleForReading.read(upToCount: 1), !byte.isEmpty else {
                throw TestCertificates.Failure(output: line)
            }
            line += String(decoding: byte, as: UTF8.self)
        }
        port = Int(line.split(separator: ":").last?.dropLast() ?? "") ?? 0
    }

    /// Waits for a whole request head, and sends this over the connection.
    func answer(_ text: String) throws {
        while seen.firstRange(of: "\r\n\r\n".utf8) == nil {
            seen += output.fileHandleForReading.availableData
        }
        if let end = seen.firstRange(of: "\r\n\r\n".utf8) { seen.removeSubrange(..<end.upperBound) }
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    }

    /// Kills the process: a child of a Dispatch thread starts with the milder signals blocked.
    deinit {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
