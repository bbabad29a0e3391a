// SPDX-License-Identifier: MIT

internal import CPlatform
internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// What systemd, or whoever speaks like it, tells a service that it starts, and what the service tells it back.
///
/// Sockets that were bound for the service (`LISTEN_PID`, `LISTEN_FDS`, `LISTEN_FDNAMES`), and the notification socket
/// (`NOTIFY_SOCKET`). Started by anything else, there are no sockets and notifications go nowhere.
///
/// sd_listen_fds(3), sd_notify(3).
public struct SystemdEnvironment: Sendable {
    /// A socket that was bound for the service.
    public struct InheritedSocket: Sendable, Hashable {
        /// The name that the socket's unit gives it; `unknown` if it gives none.
        public let name: String
        /// The descriptor, which listens already.
        public let descriptor: Int32
    }

    /// What the service says of itself.
    public enum State: Sendable, Hashable {
        /// It accepts connections, for the first time or after reloading.
        case ready
        /// It reads its configuration anew.
        case reloading
        /// It accepts no more connections and will end.
        case stopping
    }

    /// The sockets, in the order of the unit.
    public let sockets: [InheritedSocket]
    private let notificationPath: String?

    /// The first descriptor that is handed over.
    private static let firstDescriptor: Int32 = 3
    private static let maxSocketCount: Int32 = 64

    /// Reads what the service manager left in the environment.
    ///
    /// - Parameters:
    ///   - processID: Of this process; sockets that are meant for another are not taken.
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

    /// Tells the service manager how the service is.
    ///
    /// Does not wait, and does nothing if nobody wants to know.
    public func notify(_ state: State) {
        switch state {
        case .ready: send("READY=1")
        case .stopping: send("STOPPING=1")
        // Type=notify-reload wants to know since when, to tell the READY=1 that follows from an earlier one.
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
