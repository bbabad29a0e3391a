// SPDX-License-Identifier: MIT

import PortcullisConfiguration
import PortcullisServer
import PortcullisTransport

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The environment that systemd passes to a service.
func serviceManager() -> SystemdEnvironment {
    SystemdEnvironment(processID: getpid()) { name in getenv(name).map { String(cString: $0) } }
}

extension SystemdEnvironment {
    /// The passed sockets with these names as one server socket, or `nil` if there are none.
    func socket(
        named isWanted: (String) -> Bool, loopCount: Int?
    ) throws(UnusableSocket) -> ServerSocket? {
        let wanted = sockets.filter { isWanted($0.name) }.map(\.descriptor)
        do throws(SocketError) {
            return wanted.isEmpty ? nil : try ServerSocket(adopting: wanted, loopCount: loopCount)
        } catch {
            throw UnusableSocket()
        }
    }
}

/// The error for a passed descriptor that is not a listening stream socket.
struct UnusableSocket: Error, CustomStringConvertible {
    let description =
        "LISTEN_FDS: a socket that the service manager passed is not a listening stream socket; "
        + "its unit needs ListenStream="
}

/// Binds an address.
///
/// - Throws: ``ListenerFault`` that names the setting to change.
func makeSocket(
    at places: ListenerFault.Places, _ host: String, _ port: Int,
    permissions: UInt16 = ServerSocket.defaultPermissions, owner: FileOwner? = nil, loopCount: Int? = nil
) throws(ListenerFault) -> ServerSocket {
    let path = host.hasPrefix("unix:") ? String(host.dropFirst(5)) : nil
    do throws(SocketError) {
        if let path {
            return try ServerSocket(
                unixPath: path, permissions: permissions, owner: owner, loopCount: loopCount)
        }
        return try ServerSocket(host: host, port: port, loopCount: loopCount)
    } catch {
        let isSocket = path.map { FileIdentity(socketAt: $0) != nil || $0.hasPrefix("@") } ?? true
        throw ListenerFault(error, host: host, port: port, isSocket: isSocket, at: places)
    }
}
