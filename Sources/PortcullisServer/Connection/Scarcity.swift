// SPDX-License-Identifier: MIT

package import PortcullisTransport
internal import Synchronization

/// Whether clients that find no place are left to wait or told to come back: a wait that is short hurts nobody, a longer one does.
///
/// Pure.
package struct Scarcity {
    /// How long the backlog holds who comes.
    static let patience = Duration.seconds(1)

    private var since: MonotonicInstant?

    package init() {}

    /// There is a place again.
    package mutating func end() { since = nil }

    /// There is none, and perhaps there was none before.
    ///
    /// - Returns: When clients are to be turned away, which may be now.
    package mutating func begin(_ now: MonotonicInstant) -> MonotonicInstant {
        let begun = since ?? now
        since = begun
        return begun + Self.patience
    }
}

/// A descriptor that is held so that there is one to give up when the process has no other left.
///
/// Without it a client that can't be accepted would neither be served nor told. One for all loops: another loop that accepts while it is
/// lent may have been given its number, and gives that back.
final class SpareDescriptor: Sendable {
    private let descriptor = Mutex(nullDevice())
    private let isLent = Atomic<Bool>(false)

    deinit { descriptor.withLock { held in held.map { _ = closeDescriptor($0) } } }

    /// Whether a connection that has just been accepted may have got the number that was lent.
    var isMissed: Bool { isLent.load(ordering: .sequentiallyConsistent) }

    /// Gives it up for as long as the closure runs.
    ///
    /// - Returns: What the closure returns; nothing if there was no descriptor to give up.
    func lend(_ use: () -> Bool) -> Bool? {
        descriptor.withLock { held in
            guard let lent = held ?? nullDevice() else { return nil }
            isLent.store(true, ordering: .sequentiallyConsistent)
            _ = closeDescriptor(lent)
            let result = use()
            held = nullDevice()
            if held != nil { isLent.store(false, ordering: .sequentiallyConsistent) }
            return result
        }
    }

    /// Takes it back, after whoever was in its place has been told and closed.
    func restore() {
        descriptor.withLock { held in
            held = held ?? nullDevice()
            // Tried once: where nothing can be opened for another reason, clients are to be served all the same.
            isLent.store(false, ordering: .sequentiallyConsistent)
        }
    }
}
