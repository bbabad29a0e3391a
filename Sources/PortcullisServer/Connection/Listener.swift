// SPDX-License-Identifier: MIT

internal import CPlatform
internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Accepts connections for one loop, in batches, while there is room for them, and turns clients away when there has been none for
/// some time.
///
// SAFETY: used on its loop only.
final class Listener: ReadinessHandler, @unchecked Sendable {
    /// How many connections one turn accepts before it gives way.
    private static let batch = 64
    /// How long to wait when the process has no descriptor left.
    private static let pause = Duration.milliseconds(50)
    /// How many are turned away after such a pause.
    private static let shedBatch = 16

    private let descriptor: Int32
    private unowned let context: LoopContext
    private var isOpen = true
    private var scarcity = Scarcity()
    private lazy var shedding = Shedding { [weak self] in self?.accept() }

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
    /// At the limit the backlog holds what comes, for a while.
    func accept() {
        guard isOpen else { return }
        for _ in 0..<Self.batch {
            guard context.core.mayOpenConnection() else { return waitOrTurnAway() }
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
            return goesOn(after: code)
        }
        guard !context.core.spare.isMissed else {
            shedding.turnAwayAtOnce(accepted, answering: speaksPlainText, context)
            context.giveBackPlace()
            context.core.spare.restore()
            return true
        }
        scarcity.end()
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
            scarcity.end()
            context.loop.rearm(descriptor, for: .readable)
            return false
        case EMFILE, ENFILE, ENOBUFS, ENOMEM:
            // Trying again at once would spin; a connection that closes frees what is missing.
            context.core.noteExhaustion(context.loop.now)
            if scarcity.begin(context.loop.now) <= context.loop.now { turnAwayWithoutDescriptors() }
            context.loop.setDeadline(context.loop.now + Self.pause, for: descriptor)
            return false
        default:
            // The client has gone already, or a signal came between.
            return true
        }
    }

    // MARK: Want of places

    /// Whether clients understand an answer that is sent as it is.
    private var speaksPlainText: Bool { context.terms.tls == nil }

    private func waitOrTurnAway() {
        let end = scarcity.begin(context.loop.now)
        guard end <= context.loop.now else { return context.loop.setDeadline(end, for: descriptor) }
        for _ in 0..<Self.batch {
            // Whoever has been turned away makes room for the next one.
            guard shedding.hasRoom else { return }
            guard turnOneAway({ shedding.turnAway($0, answering: speaksPlainText, context) }) else { return }
        }
        acceptLater()
    }

    private func turnAwayWithoutDescriptors() {
        for _ in 0..<Self.shedBatch {
            let found = context.core.spare.lend {
                turnOneAway { shedding.turnAwayAtOnce($0, answering: speaksPlainText, context) }
            }
            guard found == true else { return }
        }
    }

    /// Accepts a connection that will not be served.
    ///
    /// - Returns: Whether there was one.
    private func turnOneAway(_ turnAway: (Int32) -> Void) -> Bool {
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
        turnAway(accepted)
        return true
    }

    func close() {
        isOpen = false
        context.loop.close(descriptor)
    }
}
