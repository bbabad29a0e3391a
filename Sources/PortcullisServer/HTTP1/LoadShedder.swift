// SPDX-License-Identifier: MIT

internal import CPlatform
internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Answers 503 with `Retry-After` when the connection limit is reached.
///
/// RFC 9110 §15.6.4, §10.2.3.
//
// SAFETY: used on its loop only.
final class LoadShedder: @unchecked Sendable {
    /// The maximum number of clients being refused at the same time; each uses a descriptor.
    static let maxCount = 32
    /// How long a client may take to read the response.
    static let timeout = Duration.seconds(1)

    /// The whole response, the same for every request.
    static let answer = makeAnswer(readableBy: nil)

    /// The response for web pages of one origin, or of every origin (`*`).
    ///
    /// WHATWG Fetch, CORS check.
    private static func makeAnswer(readableBy origin: String?) -> [UInt8] {
        let lines = origin.map { "Access-Control-Allow-Origin: \($0)\r\n" } ?? ""
        return Array(
            """
            HTTP/1.1 503 Service Unavailable\r
            Retry-After: 2\r
            Cache-Control: no-store\r
            Content-Type: text/plain; charset=utf-8\r
            Content-Length: 20\r
            \(lines)Connection: close\r
            \r
            Service Unavailable

            """.utf8)
    }

    /// Called when a refused client is gone, so that another one can be refused.
    private let onRoom: @Sendable () -> Void
    private var count = 0

    init(onRoom: @escaping @Sendable () -> Void) {
        self.onRoom = onRoom
    }

    var hasRoom: Bool { count < Self.maxCount }

    /// Answers, with a look at what has arrived, then reads what the client still sends, so that a reset does
    /// not discard the response.
    ///
    /// RFC 9112 §9.6.
    ///
    /// - Parameter answering: Whether the client understands a response without TLS.
    func refuse(_ descriptor: Int32, answering: Bool, _ context: LoopContext) {
        context.recorder?.record(.connectionShed)
        if answering { Self.answer(descriptor, context) }
        shutdown(descriptor, Int32(SHUT_WR))
        let client = RefusedClient(descriptor: descriptor, context: context, shedder: self)
        do throws(SocketError) {
            try context.loop.watch(descriptor, client)
            context.loop.setDeadline(context.loop.now + Self.timeout, for: descriptor)
            count += 1
        } catch {
            _ = closeDescriptor(descriptor)
        }
    }

    /// Answers and closes at once, because no descriptor is free to wait with.
    ///
    /// Reads received bytes, because closing with unread bytes would reset the connection.
    func refuseImmediately(_ descriptor: Int32, answering: Bool, _ context: LoopContext) {
        context.recorder?.record(.connectionShed)
        if answering { Self.answer(descriptor, context) }
        shutdown(descriptor, Int32(SHUT_WR))
        _ = recv(descriptor, context.readBuffer.baseAddress, context.readBuffer.count, 0)
        _ = closeDescriptor(descriptor)
    }

    private static func answer(_ descriptor: Int32, _ context: LoopContext) {
        var answer = answer
        if let policy = context.table.refusalPolicy {
            let buffer = context.readBuffer
            let count =
                policy.listedOrigins == nil ? 0 : recv(descriptor, buffer.baseAddress, buffer.count, 0)
            let received = UnsafeRawBufferPointer(start: buffer.baseAddress, count: max(0, count))
            answer = makeAnswer(readableBy: policy.origin(ofUnread: received))
        }
        // A new socket's buffer has room for these few bytes.
        _ = answer.withUnsafeBytes { cplatform_send_bytes(descriptor, $0.baseAddress, $0.count) }
    }

    fileprivate func ended(_ descriptor: Int32, _ context: LoopContext) {
        context.loop.close(descriptor)
        count -= 1
        onRoom()
    }
}

/// A client that received 503, until it disconnects or its time is up.
///
// SAFETY: used on its loop only.
private final class RefusedClient: ReadinessHandler, @unchecked Sendable {
    private let descriptor: Int32
    private let context: LoopContext
    private let shedder: LoadShedder
    private var budget = Server.Limits.maxDiscardedByteCount

    init(descriptor: Int32, context: LoopContext, shedder: LoadShedder) {
        self.descriptor = descriptor
        self.context = context
        self.shedder = shedder
    }

    func ready(_ readiness: Readiness) {
        while budget > 0 {
            let count = recv(descriptor, context.readBuffer.baseAddress, context.readBuffer.count, 0)
            if count > 0 {
                budget -= count
            } else if count < 0, errno == EAGAIN || errno == EWOULDBLOCK {
                return context.loop.rearm(descriptor, for: .readable)
            } else if count == 0 || errno != EINTR {
                break
            }
        }
        shedder.ended(descriptor, context)
    }

    func deadlinePassed() {
        shedder.ended(descriptor, context)
    }
}
