// SPDX-License-Identifier: MIT

/// Work that takes some tens of microseconds, such as checking a signature, in the order in which it came.
///
/// It waits until the cheap work of a turn is done and gets a share of the time: who sends forged tokens as fast as the network
/// carries them must not keep those waiting whose tokens are known.
package struct CostlyWork {
    /// What a turn spends on it at least, so that the price of going round does not count.
    package static let minimumNanoseconds: UInt64 = 100_000
    /// What a turn spends on it at most, so that the sockets are looked at again soon.
    package static let maximumNanoseconds: UInt64 = 1_000_000
    /// For how long it is thought of that there was something else to do.
    package static let memory = Duration.milliseconds(20)

    /// Not a bare closure, which an array would wrap once more.
    private struct Piece {
        let work: () -> Void
    }

    private var pieces = FIFOQueue<Piece>()
    /// How many pieces have come so far.
    package private(set) var arrivalCount = 0
    /// When there was something else to do.
    private var lastCheapWork = MonotonicInstant(nanoseconds: 0)

    package init() {}

    package var isEmpty: Bool { pieces.isEmpty }

    package mutating func append(_ work: @escaping () -> Void) {
        pieces.append(Piece(work: work))
        arrivalCount &+= 1
    }

    /// The piece whose turn it is.
    package mutating func next() -> (() -> Void)? {
        pieces.popFirst()?.work
    }

    /// How long a turn may spend on it.
    ///
    /// A third of the time that its cheap work took, within the bounds; the most there is where for a while every event has ended in
    /// costly work, so that nobody waits for anything else.
    package mutating func beginShare(
        spent: UInt64, cheapEvents cheapEventCount: Int, at now: MonotonicInstant
    ) -> UInt64 {
        if cheapEventCount > 0 { lastCheapWork = now }
        guard now - lastCheapWork < Self.memory else { return Self.maximumNanoseconds }
        return min(max(spent / 3, Self.minimumNanoseconds), Self.maximumNanoseconds)
    }
}
