// SPDX-License-Identifier: MIT

import Foundation
import PortcullisServer
import PortcullisTransport

/// Certificates that the `openssl` program makes when the tests begin: stored ones would expire.
struct TestIdentities: Sendable {
    struct Failure: Error { let output: String }

    static let shared = Result { try TestIdentities() }

    let directory: String

    func path(_ name: String) -> String { directory + "/" + name }

    func pem(_ name: String) -> PEMSource { .file(path(name + ".pem")) }

    func identity(_ name: String) -> TLSIdentity {
        TLSIdentity(certificateChain: pem(name), privateKey: .file(path(name + ".key")))
    }

    func tls(_ name: String = "server", clients: ClientCertificates = .none) throws -> Server.TLS {
        try Server.TLS(identity(name), clientCertificates: clients)
    }

    /// A client configuration that trusts our authority and presents a certificate.
    func client(showing name: String? = nil) throws -> TLSContext {
        try TLSContext(clientTrusting: .pem(pem("ca")), presenting: name.map(identity))
    }

    /// The DER form of a certificate from its PEM file.
    func der(_ name: String) throws -> [UInt8] {
        let text = try String(contentsOfFile: path(name + ".pem"), encoding: .utf8)
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("-----") }
        return Array(Data(base64Encoded: lines.joined()) ?? Data())
    }

    private init() throws {
        directory =
            NSTemporaryDirectory() + "portcullis-server-tls-\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        atexit {
            guard let directory = try? TestIdentities.shared.get().directory else { return }
            try? FileManager.default.removeItem(atPath: directory)
        }
        for name in ["ca", "self-signed"] {
            try run(["req", "-x509", "-out", path(name + ".pem"), "-days", "2"] + newKey(name))
        }
        try issue("server", number: 1, "subjectAltName=DNS:localhost")
        try issue("renewed", number: 2, "subjectAltName=DNS:localhost,DNS:renewed.example")
        try issue("expired", number: 3, days: -1, "subjectAltName=DNS:localhost")
        try issue("client", number: 4, "extendedKeyUsage=clientAuth")
        try issue("expired-client", number: 5, days: -1, "extendedKeyUsage=clientAuth")
    }

    private func newKey(_ name: String) -> [String] {
        [
            "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path(name + ".key"),
            "-subj", "/CN=\(name)",
        ]
    }

    private func issue(_ name: String, number: Int, days: Int = 20, _ extensions: String) throws {
        try run(["req", "-out", path(name + ".csr")] + newKey(name))
        try Data((extensions + "\n").utf8).write(to: URL(fileURLWithPath: path(name + ".ext")))
        try run([
            "x509", "-req", "-in", path(name + ".csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"),
            "-set_serial", "\(number)", "-days", "\(days)", "-extfile", path(name + ".ext"), "-out",
            path(name + ".pem"),
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
