// SPDX-License-Identifier: MIT

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A failed system call on a socket, with its error code.
public struct SocketError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A system call.
    public enum Call: String, Sendable {
        /// Creating a socket.
        case socket
        /// Binding it to an address.
        case bind
        /// Listening.
        case listen
        /// Accepting a connection.
        case accept
        /// Connecting.
        case connect
        /// Reading.
        case receive
        /// Writing.
        case send
        /// Resolving a host name.
        case resolve
        /// Setting an option.
        case option
        /// Watching for readiness.
        case epoll
        /// Setting the owner of a socket's file.
        case owner
        /// Setting the permissions of a socket's file.
        case permissions
    }

    /// The call that failed.
    public let call: Call
    /// The value of `errno`, or that of `getaddrinfo` for ``Call/resolve``.
    public let code: Int32

    package init(call: Call, code: Int32) {
        self.call = call
        self.code = code
    }

    /// A port outside 0 to 65535.
    package static let noSuchPort = SocketError(call: .resolve, code: EAI_SERVICE)

    /// The call and the system's message for the code.
    public var description: String {
        "\(call.rawValue): \(sentence)"
    }

    private var sentence: String {
        if self == Self.noSuchPort { return "a port is a number from 0 to 65535" }
        return call == .resolve ? SystemMessage.text(ofLookUp: code) : SystemMessage.text(code)
    }

    /// Whether another program uses the address.
    public var isAddressInUse: Bool { code == EADDRINUSE }
    /// Whether this process may not use the address, such as a port below 1024 or a folder of another user.
    public var isForbidden: Bool {
        [.bind, .owner, .permissions].contains(call) && (code == EACCES || code == EPERM)
    }
    /// Whether the folder of a socket's file does not exist.
    package var isFolderMissing: Bool { call == .bind && (code == ENOENT || code == ENOTDIR) }
    /// Whether the path of a Unix domain socket is longer than the system allows.
    package var isPathTooLong: Bool { call == .bind && code == ENAMETOOLONG }
    /// Whether no address of this machine has the name.
    package var isUnknownName: Bool { call == .resolve }

    /// The system's message for the code.
    package var reason: String { sentence }
}

/// The system's messages for its error codes.
package enum SystemMessage {
    /// The message for a value of `errno`.
    package static func text(_ code: Int32) -> String {
        strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }

    /// The message for an error of `getaddrinfo`.
    package static func text(ofLookUp code: Int32) -> String {
        gai_strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }
}
