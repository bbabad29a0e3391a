// SPDX-License-Identifier: MIT

package import PortcullisTransport
internal import Synchronization

/// How long new clients wait in the backlog at the connection limit before they get 503: a short wait is
/// better than a refusal, a longer one is not.
///
/// Pure.
package struct OverloadGracePeriod {
    /// How long the backlog holds new clients.
    static let duration = Duration.seconds(1)

    private var since: MonotonicInstant?

    package init() {}

    /// There is a free place again.
    package mutating func end() { since = nil }

    /// There is no free place, and perhaps there was none before.
    ///
    /// - Returns: From when on clients get 503, which may be now.
    package mutating func begin(_ now: MonotonicInstant) -> MonotonicInstant {
        let begun = since ?? now
        since = begun
        return begun + Self.duration
    }
}

/// A descriptor that is kept open, to be closed when the process has no other left.
///
/// Without it a client that can't be accepted would get no answer at all. There is one for all loops: another
/// loop that accepts while it is lent may have got its number, and gives that back.
final class SpareDescriptor: Sendable {
    private let descriptor = Mutex(nullDevice())
    private let isLent = Atomic<Bool>(false)

    deinit { descriptor.withLock { held in held.map { _ = closeDescriptor($0) } } }

    /// Whether a connection that has just been accepted may have got the lent number.
    var isMissed: Bool { isLent.load(ordering: .sequentiallyConsistent) }

    /// Closes it for as long as the closure runs.
    ///
    /// - Returns: What the closure returns; `nil` if there was no descriptor to close.
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

    /// Opens it again, after the connection in its place has been answered and closed.
    func restore() {
        descriptor.withLock { held in
            held = held ?? nullDevice()
            // Tried once: if nothing can be opened for another reason, clients are served all the same.
            isLent.store(false, ordering: .sequentiallyConsistent)
        }
    }
}
