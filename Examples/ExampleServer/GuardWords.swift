// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisServer

/// The command line of `--guard`.
struct GuardWords {
    /// The options that only `--guard` has.
    static let options = ["--guard", "--resource", "--issuer-port"]

    /// The URL of the server to guard.
    let upstream: String
    /// `nil`: the origin where the gateway listens.
    let resource: ResourceIdentifier?
    let address: Invocation.Address
    let issuerPort: Int?

    /// Checks the values of the options.
    ///
    /// - Parameter address: The values of `--host` and `--port`.
    init(_ upstream: String, _ values: [String: String], _ address: Invocation.Address) throws(WrongWord) {
        if let problem = ReverseProxy.Configuration(upstream).problems.first {
            throw WrongWord("--guard \(problem.message)")
        }
        self.upstream = upstream
        let resource = try values["--resource"].map(Self.resource)
        self.resource = resource
        var address = address
        if let host = address.host, !Self.isLoopback(host) {
            throw WrongWord(
                "--host must be a loopback address with --guard, because its authorization server lets "
                    + "everybody in: 127.0.0.1, ::1 or localhost")
        }
        // A resource on this machine is where clients look for the gateway.
        if let url = resource?.url, url.isLoopback, !url.isSecure { address.port = address.port ?? url.port }
        self.address = address
        issuerPort = try values["--issuer-port"].map { text throws(WrongWord) in
            try Invocation.port(text, of: "--issuer-port")
        }
    }

    private static func resource(_ text: String) throws(WrongWord) -> ResourceIdentifier {
        do throws(ConfigurationError) {
            return try ResourceIdentifier(validating: text)
        } catch {
            throw WrongWord("--resource: \(error.description)")
        }
    }

    private static func isLoopback(_ host: String) -> Bool {
        let name = host.contains(":") ? "[\(host)]" : host
        return (try? HTTPURL("http://\(name)/"))?.isLoopback ?? false
    }
}

/// A value of the command line that cannot be used.
struct WrongWord: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
