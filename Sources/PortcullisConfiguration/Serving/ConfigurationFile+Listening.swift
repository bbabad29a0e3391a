// SPDX-License-Identifier: MIT

import PortcullisServer
package import PortcullisTransport

extension ConfigurationFile {
    /// The host to listen on, in which the path of a Unix domain socket is relative to the file's folder.
    package static func listenerHost(_ host: String, relativeTo file: String) -> String {
        let prefix = ServerSocket.unixPrefix
        guard host.hasPrefix(prefix) else { return host }
        let path = String(host.dropFirst(prefix.count))
        return prefix + (path.hasPrefix("@") ? path : resolve(path, relativeTo: file))
    }

    /// Looks up the owner of the socket's file; `nil` if the file names none.
    ///
    /// Blocks its thread while the system looks up the names.
    package func makeSocketOwner() throws(InvalidConfiguration) -> FileOwner? {
        guard let text = server.unixSocketOwner else { return nil }
        do throws(FileOwner.UnknownOwner) {
            return try FileOwner(named: text)
        } catch {
            let findings = FindingCollector()
            findings.error(JSONPath.root["server"]["unix_socket_owner"], Self.describe(error))
            throw InvalidConfiguration(findings: findings.findings)
        }
    }

    private static func describe(_ error: FileOwner.UnknownOwner) -> String {
        switch error {
        case .user: "names a user that this system does not have"
        case .group: "names a group that this system does not have"
        default: "must be \"user:group\", \"user\" or \":group\", each a name or a number"
        }
    }
}

/// The error for a listener that cannot bind its address: which setting to change, and why.
package struct ListenerFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where the address of a listener is set.
    package struct Places: Sendable, Hashable {
        let host: String
        let port: String
        let owner: String
        let mode: String

        /// The keys of an object of the configuration file.
        package init(object path: String) {
            host = path + ".host"
            port = path + ".port"
            owner = path + ".unix_socket_owner"
            mode = path + ".unix_socket_mode"
        }

        /// The options of the command line.
        package static let commandLine = Places("--host", "--port")
        /// The option of the authorization server that guards another server for a try.
        package static let demoIssuer = Places("--host", "--issuer-port")

        private init(_ host: String, _ port: String) {
            self.host = host
            self.port = port
            owner = host
            mode = host
        }
    }

    /// One line: the place, what is wrong, and what would be right.
    package let description: String

    /// Describes an error.
    ///
    /// - Parameters:
    ///   - host: The host that could not be bound, with the whole path of a Unix domain socket.
    ///   - port: The port.
    ///   - isSocket: Whether the path of a Unix domain socket leads to a socket, not to another file.
    package init(_ error: SocketError, host: String, port: Int, isSocket: Bool = true, at places: Places) {
        let prefix = ServerSocket.unixPrefix
        let text =
            host.hasPrefix(prefix)
            ? Self.describe(error, path: String(host.dropFirst(prefix.count)), isSocket: isSocket, places)
            : Self.describe(error, host, port, places)
        description = TerminalText.printable(text)
    }

    private static func describe(
        _ error: SocketError, path: String, isSocket: Bool, _ places: Places
    ) -> String {
        if error.call == .owner {
            return
                "\(places.owner): cannot be set for \(path): \(error.reason); only root gives files to others"
        }
        if error.call == .permissions { return "\(places.mode): cannot be set for \(path): \(error.reason)" }
        if error.isAddressInUse {
            return isSocket
                ? "\(places.host): another program listens on \(path); stop it, or use another path"
                : "\(places.host): \(path) is a file, but not a socket; remove it, or use another path"
        }
        if error.isFolderMissing { return "\(places.host): the folder of \(path) does not exist; create it" }
        if error.isPathTooLong { return "\(places.host): \(path) is empty or too long for a socket's path" }
        if error.isForbidden {
            return "\(places.host): \(path) cannot be created: \(error.reason); its folder must be writable"
        }
        return "\(places.host): \(path) cannot be bound: \(error.reason)"
    }

    private static func describe(
        _ error: SocketError, _ host: String, _ port: Int, _ places: Places
    ) -> String {
        if error.isAddressInUse {
            return
                "\(places.port): \(port) is in use by another program; must be a free port, or 0 to select one"
        }
        if error.isForbidden, (1..<1024).contains(port) {
            return "\(places.port): \(port) needs the right to bind a port below 1024; use another port, "
                + "a systemd socket unit, or give the program the capability CAP_NET_BIND_SERVICE"
        }
        if error.isUnknownName {
            return "\(places.host): \(host) is no address and no name that this machine can resolve: "
                + error.reason
        }
        return "\(places.host): \(host) cannot be bound: \(error.reason); must be an address of this machine"
    }
}
