// SPDX-License-Identifier: MIT

/// A queue of work that takes some tens of microseconds, such as checking a signature.
///
/// Runs after the cheap work of a turn, within a share of its time: a client that floods the server with
/// forged tokens must not delay clients whose tokens are cached.
package struct CostlyWork {
    /// The minimum time that a turn spends on it, so that the overhead of a turn does not matter.
    package static let minimumNanoseconds: UInt64 = 100_000
    /// The maximum time that a turn spends on it, so that the sockets are polled again soon.
    package static let maximumNanoseconds: UInt64 = 1_000_000
    /// How long after the last cheap work the share stays limited.
    package static let memory = Duration.milliseconds(20)

    /// Not a bare closure, because an array of closures adds a wrapper.
    private struct Piece {
        let work: () -> Void
    }

    private var pieces = FIFOQueue<Piece>()
    /// The number of pieces appended so far.
    package private(set) var arrivalCount = 0
    /// The last time that there was cheap work.
    private var lastCheapWork = MonotonicInstant(nanoseconds: 0)

    package init() {}

    package var isEmpty: Bool { pieces.isEmpty }

    package mutating func append(_ work: @escaping () -> Void) {
        pieces.append(Piece(work: work))
        arrivalCount &+= 1
    }

    /// Removes and returns the next piece.
    package mutating func next() -> (() -> Void)? {
        pieces.popFirst()?.work
    }

    /// Returns the nanoseconds that a turn may spend on it.
    ///
    /// A third of the time of the turn's cheap work, within the bounds. If all recent events caused costly
    /// work, no cheap work is waiting, so it returns the maximum.
    package mutating func beginShare(
        spent: UInt64, cheapEvents cheapEventCount: Int, at now: MonotonicInstant
    ) -> UInt64 {
        if cheapEventCount > 0 { lastCheapWork = now }
        guard now - lastCheapWork < Self.memory else { return Self.maximumNanoseconds }
        return min(max(spent / 3, Self.minimumNanoseconds), Self.maximumNanoseconds)
    }
}
