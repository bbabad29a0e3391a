// SPDX-License-Identifier: MIT

package import PortcullisTransport

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
/// Without it a client that can't be accepted would neither be served nor told.
struct SpareDescriptor: ~Copyable {
    private var descriptor: Int32?

    init() { descriptor = nullDevice() }

    deinit { if let descriptor { _ = closeDescriptor(descriptor) } }

    /// Gives it up for as long as the closure runs.
    ///
    /// - Returns: What the closure returns; nothing if there was no descriptor to give up.
    mutating func lend<Result>(_ use: () -> Result) -> Result? {
        guard let lent = descriptor ?? nullDevice() else { return nil }
        _ = closeDescriptor(lent)
        defer { descriptor = nullDevice() }
        return use()
    }
}
