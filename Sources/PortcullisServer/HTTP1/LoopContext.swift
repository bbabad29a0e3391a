// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// What the connections of one event loop share: buffers that only one of them uses at a time, the date, and the list of them all.
///
// SAFETY: used on its loop only, and no buffer is kept beyond the call that borrows it.
final class LoopContext: @unchecked Sendable {
    /// How much is read from a socket at once.
    static let readByteCount = 64 * 1024

    let loop: EventLoop
    let core: ServerCore
    let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: readByteCount, alignment: 16)
    // SAFETY: no access to one of these is open while anything runs that could enter this context.
    @exclusivity(unchecked) var outputBuffer: [UInt8] = []
    /// The routes for requests that begin now.
    private(set) var table: RoutingTable
    /// The terms for connections that begin now.
    private(set) var terms: ConnectionTerms
    private var serviceNumber: Int
    /// Receives events; `nil` without metrics.
    let recorder: (any ServerMetricsRecorder)?
    var watchdog = Watchdog()
    /// Whether single requests are recorded, for metrics, the access log or request IDs.
    let keepsRecords: Bool
    // SAFETY: as above; `isKnown` asks the routing table alone.
    @exclusivity(unchecked) var hostWatch = HostWatch()
    private var requestIDs: RequestIDSource?
    private var connections: [Int32: Connection] = [:]
    private var listeners: [Listener] = []
    /// Connections of trusted proxies whose PROXY protocol header has not arrived.
    var proxyHandshakes: [Int32: ProxyProtocolHandshake] = [:]
    private(set) var isDraining = false
    // SAFETY: as above.
    @exclusivity(unchecked) private var lastDateLine: [UInt8] = []
    @exclusivity(unchecked) private var dateSecond = UInt64.max

    init(loop: EventLoop, core: ServerCore, service: Service) {
        self.loop = loop
        self.core = core
        recorder = core.metrics?.makeRecorder(loop: loop.index)
        keepsRecords = core.metrics != nil || core.accessLog != nil || core.assignsRequestIDs
        if core.assignsRequestIDs { requestIDs = RequestIDSource(seed: .random(in: .min ... .max)) }
        table = service.table
        terms = service.terms
        serviceNumber = service.number
        outputBuffer.reserveCapacity(16 * 1024)
    }

    deinit {
        readBuffer.deallocate()
    }

    /// The line of `Date`, made once a second.
    ///
    /// RFC 9110 §6.6.1.
    var dateLine: [UInt8] {
        let second = loop.now.nanoseconds / 1_000_000_000
        if second != dateSecond {
            dateSecond = second
            let date = HTTPDate.format(secondsSince1970: core.dateSeconds?() ?? Int(time(nil)))
            lastDateLine = Array("Date: ".utf8) + date + Array("\r\n".utf8)
        }
        return lastDateLine
    }

    func nextRequestID() -> String? { requestIDs?.next() }

    /// Answers from now on with other routes, and opens connections on other terms.
    ///
    /// A service older than the one in use is ignored: of two concurrent replacements the same one wins on every loop.
    func use(_ service: Service) {
        guard service.number > serviceNumber else { return }
        serviceNumber = service.number
        table = service.table
        terms = service.terms
        hostWatch.reset()
        // The connection limit may have been raised.
        for listener in listeners { listener.accept() }
    }

    // MARK: Connections

    func listen(on descriptor: Int32) throws(SocketError) {
        let listener = Listener(descriptor: descriptor, context: self)
        try loop.watch(descriptor, listener)
        listeners.append(listener)
    }

    func add(_ connection: Connection, _ descriptor: Int32) {
        connections[descriptor] = connection
        core.connectionOpened()
        recorder?.record(.connectionOpened)
    }

    func remove(_ descriptor: Int32) {
        connections[descriptor] = nil
        core.connectionClosed()
        recorder?.record(.connectionClosed)
    }

    /// Frees the place of a connection of this loop; the listeners of all loops may have been waiting for it.
    func giveBackPlace() {
        guard core.giveBackPlace() else { return }
        for context in core.contexts {
            context.loop.executeLater { context.acceptConnections() }
        }
    }

    private func acceptConnections() {
        for listener in listeners { listener.accept() }
    }

    /// Stops accepting and lets every connection end with the request that it is answering.
    func beginDraining() {
        isDraining = true
        for listener in listeners {
            // The clients in the backlog are connected already: closing now would reset their connections.
            listener.accept()
            listener.close()
        }
        listeners = []
        for handshake in proxyHandshakes.values { handshake.drain() }
        for connection in connections.values { connection.assumeIsolated { $0.drain() } }
    }

    /// The routes whose handlers have been started and have not answered.
    var taskRoutes: [CompiledRoute] {
        connections.values.compactMap { connection in connection.assumeIsolated { $0.pending?.taskRoute } }
    }

    /// Cancels the handlers that still run.
    func cancelHandlers() {
        for connection in connections.values { connection.assumeIsolated { $0.cancelHandler() } }
    }

    /// Closes the connections that are left.
    func cutConnections() {
        for handshake in proxyHandshakes.values { handshake.end() }
        for connection in connections.values { connection.assumeIsolated { $0.abort() } }
    }
}
