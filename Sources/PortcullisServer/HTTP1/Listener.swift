// SPDX-License-Identifier: MIT

internal import CPlatform
internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Accepts connections for one loop, in batches, up to the connection limit; after a grace period at the
/// limit, new clients get 503.
///
// SAFETY: used on its loop only.
final class Listener: ReadinessHandler, @unchecked Sendable {
    /// The maximum number of connections that one turn accepts.
    private static let batch = 64
    /// How long to wait when the process has no descriptor left.
    private static let pause = Duration.milliseconds(50)
    /// The maximum number of clients that get 503 after such a pause.
    private static let shedBatch = 16

    private let descriptor: Int32
    private unowned let context: LoopContext
    private var isOpen = true
    private var gracePeriod = OverloadGracePeriod()
    private lazy var shedder = LoadShedder { [weak self] in self?.accept() }

    init(descriptor: Int32, context: LoopContext) {
        self.descriptor = descriptor
        self.context = context
    }

    func ready(_ readiness: Readiness) {
        accept()
    }

    func deadlinePassed() {
        accept()
    }

    /// Accepts connections until no client waits or the connection limit is reached.
    ///
    /// At the limit, new clients wait in the backlog for the grace period.
    func accept() {
        guard isOpen else { return }
        for _ in 0..<Self.batch {
            guard context.core.mayOpenConnection() else { return waitOrRefuse() }
            guard acceptOne() else { return }
        }
        acceptLater()
    }

    private func acceptLater() {
        let context = context
        context.loop.executeLater { [weak self] in self?.accept() }
    }

    private func acceptOne() -> Bool {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let accepted = cplatform_accept(descriptor, &address, &length)
        guard accepted >= 0 else {
            let code = errno
            context.giveBackPlace()
            return shouldContinue(after: code)
        }
        guard !context.core.spare.isMissed else {
            shedder.refuseImmediately(accepted, answering: speaksPlainText, context)
            context.giveBackPlace()
            context.core.spare.restore()
            return true
        }
        gracePeriod.end()
        do throws(SocketError) {
            try context.welcome(accepted, SocketAddress(address))
        } catch {
            _ = closeDescriptor(accepted)
            context.giveBackPlace()
        }
        return true
    }

    /// Handles an error of `accept`, and returns whether to call it again.
    private func shouldContinue(after code: Int32) -> Bool {
        switch code {
        case EAGAIN, EWOULDBLOCK:
            gracePeriod.end()
            context.loop.rearm(descriptor, for: .readable)
            return false
        case EMFILE, ENFILE, ENOBUFS, ENOMEM:
            // An immediate retry would spin; a closing connection frees a descriptor.
            context.core.noteExhaustion(context.loop.now)
            if gracePeriod.begin(context.loop.now) <= context.loop.now { refuseWithoutDescriptors() }
            context.loop.setDeadline(context.loop.now + Self.pause, for: descriptor)
            return false
        default:
            // The client has disconnected, or a signal interrupted the call.
            return true
        }
    }

    // MARK: Overload

    /// Whether clients understand a response without TLS.
    private var speaksPlainText: Bool { context.terms.tls == nil }

    private func waitOrRefuse() {
        let end = gracePeriod.begin(context.loop.now)
        guard end <= context.loop.now else { return context.loop.setDeadline(end, for: descriptor) }
        for _ in 0..<Self.batch {
            // When a refused client disconnects, the next one can be refused.
            guard shedder.hasRoom else { return }
            guard refuseOne({ shedder.refuse($0, answering: speaksPlainText, context) }) else { return }
        }
        acceptLater()
    }

    private func refuseWithoutDescriptors() {
        for _ in 0..<Self.shedBatch {
            let found = context.core.spare.lend {
                refuseOne { shedder.refuseImmediately($0, answering: speaksPlainText, context) }
            }
            guard found == true else { return }
        }
    }

    /// Accepts a connection and refuses it.
    ///
    /// - Returns: Whether there was one.
    private func refuseOne(_ refuse: (Int32) -> Void) -> Bool {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let accepted = cplatform_accept(descriptor, &address, &length)
        guard accepted >= 0 else {
            if errno == EAGAIN || errno == EWOULDBLOCK {
                context.loop.rearm(descriptor, for: .readable)
            } else {
                context.loop.setDeadline(context.loop.now + Self.pause, for: descriptor)
            }
            return false
        }
        refuse(accepted)
        return true
    }

    func close() {
        isOpen = false
        context.loop.close(descriptor)
    }
}
