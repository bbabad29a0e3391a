// SPDX-License-Identifier: MIT

internal import CPlatform
internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// systemd socket activation and readiness notification, for systemd and compatible service managers.
///
/// Sockets bound for the service (`LISTEN_PID`, `LISTEN_FDS`, `LISTEN_FDNAMES`), and the notification socket
/// (`NOTIFY_SOCKET`). Without these variables there are no sockets, and notifications have no effect.
///
/// sd_listen_fds(3), sd_notify(3).
public struct SystemdEnvironment: Sendable {
    /// A socket bound for the service.
    public struct InheritedSocket: Sendable, Hashable {
        /// The name from the socket's unit; `unknown` if it has none.
        public let name: String
        /// The listening descriptor.
        public let descriptor: Int32
    }

    /// The state of the service.
    public enum State: Sendable, Hashable {
        /// It accepts connections, for the first time or after reloading.
        case ready
        /// It reloads its configuration.
        case reloading
        /// It accepts no more connections and will end.
        case stopping
    }

    /// The sockets, in the order of the unit.
    public let sockets: [InheritedSocket]
    private let notificationPath: String?

    /// The first inherited descriptor.
    private static let firstDescriptor: Int32 = 3
    private static let maxSocketCount: Int32 = 64

    /// Reads the service manager's environment variables.
    ///
    /// - Parameters:
    ///   - processID: The ID of this process; sockets for another process are ignored.
    ///   - variable: Looks up an environment variable.
    public init(processID: Int32, variable: (_ name: String) -> String?) {
        notificationPath = variable("NOTIFY_SOCKET")
        guard variable("LISTEN_PID").flatMap({ Int32($0) }) == processID,
            let count = variable("LISTEN_FDS").flatMap({ Int32($0) }),
            (1...Self.maxSocketCount).contains(count)
        else {
            sockets = []
            return
        }
        let names = (variable("LISTEN_FDNAMES") ?? "").split(separator: ":", omittingEmptySubsequences: false)
        sockets = (0..<count).map { index in
            let name = Int(index) < names.count ? String(names[Int(index)]) : ""
            return InheritedSocket(
                name: name.isEmpty ? "unknown" : name, descriptor: Self.firstDescriptor + index)
        }
    }

    /// Reports the service's state to the service manager.
    ///
    /// Does not wait; does nothing without a notification socket.
    public func notify(_ state: State) {
        switch state {
        case .ready: send("READY=1")
        case .stopping: send("STOPPING=1")
        // Type=notify-reload needs the time, to match the READY=1 that follows.
        case .reloading: send("RELOADING=1\nMONOTONIC_USEC=\(MonotonicInstant.now().nanoseconds / 1000)")
        }
    }

    private func send(_ text: String) {
        guard let path = notificationPath, path.hasPrefix("/") || path.hasPrefix("@"),
            let address = ResolvedAddress(unixPath: path)
        else { return }
        #if canImport(Glibc)
            let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        #else
            let descriptor = socket(AF_UNIX, SOCK_DGRAM, 0)
            let flags = Int32(MSG_DONTWAIT)
        #endif
        guard descriptor >= 0 else { return }
        defer { _ = closeDescriptor(descriptor) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        let bytes = Array(text.utf8)
        _ = address.withSockAddr { sendto(descriptor, bytes, bytes.count, flags, $0, $1) }
    }
}
