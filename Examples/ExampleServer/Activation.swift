// SPDX-License-Identifier: MIT

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
    ) throws(SocketError) -> ServerSocket? {
        let wanted = sockets.filter { isWanted($0.name) }.map(\.descriptor)
        return wanted.isEmpty ? nil : try ServerSocket(adopting: wanted, loopCount: loopCount)
    }
}
