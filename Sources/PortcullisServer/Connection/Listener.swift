// SPDX-License-Identifier: MIT

internal import CPlatform
internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Accepts connections for one loop, in batches, while there is room for them.
///
// SAFETY: used on its loop only.
final class Listener: ReadinessHandler, @unchecked Sendable {
    /// How many connections one turn accepts before it gives way.
    private static let batch = 64
    /// How long to wait when the process has no descriptor left.
    private static let pause = Duration.milliseconds(50)

    private let descriptor: Int32
    private unowned let context: LoopContext
    private var isOpen = true

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

    /// Accepts until nothing waits or there is no room.
    ///
    /// At the limit the backlog holds what comes.
    func accept() {
        guard isOpen else { return }
        for _ in 0..<Self.batch {
            guard context.core.mayOpenConnection() else { return }
            guard acceptOne() else { return }
        }
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
            return goesOn(after: code)
        }
        do throws(SocketError) {
            try context.welcome(accepted, SocketAddress(address))
        } catch {
            _ = closeDescriptor(accepted)
            context.giveBackPlace()
        }
        return true
    }

    private func goesOn(after code: Int32) -> Bool {
        switch code {
        case EAGAIN, EWOULDBLOCK:
            context.loop.rearm(descriptor, for: .readable)
            return false
        case EMFILE, ENFILE, ENOBUFS, ENOMEM:
            // Trying again at once would spin; a connection that closes frees what is missing.
            context.loop.setDeadline(context.loop.now + Self.pause, for: descriptor)
            return false
        default:
            // The client has gone already, or a signal came between.
            return true
        }
    }

    func close() {
        isOpen = false
        context.loop.close(descriptor)
    }
}
