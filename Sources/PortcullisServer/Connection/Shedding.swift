// SPDX-License-Identifier: MIT

internal import CPlatform
internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Tells clients for whom there is no place to come back later.
///
/// RFC 9110 §15.6.4, §10.2.3.
//
// SAFETY: used on its loop only.
final class Shedding: @unchecked Sendable {
    /// How many are being turned away at the same time; each holds a descriptor.
    static let maxCount = 32
    /// How long a client has to take the answer.
    static let patience = Duration.seconds(1)

    /// The whole answer, which needs no request to be read.
    static let answer: [UInt8] = Array(
        """
        HTTP/1.1 503 Service Unavailable\r
        Retry-After: 2\r
        Cache-Control: no-store\r
        Content-Type: text/plain; charset=utf-8\r
        Content-Length: 20\r
        Connection: close\r
        \r
        Service Unavailable

        """.utf8)

    /// Is told that another may be turned away.
    private let onRoom: @Sendable () -> Void
    private var count = 0

    init(onRoom: @escaping @Sendable () -> Void) {
        self.onRoom = onRoom
    }

    var hasRoom: Bool { count < Self.maxCount }

    /// Answers, and hears the client out, so that the answer is not lost to a reset.
    ///
    /// RFC 9112 §9.6.
    ///
    /// - Parameter answering: Whether the client understands bytes that are sent as they are; under TLS it does not.
    func turnAway(_ descriptor: Int32, answering: Bool, _ context: LoopContext) {
        context.recorder?.record(.connectionShed)
        if answering { Self.send(to: descriptor) }
        shutdown(descriptor, Int32(SHUT_WR))
        let visitor = Visitor(descriptor: descriptor, context: context, shedding: self)
        do throws(SocketError) {
            try context.loop.watch(descriptor, visitor)
            context.loop.setDeadline(context.loop.now + Self.patience, for: descriptor)
            count += 1
        } catch {
            _ = closeDescriptor(descriptor)
        }
    }

    /// Answers and closes at once, for want of a descriptor.
    ///
    /// What has arrived is read first, since closing over it would be a reset.
    func turnAwayAtOnce(_ descriptor: Int32, answering: Bool, _ context: LoopContext) {
        context.recorder?.record(.connectionShed)
        if answering { Self.send(to: descriptor) }
        shutdown(descriptor, Int32(SHUT_WR))
        _ = recv(descriptor, context.readBuffer.baseAddress, context.readBuffer.count, 0)
        _ = closeDescriptor(descriptor)
    }

    private static func send(to descriptor: Int32) {
        // A new socket has room for these few bytes.
        _ = answer.withUnsafeBytes { cplatform_send_bytes(descriptor, $0.baseAddress, $0.count) }
    }

    fileprivate func ended(_ descriptor: Int32, _ context: LoopContext) {
        context.loop.close(descriptor)
        count -= 1
        onRoom()
    }
}

/// A client that has been told, until it goes.
///
// SAFETY: used on its loop only.
private final class Visitor: ReadinessHandler, @unchecked Sendable {
    private let descriptor: Int32
    private let context: LoopContext
    private let shedding: Shedding
    private var budget = Server.Limits.maxDiscardedByteCount

    init(descriptor: Int32, context: LoopContext, shedding: Shedding) {
        self.descriptor = descriptor
        self.context = context
        self.shedding = shedding
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
        shedding.ended(descriptor, context)
    }

    func deadlinePassed() {
        shedding.ended(descriptor, context)
    }
}
