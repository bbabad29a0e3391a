// SPDX-License-Identifier: MIT

public import PortcullisTransport
internal import Synchronization

/// A bound address, for a server that is made later.
///
/// For programs whose routes contain their own port: bind first, then declare.
public final class ServerSocket: Sendable {
    /// The real address, with the port that the system chose for port 0.
    public let address: SocketAddress
    private let descriptors: Mutex<[Int32]>
    /// The socket's file, removed with the server.
    private let file: (path: String, identity: FileIdentity)?

    /// The beginning of a host that is the path of a Unix domain socket.
    package static let unixPrefix = "unix:"
    /// The permissions of a socket's file unless others are given: its user and group may connect.
    public static let defaultPermissions: UInt16 = 0o660

    /// Binds and listens.
    ///
    /// Connections wait in the system's backlog until a server runs.
    ///
    /// - Parameters:
    ///   - host: The address or name to listen on; or `unix:` and the path of a Unix domain socket, whose
    ///     file gets ``defaultPermissions``. A socket file without a listener is replaced.
    ///   - port: The port, at most 65535; 0 for any free port. A Unix domain socket has none.
    ///   - loopCount: The number of event loops of the server. Default: one for each processor core.
    /// - Throws: `SocketError`, for example if another program uses the port or the port is out of range.
    public convenience init(host: String, port: Int, loopCount: Int? = nil) throws(SocketError) {
        guard SocketAddress.ports.contains(port) else { throw SocketError.noSuchPort }
        guard !host.hasPrefix(Self.unixPrefix) else {
            let path = String(host.dropFirst(Self.unixPrefix.count))
            try self.init(unixPath: path, loopCount: loopCount)
            return
        }
        self.init(
            try ListeningSockets(host: host, port: port, count: loopCount ?? EventLoopGroup.coreCount))
    }

    /// Binds a Unix domain socket and listens.
    ///
    /// - Parameters:
    ///   - path: The path of the socket's file, which is removed after the server has run. A socket file
    ///     without a listener is replaced.
    ///   - permissions: The permissions of the file, which decide who may connect; `nil` leaves them to the
    ///     umask. Default ``defaultPermissions``.
    ///   - owner: The owner of the file. Default: the user and group of the process. Another user needs the
    ///     rights of root.
    ///   - loopCount: The number of event loops of the server. Default: one for each processor core.
    /// - Throws: `SocketError`, for example if the path is too long or another program listens there.
    public convenience init(
        unixPath path: String, permissions: UInt16? = defaultPermissions, owner: FileOwner? = nil,
        loopCount: Int? = nil
    ) throws(SocketError) {
        let sockets = try ListeningSockets(
            unixPath: path, permissions: permissions, owner: owner,
            count: loopCount ?? EventLoopGroup.coreCount)
        self.init(sockets, file: FileIdentity(socketAt: path).map { (path, $0) })
    }

    /// Takes over listening sockets, such as those of ``SystemdEnvironment/sockets``.
    ///
    /// ``address`` is the address of the first.
    ///
    /// - Throws: `SocketError` for a descriptor that is not a listening stream socket.
    public convenience init(adopting descriptors: [Int32], loopCount: Int? = nil) throws(SocketError) {
        self.init(
            try ListeningSockets(adopting: descriptors, count: loopCount ?? EventLoopGroup.coreCount))
    }

    private init(_ sockets: ListeningSockets, file: (path: String, identity: FileIdentity)? = nil) {
        address = sockets.address
        descriptors = Mutex(sockets.descriptors)
        self.file = file
    }

    deinit {
        for descriptor in take() { _ = closeDescriptor(descriptor) }
        removeFile()
    }

    func take() -> [Int32] {
        descriptors.withLock { descriptors in
            defer { descriptors = [] }
            return descriptors
        }
    }

    /// Removes the file of a Unix domain socket, unless another server has put its own there.
    func removeFile() {
        if let file { file.identity.remove(file.path) }
    }
}
