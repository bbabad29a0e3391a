// SPDX-License-Identifier: MIT

import PortcullisServer
import PortcullisTransport

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What systemd left in the environment, if it started the program.
func serviceManager() -> SystemdEnvironment {
    SystemdEnvironment(processID: getpid()) { name in getenv(name).map { String(cString: $0) } }
}

extension SystemdEnvironment {
    /// The sockets of these names as one; nothing if none was handed over.
    func socket(
        named isWanted: (String) -> Bool, loopCount: Int?
    ) throws(SocketError) -> ServerSocket? {
        let wanted = sockets.filter { isWanted($0.name) }.map(\.descriptor)
        return wanted.isEmpty ? nil : try ServerSocket(adopting: wanted, loopCount: loopCount)
    }
}
