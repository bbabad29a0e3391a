// SPDX-License-Identifier: MIT

import Dispatch
import Foundation

/// `openssl s_client`, for behaviour that our own client does not have.
enum OpenSSLClient {
    /// Connects, sends a request, and returns what the program printed until the server closed.
    ///
    /// - Parameter takesCommands: Whether one-letter lines are commands to the program.
    static func run(
        port: Int, _ arguments: [String], sending text: String = "", takesCommands: Bool = false
    ) async throws -> String {
        let certificates = try TestIdentities.shared.get()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            [
                "openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-servername", "localhost", "-CAfile",
                certificates.path("ca.pem"),
            ] + (takesCommands ? [] : ["-ign_eof"]) + arguments
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        return try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "openssl").async {
                continuation.resume(
                    with: Result {
                        try process.run()
                        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
                        let printed = output.fileHandleForReading.readDataToEndOfFile()
                        process.waitUntilExit()
                        return String(decoding: printed, as: UTF8.self)
                    })
            }
        }
    }
}
