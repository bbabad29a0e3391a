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

    /// Binds and listens.
    ///
    /// Connections wait in the system's backlog until a server runs.
    ///
    /// - Parameters:
    ///   - host: The address or name to listen on.
    ///   - port: The port; 0 for any free one.
    ///   - loopCount: How many event loops the server will have. Default: the processor cores there are.
    /// - Throws: ``SocketError``, for example if another program has the port.
    public init(host: String, port: Int, loopCount: Int? = nil) throws(SocketError) {
        let sockets = try ListeningSockets(
            host: host, port: port, count: loopCount ?? EventLoopGroup.coreCount)
        address = sockets.address
        descriptors = Mutex(sockets.descriptors)
    }

    deinit {
        for descriptor in take() { _ = closeDescriptor(descriptor) }
    }

    func take() -> [Int32] {
        descriptors.withLock { descriptors in
            defer { descriptors = [] }
            return descriptors
        }
    }
}
