// SPDX-License-Identifier: MIT

import Dispatch
import PortcullisTransport
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A client that sends any bytes, over a blocking socket with a timeout.
///
/// Its two directions block their own queues, never the threads that run tasks.
final class RawClient: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let call: String
        let code: Int32

        var description: String { "\(call): \(String(cString: strerror(code)))" }
    }

    /// How a connection ended.
    enum Ending: Equatable {
        case closed
        case reset
        /// It has not ended.
        case timedOut
    }

    let descriptor: Int32
    private let readQueue = DispatchQueue(label: "client.read")
    private let writeQueue = DispatchQueue(label: "client.write")
    private let pending = Mutex<[UInt8]>([])
    /// Set once, before anything is sent; used only on `readQueue`.
    let secured = Mutex<SocketStream?>(nil)
    private let isOpen = Atomic<Bool>(true)

    /// Connects.
    ///
    /// - Parameter receiveBuffer: The size of the system's buffer in bytes, for a client that reads slowly.
    init(port: Int, receiveBuffer: Int32? = nil, timeout: Duration = .seconds(20)) throws {
        #if canImport(Glibc)
            let type = Int32(SOCK_STREAM.rawValue)
        #else
            let type = SOCK_STREAM
        #endif
        descriptor = socket(AF_INET, type, 0)
        guard descriptor >= 0 else { throw Failure(call: "socket", code: errno) }
        if let receiveBuffer { set(SOL_SOCKET, SO_RCVBUF, receiveBuffer) }
        let limit = timeval(tv_sec: Int(timeout.components.seconds), tv_usec: 0)
        set(SOL_SOCKET, SO_RCVTIMEO, limit)
        set(SOL_SOCKET, SO_SNDTIMEO, limit)
        set(Int32(IPPROTO_TCP), TCP_NODELAY, Int32(1))
        #if !canImport(Glibc)
            set(SOL_SOCKET, SO_NOSIGPIPE, Int32(1))
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: address) { pointer in
            // SAFETY: the system passes every kind of address as this one type.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure(call: "connect", code: errno) }
    }

    /// Connects to a Unix domain socket.
    init(unixPath path: String) throws {
        guard let address = ResolvedAddress(unixPath: path) else { throw Failure(call: "bind", code: EINVAL) }
        #if canImport(Glibc)
            descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #else
            descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
        #endif
        set(SOL_SOCKET, SO_RCVTIMEO, timeval(tv_sec: 20, tv_usec: 0))
        guard address.withSockAddr({ connect(descriptor, $0, $1) }) == 0 else {
            throw Failure(call: "connect", code: errno)
        }
    }

    deinit { close() }

    /// Whether a server listens on the port.
    static func canConnect(to port: Int) -> Bool { (try? RawClient(port: port)) != nil }

    private func set<Value: BitwiseCopyable>(_ level: Int32, _ option: Int32, _ value: Value) {
        _ = withUnsafeBytes(of: value) {
            setsockopt(descriptor, level, option, $0.baseAddress, socklen_t($0.count))
        }
    }

    // MARK: Ending

    func close() {
        guard isOpen.exchange(false, ordering: .relaxed) else { return }
        #if canImport(Glibc)
            _ = Glibc.close(descriptor)
        #else
            _ = Darwin.close(descriptor)
        #endif
    }

    /// Half-closes; the server may continue.
    func endWriting() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    /// Resets the connection.
    func reset() {
        set(SOL_SOCKET, SO_LINGER, linger(l_onoff: 1, l_linger: 0))
        close()
    }

    // MARK: Writing

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    /// Sends everything; throws when the server has not read it in time.
    func send(_ bytes: [UInt8]) async throws {
        let sent = await sendSome(bytes)
        guard sent == bytes.count else { throw Failure(call: "send", code: errno) }
    }

    /// Sends until it is done or the server reads no more, and returns the number of bytes sent.
    func sendSome(_ bytes: [UInt8]) async -> Int {
        if isSecured { return await sendSecured(bytes) }
        return await on(writeQueue) { [descriptor] in
            var done = 0
            while done < bytes.count {
                let count = bytes.withUnsafeBytes { buffer in
                    #if canImport(Glibc)
                        Glibc.send(
                            descriptor, buffer.baseAddress.map { $0 + done }, bytes.count - done,
                            Int32(MSG_NOSIGNAL))
                    #else
                        Darwin.send(descriptor, buffer.baseAddress.map { $0 + done }, bytes.count - done, 0)
                    #endif
                }
                guard count > 0 else { return done }
                done += count
            }
            return done
        }
    }

    // MARK: Reading

    /// The next response.
    ///
    /// - Parameter method: The method of the request, because answers to `HEAD` have no content.
    func reply(to method: String = "GET") async throws -> Reply {
        try await on(readQueue) {
            var reader = ReplyReader(
                isHead: method == "HEAD", pending: self.take(), receive: self.receiveOnce)
            defer { self.put(reader.pending) }
            return try reader.read()
        }
    }

    /// Sends a request and reads the response.
    func exchange(_ request: String) async throws -> Reply {
        try await send(request)
        return try await reply(to: String(request.prefix { $0 != " " }))
    }

    /// Everything until the end of the connection.
    func rest() async -> (bytes: [UInt8], ending: Ending) {
        await on(readQueue) {
            var bytes = self.take()
            while true {
                do throws(Failure) {
                    let piece = try self.receiveOnce()
                    if piece.isEmpty { return (bytes, .closed) }
                    bytes += piece
                } catch {
                    let isTimeout = error.code == EAGAIN || error.code == EWOULDBLOCK
                    return (bytes, isTimeout ? .timedOut : .reset)
                }
            }
        }
    }

    /// Everything until the end of the connection, as text.
    func restText() async -> String { String(decoding: await rest().bytes, as: UTF8.self) }

    /// At least this many bytes.
    func receive(atLeast count: Int) async throws -> [UInt8] {
        try await on(readQueue) {
            var bytes = self.take()
            while bytes.count < count {
                let piece = try self.receiveOnce()
                guard !piece.isEmpty else { throw Failure(call: "recv", code: 0) }
                bytes += piece
            }
            return bytes
        }
    }

    /// Takes at least `count` bytes, pauses, and goes on until `duration` is over or so many bytes have come.
    ///
    /// Stays on its queue, so that the pauses keep their length while other tests occupy all threads of tasks.
    ///
    /// - Returns: How many bytes came.
    func receiveSlowly(
        for duration: Duration = .seconds(60), atLeast count: Int, pause: Duration, upTo limit: Int = .max
    ) async throws -> Int {
        try await on(readQueue) {
            let end = ContinuousClock.now + duration
            var taken = self.take().count
            while ContinuousClock.now < end, taken < limit {
                var piece = 0
                while piece < count {
                    let received = try self.receiveOnce().count
                    guard received > 0 else { throw Failure(call: "recv", code: 0) }
                    piece += received
                }
                taken += piece
                usleep(UInt32(pause / .microseconds(1)))
            }
            return taken
        }
    }

    /// Everything up to and including a text.
    func receive(upTo text: String) async throws -> String {
        var seen = ""
        while !seen.hasSuffix(text) { seen += String(decoding: try await receive(atLeast: 1), as: UTF8.self) }
        return seen
    }

    private func take() -> [UInt8] {
        pending.withLock { pending in
            defer { pending = [] }
            return pending
        }
    }

    private func put(_ bytes: [UInt8]) { pending.withLock { $0 = bytes } }

    private func receiveOnce() throws(Failure) -> [UInt8] {
        if isSecured { return try receiveSecured() }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
        guard count >= 0 else { throw Failure(call: "recv", code: errno) }
        return Array(buffer[..<count])
    }

    @discardableResult
    func onReadQueue<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
        await on(readQueue, work)
    }

    private func on<Result: Sendable>(
        _ queue: DispatchQueue, _ work: @escaping @Sendable () -> Result
    ) async -> Result {
        await withCheckedContinuation { continuation in queue.async { continuation.resume(returning: work()) }
        }
    }

    private func on<Result: Sendable>(
        _ queue: DispatchQueue, _ work: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Swift.Result { try work() }) }
        }
    }
}
