// SPDX-License-Identifier: MIT

public import PortcullisTransport
internal import Synchronization

/// An address that is bound, for a server that has yet to be made.
///
/// For programs whose routes contain their own port: bind first, then declare.
public final class ServerSocket: Sendable {
    /// The real address, with the port that the system chose if 0 was asked for.
    public let address: SocketAddress
    private let descriptors: Mutex<[Int32]>
    /// The socket's file, which goes when the server does.
    private let file: (path: String, identity: FileIdentity)?

    private static let unixPrefix = "unix:"

    /// Binds and listens.
    ///
    /// Connections wait in the system's backlog until a server runs.
    ///
    /// - Parameters:
    ///   - host: The address or name to listen on; or `unix:` and the path of a Unix domain socket, whose file has the permissions that
    ///     the process's mask leaves it. One that nobody listens on any more is replaced.
    ///   - port: The port, at most 65535; 0 for any free one. A Unix domain socket has none.
    ///   - loopCount: How many event loops the server will have. Default: the processor cores there are.
    /// - Throws: `SocketError`, for example if another program has the port or there is no such port.
    public convenience init(host: String, port: Int, loopCount: Int? = nil) throws(SocketError) {
        guard SocketAddress.ports.contains(port) else { throw SocketError.noSuchPort }
        guard !host.hasPrefix(Self.unixPrefix) else {
            let path = String(host.dropFirst(Self.unixPrefix.count))
            try self.init(unixPath: path, permissions: nil, loopCount: loopCount)
            return
        }
        self.init(
            try ListeningSockets(host: host, port: port, count: loopCount ?? EventLoopGroup.coreCount))
    }

    /// Binds a Unix domain socket and listens.
    ///
    /// - Parameters:
    ///   - path: Of the socket's file, which is removed when the server has run. One that nobody listens on any more is replaced.
    ///   - permissions: Of the file, such as `0o660`: they decide who may connect.
    ///   - loopCount: How many event loops the server will have. Default: the processor cores there are.
    /// - Throws: `SocketError`, for example if the path is too long or another program listens there.
    public convenience init(
        unixPath path: String, permissions: UInt16?, loopCount: Int? = nil
    ) throws(SocketError) {
        let sockets = try ListeningSockets(
            unixPath: path, permissions: permissions, count: loopCount ?? EventLoopGroup.coreCount)
        self.init(sockets, file: FileIdentity(socketAt: path).map { (path, $0) })
    }

    /// Takes over sockets that listen already, such as those of ``SystemdEnvironment/sockets``.
    ///
    /// ``address`` is that of the first.
    ///
    /// - Throws: `SocketError` for a descriptor that is no listening stream socket.
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
