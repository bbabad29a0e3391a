// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The state that the connections of one event loop share: buffers, the date, and the list of connections.
///
// SAFETY: used on its loop only, and no buffer is kept beyond the call that borrows it.
final class LoopContext: @unchecked Sendable {
    /// The most bytes read from a socket at once.
    static let readByteCount = 64 * 1024

    let loop: EventLoop
    let core: ServerCore
    let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: readByteCount, alignment: 16)
    // SAFETY: no access to these is open while any code runs that could enter this context.
    @exclusivity(unchecked) var outputBuffer: [UInt8] = []
    /// The routes for new requests.
    private(set) var table: RoutingTable
    /// The terms for new connections.
    private(set) var terms: ConnectionTerms
    private var serviceNumber: Int
    /// Receives events; `nil` without metrics.
    let recorder: (any ServerMetricsRecorder)?
    var watchdog = Watchdog()
    /// Whether single requests are recorded, for metrics, the access log or request IDs.
    let keepsRecords: Bool
    // SAFETY: as above; `isKnown` reads only the routing table.
    @exclusivity(unchecked) var hostWatch = HostWatch()
    /// Whether the routing table has resources, whose hosts requests should name.
    private(set) var watchesHosts: Bool
    private var requestIDs: RequestIDSource?
    // SAFETY: as above.
    @exclusivity(unchecked) private var traceSeeds = TraceSeedSource()
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
        watchesHosts = !service.table.resources.isEmpty
        terms = service.terms
        serviceNumber = service.number
        outputBuffer.reserveCapacity(16 * 1024)
    }

    deinit {
        readBuffer.deallocate()
    }

    /// The `Date` line, made once a second.
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

    func nextTraceSeed() -> TraceSeed { traceSeeds.next() }

    /// Uses other routes for new requests and other terms for new connections.
    ///
    /// Ignores a service older than the current one: of two concurrent replacements the same wins on every
    /// loop.
    func use(_ service: Service) {
        guard service.number > serviceNumber else { return }
        serviceNumber = service.number
        table = service.table
        watchesHosts = !service.table.resources.isEmpty
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

    /// Frees a connection's place, and wakes the listeners of all loops if one waits for a place.
    func giveBackPlace() {
        guard core.giveBackPlace() else { return }
        for context in core.contexts {
            context.loop.executeLater { context.acceptConnections() }
        }
    }

    private func acceptConnections() {
        for listener in listeners { listener.accept() }
    }

    /// Stops accepting, and lets every connection end with its current request.
    func beginDraining() {
        isDraining = true
        for listener in listeners {
            // Clients in the backlog are already connected: closing now would reset their connections.
            listener.accept()
            listener.close()
        }
        listeners = []
        for handshake in proxyHandshakes.values { handshake.drain() }
        for connection in connections.values { connection.assumeIsolated { $0.drain() } }
    }

    /// The routes whose handlers run and have not answered.
    var taskRoutes: [CompiledRoute] {
        connections.values.compactMap { connection in connection.assumeIsolated { $0.pending?.taskRoute } }
    }

    /// Cancels the running handlers.
    func cancelHandlers() {
        for connection in connections.values { connection.assumeIsolated { $0.cancelHandler() } }
    }

    /// Closes the remaining connections.
    func cutConnections() {
        for handshake in proxyHandshakes.values { handshake.end() }
        for connection in connections.values { connection.assumeIsolated { $0.abort() } }
    }
}
