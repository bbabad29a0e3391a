// SPDX-License-Identifier: MIT

package import PortcullisTransport
internal import Synchronization

/// How long new clients wait in the backlog at the connection limit before they get 503: a short wait is
/// better than a refusal, a long one is not.
///
/// A value without I/O or clock.
package struct OverloadGracePeriod {
    /// How long new clients wait in the backlog.
    static let duration = Duration.seconds(1)

    private var since: MonotonicInstant?

    package init() {}

    /// Ends the period: the number of connections is below the limit again.
    package mutating func end() { since = nil }

    /// Begins the period, or continues it: the connection limit is reached.
    ///
    /// - Returns: The instant from which clients get 503; it may have passed.
    package mutating func begin(_ now: MonotonicInstant) -> MonotonicInstant {
        let begun = since ?? now
        since = begun
        return begun + Self.duration
    }
}

/// A descriptor in reserve: when the process has no other left, it is closed so that a client can be accepted
/// and refused.
///
/// Without it, a client that can't be accepted would get no response. All loops share one descriptor. While
/// it is closed, another loop's `accept` may receive its number; that loop then refuses its client too, and
/// the number is reserved again.
final class SpareDescriptor: Sendable {
    private let descriptor = Mutex(nullDevice())
    private let isLent = Atomic<Bool>(false)

    deinit { descriptor.withLock { held in held.map { _ = closeDescriptor($0) } } }

    /// Whether the spare descriptor is closed, so that a connection just accepted may have its number.
    var isMissed: Bool { isLent.load(ordering: .sequentiallyConsistent) }

    /// Closes the descriptor while the closure runs.
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

    /// Opens the descriptor again, after the connection that took its number has been refused and closed.
    func restore() {
        descriptor.withLock { held in
            held = held ?? nullDevice()
            // Tries once: if opening fails for another reason, clients are served anyway.
            isLent.store(false, ordering: .sequentiallyConsistent)
        }
    }
}
